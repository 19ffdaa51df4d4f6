"""The working-time clock (工作时间): office hours of Guangdong's working days. Pure.

Working days are China's official ones: holidays off, weekends worked in exchange for them on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import holidays

from app.core.clock import HALL_TIME

OFFICE_HOURS = ((time(8, 30), time(12, 0)), (time(14, 0), time(17, 30)))
"""Seven hours a day."""

_CALENDAR = holidays.country_holidays("CN")


def is_working_day(day: date) -> bool:
    """Tell whether offices are open on ``day``."""
    return _CALENDAR.is_working_day(day)


def after(start: datetime, minutes: int) -> datetime:
    """Return the instant at which ``minutes`` of working time have passed since ``start`` (aware).

    0 is ``start`` itself, in working time or not.
    """
    left = timedelta(minutes=minutes)
    if not left:
        return start
    for opens, closes in _shifts(start):
        begins = max(opens, start)
        if begins + left <= closes:
            return begins + left
        left -= max(timedelta(0), closes - begins)
    raise AssertionError("unreachable")


def _shifts(start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the shifts that end after ``start``, in UTC like it, for ever."""
    day = start.astimezone(HALL_TIME).date()
    while True:
        if is_working_day(day):
            for opens, closes in OFFICE_HOURS:
                shift = (_at(day, opens, start), _at(day, closes, start))
                if shift[1] > start:
                    yield shift
        day += timedelta(days=1)


def _at(day: date, clock_time: time, like: datetime) -> datetime:
    return datetime.combine(day, clock_time, HALL_TIME).astimezone(like.tzinfo)
