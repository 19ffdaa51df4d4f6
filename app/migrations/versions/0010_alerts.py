"""Alerts: what happened, who is to know, in which ways, and the proof that they were told."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "alert_preference",
        sa.Column("staff_id", Key, autoincrement=False, nullable=False),
        sa.Column("ways", sa.JSON(), nullable=False),
        sa.Column("quiet_from", sa.SmallInteger(), nullable=True),
        sa.Column("quiet_until", sa.SmallInteger(), nullable=True),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("min_severity", sa.String(length=32), nullable=False),
        sa.Column("muted", sa.JSON(), nullable=False),
        sa.Column("email_token", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_alert_preference_staff_id_staff")),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_alert_preference")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "staff_binding",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("staff_id", Key, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("openid_token", sa.String(length=32), nullable=False),
        sa.Column("bound_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_staff_binding_account_id_channel_account")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_binding_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_binding")),
        sa.UniqueConstraint("openid_token", name=op.f("uq_staff_binding_openid_token")),
        sa.UniqueConstraint("staff_id", "account_id", name="uq_staff_binding_account"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("staff_binding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_binding_account_id"), ["account_id"], unique=False)

    op.create_table(
        "staff_binding_code",
        sa.Column("staff_id", Key, autoincrement=False, nullable=False),
        sa.Column("code_token", sa.String(length=32), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_binding_code_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_staff_binding_code")),
        sa.UniqueConstraint("code_token", name=op.f("uq_staff_binding_code_code_token")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "alert",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("severity", sa.String(length=32), nullable=False),
        sa.Column("audience", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("body_id", Key, nullable=True),
        sa.Column("city_code", sa.String(length=20), nullable=True),
        sa.Column("group_key", sa.String(length=120), nullable=False),
        sa.Column("link", sa.String(length=300), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("gathered_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_alert_body_id_body")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index("ix_alert_at", ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_alert_body_id"), ["body_id"], unique=False)
        batch_op.create_index("ix_alert_gathered", ["gathered_at", "at"], unique=False)

    op.create_table(
        "alert_endpoint",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("url_token", sa.String(length=32), nullable=False),
        sa.Column("secret_token", sa.String(length=32), nullable=True),
        sa.Column("city_code", sa.String(length=20), nullable=True),
        sa.Column("body_id", Key, nullable=True),
        sa.Column("min_severity", sa.String(length=32), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failure_count", sa.Integer(), nullable=False),
        sa.Column("open_until", Instant(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.Column("last_sent_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_alert_endpoint_body_id_body")),
        sa.ForeignKeyConstraint(
            ["city_code"], ["region.code"], name=op.f("fk_alert_endpoint_city_code_region")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_endpoint")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("alert_endpoint", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_endpoint_body_id"), ["body_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_alert_endpoint_city_code"), ["city_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_alert_endpoint_removed_at"), ["removed_at"], unique=False)

    op.create_table(
        "alert_message",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("recipient", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("alert_count", sa.Integer(), nullable=False),
        sa.Column("body_id", Key, nullable=True),
        sa.Column("city_code", sa.String(length=20), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_alert_message_body_id_body")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_message")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("alert_message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_message_body_id"), ["body_id"], unique=False)
        batch_op.create_index("ix_alert_message_created", ["created_at"], unique=False)
        batch_op.create_index("ix_alert_message_recipient", ["recipient", "created_at"], unique=False)

    op.create_table(
        "alert_delivery",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("message_id", Key, nullable=False),
        sa.Column("way", sa.String(length=32), nullable=True),
        sa.Column("address_ref", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("platform_id", sa.String(length=100), nullable=False),
        sa.Column("error", sa.String(length=200), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("tried_at", Instant(), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["alert_message.id"], name=op.f("fk_alert_delivery_message_id_alert_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_delivery")),
        sa.UniqueConstraint("message_id", "address_ref", name="uq_alert_delivery_once"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("alert_delivery", schema=None) as batch_op:
        batch_op.create_index("ix_alert_delivery_created", ["created_at"], unique=False)
        batch_op.create_index("ix_alert_delivery_platform", ["address_ref", "platform_id"], unique=False)

    op.create_table(
        "alert_notice",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("recipient", sa.String(length=30), nullable=False),
        sa.Column("alert_id", Key, nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("matter", sa.String(length=140), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("message_id", Key, nullable=True),
        sa.Column("dropped", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alert_notice_alert_id_alert")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["alert_message.id"], name=op.f("fk_alert_notice_message_id_alert_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_notice")),
        sa.UniqueConstraint("recipient", "alert_id", name="uq_alert_notice_once"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("alert_notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_notice_alert_id"), ["alert_id"], unique=False)
        batch_op.create_index("ix_alert_notice_matter", ["matter", "recipient"], unique=False)
        batch_op.create_index(batch_op.f("ix_alert_notice_message_id"), ["message_id"], unique=False)
        batch_op.create_index("ix_alert_notice_waiting", ["recipient", "message_id", "due_at"], unique=False)
