"""The queue of the desk: what is due first, for one's bodies; the riskiest case that nobody took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, True_, and_, func, literal, or_, select

from app.applications import moving, notes
from app.applications.desk_domain import NoteKind, NothingToTake
from app.applications.domain import State
from app.applications.marks import Risk, risk
from app.applications.models import Application
from app.applications.own import line_of
from app.applications.views import CaseLine
from app.catalogue import service as catalogue
from app.core import db
from app.core.access import Permission
from app.core.clock import day_of
from app.core.errors import Invalid
from app.core.ids import read_id
from app.core.working_time import calendar
from app.organisations import service as organisations
from app.organisations.service import Principal, ScopeKind
from config import time_limits

COUNT_MAX = 100
"""Counts on the desk stop here: nobody works off more today, and counting a million takes seconds."""

_CANDIDATES = 5
_TRIES = 5


@dataclass(frozen=True, slots=True)
class DeskLine:
    """A case as the queue shows it.

    Attributes:
        handler_id: who took it, None nobody.
        proposed: a decision waits for a second person.
    """

    case: CaseLine
    handler_id: int | None
    risk: Risk
    proposed: bool


@dataclass(frozen=True, slots=True)
class DeskList:
    items: list[DeskLine]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class DeskCounts:
    """How much lies on the desk; each stops at :data:`COUNT_MAX`."""

    unassigned: int
    mine: int
    overdue: int
    today: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the queue is asked for; the default is everything.

    Attributes:
        item_id: of one implementation.
        whose: ``mine``, ``unassigned``, or ``""`` for all.
        proposed: only what waits for a second person.
    """

    state: State | None = None
    item_id: int | None = None
    whose: str = ""
    overdue: bool = False
    proposed: bool = False


EVERYTHING = Wanted()


def in_scope(by: Principal, permission: Permission) -> ColumnElement[bool]:
    """Return the filter of one's open cases, as one range of an index where the scope allows it.

    A city's open cases bear its code: the plain filter over its bodies would sort all of them.
    """
    grants = [grant for grant in by.grants if grant.carries(permission)]
    if grants and all(grant.scope_kind is ScopeKind.CITY for grant in grants):
        refs = sorted({grant.scope_ref for grant in grants})
        return Application.desk_city == refs[0] if len(refs) == 1 else Application.desk_city.in_(refs)
    if len(grants) == 1 and grants[0].scope_kind is ScopeKind.BODY:
        return Application.desk_body_id == int(grants[0].scope_ref)
    return organisations.scope_condition(by, permission, Application.body_id)


def queue(
    by: Principal,
    wanted: Wanted = EVERYTHING,
    *,
    today: date,
    cursor: str | None = None,
    limit: int = 20,
) -> DeskList:
    """Return the open cases of the caller's bodies, what is due first first.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    query = _wanted(select(Application), by, wanted, today)
    if cursor:
        on, last = _decoded(cursor)
        later = or_(Application.desk_on > on, and_(Application.desk_on == on, Application.id > last))
        query = query.where(Application.desk_on >= on, later)
    rows = list(db.session().scalars(query.order_by(Application.desk_on, Application.id).limit(limit + 1)))
    shown = rows[:limit]
    items = catalogue.versions({row.item_version_id for row in shown})
    lines = [
        DeskLine(
            line_of(row, items[row.item_version_id]),
            row.handler_id,
            risk_of(row, today),
            row.proposed_by_id is not None,
        )
        for row in shown
    ]
    last_row = shown[-1] if len(rows) > limit else None
    return DeskList(lines, f"{last_row.desk_on}.{last_row.id}" if last_row else None)


def _wanted(query: Select[Any], by: Principal, wanted: Wanted, today: date) -> Select[Any]:
    scope = in_scope(by, Permission.CASES_READ)
    # Within a place its own index holds the order. The one by state, or of what nobody took, would
    # lead through the whole province: an expression keeps the databases from it.
    whole = isinstance(scope, True_)
    query = query.where(Application.desk_on.is_not(None), scope)
    if wanted.state is not None:
        state = Application.state if whole else func.coalesce(Application.state, "")
        query = query.where(state == wanted.state)
    if wanted.item_id is not None:
        query = query.where(Application.implementation_id == wanted.item_id)
    if wanted.whose == "mine":
        query = query.where(Application.handler_id == by.staff_id)
    elif wanted.whose == "unassigned":
        free = func.coalesce(Application.handler_id, 0) == 0
        query = query.where(free, Application.desk_on < moving.NOBODYS_TURN)
    if wanted.overdue:
        query = query.where(Application.desk_on < today)
    if wanted.proposed:
        query = query.where(Application.proposed_by_id.is_not(None))
    return query


def _decoded(cursor: str) -> tuple[date, int]:
    on, _, last = cursor.partition(".")
    last_id = read_id(last)
    try:
        day = date.fromisoformat(on)
    except ValueError:
        day = None
    if day is None or last_id is None:
        raise Invalid("分页标记无效", fields={"cursor": ["分页标记无效"]})
    return day, last_id


def risk_of(row: Application, today: date) -> Risk:
    """Return where a case stands against the limit its department holds now."""
    begun = {
        State.SUBMITTED: row.received_at,
        State.ACCEPTED: row.accepted_at,
        State.HANDLING: row.accepted_at,
        State.DECIDED: row.decided_at,
        State.COMPLETED: row.decided_at,
    }.get(row.state)
    due = row.desk_on if begun is not None else None
    lawful = row.lawful_due_on if row.state in {State.ACCEPTED, State.HANDLING} else None
    start = day_of(begun) if begun is not None else None
    return risk(today, due, lawful, start, calendar(), time_limits.load())


def counts(by: Principal, today: date) -> DeskCounts:
    """Return how much lies on one's desk."""

    def count(wanted: Wanted, *more: ColumnElement[bool]) -> Any:
        found = _wanted(select(literal(1)), by, wanted, today).where(*more)
        # In the desk's order, though it matters not: any other index leads past what has ended.
        inside = found.order_by(Application.desk_on).limit(COUNT_MAX).subquery()
        return select(func.count()).select_from(inside).scalar_subquery()

    due_today = Application.desk_on == today
    row = db.session().execute(
        select(
            count(Wanted(whose="unassigned")),
            count(Wanted(whose="mine")),
            count(Wanted(overdue=True)),
            count(EVERYTHING, due_today),
        )
    )
    return DeskCounts(*row.one())


def take_next(by: Principal, *, now: datetime) -> int:
    """Take the riskiest case that nobody took; return its id. No two people get the same.

    Raises:
        NothingToTake: all are taken.
    """
    query = (
        select(Application.id)
        .where(
            in_scope(by, Permission.CASES_HANDLE),
            func.coalesce(Application.handler_id, 0) == 0,
            Application.desk_on < moving.NOBODYS_TURN,
            # One's own proposal waits for somebody else.
            func.coalesce(Application.proposed_by_id, 0) != by.staff_id,
        )
        .order_by(Application.desk_on, Application.id)
        .limit(_CANDIDATES)
    )
    for _ in range(_TRIES):
        candidates = list(db.writing().scalars(query))
        if not candidates:
            break
        for application_id in candidates:
            # Another person may hold the row: then we wait, and look at who has it afterwards.
            row = moving.locked(application_id)
            free = row.handler_id is None and row.desk_on is not None
            if free and row.desk_on != moving.NOBODYS_TURN and row.proposed_by_id != by.staff_id:
                hand(row, by.staff_id)
                notes.add(row, NoteKind.TAKE, "按风险次序领取", actor=by.actor, now=now)
                return row.id
    raise NothingToTake


def hand(row: Application, handler_id: int | None) -> None:
    """Give a case to somebody, None for nobody; who saw it before must look again."""
    row.handler_id = handler_id
    row.version += 1
    db.writing().flush()
