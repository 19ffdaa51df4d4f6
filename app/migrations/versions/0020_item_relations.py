"""Catalogue: relations between items, scenes that lead to a variant."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "item_relation_graph",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_relation_graph")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "item_relation",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("directory_id", Key, nullable=False),
        sa.Column("other_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("variant", sa.String(length=40), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["directory_id"], ["item_directory.id"], name=op.f("fk_item_relation_directory_id_item_directory")
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["item_directory.id"], name=op.f("fk_item_relation_other_id_item_directory")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_relation")),
        sa.UniqueConstraint("directory_id", "other_id", "kind", "variant", name="uq_item_relation_edge"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("item_relation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_item_relation_other_id"), ["other_id"], unique=False)

    op.create_table(
        "scene",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scene")),
        sa.UniqueConstraint("key", name=op.f("uq_scene_key")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "scene_version",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("scene_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("live", sa.Integer(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["scene_id"], ["scene.id"], name=op.f("fk_scene_version_scene_id_scene")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scene_version")),
        sa.UniqueConstraint("scene_id", "live", name="uq_scene_version_live"),
        sa.UniqueConstraint("scene_id", "number", name="uq_scene_version_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
