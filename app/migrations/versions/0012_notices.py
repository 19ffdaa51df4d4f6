"""Notices to residents: templates, what was sent to whom on which way, what residents want."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "notice_template",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("topic", sa.String(length=32), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("binding", sa.Boolean(), nullable=False),
        sa.Column("valid_hours", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_template")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_template_key")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "notice_contact",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("subject_index", sa.String(length=64), nullable=False),
        sa.Column("following", sa.Boolean(), nullable=True),
        sa.Column("spoke_at", Instant(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_notice_contact_account_id_channel_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_contact")),
        sa.UniqueConstraint("account_id", "subject_index", name="uq_notice_contact_subject"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "notice_early_receipt",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("platform_id", sa.String(length=100), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["channel_account.id"],
            name=op.f("fk_notice_early_receipt_account_id_channel_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_early_receipt")),
        sa.UniqueConstraint("account_id", "platform_id", name="uq_notice_early_receipt_once"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("notice_early_receipt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_early_receipt_at"), ["at"], unique=False)

    op.create_table(
        "notice_preference",
        sa.Column("resident_id", Key, autoincrement=False, nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("quiet_from", sa.SmallInteger(), nullable=True),
        sa.Column("quiet_until", sa.SmallInteger(), nullable=True),
        sa.Column("muted", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_notice_preference_resident_id_resident")
        ),
        sa.PrimaryKeyConstraint("resident_id", name=op.f("pk_notice_preference")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "notice_quota",
        sa.Column("account_id", Key, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("right", sa.String(length=20), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_notice_quota_account_id_channel_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "day", "right", name=op.f("pk_notice_quota")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "notice_sender",
        sa.Column("account_id", Key, autoincrement=False, nullable=False),
        sa.Column("per_second", sa.Integer(), nullable=False),
        sa.Column("daily_limits", sa.JSON(), nullable=False),
        sa.Column("pace_second", Key, nullable=False),
        sa.Column("pace_count", sa.Integer(), nullable=False),
        sa.Column("window_from", Instant(), nullable=False),
        sa.Column("ok_count", sa.Integer(), nullable=False),
        sa.Column("failure_count", sa.Integer(), nullable=False),
        sa.Column("open_until", Instant(), nullable=True),
        sa.Column("trial_until", Instant(), nullable=True),
        sa.Column("opened_in_a_row", sa.Integer(), nullable=False),
        sa.Column("last_code", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_notice_sender_account_id_channel_account")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_notice_sender")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "notice_template_version",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("template_id", Key, nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("body", sa.String(length=600), nullable=False),
        sa.Column("variables", sa.JSON(), nullable=False),
        sa.Column("order", sa.JSON(), nullable=False),
        sa.Column("forms", sa.JSON(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("published_by", sa.String(length=80), nullable=False),
        sa.Column("retired_at", Instant(), nullable=True),
        sa.Column("used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["notice_template.id"],
            name=op.f("fk_notice_template_version_template_id_notice_template"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_template_version")),
        sa.UniqueConstraint("template_id", "language", "number", name="uq_notice_template_version_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "notice_consent",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("contact_id", Key, nullable=False),
        sa.Column("platform_template", sa.String(length=100), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("refused_at", Instant(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["notice_contact.id"], name=op.f("fk_notice_consent_contact_id_notice_contact")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_consent")),
        sa.UniqueConstraint("contact_id", "platform_template", name="uq_notice_consent_template"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "notice_message",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("resident_id", Key, nullable=False),
        sa.Column("version_id", Key, nullable=False),
        sa.Column("dedup_key", sa.String(length=120), nullable=False),
        sa.Column("topic", sa.String(length=32), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("binding", sa.Boolean(), nullable=False),
        sa.Column("values_token", sa.String(length=32), nullable=True),
        sa.Column("link", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("valid_until", Instant(), nullable=False),
        sa.Column("touched_at", Instant(), nullable=False),
        sa.Column("is_read", sa.Boolean(), nullable=False),
        sa.Column("read_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_notice_message_resident_id_resident")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["notice_template_version.id"],
            name=op.f("fk_notice_message_version_id_notice_template_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_message")),
        sa.UniqueConstraint("resident_id", "dedup_key", name="uq_notice_message_once"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("notice_message", schema=None) as batch_op:
        batch_op.create_index("ix_notice_message_created", ["created_at"], unique=False)
        batch_op.create_index(
            "ix_notice_message_inbox", ["resident_id", "is_read", "created_at", "id"], unique=False
        )
        batch_op.create_index("ix_notice_message_state", ["state", "touched_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_notice_message_version_id"), ["version_id"], unique=False)

    op.create_table(
        "notice_delivery",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("message_id", Key, nullable=False),
        sa.Column("way", sa.String(length=50), nullable=False),
        sa.Column("account_id", Key, nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("platform_id", sa.String(length=100), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("consent_id", Key, nullable=True),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("next_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_notice_delivery_account_id_channel_account")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["notice_message.id"], name=op.f("fk_notice_delivery_message_id_notice_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_delivery")),
        sa.UniqueConstraint("message_id", "way", "account_id", name="uq_notice_delivery_once"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("notice_delivery", schema=None) as batch_op:
        batch_op.create_index("ix_notice_delivery_created", ["created_at"], unique=False)
        batch_op.create_index("ix_notice_delivery_platform", ["account_id", "platform_id"], unique=False)

    op.create_table(
        "notice_attempt",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("delivery_id", Key, nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["notice_delivery.id"],
            name=op.f("fk_notice_attempt_delivery_id_notice_delivery"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_attempt")),
        sa.UniqueConstraint("delivery_id", "number", name="uq_notice_attempt_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
