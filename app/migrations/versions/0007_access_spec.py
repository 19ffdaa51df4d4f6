"""Versions of the access spec, grace times, waivers, people's rulings, daily looks, files of checks."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "spec_version",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.Column("published_by", sa.String(length=80), nullable=False),
        sa.Column("changelog", sa.Text(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("pinch_zoom", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=500), nullable=False),
        sa.Column("applied_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spec_version")),
        sa.UniqueConstraint("version", name=op.f("uq_spec_version_version")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "grace_period",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("page_id", Key, nullable=False),
        sa.Column("open_page_id", Key, nullable=True),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("check_number", sa.Integer(), nullable=False),
        sa.Column("spec_version", sa.String(length=20), nullable=False),
        sa.Column("codes", sa.JSON(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("until_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["page_id"], ["mobile_page.id"], name=op.f("fk_grace_period_page_id_mobile_page")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grace_period")),
        sa.UniqueConstraint("open_page_id", name=op.f("uq_grace_period_open_page_id")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("grace_period", schema=None) as batch_op:
        batch_op.create_index("ix_grace_period_page", ["page_id", "opened_at"], unique=False)

    op.create_table(
        "page_look",
        sa.Column("page_id", Key, autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("hosts", sa.JSON(), nullable=False),
        sa.Column("structure", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["mobile_page.id"], name=op.f("fk_page_look_page_id_mobile_page")
        ),
        sa.PrimaryKeyConstraint("page_id", name=op.f("pk_page_look")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "page_waiver",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("page_id", Key, nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("open_key", sa.String(length=60), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("requested_by", sa.String(length=80), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("approver", sa.String(length=80), nullable=False),
        sa.Column("approved_at", Instant(), nullable=True),
        sa.Column("opinion", sa.String(length=500), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["page_id"], ["mobile_page.id"], name=op.f("fk_page_waiver_page_id_mobile_page")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_waiver")),
        sa.UniqueConstraint("open_key", name=op.f("uq_page_waiver_open_key")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("page_waiver", schema=None) as batch_op:
        batch_op.create_index("ix_page_waiver_page", ["page_id", "code"], unique=False)
        batch_op.create_index("ix_page_waiver_state", ["state", "until_on"], unique=False)

    op.create_table(
        "check_file",
        sa.Column("run_id", Key, autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["check_run.id"], name=op.f("fk_check_file_run_id_check_run")),
        sa.PrimaryKeyConstraint("run_id", "digest", name=op.f("pk_check_file")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("check_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_check_file_digest"), ["digest"], unique=False)

    op.create_table(
        "printed_report",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("run_id", Key, nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("ready_at", Instant(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["check_run.id"], name=op.f("fk_printed_report_run_id_check_run")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_printed_report")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("printed_report", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_printed_report_digest"), ["digest"], unique=False)

    op.create_table(
        "ruling",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("page_id", Key, nullable=False),
        sa.Column("run_id", Key, nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("self_declared", sa.Boolean(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("evidence", sa.String(length=64), nullable=True),
        sa.Column("evidence_name", sa.String(length=100), nullable=False),
        sa.Column("evidence_type", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["page_id"], ["mobile_page.id"], name=op.f("fk_ruling_page_id_mobile_page")),
        sa.ForeignKeyConstraint(["run_id"], ["check_run.id"], name=op.f("fk_ruling_run_id_check_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ruling")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("ruling", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ruling_evidence"), ["evidence"], unique=False)
        batch_op.create_index("ix_ruling_run", ["run_id", "code"], unique=False)

    with op.batch_alter_table("check_run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=32), nullable=False, server_default="asked"))
        batch_op.add_column(sa.Column("occasion", sa.String(length=100), nullable=True))
        batch_op.add_column(sa.Column("because", sa.String(length=200), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("differences", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(
            sa.Column("decided_review", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("files_forgotten_at", Instant(), nullable=True))
        batch_op.create_index("ix_check_run_finished", ["files_forgotten_at", "finished_at"], unique=False)
        batch_op.create_unique_constraint(batch_op.f("uq_check_run_occasion"), ["occasion"])

    _name_files_of_earlier_checks()


def _name_files_of_earlier_checks() -> None:
    """Say of every check so far which files it keeps, so that none of them is taken for forgotten."""
    runs = sa.table(
        "check_run", sa.column("id", Key), sa.column("artifact", sa.String), sa.column("report", sa.JSON)
    )
    files = sa.table("check_file", sa.column("run_id", Key), sa.column("digest", sa.String))
    connection = op.get_bind()
    ids = list(connection.scalars(sa.select(runs.c.id)))
    for run_id in ids:
        row = connection.execute(sa.select(runs.c.artifact, runs.c.report).where(runs.c.id == run_id)).one()
        pictures = [one["sha256"] for one in (row.report or {}).get("screenshots", ())]
        kept = {digest for digest in (row.artifact, *pictures) if digest}
        for digest in sorted(kept):
            connection.execute(sa.insert(files).values(run_id=run_id, digest=digest))
