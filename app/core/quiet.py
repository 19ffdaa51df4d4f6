"""Hours in which nobody wants to be disturbed (免打扰), on Guangdong's clock. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from app.core.clock import HALL_TIME

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which only what is urgent gets through; minutes after midnight, may span it."""

    starts: int
    ends: int

    def covers(self, at: datetime) -> bool:
        """Tell whether ``at`` lies inside; the end does not."""
        local = at.astimezone(HALL_TIME)
        minute = local.hour * 60 + local.minute
        if self.starts <= self.ends:
            return self.starts <= minute < self.ends
        return minute >= self.starts or minute < self.ends

    def end_after(self, at: datetime) -> datetime:
        """Return the first end of the quiet hours after ``at``."""
        return next_time_of_day(at, time(self.ends // 60, self.ends % 60))


def next_time_of_day(at: datetime, moment: time) -> datetime:
    """Return when it is next ``moment`` in Guangdong, later than ``at``."""
    local = at.astimezone(HALL_TIME)
    found = local.replace(hour=moment.hour, minute=moment.minute, second=0, microsecond=0)
    if found <= local:
        found += timedelta(days=1)
    return found.astimezone(at.tzinfo)


def minutes_of(text: str) -> int:
    """Return minutes after midnight of ``HH:MM``.

    Raises:
        ValueError: it is no time of day.
    """
    hours, colon, minutes = text.partition(":")
    if not (colon and len(hours) == len(minutes) == 2 and (hours + minutes).isdecimal() and text.isascii()):
        raise ValueError("no time of day")
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError("no time of day")
    return int(hours) * 60 + int(minutes)


def clock_time(minutes: int) -> str:
    """Return ``HH:MM`` of minutes after midnight."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
