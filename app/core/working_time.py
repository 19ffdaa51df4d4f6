"""The working-day clock: what is due so many minutes of working time later.

Days are China's working days, holidays and exchanged weekends (调休) included; hours are those of
Guangdong's offices. Both stand in ``config/working_days``. A year that is not in the table, or whose
arrangement is not published yet, counts as provisional: its ordinary weeks hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from app.core.clock import HALL_TIME, day_of
from config import working_days
from config.working_days import Table

_SATURDAY = 5
_LAST_DAY = date(9998, 12, 31)


@dataclass(frozen=True, slots=True, eq=False)
class WorkingCalendar:
    """Which days and which hours one works."""

    table: Table

    def is_workday(self, day: date) -> bool:
        """Tell whether one works on ``day``."""
        year = self.table.years.get(day.year)
        if year is not None and day in year.workdays:
            return True
        return day.weekday() < _SATURDAY and (year is None or day not in year.days_off)

    def is_provisional(self, day: date) -> bool:
        """Tell whether the arrangement of the day's year is not published (or not entered) yet."""
        year = self.table.years.get(day.year)
        return year is None or year.provisional

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


@lru_cache(maxsize=1)
def calendar() -> WorkingCalendar:
    """Return the calendar of ``config/working_days``; read once per process."""
    return WorkingCalendar(working_days.load())


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
    while count:
        day += timedelta(days=1)
        count -= calendar.is_workday(day)
    return day


def _from(at: datetime, calendar: WorkingCalendar) -> Iterator[tuple[datetime, datetime]]:
    """Yield the stretches of working time after ``at``, the first cut to what is left of it."""
    day = day_of(at)
    while day < _LAST_DAY:
        for start, end in calendar.stretches(day):
            if end > at:
                yield max(start, at), end
        day += timedelta(days=1)
