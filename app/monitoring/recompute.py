"""Proof of the figures: every roll-up is reckoned anew from stored rows and compared with what is stored.

Hours come from spans and, as long as they are kept, looks; days from hours, or from spans when the
hours are gone; bodies, cities and the province from their pages. No difference is expected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app.core import clock, db
from app.monitoring import marks, reckoning, rollup_rows, rollups
from app.monitoring.history_models import Rollup, Scope
from app.monitoring.history_models import Span as Length
from app.monitoring.marks import HOUR, Mark, Reason
from app.monitoring.models import Watch
from app.monitoring.reckoning import Check, GroupRow, Paces, Row
from mobile_pages.probe.bucket import NUMBERS, Bucket
from mobile_pages.probe.uptime import Window, day_window

_DAY = timedelta(days=1)
_SECONDS = tuple(name for name in NUMBERS if name.endswith("_s"))
Progress = Callable[[datetime], None]


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored roll-up that says something else than its rows.

    Attributes:
        ref: check or body id, city code, or ``""`` for the province.
        stored: what differs as stored, ``due`` as it should be; empty when the row is missing or
            should not be there.
    """

    length: Length
    scope: Scope
    ref: str
    start: datetime
    stored: Mapping[str, Any]
    due: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """What to prove.

    Attributes:
        asked: hours and days that begin in it; None for everything.
        check_id: only this check's rows, and no groups; None for all.
        repair: write what should be there, as corrections that everybody can see.
    """

    asked: Window | None = None
    check_id: int | None = None
    repair: bool = False


def recompute(
    order: Order, now: datetime, pace: Paces, progress: Progress = lambda _at: None
) -> Iterator[Difference]:
    """Yield every difference, in the order of time.

    What is known to have changed is settled first, as the next roll-up would.
    """
    city_of = reckoning.cities()
    rollups.correct(now, pace, city_of)
    known = marks.marks()
    first = db.session().scalar(select(func.min(Watch.begun_at)))
    if first is None or Mark.HOURS not in known:
        return
    proof = _Proof(order, now, pace, city_of)
    yield from proof.hours(_within(order, _first_hour(first), known[Mark.HOURS], HOUR), progress)
    days_start = day_window(clock.day_of(first)).start
    yield from proof.days(_within(order, days_start, known.get(Mark.DAYS, days_start), _DAY), progress)


def _first_hour(begun_at: datetime) -> datetime:
    kept = db.session().scalar(select(func.min(Rollup.start_at)).where(Rollup.span == Length.HOUR))
    forgotten = kept is not None and kept > marks.hour_of(begun_at)
    return kept if forgotten and kept is not None else marks.hour_of(begun_at)


def _within(order: Order, start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    at = start
    while at < end:
        if order.asked is None or order.asked.start <= at < order.asked.end:
            yield at
        at += step


@dataclass(frozen=True, slots=True)
class _Proof:
    order: Order
    now: datetime
    pace: Paces
    city_of: Mapping[str, str]

    def hours(self, starts: Iterator[datetime], progress: Progress) -> Iterator[Difference]:
        forgotten = marks.marks().get(Mark.SAMPLES)
        for start in starts:
            progress(start)
            looks_kept = forgotten is None or start >= forgotten
            for portion in self._portions(start + HOUR):
                held = rollup_rows.check_rows(Length.HOUR, start, [check.id for check in portion])
                due = reckoning.hour_rows(portion, start, self.now, held, looks_kept=looks_kept)
                yield from self._compared(Length.HOUR, start, held, due)
            yield from self._groups(Length.HOUR, start)

    def days(self, starts: Iterator[datetime], progress: Progress) -> Iterator[Difference]:
        hours_from = db.session().scalar(select(func.min(Rollup.start_at)).where(Rollup.span == Length.HOUR))
        for start in starts:
            progress(start)
            kept = hours_from is not None and hours_from <= start
            for portion in self._portions(start + _DAY):
                held = rollup_rows.check_rows(Length.DAY, start, [check.id for check in portion])
                if kept or self._within_first_day(hours_from, start):
                    due = reckoning.day_rows([check.id for check in portion], start)
                else:
                    due = self._days_of_spans(portion, start, held)
                yield from self._compared(Length.DAY, start, held, due)
            yield from self._groups(Length.DAY, start)

    def _within_first_day(self, hours_from: datetime | None, start: datetime) -> bool:
        """Tell whether the hours begin within this day because the watch began in it."""
        first = db.session().scalar(select(func.min(Watch.begun_at)))
        return (
            hours_from is not None and first is not None and hours_from == marks.hour_of(first) < start + _DAY
        )

    def _portions(self, end: datetime) -> Iterator[Sequence[Check]]:
        conditions = [Watch.begun_at < end]
        if self.order.check_id is not None:
            conditions.append(Watch.check_id == self.order.check_id)
        yield from reckoning.portions(reckoning.checks(self.pace, *conditions))

    def _days_of_spans(
        self, portion: Sequence[Check], start: datetime, held: Mapping[int, Row]
    ) -> dict[int, Row]:
        """Return the days as their spans say; what was measured in looks is as stored."""
        sums: dict[int, Bucket] = {}
        for at in reckoning.hours_of(start):
            for check_id, row in reckoning.hour_rows(portion, at, self.now, held, looks_kept=False).items():
                sums[check_id] = sums.get(check_id, Bucket()) + row.bucket
        found = {}
        for check in portion:
            if check.id not in sums:
                continue
            pace = check.pace
            missing = Row(check.body_id, pace.slot_s, round(pace.fresh.total_seconds()), Bucket())
            stored = held.get(check.id, missing)
            values = {
                name: getattr(sums[check.id] if name in _SECONDS else stored.bucket, name) for name in NUMBERS
            }
            bucket = Bucket(**values, histogram=stored.bucket.histogram)
            found[check.id] = replace(stored, bucket=bucket)
        return found

    def _groups(self, length: Length, start: datetime) -> Iterator[Difference]:
        if self.order.check_id is not None:
            return
        bodies = reckoning.body_rows(length, start)
        for scope, due in (
            (Scope.BODY, bodies),
            (Scope.CITY, reckoning.pooled(bodies, self.city_of.get)),
            (Scope.PROVINCE, reckoning.pooled(bodies, lambda _ref: "")),
        ):
            held = rollup_rows.group_rows(length, scope, start)
            yield from _differences(length, scope, start, held, due)
            if self.order.repair:
                db.transaction(
                    lambda scope=scope, due=due, held=held: rollup_rows.put_groups(  # type: ignore[misc]
                        length, scope, start, due, held, Reason.RECOMPUTED, self.now
                    )
                )

    def _compared(
        self, length: Length, start: datetime, held: Mapping[int, Row], due: Mapping[int, Row]
    ) -> Iterator[Difference]:
        yield from _differences(length, Scope.CHECK, start, held, due)
        if not self.order.repair:
            return
        changed = db.transaction(
            lambda: rollup_rows.put_checks(length, start, due, held, Reason.RECOMPUTED, self.now)
        )
        if changed and self.order.check_id is not None:
            rollups.roll_groups(length, start, None, Reason.RECOMPUTED, self.now, self.city_of)


def _differences(
    length: Length,
    scope: Scope,
    start: datetime,
    held: Mapping[Any, Row | GroupRow],
    due: Mapping[Any, Row | GroupRow],
) -> Iterator[Difference]:
    for key in sorted(held.keys() | due.keys()):
        if held.get(key) != due.get(key):
            stored, wanted = rollup_rows.differing(held.get(key), due.get(key))
            yield Difference(length, scope, str(key), start, stored, wanted)
