"""What staff did or said about a case besides its steps, and the whole history as staff read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.applications.desk_domain import NOTE_LABELS, NoteKind
from app.applications.desk_models import ApplicationNote
from app.applications.domain import EVENT_LABELS, TEXT_MAX, Who
from app.applications.models import Application, ApplicationEvent
from app.core import audit, db
from app.core.errors import Invalid
from app.organisations import service as organisations

BY_APPLICANT = "申请人"
BY_SYSTEM = "系统"


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One line of a case's history for staff; ``opinion`` is for colleagues only."""

    at: datetime
    label: str
    actor: str
    text: str
    opinion: str


def add(row: Application, kind: NoteKind, text: str, *, actor: str, now: datetime) -> None:
    """Write a line into a case's history and the trail."""
    db.writing().add(ApplicationNote(application_id=row.id, kind=kind, text=text, actor=actor, at=now))
    audit.record(actor, f"application.{kind}", "application", row.id)
    db.writing().flush()


def demand(text: str, field: str, what: str) -> str:
    """Return ``text`` without blanks around it.

    Raises:
        Invalid: nothing is said, or too much.
    """
    said = text.strip()
    if not said or len(said) > TEXT_MAX:
        raise Invalid(fields={field: [what if not said else f"不超过 {TEXT_MAX} 字"]})
    return said


def history(application_id: int) -> list[HistoryLine]:
    """Return steps and notes of a case, the first first, with the names of who did them."""
    of_case = ApplicationEvent.application_id == application_id
    events = list(
        db.session().scalars(select(ApplicationEvent).where(of_case).order_by(ApplicationEvent.number))
    )
    of_notes = ApplicationNote.application_id == application_id
    notes = list(
        db.session().scalars(
            select(ApplicationNote).where(of_notes).order_by(ApplicationNote.at, ApplicationNote.id)
        )
    )
    actors = {one.actor for one in events} | {one.actor for one in notes}
    names = organisations.names_of(actors)

    def name(actor: str) -> str:
        return BY_APPLICANT if actor.startswith("resident:") else names.get(actor, actor)

    lines = [
        HistoryLine(one.at, NOTE_LABELS[one.kind], name(one.actor), "", one.text)
        if one.kind is NoteKind.OPINION
        else HistoryLine(one.at, NOTE_LABELS[one.kind], name(one.actor), one.text, "")
        for one in notes
    ] + [
        HistoryLine(
            one.at,
            EVENT_LABELS[one.event],
            BY_SYSTEM if one.who is Who.CLOCK else name(one.actor),
            one.text,
            one.detail.get("opinion", ""),
        )
        for one in events
    ]
    return sorted(lines, key=lambda one: one.at)


def last_line(application_id: int) -> HistoryLine | None:
    """Return what happened to a case last, None before anything did."""
    lines = history(application_id)
    return lines[-1] if lines else None
