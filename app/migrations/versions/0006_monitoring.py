"""Looks of the probers, what they mean, incidents, the probers' own health."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "probe_sample",
        sa.Column("page_id", Key, autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("prober", sa.String(length=20), nullable=False),
        sa.Column("verdict", sa.String(length=32), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("http_status", sa.SmallInteger(), nullable=True),
        sa.Column("dns_ms", sa.Integer(), nullable=False),
        sa.Column("connect_ms", sa.Integer(), nullable=False),
        sa.Column("tls_ms", sa.Integer(), nullable=False),
        sa.Column("first_byte_ms", sa.Integer(), nullable=False),
        sa.Column("total_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("page_id", "at", "prober", name=op.f("pk_probe_sample")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("probe_sample", schema=None) as batch_op:
        batch_op.create_index("ix_probe_sample_at", ["at"], unique=False)

    op.create_table(
        "prober_beat",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("own_network_ok", sa.Boolean(), nullable=False),
        sa.Column("lag_p99_ms", sa.Integer(), nullable=False),
        sa.Column("targets", sa.Integer(), nullable=False),
        sa.Column("looks", Key, nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_prober_beat")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "incident",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("page_id", Key, nullable=False),
        sa.Column("open_page_id", Key, nullable=True),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("page_name", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.String(length=200), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("acknowledged_at", Instant(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=80), nullable=True),
        sa.Column("resolved_at", Instant(), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_incident_body_id_body")),
        sa.ForeignKeyConstraint(
            ["page_id"], ["mobile_page.id"], name=op.f("fk_incident_page_id_mobile_page")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("open_page_id", name=op.f("uq_incident_open_page_id")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.create_index("ix_incident_body", ["body_id", "opened_at"], unique=False)
        batch_op.create_index("ix_incident_opened", ["opened_at", "id"], unique=False)
        batch_op.create_index("ix_incident_page", ["page_id", "opened_at"], unique=False)

    op.create_table(
        "state_span",
        sa.Column("page_id", Key, autoincrement=False, nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("condition", sa.String(length=32), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["mobile_page.id"], name=op.f("fk_state_span_page_id_mobile_page")
        ),
        sa.PrimaryKeyConstraint("page_id", "started_at", name=op.f("pk_state_span")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("state_span", schema=None) as batch_op:
        batch_op.create_index("ix_state_span_ended", ["ended_at"], unique=False)

    op.create_table(
        "watch_state",
        sa.Column("page_id", Key, autoincrement=False, nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("watched", sa.Boolean(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("condition", sa.String(length=32), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("sampled_at", Instant(), nullable=True),
        sa.Column("total_ms", sa.Integer(), nullable=True),
        sa.Column("memory", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_watch_state_body_id_body")),
        sa.ForeignKeyConstraint(
            ["page_id"], ["mobile_page.id"], name=op.f("fk_watch_state_page_id_mobile_page")
        ),
        sa.PrimaryKeyConstraint("page_id", name=op.f("pk_watch_state")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("watch_state", schema=None) as batch_op:
        batch_op.create_index("ix_watch_state_body", ["body_id", "watched", "condition"], unique=False)
