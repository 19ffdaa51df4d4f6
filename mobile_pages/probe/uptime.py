"""Availability from spans, and the national inspection's own figure from single visits.

One accounting rule for every page, department and city: availability is up ÷ (up + down) seconds;
time under maintenance, pause or without knowledge stands in neither. Groups add seconds, never
percentages. Days are those of the province (UTC+8).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from fractions import Fraction
from math import ceil

from mobile_pages.probe.base import Condition, Span, Verdict

# China keeps one offset all year, so the figure needs no time-zone database on the machine.
PROVINCE_TIME = timezone(timedelta(hours=8), "Asia/Shanghai")
_ZERO = timedelta()


@dataclass(frozen=True, slots=True)
class Window:
    """The time asked about, ``start`` included, ``end`` not; aware datetimes."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs aware datetimes")
        if self.end < self.start:
            raise ValueError("a window cannot end before it starts")

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def until(self, now: datetime) -> Window:
        """Return the part that has already passed; empty when none has."""
        return Window(self.start, max(self.start, min(self.end, now)))

    def days(self) -> Iterator[date]:
        """Yield the province's calendar days that lie wholly in the window, in order."""
        day = self.start.astimezone(PROVINCE_TIME).date()
        while day_window(day).end <= self.end:
            if day_window(day).start >= self.start:
                yield day
            day += timedelta(days=1)


def day_window(day: date, days: int = 1) -> Window:
    """Return the window of ``days`` calendar days of the province that begins with ``day``."""
    start = datetime.combine(day, time(), PROVINCE_TIME).astimezone(UTC)
    return Window(start, start + timedelta(days=days))


def month_window(year: int, month: int) -> Window:
    """Return the window of one calendar month of the province."""
    first = date(year, month, 1)
    following = date(year + month // 12, month % 12 + 1, 1)
    return day_window(first, (following - first).days)


@dataclass(frozen=True, slots=True)
class Tally:
    """How long a window, or several pooled, spent in each condition. The parts add up to the whole."""

    up: timedelta = _ZERO
    degraded: timedelta = _ZERO
    down: timedelta = _ZERO
    maintenance: timedelta = _ZERO
    paused: timedelta = _ZERO
    unknown: timedelta = _ZERO

    @property
    def wall(self) -> timedelta:
        return sum((getattr(self, one.name) for one in fields(self)), _ZERO)

    @property
    def known(self) -> timedelta:
        return self.up + self.degraded + self.down

    @property
    def availability_rate(self) -> float | None:
        """Fraction 0–1 of the known time; a slow page was open. None when nothing is known."""
        return (self.up + self.degraded) / self.known if self.known else None

    @property
    def coverage_rate(self) -> float | None:
        """Fraction 0–1 of the wall time of which we know; None for an empty window."""
        return self.known / self.wall if self.wall else None

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


def clip(spans: Iterable[Span], window: Window) -> tuple[Span, ...]:
    """Return the spans' parts inside the window, in order, none overlapping, none empty.

    A span still open lasts to the window's end. Where two overlap the one that started later is
    believed from its start on, so a row told twice or left open months ago cannot count twice.
    """
    ordered = sorted(spans, key=lambda span: (span.start, span.end is None, span.end or span.start))
    parts: list[Span] = []
    for index, span in enumerate(ordered):
        end = window.end if span.end is None else min(span.end, window.end)
        if index + 1 < len(ordered):
            end = min(end, ordered[index + 1].start)
        start = max(span.start, window.start)
        if start < end:
            parts.append(Span(start, end, span.condition, span.cause))
    return tuple(parts)


def tally(spans: Iterable[Span], window: Window) -> Tally:
    """Return how long each condition held in the window; time no span speaks of is unknown."""
    lengths: dict[Condition, timedelta] = dict.fromkeys(Condition, _ZERO)
    for part in clip(spans, window):
        assert part.end is not None
        lengths[part.condition] += part.end - part.start
    spoken = sum(lengths.values(), _ZERO)
    lengths[Condition.UNKNOWN] += window.length - spoken
    return Tally(**{condition.value: length for condition, length in lengths.items()})


def pool(tallies: Iterable[Tally]) -> Tally:
    """Return the tally of a group: its members' time added up."""
    return sum(tallies, Tally())


@dataclass(frozen=True, slots=True)
class OfficialRule:
    """The inspection's figures (普查评分表 «网站不能打开»).

    Attributes:
        slot: at most one visit counts in each slot, so that the closer looks made during an outage
            do not count it more than once.
        warn_rate: our own early warning, fraction 0–1.

    Source: 全国政府网站普查评分表 (2015), carried into 政府网站与政务新媒体检查指标 (国办, 2019):
    监测1周，每天间隔性访问20次以上，超过（含）15秒仍打不开的次数累计占比超过（含）5%，单项否决。
    """

    days: int = 7
    visits_per_day: int = 20
    slow_ms: int = 15_000
    veto_rate: Fraction = Fraction(5, 100)
    warn_rate: Fraction = Fraction(3, 100)
    slot: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Visit:
    """One look as the inspection counts it.

    Attributes:
        total_ms: until the whole page was there; None when it never was.
    """

    at: datetime
    verdict: Verdict
    total_ms: int | None = None


class OfficialVerdict(StrEnum):
    """``too_few_visits``: some whole day has fewer visits than asked, so nothing can be concluded."""

    PASS = "pass"
    WARN = "warn"
    VETO = "veto"
    TOO_FEW_VISITS = "too_few_visits"


@dataclass(frozen=True, slots=True)
class OfficialFigure:
    """What the inspection would say of the window.

    Attributes:
        rate: failures ÷ visits, fraction 0–1; None without visits.
        thin_days: whole days of the window with too few visits.
        failures_left: further failing visits before the veto, were every slot of the window
            visited; 0 when the veto stands.
        minutes_left: the same as time that the page may still be closed.
    """

    verdict: OfficialVerdict
    visit_count: int
    failure_count: int
    rate: float | None
    thin_days: tuple[date, ...]
    failures_left: int
    minutes_left: float


def official_figure(
    visits: Iterable[Visit],
    window: Window,
    now: datetime | None = None,
    rule: OfficialRule | None = None,
) -> OfficialFigure:
    """Return the inspection's figure for the visits that fall into the window.

    Only looks that say something count; the first of each slot is the visit. From too few visits
    a veto is told only when no number of further visits in the window could undo it.

    Args:
        now: days after it are not thin yet; None when the window lies in the past.
    """
    rule = rule or OfficialRule()
    chosen = _one_a_slot(visits, window, rule.slot)
    failures = sum(_failed(visit, rule) for visit in chosen)
    per_day = Counter(visit.at.astimezone(PROVINCE_TIME).date() for visit in chosen)
    return official_of_counts(per_day, failures, window, now, rule)


def official_of_counts(
    per_day: Mapping[date, int],
    failures: int,
    window: Window,
    now: datetime | None = None,
    rule: OfficialRule | None = None,
) -> OfficialFigure:
    """Return the inspection's figure where visits are counted already; see :func:`official_figure`.

    Args:
        per_day: visits of each calendar day of the province in the window.
        failures: how many of them failed.
    """
    rule = rule or OfficialRule()
    count = sum(per_day.values())
    passed = window.until(now) if now else window
    thin = tuple(day for day in passed.days() if per_day.get(day, 0) < rule.visits_per_day)
    rate = Fraction(failures, count) if count else None
    allowed = ceil(rule.veto_rate * max(count, window.length // rule.slot))
    enough = not thin and count >= rule.visits_per_day
    if failures and failures >= allowed:
        verdict = OfficialVerdict.VETO
    else:
        verdict = _official_verdict(rate, enough, rule)
    left = 0 if verdict is OfficialVerdict.VETO else max(0, allowed - failures)
    return OfficialFigure(
        verdict=verdict,
        visit_count=count,
        failure_count=failures,
        rate=None if rate is None else float(rate),
        thin_days=thin,
        failures_left=left,
        minutes_left=left * rule.slot / timedelta(minutes=1),
    )


def _one_a_slot(visits: Iterable[Visit], window: Window, slot: timedelta) -> list[Visit]:
    first: dict[int, Visit] = {}
    for visit in visits:
        if visit.verdict is Verdict.UNKNOWN or not window.start <= visit.at < window.end:
            continue
        number = (visit.at - window.start) // slot
        held = first.get(number)
        if held is None or visit.at < held.at:
            first[number] = visit
    return list(first.values())


def _failed(visit: Visit, rule: OfficialRule) -> bool:
    return visit.verdict is Verdict.DOWN or (visit.total_ms or 0) >= rule.slow_ms


def _official_verdict(rate: Fraction | None, enough: bool, rule: OfficialRule) -> OfficialVerdict:
    if rate is None or not enough:
        return OfficialVerdict.TOO_FEW_VISITS
    if rate >= rule.veto_rate:
        return OfficialVerdict.VETO
    return OfficialVerdict.WARN if rate >= rule.warn_rate else OfficialVerdict.PASS
