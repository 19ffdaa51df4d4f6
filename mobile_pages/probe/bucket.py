"""What an hour or a day of one page, or of many, amounts to: figures that add up.

Seconds come from state spans clipped to the bucket, counts and times from the looks made in it.
Buckets of hours add up to days, those of pages to bodies, whatever the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import NamedTuple

from mobile_pages.probe.base import Condition, Span, Verdict
from mobile_pages.probe.histogram import LogHistogram
from mobile_pages.probe.uptime import OfficialRule, Tally, Window, clip

SLOW_MS = OfficialRule().slow_ms
_SECOND = timedelta(seconds=1)
_PHASES = ("dns_ms", "connect_ms", "tls_ms", "first_byte_ms", "total_ms")


@dataclass(frozen=True, slots=True)
class MeanPhases:
    """Mean milliseconds of each part of the looks that found the page open; they add up to ``total``."""

    dns: float
    connect: float
    tls: float
    first_byte: float
    transfer: float
    total: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """Figures that add up; see :class:`app.monitoring.history_models.Rollup` for what each counts."""

    up_s: int = 0
    degraded_s: int = 0
    down_s: int = 0
    maintenance_s: int = 0
    paused_s: int = 0
    unknown_s: int = 0
    looks: int = 0
    failures: int = 0
    missed: int = 0
    visits: int = 0
    visit_failures: int = 0
    dns_ms: int = 0
    connect_ms: int = 0
    tls_ms: int = 0
    first_byte_ms: int = 0
    total_ms: int = 0
    histogram: LogHistogram = field(default_factory=LogHistogram)

    def numbers(self) -> tuple[int, ...]:
        """Return all but the histogram, in the order of ``NUMBERS``."""
        return tuple(getattr(self, name) for name in NUMBERS)

    def __add__(self, other: Bucket) -> Bucket:
        pool = Pool()
        for one in (self, other):
            pool.add(one.numbers(), one.histogram)
        return pool.bucket()

    @property
    def tally(self) -> Tally:
        """The seconds, for whoever reckons with lengths of time."""
        return Tally(
            **{condition.value: timedelta(seconds=getattr(self, f"{condition}_s")) for condition in Condition}
        )

    @property
    def availability_rate(self) -> float | None:
        """Fraction 0-1 of the known time; None when nothing is known."""
        return self.tally.availability_rate

    @property
    def coverage_rate(self) -> float | None:
        """Fraction 0-1 of the wall time of which we know; None for an empty bucket."""
        return self.tally.coverage_rate

    @property
    def phases(self) -> MeanPhases | None:
        """Where the time went on average; None when the page was never found open."""
        opened = self.looks - self.failures
        if not opened:
            return None
        dns, connect, tls, first_byte, total = (getattr(self, name) / opened for name in _PHASES)
        return MeanPhases(
            dns, connect, tls, first_byte, max(0.0, total - dns - connect - tls - first_byte), total
        )


NUMBERS = tuple(one.name for one in fields(Bucket) if one.name != "histogram")


class Pool:
    """Adds buckets up."""

    __slots__ = ("_histogram", "_numbers", "count")

    def __init__(self) -> None:
        self._numbers = [0] * len(NUMBERS)
        self._histogram = LogHistogram()
        self.count = 0

    def add(self, numbers: Sequence[int], histogram: LogHistogram | None = None) -> None:
        """Add a bucket's numbers, in the order of ``NUMBERS``, and its histogram."""
        self._numbers = [held + more for held, more in zip(self._numbers, numbers, strict=True)]
        if histogram is not None:
            self._histogram.merge(histogram)
        self.count += 1

    def bucket(self) -> Bucket:
        """Return the sum."""
        return Bucket(**dict(zip(NUMBERS, self._numbers, strict=True)), histogram=self._histogram)


class Look(NamedTuple):
    """One look of a bucket; ``second`` is when it began, counted from the bucket's beginning."""

    second: float
    verdict: Verdict
    total_ms: int


def bucket_of(
    spans: Iterable[Span],
    window: Window,
    looks: Iterable[Look] = (),
    phases: Sequence[int] = (0,) * 5,
    slot_s: int = 60,
) -> Bucket | None:
    """Return the bucket of one page; None when the page was paused throughout: nobody watched.

    Time that no span speaks of is unknown. Borders are taken at whole seconds, so the parts of any
    bucket add up to its length and neighbouring buckets to what they are together.

    Args:
        phases: sums of the phases of the looks that found the page open.
        slot_s: at most one look in so many seconds counts as a visit.
    """
    seconds = _seconds(spans, window)
    if seconds[Condition.PAUSED] == sum(seconds.values()):
        return None
    looks = list(looks)
    said = [look for look in looks if look.verdict is not Verdict.UNKNOWN]
    visits = _one_a_slot(said, slot_s)
    return Bucket(
        **{f"{condition}_s": length for condition, length in seconds.items()},
        looks=len(said),
        failures=sum(look.verdict is Verdict.DOWN for look in said),
        missed=len(looks) - len(said),
        visits=len(visits),
        visit_failures=sum(look.verdict is Verdict.DOWN or look.total_ms >= SLOW_MS for look in visits),
        **dict(zip(_PHASES, phases, strict=True)),
        histogram=LogHistogram(look.total_ms for look in said if look.verdict is not Verdict.DOWN),
    )


def _seconds(spans: Iterable[Span], window: Window) -> dict[Condition, int]:
    lengths = dict.fromkeys(Condition, 0)
    for part in clip(spans, window):
        assert part.end is not None
        lengths[part.condition] += _second(part.end, window) - _second(part.start, window)
    lengths[Condition.UNKNOWN] += _second(window.end, window) - sum(lengths.values())
    return lengths


def _second(at: datetime, window: Window) -> int:
    return round((at - window.start) / _SECOND)


def _one_a_slot(looks: Iterable[Look], slot_s: int) -> list[Look]:
    first: dict[int, Look] = {}
    for look in looks:
        slot = int(look.second // slot_s)
        held = first.get(slot)
        if held is None or look.second < held.second:
            first[slot] = look
    return list(first.values())
