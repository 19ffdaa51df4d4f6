"""What residents set on their phones: language, place, edition."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "resident_setting",
        sa.Column("resident_id", Key, autoincrement=False, nullable=False),
        sa.Column("language", sa.String(length=32), nullable=True),
        sa.Column("edition", sa.String(length=32), nullable=True),
        sa.Column("region_code", sa.String(length=12), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_resident_setting_resident_id_resident")
        ),
        sa.PrimaryKeyConstraint("resident_id", name=op.f("pk_resident_setting")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
