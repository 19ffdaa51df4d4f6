"""The time since the last roll-up, summed up by the database: one row a body, not one a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, func, literal, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from app.core import db
from app.monitoring.domain import CheckKind
from app.monitoring.models import StateSpan, Watch
from app.monitoring.reckoning import Paces
from mobile_pages.probe.base import Condition
from mobile_pages.probe.state import HOLDS
from mobile_pages.probe.uptime import Tally


class SecondsBetween(FunctionElement[float]):
    """Seconds from the first instant to the second."""

    type = Float()
    inherit_cache = True
    name = "seconds_between"


@compiles(SecondsBetween, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    start, end = (compiler.process(one, **options) for one in element.clauses)
    return f"((julianday({end}) - julianday({start})) * 86400.0)"


@compiles(SecondsBetween, "mysql")
@compiles(SecondsBetween, "mariadb")
def _on_mysql(element: Any, compiler: Any, **options: Any) -> str:
    start, end = (compiler.process(one, **options) for one in element.clauses)
    return f"(TIMESTAMPDIFF(MICROSECOND, {start}, {end}) / 1000000e0)"


@dataclass(frozen=True, slots=True)
class Running:
    """How a body's pages fared since the last roll-up."""

    pages: int = 0
    tally: Tally = field(default_factory=Tally)

    def __add__(self, other: Running) -> Running:
        return Running(self.pages + other.pages, self.tally + other.tally)


def by_body(
    since: datetime, now: datetime, pace: Paces, body_ids: Collection[int] | None = None
) -> dict[int, Running]:
    """Return how the pages of each body fared from ``since`` to ``now``; three queries.

    A page paused since before ``since`` is left out, as it is in roll-ups.
    """
    mine = [
        Watch.kind == CheckKind.PAGE,
        Watch.begun_at < now,
        or_(Watch.condition != Condition.PAUSED, Watch.since > since),
    ]
    if body_ids is not None:
        mine.append(Watch.body_id.in_(body_ids))
    bodies = db.session().scalars(select(Watch.body_id).where(*mine[3:]).distinct())
    fresh = {body_id: pace(body_id, None).fresh for body_id in bodies}
    sums = _unchanged(since, now, fresh, mine)
    for body_id, condition, seconds in _changed(since, now, fresh, mine):
        sums[body_id].spend(condition, seconds)
    return {body_id: one.running() for body_id, one in sums.items()}


class _Sum:
    """Adds up one body: pages, the time they were there, what is known of it."""

    def __init__(self) -> None:
        self._pages = 0
        self._wall = 0.0
        self._spent = dict.fromkeys(Condition, 0.0)

    def there(self, pages: int, seconds: float) -> None:
        self._pages += pages
        self._wall += seconds

    def spend(self, condition: Condition, seconds: float) -> None:
        self._spent[condition] += seconds

    def running(self) -> Running:
        spent = dict(self._spent)
        spent[Condition.UNKNOWN] += max(0.0, self._wall - sum(spent.values()))
        # SQLite reckons in days, to some 40 microseconds.
        whole = {condition.value: timedelta(milliseconds=round(1000 * s)) for condition, s in spent.items()}
        return Running(self._pages, Tally(**whole))


def _unchanged(
    since: datetime, now: datetime, fresh: Mapping[int, timedelta], mine: Collection[ColumnElement[bool]]
) -> dict[int, _Sum]:
    """Sum up all pages' time, and what is known of those that stand as they stood at ``since``.

    Nearly all do, and their own row says it all: only a time that stops short has to be reckoned.
    """
    whole = literal((now - since).total_seconds(), Float)
    holds = [condition.value for condition in HOLDS]
    surely = or_(
        Watch.condition.in_(holds), Watch.sampled_at.is_(None), Watch.sampled_at >= _limit(fresh, now)
    )
    short = SecondsBetween(_instant(since), Watch.sampled_at) + _fresh_seconds(fresh)
    known = case(
        (Watch.since > since, 0.0), (surely, whole), (short > whole, whole), (short > 0, short), else_=0.0
    )
    wall = case((Watch.begun_at <= since, whole), else_=SecondsBetween(Watch.begun_at, _instant(now)))
    query = select(Watch.body_id, Watch.condition, func.count(), func.sum(wall), func.sum(known))
    found: dict[int, _Sum] = defaultdict(_Sum)
    rows = db.session().execute(query.where(*mine).group_by(Watch.body_id, Watch.condition))
    for body_id, condition, pages, there, seconds in rows:
        found[body_id].there(pages, float(there))
        found[body_id].spend(condition, float(seconds))
    return found


def _changed(
    since: datetime, now: datetime, fresh: Mapping[int, timedelta], mine: Collection[ColumnElement[bool]]
) -> Iterator[tuple[int, Condition, float]]:
    """Yield what is known of pages whose condition changed after ``since``, from their spans."""
    start = _later(StateSpan.started_at, since)
    until_now = SecondsBetween(start, _instant(now))
    until_end = SecondsBetween(start, StateSpan.ended_at)
    believed = SecondsBetween(start, Watch.sampled_at) + _fresh_seconds(fresh)
    holds = [condition.value for condition in HOLDS]
    surely = or_(StateSpan.condition.in_(holds), Watch.sampled_at.is_(None))
    length = case(
        (StateSpan.ended_at.is_not(None), _lesser(until_end, until_now)),
        (surely, until_now),
        else_=_lesser(believed, until_now),
    )
    query = (
        select(Watch.body_id, StateSpan.condition, func.sum(case((length > 0, length), else_=0.0)))
        .join(Watch, Watch.check_id == StateSpan.check_id)
        .where(
            Watch.since > since,
            StateSpan.started_at < now,
            or_(StateSpan.ended_at.is_(None), StateSpan.ended_at > since),
            *mine,
        )
        .group_by(Watch.body_id, StateSpan.condition)
    )
    for body_id, condition, seconds in db.session().execute(query):
        yield body_id, condition, float(seconds)


def _limit(fresh: Mapping[int, timedelta], now: datetime) -> ColumnElement[datetime]:
    """Return since when a look must have begun for its word to stand now."""
    return _by_body({body_id: now - length for body_id, length in fresh.items()}, now, Watch.sampled_at.type)


def _fresh_seconds(fresh: Mapping[int, timedelta]) -> ColumnElement[float]:
    """Return how long a look's word stands."""
    seconds = {body_id: length.total_seconds() for body_id, length in fresh.items()}
    return _by_body(seconds, 0.0, Float())


def _by_body(values: Mapping[int, Any], default: Any, kind: Any) -> ColumnElement[Any]:
    """Return each body's value; most share one, which is said once."""
    told = list(values.values())
    usual = max(set(told), key=told.count, default=default)
    others: dict[Any, list[int]] = {}
    for body_id, value in values.items():
        if value != usual:
            others.setdefault(value, []).append(body_id)
    whens = [(Watch.body_id.in_(body_ids), literal(value, kind)) for value, body_ids in others.items()]
    return case(*whens, else_=literal(usual, kind)) if whens else literal(usual, kind)


def _instant(at: datetime) -> ColumnElement[datetime]:
    return literal(at, StateSpan.started_at.type)


def _later(column: Any, at: datetime) -> ColumnElement[datetime]:
    return case((column > at, column), else_=_instant(at))


def _lesser(one: Any, other: Any) -> ColumnElement[float]:
    return case((and_(one < other), one), else_=other)
