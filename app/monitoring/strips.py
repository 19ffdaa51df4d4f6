"""What the wall's pictures are drawn from: days as strips of colour, hours as lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select

from app.core import clock, db
from app.core.access import Permission
from app.core.errors import NotFound
from app.monitoring import figures, reckoning
from app.monitoring.domain import Terms
from app.monitoring.figures import DayFigure, Figure, HourPoint
from app.monitoring.history_models import GroupRollup, Rollup, Scope
from app.monitoring.history_models import Span as Length
from app.monitoring.marks import HOUR, hour_of
from app.monitoring.models import Watch
from app.organisations import service as organisations
from app.organisations.service import Principal, RegionLevel, ScopeKind
from mobile_pages.probe.base import Condition
from mobile_pages.probe.bucket import Bucket
from mobile_pages.probe.uptime import Tally, Window, day_window

HEAT_DAYS = (14, 30, 90)
LATENCY_DAYS = (1, 7, 30, 90)
# From here on each point is a day: 90 days of hours are more points than any screen has.
_HOURS_UP_TO_DAYS = 7
_CONDITIONS = tuple(Condition)
_Days = dict[str, dict[date, Figure]]


@dataclass(frozen=True, slots=True)
class Strip:
    """One row of the heat map; ``ref`` is a city's code or a body's id."""

    ref: str
    name: str
    days: list[DayFigure]


@dataclass(frozen=True, slots=True)
class Heat:
    """Rows of cities and of bodies over the same days, oldest first."""

    days: list[date]
    cities: list[Strip]
    bodies: list[Strip]

    def of_cities(self) -> dict[str, list[DayFigure]]:
        """Return each city's days by its code."""
        return {one.ref: one.days for one in self.cities}

    def of_bodies(self) -> dict[str, list[DayFigure]]:
        """Return each body's days by its id as text."""
        return {one.ref: one.days for one in self.bodies}


@dataclass(frozen=True, slots=True)
class LatencyPoint:
    """An hour or a day of one page; milliseconds, means of phases; all None without looks."""

    start: datetime
    phases: tuple[float, float, float, float, float] | None
    p50: float | None
    p95: float | None
    p99: float | None


def heat(by: Principal, days: int, *, now: datetime, city_code: str | None = None) -> Heat:
    """Return the last whole days of the cities and provincial bodies of ``by``, or of a city's bodies."""
    bodies = {str(one.id): one for one in organisations.bodies_of(by, Permission.WATCH)}
    if city_code is not None:
        city_of = reckoning.cities()
        inside = {ref: one.name for ref, one in bodies.items() if city_of.get(ref) == city_code}
        return heat_of({}, inside, days, now=now)
    provincial = {ref: one.name for ref, one in bodies.items() if one.level is RegionLevel.PROVINCE}
    cities = {
        one.code: one.name
        for one in organisations.regions()
        if one.level is RegionLevel.CITY and one.code in watched_cities(by)
    }
    return heat_of(cities, provincial, days, now=now)


def heat_of(cities: Mapping[str, str], bodies: Mapping[str, str], days: int, *, now: datetime) -> Heat:
    """Return the last whole days of the cities (codes) and bodies (ids) named; one reading."""
    asked = _whole_days(days, now)
    found = _days({Scope.CITY: cities, Scope.BODY: bodies}, asked)
    return Heat(
        list(asked.days()) if any(found.values()) else [],
        _strips(cities, found[Scope.CITY], asked),
        _strips(bodies, found[Scope.BODY], asked),
    )


def _whole_days(days: int, now: datetime) -> Window:
    return Window(figures.window(days + 1, now).start, day_window(clock.day_of(now)).start)


def _days(wanted: Mapping[Scope, Mapping[str, str]], asked: Window) -> dict[Scope, _Days]:
    """Return the rolled-up days of what is named."""
    found: dict[Scope, _Days] = {scope: defaultdict(dict) for scope in wanted}
    named = [
        and_(GroupRollup.scope == scope, GroupRollup.ref.in_(list(names)))
        for scope, names in wanted.items()
        if names
    ]
    if not named:
        return found
    columns = (GroupRollup.scope, GroupRollup.ref, GroupRollup.start_at, GroupRollup.pages)
    query = select(*columns, *_seconds_of(GroupRollup)).where(
        GroupRollup.span == Length.DAY,
        GroupRollup.start_at >= asked.start,
        GroupRollup.start_at < asked.end,
        or_(*named),
    )
    day_of = {day_window(day).start: day for day in asked.days()}
    for scope, ref, start_at, pages, *seconds in db.session().execute(query):
        found[Scope(scope)][ref][day_of[start_at]] = Figure(pages, _tally_of(seconds))
    return found


def page_heat(pages: Mapping[str, str], days: int, *, now: datetime) -> list[Strip]:
    """Return the last whole days of the pages (ids) named; one reading."""
    asked = _whole_days(days, now)
    day_of = {day_window(day).start: day for day in asked.days()}
    query = select(Rollup.check_id, Rollup.start_at, *_seconds_of(Rollup)).where(
        Rollup.span == Length.DAY,
        Rollup.start_at.in_(list(day_of)),
        Rollup.check_id.in_([int(one) for one in pages]),
    )
    found: _Days = defaultdict(dict)
    for check_id, start_at, *seconds in db.session().execute(query):
        found[str(check_id)][day_of[start_at]] = Figure(1, _tally_of(seconds))
    return _strips(pages, found, asked)


def _seconds_of(model: type[GroupRollup] | type[Rollup]) -> list[Any]:
    return [getattr(model, f"{condition.value}_s") for condition in _CONDITIONS]


def _tally_of(seconds: Sequence[int]) -> Tally:
    lengths = (timedelta(seconds=int(one)) for one in seconds)
    return Tally(**{condition.value: length for condition, length in zip(_CONDITIONS, lengths, strict=True)})


def _strips(names: Mapping[str, str], found: _Days, asked: Window) -> list[Strip]:
    days = list(asked.days())
    return [
        Strip(ref, name, [DayFigure(day, found[ref].get(day)) for day in days])
        for ref, name in names.items()
        if ref in found
    ]


def watched_cities(by: Principal) -> set[str]:
    """Return the codes of the cities that ``by`` watches as a whole."""
    grants = [grant for grant in by.grants if grant.carries(Permission.WATCH)]
    if any(grant.scope_kind is ScopeKind.PROVINCE for grant in grants):
        return {one.code for one in organisations.regions() if one.level is RegionLevel.CITY}
    return {grant.scope_ref for grant in grants if grant.scope_kind is ScopeKind.CITY}


def group_hours(scope: Scope, ref: str, hours: int, *, now: datetime) -> list[HourPoint]:
    """Return the last whole hours of a body, a city or the province (``""``), oldest first; one reading."""
    end = hour_of(now)
    start = end - hours * HOUR
    query = select(GroupRollup.start_at, GroupRollup.histogram).where(
        GroupRollup.span == Length.HOUR,
        GroupRollup.scope == scope,
        GroupRollup.ref == ref,
        GroupRollup.start_at >= start,
        GroupRollup.start_at < end,
    )
    held = {at: Bucket(histogram=reckoning.histogram_of(raw)) for at, raw in db.session().execute(query)}
    return [HourPoint(at, held.get(at)) for at in (start + n * HOUR for n in range(hours))]


def latency(by: Principal, page_id: int, days: int, terms: Terms, *, now: datetime) -> list[LatencyPoint]:
    """Return where the time of a page's looks went, by the hour up to a week, else by the day.

    Raises:
        NotFound: no such page in the scope of ``by``.
    """
    mine = organisations.scope_condition(by, Permission.WATCH, Watch.body_id)
    if db.session().scalar(select(Watch.check_id).where(Watch.check_id == page_id, mine)) is None:
        raise NotFound("没有这个网页的监测记录")
    if days <= _HOURS_UP_TO_DAYS:
        past = figures.page(page_id, 1, terms, now, hours=24 * days)
        return [_point(one.start, one.bucket) for one in past.hours]
    strip = figures.page(page_id, days, terms, now, hours=1).days
    starts = [day_window(cell.day).start for cell in strip]
    return [
        _point(at, cell.figure.bucket if cell.figure else None)
        for at, cell in zip(starts, strip, strict=True)
    ]


def _point(start: datetime, bucket: Bucket | None) -> LatencyPoint:
    phases = bucket.phases if bucket else None
    if bucket is None or phases is None:
        return LatencyPoint(start, None, None, None, None)
    parts = (phases.dns, phases.connect, phases.tls, phases.first_byte, phases.transfer)
    p50, p95, p99 = (bucket.histogram.quantile(rate) for rate in (0.5, 0.95, 0.99))
    return LatencyPoint(start, parts, p50, p95, p99)


def sparkline(values: Sequence[float | None], *, width: int = 240, height: int = 40) -> list[str]:
    """Return the values as ``points`` of SVG polylines, one for each stretch without a gap."""
    known = [value for value in values if value is not None]
    if not known:
        return []
    low, high = min(known), max(known)
    step = width / max(1, len(values) - 1)
    runs: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        y = height - 2 - (value - low) / ((high - low) or 1) * (height - 4)
        runs[-1].append(f"{place * step:.1f},{y:.1f}")
    return [" ".join(run) for run in runs if run]
