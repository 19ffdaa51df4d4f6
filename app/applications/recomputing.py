"""What a new version of the working calendar does to open cases: limits move, and everybody learns of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select, update

from app.applications import moving, notes, telling
from app.applications.desk_domain import LIMIT_LABELS, LimitKind, NoteKind
from app.applications.desk_models import ApplicationLimitChange
from app.applications.domain import DELIVERY_DAYS, INTAKE_DAYS, OPEN, State
from app.applications.models import Application, ApplicationSupplement
from app.applications.views import due_of
from app.catalogue import service as catalogue
from app.catalogue.service import ItemView
from app.core import db, working_years
from app.core.clock import day_of
from app.core.working_time import WorkingCalendar, fresh_calendar, working_days_later

BATCH = 200
RECOMPUTE_JOB = "applications.recompute-limits"
ACTOR = "system:calendar"

COLUMNS = {
    LimitKind.INTAKE: "intake_due_on",
    LimitKind.SUPPLEMENT: "supplement_due_on",
    LimitKind.PROMISE: "promise_due_on",
    LimitKind.LAWFUL: "lawful_due_on",
    LimitKind.DELIVERY: "delivery_due_on",
}
"""Where each limit of a case stands."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A limit that another calendar puts on another day."""

    kind: LimitKind
    old_on: date
    new_on: date


def moves_of(
    row: Application, item: ItemView, asked_on: date | None, calendar: WorkingCalendar
) -> list[Moved]:
    """Return which running limits of a case another calendar moves.

    A supplement's limit, which the applicant was told of, is never moved forward.

    Args:
        asked_on: the day of the supplement notice that waits, None where none does.
    """
    found = []
    for kind, due in _limits(row, item, asked_on, calendar):
        held = getattr(row, COLUMNS[kind])
        if due is None or held is None or due == held or (kind is LimitKind.SUPPLEMENT and due < held):
            continue
        found.append(Moved(kind, held, due))
    return found


def _limits(
    row: Application, item: ItemView, asked_on: date | None, calendar: WorkingCalendar
) -> Iterator[tuple[LimitKind, date | None]]:
    content = item.content
    if row.state is State.SUBMITTED and row.received_at is not None:
        yield LimitKind.INTAKE, working_days_later(day_of(row.received_at), INTAKE_DAYS, calendar)
    elif row.state is State.SUPPLEMENT_DUE and asked_on is not None:
        yield LimitKind.SUPPLEMENT, working_days_later(asked_on, content.supplement_days, calendar)
    elif row.state in {State.ACCEPTED, State.HANDLING} and row.accepted_at is not None:
        yield LimitKind.PROMISE, moving.limit_of(row, content.promised_days).due_on(calendar)
        if content.lawful_days is not None:
            yield LimitKind.LAWFUL, moving.limit_of(row, content.lawful_days).due_on(calendar)
    elif row.state in {State.DECIDED, State.COMPLETED} and row.decided_at is not None:
        yield LimitKind.DELIVERY, working_days_later(day_of(row.decided_at), DELIVERY_DAYS, calendar)


def count_moved(calendar: WorkingCalendar, first: date, *, most: int) -> int:
    """Return of how many open cases a limit would move, ``most`` at most; nothing is changed.

    Args:
        first: the first day that differs: what is due before it cannot move.
    """
    touched = or_(
        Application.desk_on >= first,
        Application.supplement_due_on >= first,
        Application.lawful_due_on >= first,
    )
    count, after = 0, 0
    while count < most:
        query = select(Application).where(Application.id > after, Application.state.in_(OPEN), touched)
        rows = list(db.session().scalars(query.order_by(Application.id).limit(BATCH)))
        if not rows:
            break
        count += sum(bool(moves) for _, _, moves in _moved(rows, calendar))
        after = rows[-1].id
        db.session().expunge_all()
    return min(count, most)


def _moved(
    rows: Sequence[Application], calendar: WorkingCalendar
) -> Iterator[tuple[Application, ItemView, list[Moved]]]:
    items = catalogue.versions({row.item_version_id for row in rows})
    asked = _asked_on([row.id for row in rows if row.state is State.SUPPLEMENT_DUE])
    for row in rows:
        item = items[row.item_version_id]
        yield row, item, moves_of(row, item, asked.get(row.id), calendar)


def _asked_on(application_ids: Sequence[int]) -> dict[int, date]:
    if not application_ids:
        return {}
    query = select(ApplicationSupplement.application_id, ApplicationSupplement.asked_at).where(
        ApplicationSupplement.application_id.in_(application_ids), ApplicationSupplement.supplied_at.is_(None)
    )
    return {application_id: day_of(asked_at) for application_id, asked_at in db.session().execute(query)}


def reckoned_before(after: int) -> list[int]:
    """Return some of the open cases, by id after ``after``, that bear an older calendar than the present."""
    older = Application.calendar_version < working_years.version()
    query = select(Application.id).where(Application.state.in_(OPEN), older, Application.id > after)
    return list(db.session().scalars(query.order_by(Application.id).limit(BATCH)))


def recompute(ids: Sequence[int], *, now: datetime) -> None:
    """Reckon the limits of open cases by the present calendar.

    Safe at any time again: a case bears the version it was reckoned by.
    """
    calendar = fresh_calendar()
    older = (Application.state.in_(OPEN), Application.calendar_version < calendar.version)
    query = select(Application).where(Application.id.in_(ids), *older).order_by(Application.id)
    rows = list(db.writing().scalars(query.with_for_update()))
    reasons: dict[int, str] = {}
    for row, item, moves in _moved(rows, calendar):
        if moves:
            since = row.calendar_version
            why = reasons.setdefault(since, _why(since))
            _move(row, item, moves, why, calendar.version, now)
    db.writing().flush()
    db.writing().execute(
        update(Application)
        .where(Application.id.in_([row.id for row in rows]))
        .values(calendar_version=calendar.version)
        .execution_options(synchronize_session=False)
    )


def _why(since: int) -> str:
    years = sorted({one.year.number for one in working_years.history() if one.number > since})
    return f"{'、'.join(map(str, years[-3:]))}年的工作日安排有更新"


def _move(
    row: Application, item: ItemView, moves: Sequence[Moved], why: str, version: int, now: datetime
) -> None:
    held = due_of(row)
    for one in moves:
        setattr(row, COLUMNS[one.kind], one.new_on)
        db.writing().add(
            ApplicationLimitChange(
                application_id=row.id,
                kind=one.kind,
                old_on=one.old_on,
                new_on=one.new_on,
                why=why,
                calendar_version=version,
                at=now,
            )
        )
        text = f"{LIMIT_LABELS[one.kind]}由 {one.old_on} 改为 {one.new_on}：{why}（日历第 {version} 版）"
        notes.add(row, NoteKind.LIMIT_MOVED, text, actor=ACTOR, now=now)
    row.desk_on = moving.desk_on(row)
    told = next((one for one in moves if one.old_on == held), None)
    if told is not None:
        telling.tell_moved(row, item, LIMIT_LABELS[told.kind], told.old_on, told.new_on, version, now)
