"""The time since the last roll-up, summed up by the database: one row a body, not one a page."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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


class _SecondsBetween(FunctionElement[float]):
    """Seconds from the first instant to the second."""

    type = Float()
    inherit_cache = True
    name = "seconds_between"


@compiles(_SecondsBetween, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    start, end = (compiler.process(one, **options) for one in element.clauses)
    return f"((julianday({end}) - julianday({start})) * 86400.0)"


@compiles(_SecondsBetween, "mysql")
@compiles(_SecondsBetween, "mariadb")
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
    wall = _walls(since, now, mine)
    fresh = {body_id: pace(body_id, None).fresh.total_seconds() for body_id in wall}
    spent = _spent(since, now, fresh, mine)
    return {
        body_id: Running(pages, _tally(spent.get(body_id, {}), seconds))
        for body_id, (pages, seconds) in wall.items()
    }


def _walls(
    since: datetime, now: datetime, mine: Collection[ColumnElement[bool]]
) -> dict[int, tuple[int, float]]:
    start = _later(Watch.begun_at, since)
    query = select(Watch.body_id, func.count(), func.sum(_SecondsBetween(start, _instant(now))))
    rows = db.session().execute(query.where(*mine).group_by(Watch.body_id))
    return {body_id: (pages, float(seconds)) for body_id, pages, seconds in rows}


def _spent(
    since: datetime, now: datetime, fresh: Mapping[int, float], mine: Collection[ColumnElement[bool]]
) -> dict[int, dict[Condition, float]]:
    start = _later(StateSpan.started_at, since)
    until_now = _SecondsBetween(start, _instant(now))
    until_end = _SecondsBetween(start, StateSpan.ended_at)
    believed = _SecondsBetween(start, Watch.sampled_at) + _fresh_seconds(fresh)
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
            StateSpan.started_at < now,
            or_(StateSpan.ended_at.is_(None), StateSpan.ended_at > since),
            *mine,
        )
        .group_by(Watch.body_id, StateSpan.condition)
    )
    found: dict[int, dict[Condition, float]] = {}
    for body_id, condition, seconds in db.session().execute(query):
        found.setdefault(body_id, {})[condition] = float(seconds)
    return found


def _fresh_seconds(fresh: Mapping[int, float]) -> ColumnElement[float]:
    """Return how long a look's word stands, by body; most bodies share one value."""
    values = list(fresh.values())
    usual = max(set(values), key=values.count, default=0.0)
    others: dict[float, list[int]] = {}
    for body_id, seconds in fresh.items():
        if seconds != usual:
            others.setdefault(seconds, []).append(body_id)
    whens = [(Watch.body_id.in_(body_ids), seconds) for seconds, body_ids in others.items()]
    return case(*whens, else_=usual) if whens else literal(usual, Float)


def _tally(spent: Mapping[Condition, float], wall: float) -> Tally:
    seconds = dict.fromkeys(Condition, 0.0) | dict(spent)
    seconds[Condition.UNKNOWN] += max(0.0, wall - sum(seconds.values()))
    # SQLite reckons in days, to some 40 microseconds.
    whole = {condition.value: timedelta(milliseconds=round(1000 * s)) for condition, s in seconds.items()}
    return Tally(**whole)


def _instant(at: datetime) -> ColumnElement[datetime]:
    return literal(at, StateSpan.started_at.type)


def _later(column: Any, at: datetime) -> ColumnElement[datetime]:
    return case((column > at, column), else_=_instant(at))


def _lesser(one: Any, other: Any) -> ColumnElement[float]:
    return case((and_(one < other), one), else_=other)
