"""The exchange with departments: systems, their messages, what they are told, conformance runs."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "exchange_system",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("app_id", Key, nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.Column("sent_count", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("passed_version", sa.Integer(), nullable=False),
        sa.Column("live_at", Instant(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["partner_app.id"], name=op.f("fk_exchange_system_app_id_partner_app")
        ),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_exchange_system_body_id_body")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_system")),
        sa.UniqueConstraint("app_id", name=op.f("uq_exchange_system_app_id")),
        sa.UniqueConstraint("code", name=op.f("uq_exchange_system_code")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("exchange_system", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exchange_system_body_id"), ["body_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_exchange_system_state"), ["state"], unique=False)

    op.create_table(
        "exchange_run",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("system_id", Key, nullable=False),
        sa.Column("standard_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("marks", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("certificate", sa.String(length=20), nullable=True),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["system_id"], ["exchange_system.id"], name=op.f("fk_exchange_run_system_id_exchange_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_run")),
        sa.UniqueConstraint("certificate", name=op.f("uq_exchange_run_certificate")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("exchange_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exchange_run_system_id"), ["system_id"], unique=False)

    op.create_table(
        "exchange_case",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("system_id", Key, nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("application_id", Key, nullable=True),
        sa.Column("state", sa.String(length=32), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_exchange_case_application_id_application")
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["exchange_system.id"], name=op.f("fk_exchange_case_system_id_exchange_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_case")),
        sa.UniqueConstraint("system_id", "application_id", name="uq_exchange_case_application"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("exchange_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exchange_case_application_id"), ["application_id"], unique=False)

    op.create_table(
        "exchange_alias",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("system_id", Key, nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("field", sa.String(length=10), nullable=False),
        sa.Column("number", sa.String(length=50), nullable=False),
        sa.Column("case_id", Key, nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["exchange_case.id"], name=op.f("fk_exchange_alias_case_id_exchange_case")
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["exchange_system.id"], name=op.f("fk_exchange_alias_system_id_exchange_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_alias")),
        sa.UniqueConstraint("system_id", "stage", "field", "number", name="uq_exchange_alias_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("exchange_alias", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exchange_alias_case_id"), ["case_id"], unique=False)

    op.create_table(
        "exchange_message",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("system_id", Key, nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("case_id", Key, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("data_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("corrects", sa.Boolean(), nullable=False),
        sa.Column("business_at", Instant(), nullable=True),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("applied_at", Instant(), nullable=True),
        sa.Column("lag_seconds", sa.Integer(), nullable=True),
        sa.Column("told_at", Instant(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["exchange_case.id"], name=op.f("fk_exchange_message_case_id_exchange_case")
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["exchange_system.id"], name=op.f("fk_exchange_message_system_id_exchange_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_message")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("exchange_message", schema=None) as batch_op:
        batch_op.create_index("ix_exchange_message_case", ["case_id", "seq", "kind"], unique=False)
        batch_op.create_index(
            "ix_exchange_message_health", ["system_id", "stage", "received_at"], unique=False
        )
        batch_op.create_index("ix_exchange_message_queue", ["state", "received_at"], unique=False)

    op.create_table(
        "exchange_out",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("system_id", Key, nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("case_id", Key, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=True),
        sa.Column("event", sa.String(length=30), nullable=False),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=80), nullable=False),
        sa.Column("happening", sa.String(length=80), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("pulled_at", Instant(), nullable=True),
        sa.Column("acknowledged_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["exchange_case.id"], name=op.f("fk_exchange_out_case_id_exchange_case")
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["exchange_system.id"], name=op.f("fk_exchange_out_system_id_exchange_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_out")),
        sa.UniqueConstraint("happening", name="uq_exchange_out_happening"),
        sa.UniqueConstraint("system_id", "stage", "number", name="uq_exchange_out_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("exchange_out", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exchange_out_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_exchange_out_due", ["state", "due_at"], unique=False)

    op.create_table(
        "exchange_arrival",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("case_id", Key, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("data_version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("message_id", Key, nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["exchange_case.id"], name=op.f("fk_exchange_arrival_case_id_exchange_case")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["exchange_message.id"],
            name=op.f("fk_exchange_arrival_message_id_exchange_message"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_arrival")),
        sa.UniqueConstraint(
            "case_id", "kind", "seq", "data_version", "digest", name="uq_exchange_arrival_body"
        ),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("exchange_arrival", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exchange_arrival_message_id"), ["message_id"], unique=False)
