"""Every figure that is shown or reported: roll-ups, and the time since from the spans themselves.

Days come from daily roll-ups, what is left of them from hourly ones, the running hour from spans.
Latencies and phases are those of whole hours. Groups add seconds, never percentages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from app.core import clock, db
from app.monitoring import live, marks, reckoning
from app.monitoring.domain import Terms
from app.monitoring.history_models import GroupRollup, Rollup, Scope
from app.monitoring.history_models import Span as Length
from app.monitoring.live import Running
from app.monitoring.marks import HOUR, Mark
from app.monitoring.models import StateSpan, Watch
from app.monitoring.reckoning import Check, Paces, known_until
from app.monitoring.shapes import WindowFigure
from mobile_pages.probe.base import Span
from mobile_pages.probe.bucket import NUMBERS, Bucket, MeanPhases, Pool
from mobile_pages.probe.histogram import LogHistogram
from mobile_pages.probe.uptime import (
    OfficialFigure,
    OfficialRule,
    Tally,
    Window,
    day_window,
    official_of_counts,
    tally,
)

WINDOWS = (("today", "今日", 1), ("7d", "近 7 天", 7), ("30d", "近 30 天", 30))
TODAY = WINDOWS[:1]
OFFICIAL_DAYS = OfficialRule().days
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Figure:
    """What a page or a group amounts to over a stretch of time.

    Attributes:
        pages: how many pages counted, at the time when they were most.
        tally: seconds up to now.
        bucket: what whole hours say besides: looks, visits, phases, latencies.
    """

    pages: int = 0
    tally: Tally = field(default_factory=Tally)
    bucket: Bucket = field(default_factory=Bucket)

    @property
    def availability_rate(self) -> float | None:
        """Fraction 0-1 of the known time; None when nothing is known."""
        return self.tally.availability_rate

    @property
    def coverage_rate(self) -> float | None:
        """Fraction 0-1 of the time of which we know; to be shown beside every availability."""
        return self.tally.coverage_rate

    @property
    def down_seconds(self) -> int:
        return int(self.tally.down.total_seconds())

    @property
    def phases(self) -> MeanPhases | None:
        return self.bucket.phases

    def quantile_ms(self, rate: float) -> float | None:
        """Return a quantile of the time pages took; None of none, or when times were not asked for."""
        return self.bucket.histogram.quantile(rate)


@dataclass(frozen=True, slots=True)
class DayFigure:
    """One cell of the heat strip; ``figure`` is None on days without the page."""

    day: date
    figure: Figure | None


@dataclass(frozen=True, slots=True)
class HourPoint:
    """One point of the sparkline; ``bucket`` is None where there is no roll-up."""

    start: datetime
    bucket: Bucket | None

    @property
    def p95_ms(self) -> float | None:
        return self.bucket.histogram.quantile(0.95) if self.bucket else None


@dataclass(frozen=True, slots=True)
class PageHistory:
    """A check's past: days oldest first, hours oldest first, all of the days together."""

    days: list[DayFigure]
    hours: list[HourPoint]
    whole: Figure


@dataclass(frozen=True, slots=True)
class _Reach:
    """Which part of a window comes from where: days, then hours, then the running time."""

    days: Window
    hours: Window
    running: Window


def window(days: int, now: datetime) -> Window:
    """Return the last ``days`` calendar days of Guangdong, today's among them, until ``now``."""
    first = clock.day_of(now) - timedelta(days=days - 1)
    return day_window(first, days).until(now)


@dataclass(frozen=True, slots=True)
class Lately:
    """How each body's pages fared in the time since the last roll-up, ``over``.

    Attributes:
        marks: how far roll-ups had come, so that all answers are of one moment.
    """

    marks: Mapping[str, datetime]
    over: Window
    by_body: Mapping[int, Running]


def lately(pace: Paces, now: datetime, body_ids: Collection[int] | None = None) -> Lately:
    """Return the running part once, for several questions about windows that end ``now``.

    Windows that begin later than the last roll-up do not use it.
    """
    known = marks.marks()
    reach = _reach(window(1, now), known)
    return Lately(known, reach.running, _running(reach, pace, body_ids, None))


def province(asked: Window, pace: Paces, *, times: bool = False, running: Lately | None = None) -> Figure:
    """Return the whole province's figure; with ``times`` its latencies too.

    Args:
        asked: begins with a day of Guangdong; ends now or with a day that is over.
        running: from :func:`lately`, when several figures are asked for at once.
    """
    reach = _reach(asked, running.marks if running else None)
    figures = _stored(Scope.PROVINCE, reach, None, times)
    since = _running(reach, pace, None, running)
    return _joined(figures.get(""), sum(since.values(), Running()))


def by_city(
    asked: Window, pace: Paces, *, times: bool = False, running: Lately | None = None
) -> dict[str, Figure]:
    """Return the figure of each city with pages, by its code; see :func:`province`."""
    reach = _reach(asked, running.marks if running else None)
    figures = _stored(Scope.CITY, reach, None, times)
    city_of = reckoning.cities()
    since = _running(reach, pace, None, running)
    own: dict[str, Running] = defaultdict(Running)
    for body_id, one in since.items():
        if str(body_id) in city_of:
            own[city_of[str(body_id)]] += one
    return {code: _joined(figures.get(code), own.get(code)) for code in figures.keys() | own.keys()}


def by_body(
    asked: Window,
    pace: Paces,
    body_ids: Collection[int] | None = None,
    *,
    times: bool = False,
    running: Lately | None = None,
) -> dict[int, Figure]:
    """Return the figure of each body with pages, of all or of those given; see :func:`province`."""
    reach = _reach(asked, running.marks if running else None)
    stored = _stored(Scope.BODY, reach, None if body_ids is None else [str(one) for one in body_ids], times)
    figures = {int(ref): figure for ref, figure in stored.items()}
    since = _running(reach, pace, body_ids, running)
    known = figures.keys() | (since.keys() if body_ids is None else since.keys() & set(body_ids))
    return {id_: _joined(figures.get(id_), since.get(id_)) for id_ in known}


def pooled(several: Iterable[Figure]) -> Figure:
    """Return the figure of a group: its members' seconds, looks and times added up."""
    pages, whole, pool = 0, Tally(), Pool()
    for one in several:
        pages += one.pages
        whole += one.tally
        pool.add(one.bucket.numbers(), one.bucket.histogram)
    return Figure(pages, whole, pool.bucket())


def heat(
    scope: Scope, days: int, now: datetime, refs: Sequence[str] | None = None
) -> dict[str, list[DayFigure]]:
    """Return a row of whole days, oldest first, for each body (id as text) or city (code), today left out.

    One query; days before the first roll-up have no figure.
    """
    asked = window(days, now)
    query = _sums(GroupRollup, GroupRollup.ref, GroupRollup.start_at, func.max(GroupRollup.pages)).where(
        GroupRollup.span == Length.DAY,
        GroupRollup.scope == scope,
        GroupRollup.start_at >= asked.start,
        GroupRollup.start_at < asked.end,
    )
    if refs is not None:
        query = query.where(GroupRollup.ref.in_(refs))
    found: dict[str, dict[date, Figure]] = defaultdict(dict)
    for ref, start_at, pages, *numbers in db.session().execute(
        query.group_by(GroupRollup.ref, GroupRollup.start_at)
    ):
        bucket = _bucket(numbers)
        found[ref][clock.day_of(start_at)] = Figure(pages, bucket.tally, bucket)
    strip = [clock.day_of(asked.start) + n * _DAY for n in range(days - 1)]
    return {ref: [DayFigure(day, own.get(day)) for day in strip] for ref, own in found.items()}


def page(check_id: int, days: int, terms: Terms, now: datetime, *, hours: int = 7 * 24) -> PageHistory:
    """Return a check's days (today last) and hours; a page's main check has the page's id.

    Five readings by key, however long the past is. Empty for a check that was never watched.
    """
    check = _check(check_id, terms)
    if check is None:
        return PageHistory([], [], Figure())
    asked = window(days, now)
    reach = _reach(asked)
    first_hour = min(reach.hours.start, marks.hour_of(now) - (hours - 1) * HOUR)
    by_day = _of_check(check_id, Length.DAY, reach.days, _DAY)
    by_hour = _of_check(check_id, Length.HOUR, Window(first_hour, max(first_hour, reach.hours.end)), HOUR)
    recent = _Recent(_spans(check, reach.running, now), Window(_later(reach.running, check), now))
    strip = []
    for n in range(days):
        start = asked.start + n * _DAY
        parts = [by_day[start]] if start in by_day else []
        if start >= reach.hours.start:
            parts = [by_hour[at] for at in reckoning.hours_of(start) if at in by_hour]
        rest = recent.within(Window(start, start + _DAY))
        strip.append(DayFigure(clock.day_of(start), _of_parts(parts, rest) if parts or rest else None))
    last = marks.hour_of(now)
    points = [HourPoint(at, by_hour.get(at)) for at in (last - n * HOUR for n in reversed(range(hours)))]
    whole = pooled(cell.figure for cell in strip if cell.figure)
    return PageHistory(strip, points, Figure(1, whole.tally, whole.bucket))


def official(page_id: int, terms: Terms, now: datetime) -> OfficialFigure:
    """Return what the national inspection would say of the last seven days of one page.

    A visit stands for the time until the next one, which is never less than a minute. Whole hours
    were counted when they were rolled up, the running one is counted now.
    """
    asked = window(OFFICIAL_DAYS, now)
    whole = day_window(clock.day_of(asked.start), OFFICIAL_DAYS)
    check = _check(page_id, terms)
    if check is None:
        return official_of_counts({}, 0, whole, now)
    reach = _reach(asked)
    per_day: dict[date, int] = defaultdict(int)
    failures = 0
    for length, stretch, step in ((Length.DAY, reach.days, _DAY), (Length.HOUR, reach.hours, HOUR)):
        for start, bucket in _of_check(page_id, length, stretch, step).items():
            per_day[clock.day_of(start)] += bucket.visits
            failures += bucket.visit_failures
    for start in marks.hours(reach.running.start, now):
        row = reckoning.hour_rows([check], start, now).get(page_id)
        if row is not None:
            per_day[clock.day_of(start)] += row.bucket.visits
            failures += row.bucket.visit_failures
    rule = OfficialRule(slot=timedelta(seconds=check.pace.slot_s))
    return official_of_counts(per_day, failures, whole, now, rule)


def windows_of(
    body_ids: Collection[int] | None,
    pace: Paces,
    now: datetime,
    wanted: Iterable[tuple[str, str, int]] = WINDOWS,
) -> list[WindowFigure]:
    """Return the pooled figures of some bodies' pages, or of the whole province (None)."""
    made = []
    for name, label, days in wanted:
        asked = window(days, now)
        figure = (
            province(asked, pace) if body_ids is None else pooled(by_body(asked, pace, body_ids).values())
        )
        made.append(WindowFigure(name, label, asked.start, asked.end, figure.pages, figure.tally))
    return made


def windows_of_page(
    check_id: int, terms: Terms, now: datetime, wanted: Iterable[tuple[str, str, int]] = WINDOWS
) -> list[WindowFigure]:
    """Return the figures of one check."""
    wanted = list(wanted)
    past = page(check_id, max(days for _, _, days in wanted), terms, now)
    made = []
    for name, label, days in wanted:
        asked = window(days, now)
        cells = [cell.figure for cell in past.days[-days:] if cell.figure]
        made.append(
            WindowFigure(name, label, asked.start, asked.end, min(1, len(cells)), pooled(cells).tally)
        )
    return made


@dataclass(frozen=True, slots=True)
class _Recent:
    """One check's spans since the last roll-up, and the time they are asked about."""

    spans: list[Span]
    asked: Window

    def within(self, day: Window) -> Tally | None:
        """Return the part of a day; None when none of it lies here."""
        start, end = max(self.asked.start, day.start), min(self.asked.end, day.end)
        if start >= end:
            return None
        found = tally(self.spans, Window(start, end))
        return None if found.paused == found.wall else found


def _later(running: Window, check: Check) -> datetime:
    return min(max(running.start, check.begun_at), running.end)


def _of_parts(parts: Sequence[Bucket], rest: Tally | None) -> Figure:
    pool = Pool()
    for part in parts:
        pool.add(part.numbers(), part.histogram)
    bucket = pool.bucket()
    return Figure(1, bucket.tally + (rest or Tally()), bucket)


def _reach(asked: Window, known: Mapping[str, datetime] | None = None) -> _Reach:
    known = marks.marks() if known is None else known
    days = _between(asked.start, known.get(Mark.DAYS, asked.start), asked.end)
    hours = _between(days, known.get(Mark.HOURS, days), asked.end)
    return _Reach(Window(asked.start, days), Window(days, hours), Window(hours, asked.end))


def _between(low: datetime, at: datetime, high: datetime) -> datetime:
    return max(low, min(at, high))


def _stored(scope: Scope, reach: _Reach, refs: Sequence[str] | None, times: bool) -> dict[str, Figure]:
    mine = and_(GroupRollup.scope == scope, _within(reach))
    if refs is not None:
        mine = and_(mine, GroupRollup.ref.in_(refs))
    query = _sums(GroupRollup, GroupRollup.ref, func.max(GroupRollup.pages)).where(mine)
    merged = _merged(mine) if times else {}
    found = {}
    for ref, pages, *numbers in db.session().execute(query.group_by(GroupRollup.ref)):
        bucket = _bucket(numbers, merged.get(ref))
        found[ref] = Figure(pages, bucket.tally, bucket)
    return found


def _merged(mine: ColumnElement[bool]) -> dict[str, LogHistogram]:
    merged: dict[str, LogHistogram] = defaultdict(LogHistogram)
    for ref, raw in db.session().execute(select(GroupRollup.ref, GroupRollup.histogram).where(mine)):
        merged[ref].merge(reckoning.histogram_of(raw))
    return merged


def _within(reach: _Reach) -> ColumnElement[bool]:
    return or_(
        *(
            and_(
                GroupRollup.span == length,
                GroupRollup.start_at >= stretch.start,
                GroupRollup.start_at < stretch.end,
            )
            for length, stretch in ((Length.DAY, reach.days), (Length.HOUR, reach.hours))
        )
    )


def _sums(model: type[GroupRollup], *columns: Any) -> Any:
    return select(*columns, *(func.sum(getattr(model, name)) for name in NUMBERS))


def _bucket(numbers: Iterable[Any], histogram: LogHistogram | None = None) -> Bucket:
    own = {name: int(number) for name, number in zip(NUMBERS, numbers, strict=True)}
    return Bucket(**own, histogram=histogram or LogHistogram())


def _running(
    reach: _Reach, pace: Paces, body_ids: Collection[int] | None, known: Lately | None
) -> Mapping[int, Running]:
    if known is not None and known.over == reach.running:
        return known.by_body
    if reach.running.start == reach.running.end:
        return {}
    return live.by_body(reach.running.start, reach.running.end, pace, body_ids)


def _joined(stored: Figure | None, running: Running | None) -> Figure:
    stored, running = stored or Figure(), running or Running()
    return Figure(max(stored.pages, running.pages), stored.tally + running.tally, stored.bucket)


def _of_check(check_id: int, length: Length, stretch: Window, step: timedelta) -> dict[datetime, Bucket]:
    starts = [stretch.start + n * step for n in range(int(stretch.length / step))]
    query = select(Rollup.start_at, *(getattr(Rollup, name) for name in NUMBERS), Rollup.histogram).where(
        Rollup.span == length, Rollup.check_id == check_id, Rollup.start_at.in_(starts)
    )
    return {
        start_at: _bucket(numbers, reckoning.histogram_of(raw))
        for start_at, *numbers, raw in db.session().execute(query)
    }


def _check(check_id: int, terms: Terms) -> Check | None:
    found = reckoning.checks(reckoning.paces(terms), Watch.check_id == check_id)
    return found[0] if found else None


def _spans(check: Check, running: Window, now: datetime) -> list[Span]:
    query = select(StateSpan.started_at, StateSpan.ended_at, StateSpan.condition).where(
        StateSpan.check_id == check.id,
        StateSpan.started_at < running.end,
        or_(StateSpan.ended_at.is_(None), StateSpan.ended_at > running.start),
    )
    return [
        Span(
            start,
            end or known_until(condition, start, check.sampled_at, check.pace.fresh, now),
            condition,
        )
        for start, end, condition in db.session().execute(query)
    ]
