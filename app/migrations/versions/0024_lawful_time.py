"""Versions of the working calendar, reminders, recomputed limits, second persons."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "working_year",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=500), nullable=False),
        sa.Column("days_off", sa.JSON(), nullable=False),
        sa.Column("workdays", sa.JSON(), nullable=False),
        sa.Column("entered_by", sa.String(length=80), nullable=False),
        sa.Column("entered_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_working_year")),
        sa.UniqueConstraint("number", name=op.f("uq_working_year_number")),
        sa.UniqueConstraint("year", "version", name="uq_working_year_version"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
