"""Registry of mobile pages, their channels and checks; answers kept for repeated requests."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from app.core.db import Instant, Key

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "idempotent_answer",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("operation", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotent_answer")),
        sa.UniqueConstraint("owner", "operation", "key", name="uq_idempotent_answer_key"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "publication",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "mobile_page",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("url_digest", sa.String(length=64), nullable=True),
        sa.Column("theme", sa.String(length=32), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("hotline", sa.String(length=40), nullable=False),
        sa.Column("elder_url", sa.String(length=500), nullable=False),
        sa.Column("health_url", sa.String(length=500), nullable=False),
        sa.Column("domains", sa.JSON(), nullable=False),
        sa.Column("icp_number", sa.String(length=40), nullable=False),
        sa.Column("name_reason", sa.String(length=200), nullable=False),
        sa.Column("contact_name", sa.String(length=32), nullable=True),
        sa.Column("contact_phone", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("served", sa.Boolean(), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("down_since", Instant(), nullable=True),
        sa.Column("suspension_reason", sa.String(length=500), nullable=False),
        sa.Column("first_online_at", Instant(), nullable=True),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_mobile_page_body_id_body")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mobile_page")),
        sa.UniqueConstraint("url_digest", name=op.f("uq_mobile_page_url_digest")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("mobile_page", schema=None) as batch_op:
        batch_op.create_index("ix_mobile_page_body", ["body_id", "state"], unique=False)
        batch_op.create_index("ix_mobile_page_changed", ["changed_at"], unique=False)
        batch_op.create_index("ix_mobile_page_served", ["served", "first_online_at"], unique=False)

    op.create_table(
        "check_run",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("page_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("spec_version", sa.String(length=20), nullable=False),
        sa.Column("profile", sa.String(length=20), nullable=False),
        sa.Column("verdict", sa.String(length=32), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("artifact", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["page_id"], ["mobile_page.id"], name=op.f("fk_check_run_page_id_mobile_page")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_run")),
        sa.UniqueConstraint("page_id", "number", name="uq_check_run_page_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "page_channel",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("page_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reviewer", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["mobile_page.id"], name=op.f("fk_page_channel_page_id_mobile_page")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_channel")),
        sa.UniqueConstraint("page_id", "kind", name="uq_page_channel_page_kind"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
