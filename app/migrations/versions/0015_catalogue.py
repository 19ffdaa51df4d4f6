"""Items that residents can apply for: directory, implementations, versions, what they are found under."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "item_directory",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("code_scheme", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("item_type", sa.String(length=32), nullable=False),
        sa.Column("domain", sa.String(length=32), nullable=False),
        sa.Column("legal_basis", sa.JSON(), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_directory")),
        sa.UniqueConstraint("code_scheme", "code", name="uq_item_directory_code"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("item_directory", schema=None) as batch_op:
        batch_op.create_index("ix_item_directory_name", ["name", "code"], unique=False)

    op.create_table(
        "item_term",
        sa.Column("term", sa.String(length=24), nullable=False),
        sa.Column("directory_id", Key, nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["directory_id"], ["item_directory.id"], name=op.f("fk_item_term_directory_id_item_directory")
        ),
        sa.PrimaryKeyConstraint("term", "directory_id", name=op.f("pk_item_term")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("item_term", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_item_term_directory_id"), ["directory_id"], unique=False)

    op.create_table(
        "item_implementation",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("directory_id", Key, nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("region_code", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("code_scheme", sa.String(length=60), nullable=False),
        sa.Column("page_id", Key, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_item_implementation_body_id_body")),
        sa.ForeignKeyConstraint(
            ["directory_id"],
            ["item_directory.id"],
            name=op.f("fk_item_implementation_directory_id_item_directory"),
        ),
        sa.ForeignKeyConstraint(
            ["page_id"], ["mobile_page.id"], name=op.f("fk_item_implementation_page_id_mobile_page")
        ),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name=op.f("fk_item_implementation_region_code_region")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_implementation")),
        sa.UniqueConstraint("code_scheme", "code", name="uq_item_implementation_code"),
        sa.UniqueConstraint("directory_id", "body_id", "region_code", name="uq_item_implementation_place"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("item_implementation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_item_implementation_body_id"), ["body_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_item_implementation_page_id"), ["page_id"], unique=False)
        batch_op.create_index("ix_item_implementation_region", ["region_code", "directory_id"], unique=False)

    op.create_table(
        "item_version",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("implementation_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("live", sa.Integer(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("form", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["implementation_id"],
            ["item_implementation.id"],
            name=op.f("fk_item_version_implementation_id_item_implementation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_version")),
        sa.UniqueConstraint("implementation_id", "live", name="uq_item_version_live"),
        sa.UniqueConstraint("implementation_id", "number", name="uq_item_version_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("item_version", schema=None) as batch_op:
        batch_op.create_index("ix_item_version_due", ["state", "effective_on"], unique=False)
