"""What a desk gets and does: roll-ups by day, read for any period by body, person or item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import case, delete, func, insert, select

from app.applications.desk_models import ApplicationDay, ApplicationOpen
from app.applications.domain import Event, State
from app.applications.models import Application, ApplicationEvent
from app.catalogue import service as catalogue
from app.core import db
from app.core.access import Permission
from app.core.clock import HALL_TIME, day_of
from app.core.errors import Invalid
from app.organisations import service as organisations
from app.organisations.service import Principal

ROLL_UP_JOB = "applications.roll-up"
LATE_DAYS = 7
"""Days that are counted anew: departments' systems report steps some days late."""

PERIOD_DAYS_MAX = 3 * 366
ROWS_MAX = 500
_ENDING = (
    Event.DELIVER,
    Event.REFUSE,
    Event.SUPPLEMENT_OVERDUE,
    Event.WITHDRAW,
    Event.VOID,
    Event.REFER_UP,
)
_COUNTED: Mapping[str, tuple[Event, ...]] = {
    "received": (Event.SUBMIT,),
    "accepted": (Event.ACCEPT, Event.DEEM_ACCEPT),
    "refused": (Event.REFUSE,),
    "deemed": (Event.DEEM_ACCEPT,),
    "supplements": (Event.ASK_SUPPLEMENT,),
    "extended": (Event.EXTEND,),
    "paused": (Event.SPECIAL_BEGIN,),
    "decided": (Event.DECIDE, Event.DECIDE_ON_SPOT),
    "ended": _ENDING,
}
"""Which steps each figure counts."""

NUMBERS = (*_COUNTED, "granted", "on_time", "used_days")


class Grouping(StrEnum):
    BODY = "body"
    HANDLER = "handler"
    ITEM = "item"


@dataclass(slots=True)
class LoadRow:
    """What one body, person or item had to do in a period, and what lies there now.

    Attributes:
        numbers: by name of :data:`NUMBERS`.
        open: cases under way by state; ``overdue``: those past the limit their department holds.
    """

    key: int
    name: str
    numbers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NUMBERS, 0))
    open: dict[State, int] = field(default_factory=dict)
    overdue: int = 0

    @property
    def on_time_rate(self) -> float | None:
        """Part of the decisions made within the promise, 0 to 1; None without decisions."""
        decided = self.numbers["decided"]
        return self.numbers["on_time"] / decided if decided else None

    @property
    def mean_days(self) -> float | None:
        """Working days from acceptance to decision on average; None without decisions."""
        decided = self.numbers["decided"]
        return self.numbers["used_days"] / decided if decided else None

    @property
    def open_count(self) -> int:
        return sum(self.open.values())


@dataclass(frozen=True, slots=True)
class Load:
    """Rows, the busiest first; ``counted_at``: when what lies open was counted, None for never."""

    rows: list[LoadRow]
    total: LoadRow
    counted_at: datetime | None


def roll_up(today: date, *, now: datetime) -> None:
    """Count what lies open, and what happened on the days up to ``today`` that may have changed.

    Safe to repeat: a day is counted from its steps and replaces what was counted before.
    """
    for day in _days_to_count(today):
        rows = _happened(day)
        db.writing().execute(delete(ApplicationDay).where(ApplicationDay.day == day))
        if rows:
            db.writing().execute(insert(ApplicationDay), rows)
    _count_open(today, now)


def _days_to_count(today: date) -> list[date]:
    newest = db.writing().scalar(select(func.max(ApplicationDay.day)))
    if newest is None:
        first_at = db.writing().scalar(select(func.min(ApplicationEvent.at)))
        first = day_of(first_at) if first_at is not None else today
    else:
        first = min(newest, today) - timedelta(days=LATE_DAYS)
    return [first + timedelta(days=number) for number in range((today - first).days + 1)]


def _happened(day: date) -> list[dict[str, Any]]:
    """Return the roll-up's rows of one day, counted from its steps."""
    start = datetime.combine(day, datetime.min.time(), HALL_TIME)
    handler = func.coalesce(Application.handler_id, 0)
    keys = (Application.body_id, Application.implementation_id, handler)
    query = (
        select(
            *keys,
            ApplicationEvent.event,
            func.count(),
            func.sum(case((Application.granted.is_(True), 1), else_=0)),
            func.sum(case((Application.on_time.is_(True), 1), else_=0)),
            func.sum(func.coalesce(Application.used_days, 0)),
        )
        .join(Application, Application.id == ApplicationEvent.application_id)
        .where(ApplicationEvent.at >= start, ApplicationEvent.at < start + timedelta(days=1))
        .where(Application.submitted_at.is_not(None))
        .group_by(*keys, ApplicationEvent.event)
    )
    found: dict[tuple[int, int, int], dict[str, int]] = defaultdict(lambda: dict.fromkeys(NUMBERS, 0))
    for body_id, item_id, handler_id, event, count, granted, on_time, used in db.writing().execute(query):
        numbers = found[body_id, item_id, handler_id]
        for name, events in _COUNTED.items():
            numbers[name] += count if event in events else 0
        if event in _COUNTED["decided"]:
            for name, value in (("granted", granted), ("on_time", on_time), ("used_days", used)):
                numbers[name] += int(value)
    return [
        {"day": day, "body_id": body_id, "implementation_id": item_id, "handler_id": handler_id, **numbers}
        for (body_id, item_id, handler_id), numbers in found.items()
    ]


def _count_open(today: date, now: datetime) -> None:
    handler = func.coalesce(Application.handler_id, 0)
    keys = (Application.body_id, Application.implementation_id, handler, Application.state)
    overdue = func.sum(case((Application.desk_on < today, 1), else_=0))
    query = select(*keys, func.count(), overdue).where(Application.desk_on.is_not(None)).group_by(*keys)
    rows = [
        {
            "body_id": body_id,
            "implementation_id": item_id,
            "handler_id": handler_id,
            "state": state,
            "count": count,
            "overdue": int(late),
            "counted_at": now,
        }
        for body_id, item_id, handler_id, state, count, late in db.writing().execute(query)
    ]
    db.writing().execute(delete(ApplicationOpen))
    if rows:
        db.writing().execute(insert(ApplicationOpen), rows)


def load(by: Principal, start: date, end: date, grouping: Grouping) -> Load:
    """Return the load of the caller's bodies in a period, both days included.

    Raises:
        Invalid: the period runs backwards or is longer than three years.
    """
    if end < start or (end - start).days > PERIOD_DAYS_MAX:
        raise Invalid(fields={"start": ["请选择不超过三年的时间段，开始不晚于结束"]})
    rows: dict[int, LoadRow] = {}
    column = _column(ApplicationDay, grouping)
    sums = [func.sum(getattr(ApplicationDay, name)) for name in NUMBERS]
    query = (
        select(column, *sums)
        .where(
            ApplicationDay.day >= start,
            ApplicationDay.day <= end,
            organisations.scope_condition(by, Permission.CASES_READ, ApplicationDay.body_id),
        )
        .group_by(column)
    )
    for key, *values in db.session().execute(query):
        rows[key] = LoadRow(key, "", dict(zip(NUMBERS, map(int, values), strict=True)))
    counted_at = _add_open(by, grouping, rows)
    names = _NAMES[grouping](rows)
    for row in rows.values():
        row.name = names.get(row.key, "")
    ordered = sorted(rows.values(), key=lambda one: (-one.open_count, -one.numbers["received"], one.name))
    return Load(ordered[:ROWS_MAX], _total(ordered), counted_at)


def _column(model: Any, grouping: Grouping) -> Any:
    return {
        Grouping.BODY: model.body_id,
        Grouping.HANDLER: model.handler_id,
        Grouping.ITEM: model.implementation_id,
    }[grouping]


def _add_open(by: Principal, grouping: Grouping, rows: dict[int, LoadRow]) -> datetime | None:
    column = _column(ApplicationOpen, grouping)
    scope = organisations.scope_condition(by, Permission.CASES_READ, ApplicationOpen.body_id)
    query = (
        select(
            column,
            ApplicationOpen.state,
            func.sum(ApplicationOpen.count),
            func.sum(ApplicationOpen.overdue),
            func.max(ApplicationOpen.counted_at),
        )
        .where(scope)
        .group_by(column, ApplicationOpen.state)
    )
    counted_at: datetime | None = None
    for key, state, count, overdue, at in db.session().execute(query):
        row = rows.setdefault(key, LoadRow(key, ""))
        row.open[state] = int(count)
        row.overdue += int(overdue)
        counted_at = max(counted_at or at, at)
    return counted_at


def _total(rows: Iterable[LoadRow]) -> LoadRow:
    total = LoadRow(0, "合计")
    for row in rows:
        for name in NUMBERS:
            total.numbers[name] += row.numbers[name]
        for state, count in row.open.items():
            total.open[state] = total.open.get(state, 0) + count
        total.overdue += row.overdue
    return total


def _names_of_bodies(keys: Iterable[int]) -> dict[int, str]:
    wanted = set(keys)
    return {one.id: one.full_name for one in organisations.bodies() if one.id in wanted}


def _names_of_handlers(keys: Iterable[int]) -> dict[int, str]:
    names = organisations.names_of({f"staff:{key}" for key in keys if key})
    return {0: "待领取"} | {int(actor.removeprefix("staff:")): name for actor, name in names.items()}


def _names_of_items(keys: Iterable[int]) -> dict[int, str]:
    bodies = {one.id: one.full_name for one in organisations.bodies()}
    named = catalogue.names_of(keys)
    return {item_id: f"{name}（{bodies.get(body_id, '')}）" for item_id, (name, body_id) in named.items()}


_NAMES: Mapping[Grouping, Callable[[Iterable[int]], dict[int, str]]] = {
    Grouping.BODY: _names_of_bodies,
    Grouping.HANDLER: _names_of_handlers,
    Grouping.ITEM: _names_of_items,
}
