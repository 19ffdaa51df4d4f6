"""Catalogue: how items stand and score, files to bring in, and what the desk keeps of a version."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key, Paper, Tiny

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "item_import",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("staff_id", Key, nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("content", Paper, nullable=True),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("committed_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_item_import_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_import")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("item_import", schema=None) as batch_op:
        batch_op.create_index("ix_item_import_created", ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_item_import_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "item_fault",
        sa.Column("implementation_id", Key, autoincrement=False, nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_item_fault_body_id_body")),
        sa.ForeignKeyConstraint(
            ["implementation_id"],
            ["item_implementation.id"],
            name=op.f("fk_item_fault_implementation_id_item_implementation"),
        ),
        sa.PrimaryKeyConstraint("implementation_id", "rule", name=op.f("pk_item_fault")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("item_fault", schema=None) as batch_op:
        batch_op.create_index("ix_item_fault_body", ["body_id", "rule", "implementation_id"], unique=False)
        batch_op.create_index("ix_item_fault_rule", ["rule", "body_id", "implementation_id"], unique=False)

    op.create_table(
        "item_standing",
        sa.Column("implementation_id", Key, autoincrement=False, nullable=False),
        sa.Column("directory_id", Key, nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("newest_id", Key, nullable=True),
        sa.Column("newest_number", sa.Integer(), nullable=False),
        sa.Column("newest_state", sa.String(length=32), nullable=True),
        sa.Column("live_id", Key, nullable=True),
        sa.Column("live_state", sa.String(length=32), nullable=True),
        sa.Column("score", Tiny, nullable=True),
        sa.Column("waiting_since", Instant(), nullable=True),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_item_standing_body_id_body")),
        sa.ForeignKeyConstraint(
            ["directory_id"], ["item_directory.id"], name=op.f("fk_item_standing_directory_id_item_directory")
        ),
        sa.ForeignKeyConstraint(
            ["implementation_id"],
            ["item_implementation.id"],
            name=op.f("fk_item_standing_implementation_id_item_implementation"),
        ),
        sa.ForeignKeyConstraint(
            ["live_id"], ["item_version.id"], name=op.f("fk_item_standing_live_id_item_version")
        ),
        sa.ForeignKeyConstraint(
            ["newest_id"], ["item_version.id"], name=op.f("fk_item_standing_newest_id_item_version")
        ),
        sa.PrimaryKeyConstraint("implementation_id", name=op.f("pk_item_standing")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("item_standing", schema=None) as batch_op:
        batch_op.create_index("ix_item_standing_body", ["body_id", "name", "implementation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_item_standing_directory_id"), ["directory_id"], unique=False)
        batch_op.create_index("ix_item_standing_edition", ["edition", "implementation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_item_standing_live_id"), ["live_id"], unique=False)
        batch_op.create_index("ix_item_standing_name", ["name", "implementation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_item_standing_newest_id"), ["newest_id"], unique=False)
        batch_op.create_index(
            "ix_item_standing_score", ["body_id", "score", "implementation_id"], unique=False
        )
        batch_op.create_index(
            "ix_item_standing_state", ["newest_state", "name", "implementation_id"], unique=False
        )
        batch_op.create_index(
            "ix_item_standing_waiting", ["waiting_since", "implementation_id"], unique=False
        )

    with op.batch_alter_table("item_directory", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))

    with op.batch_alter_table("item_version", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("submitted_at", Instant(), nullable=True))
        batch_op.add_column(
            sa.Column("submitted_by", sa.String(length=80), server_default="", nullable=False)
        )
        batch_op.add_column(sa.Column("reason", sa.String(length=500), server_default="", nullable=False))
