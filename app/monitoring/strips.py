"""What the wall's pictures are drawn from: days as strips of colour, hours as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from app.core import db
from app.core.access import Permission
from app.core.errors import NotFound
from app.monitoring import figures, reckoning
from app.monitoring.domain import Terms
from app.monitoring.figures import DayFigure, HourPoint
from app.monitoring.history_models import GroupRollup, Scope
from app.monitoring.history_models import Span as Length
from app.monitoring.marks import HOUR, hour_of
from app.monitoring.models import Watch
from app.organisations import service as organisations
from app.organisations.service import Principal, RegionLevel, ScopeKind
from mobile_pages.probe.bucket import Bucket
from mobile_pages.probe.histogram import LogHistogram
from mobile_pages.probe.uptime import day_window

HEAT_DAYS = (14, 30, 90)
LATENCY_DAYS = (1, 7, 30, 90)
# From here on each point is a day: 90 days of hours are more points than any screen has.
_HOURS_UP_TO_DAYS = 7


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
    """Return the last whole days of the cities (codes) and bodies (ids) named; two readings."""
    found_cities = _strips(Scope.CITY, cities, days, now)
    found_bodies = _strips(Scope.BODY, bodies, days, now)
    first = next(iter((*found_cities, *found_bodies)), None)
    return Heat([cell.day for cell in first.days] if first else [], found_cities, found_bodies)


def _strips(scope: Scope, names: Mapping[str, str], days: int, now: datetime) -> list[Strip]:
    if not names:
        return []
    found = figures.heat(scope, days + 1, now, list(names))
    return [Strip(ref, name, found[ref]) for ref, name in names.items() if ref in found]


def watched_cities(by: Principal) -> set[str]:
    """Return the codes of the cities that ``by`` watches as a whole."""
    grants = [grant for grant in by.grants if grant.carries(Permission.WATCH)]
    if any(grant.scope_kind is ScopeKind.PROVINCE for grant in grants):
        return {one.code for one in organisations.regions() if one.level is RegionLevel.CITY}
    return {grant.scope_ref for grant in grants if grant.scope_kind is ScopeKind.CITY}


def province_hours(hours: int, *, now: datetime) -> list[HourPoint]:
    """Return the province's last whole hours, oldest first; one reading."""
    end = hour_of(now)
    start = end - hours * HOUR
    query = select(GroupRollup.start_at, GroupRollup.histogram).where(
        GroupRollup.span == Length.HOUR,
        GroupRollup.scope == Scope.PROVINCE,
        GroupRollup.ref == "",
        GroupRollup.start_at >= start,
        GroupRollup.start_at < end,
    )
    held = {at: Bucket(histogram=LogHistogram.from_bytes(raw)) for at, raw in db.session().execute(query)}
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


def page_days(page_id: int, days: int, terms: Terms, *, now: datetime) -> list[DayFigure]:
    """Return the last days of one page, today the last; the caller has seen that it may be shown."""
    return figures.page(page_id, days, terms, now, hours=1).days


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
