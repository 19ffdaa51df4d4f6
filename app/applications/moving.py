"""One way to move an application: the table of moves, a dated event, the audit line, the desk's order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from app.applications import domain, papers, proposals
from app.applications.clock import Limit, pauses_from, used_days
from app.applications.domain import DELIVERY_DAYS, ENDED, INTAKE_DAYS, MESSAGES, Event, State, Who
from app.applications.models import Application, ApplicationEvent
from app.catalogue.service import ItemView
from app.core import audit, db, hearing
from app.core.clock import day_of
from app.core.errors import NotFound, Stale
from app.core.working_time import calendar, working_days_later

NOBODYS_TURN = date(9999, 12, 31)
"""Where a case stands on the desk while somebody else has to act."""


def locked(application_id: int) -> Application:
    """Return an application for writing.

    Raises:
        NotFound: there is none.
    """
    row = db.writing().get(Application, application_id, with_for_update=True)
    if row is None:
        raise NotFound("没有这个办件")
    return row


def check_version(row: Application, version: int) -> None:
    """Refuse to write over what another device or person did meanwhile.

    Raises:
        Stale: ``version`` is not the newest.
    """
    if row.version != version:
        raise Stale


def make_move(
    row: Application,
    event: Event,
    who: Who,
    *,
    actor: str,
    now: datetime,
    text: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Move ``row`` and write down that it moved.

    Raises:
        MoveNotAllowed: the table has no such move, or it is not theirs to make.
    """
    move = domain.move(row.state, event, who)
    proposals.drop(row, now)
    row.state = move.to
    row.version += 1
    row.event_count += 1
    row.desk_on = desk_on(row)
    if move.to in ENDED:
        row.ended_at = now
        row.desk_body_id = row.desk_city = None
    made = ApplicationEvent(
        application_id=row.id,
        number=row.event_count,
        event=event,
        from_state=move.state,
        to_state=move.to,
        who=who,
        actor=actor,
        message=MESSAGES.get(event, ""),
        text=text,
        detail=dict(detail or {}),
        at=now,
    )
    db.writing().add(made)
    papers.issue(row, made)
    audit.record(actor, f"application.{event}", "application", row.id, {"to": move.to.value})
    db.writing().flush()
    if row.number is not None:
        _let_others_hear(row, now)


def _let_others_hear(row: Application, now: datetime) -> None:
    moved = {
        "application_id": str(row.id),
        "resident_id": str(row.resident_id),
        "body_id": str(row.body_id),
        "number": row.number,
        "state": row.state.value,
        "step": row.event_count,
        "at": now.isoformat(),
    }
    hearing.tell("application.changed", moved, dedup_key=f"{row.id}:{row.event_count}")


def desk_on(row: Application) -> date | None:
    """Return where a case stands on the desk: when its department must act."""
    match row.state:
        case State.SUBMITTED:
            return row.intake_due_on
        case State.ACCEPTED | State.HANDLING:
            return row.promise_due_on
        case State.DECIDED | State.COMPLETED:
            return row.delivery_due_on
        case State.SUPPLEMENT_DUE | State.SUSPENDED:
            return NOBODYS_TURN
    return None


def start_intake(row: Application, now: datetime) -> None:
    """Start the clock of intake: what came in today is to be answered within five working days."""
    row.received_at = now
    row.calendar_version = calendar().version
    row.desk_body_id, row.desk_city = row.body_id, row.city_code
    row.intake_due_on = working_days_later(day_of(now), INTAKE_DAYS, calendar())
    row.supplement_due_on = None


def start_handling(row: Application, item: ItemView, accepted_at: datetime) -> None:
    """Start the clock of handling; the day of acceptance does not count."""
    row.accepted_at = accepted_at
    row.intake_due_on = None
    reckon_handling(row, item)


def reckon_handling(row: Application, item: ItemView) -> None:
    """Reckon promised and lawful limit anew from acceptance, pauses and extension; none while paused."""
    if row.accepted_at is None:
        return
    row.calendar_version = calendar().version
    limit = limit_of(row, item.content.promised_days)
    row.promise_due_on = limit.due_on(calendar())
    lawful = item.content.lawful_days
    row.lawful_due_on = limit_of(row, lawful).due_on(calendar()) if lawful is not None else None


def limit_of(row: Application, days: int) -> Limit:
    """Return the limit of handling of an accepted case."""
    assert row.accepted_at is not None
    pauses = tuple(pauses_from(row.pauses))
    return Limit(day_of(row.accepted_at), days, row.extension_days, pauses)


def start_delivery(row: Application, now: datetime) -> None:
    """Stop the clock of handling and start that of delivery."""
    today = day_of(now)
    row.decided_at = now
    row.calendar_version = calendar().version
    row.delivery_due_on = working_days_later(today, DELIVERY_DAYS, calendar())
    row.on_time = row.promise_due_on is not None and today <= row.promise_due_on
    if row.accepted_at is not None:
        row.used_days = used_days(day_of(row.accepted_at), today, pauses_from(row.pauses), calendar())
