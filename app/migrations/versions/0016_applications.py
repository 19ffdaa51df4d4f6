"""Applications that residents make: drafts, cases, their steps, notices of what is missing."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "application",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("resident_id", Key, nullable=False),
        sa.Column("implementation_id", Key, nullable=False),
        sa.Column("item_version_id", Key, nullable=False),
        sa.Column("form_version_id", Key, nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("region_code", sa.String(length=20), nullable=False),
        sa.Column("referred_from_id", Key, nullable=True),
        sa.Column("number", sa.String(length=21), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.JSON(), nullable=False),
        sa.Column("materials", sa.JSON(), nullable=False),
        sa.Column("handler_id", Key, nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.Column("submitted_at", Instant(), nullable=True),
        sa.Column("received_at", Instant(), nullable=True),
        sa.Column("accepted_at", Instant(), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("completed_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("intake_due_on", sa.Date(), nullable=True),
        sa.Column("supplement_due_on", sa.Date(), nullable=True),
        sa.Column("promise_due_on", sa.Date(), nullable=True),
        sa.Column("lawful_due_on", sa.Date(), nullable=True),
        sa.Column("delivery_due_on", sa.Date(), nullable=True),
        sa.Column("desk_on", sa.Date(), nullable=True),
        sa.Column("extension_days", sa.Integer(), nullable=False),
        sa.Column("pauses", sa.JSON(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_application_body_id_body")),
        sa.ForeignKeyConstraint(
            ["form_version_id"], ["item_version.id"], name=op.f("fk_application_form_version_id_item_version")
        ),
        sa.ForeignKeyConstraint(["handler_id"], ["staff.id"], name=op.f("fk_application_handler_id_staff")),
        sa.ForeignKeyConstraint(
            ["implementation_id"],
            ["item_implementation.id"],
            name=op.f("fk_application_implementation_id_item_implementation"),
        ),
        sa.ForeignKeyConstraint(
            ["item_version_id"], ["item_version.id"], name=op.f("fk_application_item_version_id_item_version")
        ),
        sa.ForeignKeyConstraint(
            ["referred_from_id"],
            ["application.id"],
            name=op.f("fk_application_referred_from_id_application"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name=op.f("fk_application_region_code_region")
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_application_resident_id_resident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sa.UniqueConstraint("number", name=op.f("uq_application_number")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("application", schema=None) as batch_op:
        batch_op.create_index("ix_application_desk", ["body_id", "desk_on", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_application_form_version_id"), ["form_version_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_application_handler_id"), ["handler_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_application_implementation_id"), ["implementation_id"], unique=False
        )
        batch_op.create_index("ix_application_intake", ["state", "desk_on"], unique=False)
        batch_op.create_index("ix_application_mine", ["resident_id", "created_at", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_application_referred_from_id"), ["referred_from_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_application_region_code"), ["region_code"], unique=False)
        batch_op.create_index("ix_application_supplement", ["state", "supplement_due_on"], unique=False)
        batch_op.create_index("ix_application_version", ["item_version_id", "state"], unique=False)

    op.create_table(
        "application_event",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("application_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("from_state", sa.String(length=32), nullable=False),
        sa.Column("to_state", sa.String(length=32), nullable=False),
        sa.Column("who", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("message", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_event_application_id_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_event")),
        sa.UniqueConstraint("application_id", "number", name="uq_application_event_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "application_supplement",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("application_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("supplied_at", Instant(), nullable=True),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_supplement_application_id_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_supplement")),
        sa.UniqueConstraint("application_id", "number", name="uq_application_supplement_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
