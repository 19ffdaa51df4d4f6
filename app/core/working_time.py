"""The working-day clock: what is due so many minutes or days of working time later.

Days are China's working days, holidays and exchanged weekends (调休) included; they stand in the
database, version by version (``working_years``). Hours are those of Guangdong's offices, as in
``config/working_days``. A year that is not in the table, or whose arrangement is not published yet,
counts as provisional: its ordinary weeks hold.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from flask import current_app, has_app_context

from app.core import working_years
from app.core.clock import HALL_TIME, day_of
from app.core.working_years import works_on
from config import working_days
from config.working_days import Table

LOOK_EVERY_SECONDS = 5.0
"""How long a process may hold on to a calendar without asking for a newer one."""

_LAST_DAY = date(9998, 12, 31)
_FIRST_YEAR = 2000
_YEARS_AHEAD = 6


@dataclass(frozen=True, slots=True, eq=False)
class WorkingCalendar:
    """Which days and which hours one works.

    Attributes:
        version: of the calendar in the database; 0 is that of the file.
    """

    table: Table
    version: int = 0
    _workdays: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Counting days by their place among all working days makes limits a matter of two look-ups.
        known = (*self.table.years, _FIRST_YEAR)
        first = date(min(known), 1, 1).toordinal()
        last = date(max(known) + _YEARS_AHEAD, 12, 31).toordinal()
        days = [day for day in range(first, last + 1) if self.is_workday(date.fromordinal(day))]
        object.__setattr__(self, "_workdays", days)

    def is_workday(self, day: date) -> bool:
        """Tell whether one works on ``day``."""
        return works_on(day, self.table.years.get(day.year))

    def is_provisional(self, day: date) -> bool:
        """Tell whether the arrangement of the day's year is not published (or not entered) yet."""
        year = self.table.years.get(day.year)
        return year is None or year.provisional

    def place(self, day: date) -> int:
        """Return how many working days the calendar has up to ``day``, itself included.

        Only the difference of two places means something.

        Raises:
            ValueError: the calendar does not reach back to ``day``.
        """
        ordinal = day.toordinal()
        if ordinal < self._workdays[0] - 7:
            raise ValueError(f"the calendar begins after {day}")
        if ordinal > self._workdays[-1]:
            return len(self._workdays) + _weekdays_between(self._workdays[-1], ordinal)
        return bisect_right(self._workdays, ordinal)

    def at_place(self, place: int) -> date:
        """Return the working day whose :meth:`place` is ``place``."""
        if place <= len(self._workdays):
            return date.fromordinal(self._workdays[place - 1])
        day, beyond = self._workdays[-1], place - len(self._workdays)
        # Years ahead of the table know no holidays: ordinary weeks of five days.
        day += (beyond - 1) // 5 * 7
        for _ in range((beyond - 1) % 5 + 1):
            day += 1
            while date.fromordinal(day).weekday() >= 5:
                day += 1
        return date.fromordinal(day)

    def stretches(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """Return the working time of ``day``, in order, UTC; empty on a day of rest."""
        if not self.is_workday(day):
            return ()
        return tuple(
            (
                datetime.combine(day, start, HALL_TIME).astimezone(UTC),
                datetime.combine(day, end, HALL_TIME).astimezone(UTC),
            )
            for start, end in self.table.hours
        )


def _weekdays_between(start: int, end: int) -> int:
    """Return how many days from Monday to Friday lie after ``start``, ``end`` included."""
    weeks, rest = divmod(end - start, 7)
    return 5 * weeks + sum(date.fromordinal(end - off).weekday() < 5 for off in range(rest))


@lru_cache(maxsize=1)
def _filed() -> WorkingCalendar:
    return WorkingCalendar(working_days.load())


@dataclass(slots=True)
class _Kept:
    """What one process keeps of the database's calendar, and when it last asked."""

    calendar: WorkingCalendar
    looked_at: float


def calendar() -> WorkingCalendar:
    """Return the calendar in force.

    Kept per process; a newer version is noticed within a few seconds. Where there is no application, or
    nothing was filled in yet, it is the file's.
    """
    if not has_app_context():
        return _filed()
    kept: _Kept | None = current_app.extensions.get("hall_calendar")
    if kept is None or time.monotonic() - kept.looked_at > LOOK_EVERY_SECONDS:
        kept = current_app.extensions["hall_calendar"] = _looked_again(kept)
    return kept.calendar


def fresh_calendar() -> WorkingCalendar:
    """Return the calendar in force this very moment."""
    current_app.extensions.pop("hall_calendar", None)
    return calendar()


def _looked_again(kept: _Kept | None) -> _Kept:
    now, version = time.monotonic(), working_years.version()
    if version == 0:
        return _Kept(_filed(), now)
    if kept is not None and kept.calendar.version == version:
        return _Kept(kept.calendar, now)
    return _Kept(WorkingCalendar(working_years.table(), version), now)


def working_minutes_later(at: datetime, minutes: float, calendar: WorkingCalendar) -> datetime:
    """Return when ``minutes`` of working time have passed since ``at``, UTC.

    0 minutes is ``at`` itself, also outside working time; a length that ends with a day's work is due
    then and not the next morning.

    Raises:
        ValueError: ``at`` is naive, or ``minutes`` negative.
    """
    if at.tzinfo is None or minutes < 0:
        raise ValueError("the clock needs an aware moment and a length")
    at = at.astimezone(UTC)
    left = timedelta(minutes=minutes)
    if not left:
        return at
    for start, end in _from(at, calendar):
        if end - start >= left:
            return start + left
        left -= end - start
    raise OverflowError("no such day")


def working_time_between(start: datetime, end: datetime, calendar: WorkingCalendar) -> timedelta:
    """Return how much working time lies between two aware moments; none when ``end`` is not later."""
    spent = timedelta()
    for opens, closes in _from(start.astimezone(UTC), calendar):
        if opens >= end:
            break
        spent += min(closes, end) - opens
    return spent


def working_days_later(day: date, count: int, calendar: WorkingCalendar) -> date:
    """Return the ``count``-th working day after ``day`` (工作日), ``day`` not counted; 0 is ``day``."""
    if count < 0:
        raise ValueError("the clock runs forwards only")
    return calendar.at_place(calendar.place(day) + count) if count else day


def _from(at: datetime, calendar: WorkingCalendar) -> Iterator[tuple[datetime, datetime]]:
    """Yield the stretches of working time after ``at``, the first cut to what is left of it."""
    day = day_of(at)
    while day < _LAST_DAY:
        for start, end in calendar.stretches(day):
            if end > at:
                yield max(start, at), end
        day += timedelta(days=1)
