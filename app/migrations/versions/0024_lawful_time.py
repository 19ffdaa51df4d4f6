"""Versions of the working calendar, reminders, recomputed limits, second persons."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key, Paper

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
    op.create_table(
        "application_note",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("application_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_note_application_id_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_note")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "application_proposal",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("application_id", Key, nullable=False),
        sa.Column("open_for", Key, nullable=True),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("proposed_by_id", Key, nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("answered_by_id", Key, nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("opinion", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["staff.id"], name=op.f("fk_application_proposal_answered_by_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_proposal_application_id_application"),
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by_id"], ["staff.id"], name=op.f("fk_application_proposal_proposed_by_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_proposal")),
        sa.UniqueConstraint("open_for", name=op.f("uq_application_proposal_open_for")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "application_limit_change",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("application_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("old_on", sa.Date(), nullable=False),
        sa.Column("new_on", sa.Date(), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("calendar_version", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_limit_change_application_id_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_limit_change")),
        sa.UniqueConstraint("application_id", "kind", "calendar_version", name="uq_application_limit_change"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "application_reminder",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("application_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_reminder_application_id_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_reminder")),
        sa.UniqueConstraint("application_id", "kind", "due_on", name="uq_application_reminder"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "application_document",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("application_id", Key, nullable=False),
        sa.Column("event_number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("name_token", sa.String(length=32), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("issued_by", sa.String(length=80), nullable=False),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("paper", Paper, nullable=True),
        sa.Column("paper_token", sa.String(length=32), nullable=True),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_document_application_id_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_document")),
        sa.UniqueConstraint("application_id", "event_number", name="uq_application_document_event"),
        sa.UniqueConstraint("number", name=op.f("uq_application_document_number")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "application_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("implementation_id", Key, nullable=False),
        sa.Column("handler_id", Key, nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("deemed", sa.Integer(), nullable=False),
        sa.Column("supplements", sa.Integer(), nullable=False),
        sa.Column("extended", sa.Integer(), nullable=False),
        sa.Column("paused", sa.Integer(), nullable=False),
        sa.Column("decided", sa.Integer(), nullable=False),
        sa.Column("granted", sa.Integer(), nullable=False),
        sa.Column("on_time", sa.Integer(), nullable=False),
        sa.Column("used_days", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "day", "body_id", "implementation_id", "handler_id", name=op.f("pk_application_day")
        ),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "application_open",
        sa.Column("body_id", Key, nullable=False),
        sa.Column("implementation_id", Key, nullable=False),
        sa.Column("handler_id", Key, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("overdue", sa.Integer(), nullable=False),
        sa.Column("counted_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint(
            "body_id", "implementation_id", "handler_id", "state", name=op.f("pk_application_open")
        ),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("application_note", schema=None) as batch_op:
        batch_op.create_index("ix_application_note_case", ["application_id", "at"], unique=False)
    with op.batch_alter_table("application_limit_change", schema=None) as batch_op:
        batch_op.create_index("ix_application_limit_change_version", ["calendar_version"], unique=False)
    with op.batch_alter_table("application_proposal", schema=None) as batch_op:
        for column in ("answered_by_id", "application_id", "proposed_by_id"):
            batch_op.create_index(batch_op.f(f"ix_application_proposal_{column}"), [column], unique=False)
    with op.batch_alter_table("application", schema=None) as batch_op:
        batch_op.add_column(sa.Column("city_code", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("desk_body_id", Key, nullable=True))
        batch_op.add_column(sa.Column("desk_city", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("proposed_by_id", Key, nullable=True))
        batch_op.add_column(sa.Column("calendar_version", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("used_days", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("on_time", sa.Boolean(), nullable=True))
        batch_op.create_index("ix_application_calendar", ["state", "calendar_version", "id"], unique=False)
        batch_op.create_index("ix_application_desk_all", ["desk_on", "id"], unique=False)
        batch_op.create_index("ix_application_desk_city", ["desk_city", "desk_on", "id"], unique=False)
        # Before the ones they stand for go: a foreign key is never without an index.
        batch_op.create_index(batch_op.f("ix_application_body_id"), ["body_id"], unique=False)
        batch_op.create_index("ix_application_desk_handler", ["handler_id", "desk_on", "id"], unique=False)
        batch_op.drop_index(batch_op.f("ix_application_handler_id"))
        batch_op.drop_index("ix_application_desk")
        batch_op.create_index("ix_application_desk", ["desk_body_id", "desk_on", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_application_proposed_by_id"), ["proposed_by_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_application_proposed_by_id_staff"), "staff", ["proposed_by_id"], ["id"]
        )
    op.execute(
        "UPDATE application SET city_code ="
        " (SELECT body.city_code FROM body WHERE body.id = application.body_id)"
    )
    op.execute(
        "UPDATE application SET desk_body_id = body_id, desk_city = city_code WHERE desk_on IS NOT NULL"
    )
    with op.batch_alter_table("application_event", schema=None) as batch_op:
        batch_op.create_index("ix_application_event_at", ["at", "event"], unique=False)
    with op.batch_alter_table("staff_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("confirmed_at", Instant(), nullable=True))
