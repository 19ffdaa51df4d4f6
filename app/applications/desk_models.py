"""Tables of the desk: notes, proposals, moved limits, reminders, papers, roll-ups."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.applications.desk_domain import DocumentKind, LimitKind, NoteKind, Outcome, ReminderKind
from app.applications.domain import Event, State
from app.core.db import Key, Model, Paper, key_column


class ApplicationNote(Model):
    """What staff did or said about a case besides its steps; never changed."""

    __tablename__ = "application_note"
    __table_args__ = (Index("ix_application_note_case", "application_id", "at"),)

    id: Mapped[int] = key_column()
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"))
    kind: Mapped[NoteKind]
    text: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]


class ApplicationProposal(Model):
    """A decision that waits for a second person, or waited.

    Attributes:
        event: what it does once confirmed; ``told``: what its author said.
        open_for: the case's id while nobody answered, so that a case has one at most; NULL afterwards.
        opinion: of who answered.
    """

    __tablename__ = "application_proposal"

    id: Mapped[int] = key_column()
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"), index=True)
    open_for: Mapped[int | None] = mapped_column(Key, unique=True)
    event: Mapped[Event]
    told: Mapped[dict[str, Any]] = mapped_column(JSON)
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    proposed_at: Mapped[datetime]
    outcome: Mapped[Outcome]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    answered_at: Mapped[datetime | None]
    opinion: Mapped[str] = mapped_column(Text, default="")


class ApplicationLimitChange(Model):
    """A limit that a new version of the calendar moved; ``old_on`` is what was held until then."""

    __tablename__ = "application_limit_change"
    __table_args__ = (
        UniqueConstraint("application_id", "kind", "calendar_version", name="uq_application_limit_change"),
        Index("ix_application_limit_change_version", "calendar_version"),
    )

    id: Mapped[int] = key_column()
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"))
    kind: Mapped[LimitKind]
    old_on: Mapped[date]
    new_on: Mapped[date]
    why: Mapped[str] = mapped_column(String(200))
    calendar_version: Mapped[int]
    at: Mapped[datetime]


class ApplicationReminder(Model):
    """That somebody was reminded of a limit; its key is what keeps it from happening twice.

    Attributes:
        due_on: the limit; when it moves, its reminders come anew.
    """

    __tablename__ = "application_reminder"
    __table_args__ = (UniqueConstraint("application_id", "kind", "due_on", name="uq_application_reminder"),)

    id: Mapped[int] = key_column()
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"))
    kind: Mapped[ReminderKind]
    due_on: Mapped[date]
    sent_at: Mapped[datetime]


class ApplicationDocument(Model):
    """A paper that was issued (文书), word for word as issued.

    Attributes:
        event_number: the step that issued it.
        content: its words but the applicant's name, which lies in the vault under ``name_token``.
        digest: of the words, name included, so that a reprint can be told to be the same.
        paper: the PDF once somebody asked for it, encrypted; ``paper_token``: where the key lies.
    """

    __tablename__ = "application_document"
    __table_args__ = (
        UniqueConstraint("application_id", "event_number", name="uq_application_document_event"),
    )

    id: Mapped[int] = key_column()
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"))
    event_number: Mapped[int]
    kind: Mapped[DocumentKind]
    number: Mapped[str] = mapped_column(String(40), unique=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    name_token: Mapped[str | None] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(64))
    issued_by: Mapped[str] = mapped_column(String(80))
    issued_at: Mapped[datetime]
    paper: Mapped[bytes | None] = mapped_column(Paper, deferred=True)
    paper_token: Mapped[str | None] = mapped_column(String(32))
    asked_at: Mapped[datetime | None]


class ApplicationDay(Model):
    """What happened on one day (Guangdong's) to the cases of a body, handler and item: a roll-up.

    Attributes:
        handler_id: 0 for nobody.
        used_days: working days of all that were decided together; ``on_time``: how many in time.
    """

    __tablename__ = "application_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    body_id: Mapped[int] = mapped_column(Key, primary_key=True)
    implementation_id: Mapped[int] = mapped_column(Key, primary_key=True)
    handler_id: Mapped[int] = mapped_column(Key, primary_key=True)
    received: Mapped[int]
    accepted: Mapped[int]
    refused: Mapped[int]
    deemed: Mapped[int]
    supplements: Mapped[int]
    extended: Mapped[int]
    paused: Mapped[int]
    decided: Mapped[int]
    granted: Mapped[int]
    on_time: Mapped[int]
    used_days: Mapped[int]
    ended: Mapped[int]


class ApplicationOpen(Model):
    """How many cases of a body, item and handler stand in a state now; counted anew by a job.

    Attributes:
        handler_id: 0 for nobody.
        overdue: past the limit that their department holds.
    """

    __tablename__ = "application_open"

    body_id: Mapped[int] = mapped_column(Key, primary_key=True)
    implementation_id: Mapped[int] = mapped_column(Key, primary_key=True)
    handler_id: Mapped[int] = mapped_column(Key, primary_key=True)
    state: Mapped[State] = mapped_column(primary_key=True)
    count: Mapped[int]
    overdue: Mapped[int]
    counted_at: Mapped[datetime]
