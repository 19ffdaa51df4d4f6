"""Themes: several items as one matter, applied for together."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "theme",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme")),
        sa.UniqueConstraint("code", name=op.f("uq_theme_code")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "theme_version",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("theme_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("live", sa.Integer(), nullable=True),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("built_on", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.id"], name=op.f("fk_theme_version_theme_id_theme")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme_version")),
        sa.UniqueConstraint("theme_id", "live", name="uq_theme_version_live"),
        sa.UniqueConstraint("theme_id", "number", name="uq_theme_version_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "theme_merge",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("version_id", Key, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("merged", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["theme_version.id"], name=op.f("fk_theme_merge_version_id_theme_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme_merge")),
        sa.UniqueConstraint("version_id", "digest", name="uq_theme_merge_digest"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "theme_application",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("resident_id", Key, nullable=False),
        sa.Column("version_id", Key, nullable=False),
        sa.Column("merge_id", Key, nullable=False),
        sa.Column("region_code", sa.String(length=20), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("number", sa.String(length=21), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.JSON(), nullable=False),
        sa.Column("materials", sa.JSON(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.Column("submitted_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("followed_at", Instant(), nullable=True),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("joint_due_on", sa.Date(), nullable=True),
        sa.Column("extension_days", sa.Integer(), nullable=False),
        sa.Column("extension_reason", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["merge_id"], ["theme_merge.id"], name=op.f("fk_theme_application_merge_id_theme_merge")
        ),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name=op.f("fk_theme_application_region_code_region")
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_theme_application_resident_id_resident")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["theme_version.id"], name=op.f("fk_theme_application_version_id_theme_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme_application")),
        sa.UniqueConstraint("number", name=op.f("uq_theme_application_number")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_index("ix_theme_application_expires", "theme_application", ["expires_on"], unique=False)
    op.create_index(op.f("ix_theme_application_merge_id"), "theme_application", ["merge_id"], unique=False)
    op.create_index(
        "ix_theme_application_mine", "theme_application", ["resident_id", "created_at", "id"], unique=False
    )
    op.create_index("ix_theme_application_open", "theme_application", ["state", "followed_at"], unique=False)
    op.create_index(
        op.f("ix_theme_application_region_code"), "theme_application", ["region_code"], unique=False
    )
    op.create_index(
        op.f("ix_theme_application_version_id"), "theme_application", ["version_id"], unique=False
    )
    op.create_table(
        "theme_part",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("theme_application_id", Key, nullable=False),
        sa.Column("item", sa.String(length=60), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("item_version_id", Key, nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("application_id", Key, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_theme_part_application_id_application")
        ),
        sa.ForeignKeyConstraint(
            ["item_version_id"], ["item_version.id"], name=op.f("fk_theme_part_item_version_id_item_version")
        ),
        sa.ForeignKeyConstraint(
            ["theme_application_id"],
            ["theme_application.id"],
            name=op.f("fk_theme_part_theme_application_id_theme_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme_part")),
        sa.UniqueConstraint("theme_application_id", "item", name="uq_theme_part_item"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_index("ix_theme_part_application", "theme_part", ["application_id"], unique=False)
    op.create_index(op.f("ix_theme_part_item_version_id"), "theme_part", ["item_version_id"], unique=False)
    op.create_table(
        "theme_application_event",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("theme_application_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("from_state", sa.String(length=32), nullable=False),
        sa.Column("to_state", sa.String(length=32), nullable=False),
        sa.Column("who", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["theme_application_id"],
            ["theme_application.id"],
            name=op.f("fk_theme_application_event_theme_application_id_theme_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme_application_event")),
        sa.UniqueConstraint("theme_application_id", "number", name="uq_theme_application_event_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
