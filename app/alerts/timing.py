"""When somebody is told: quiet hours (免打扰) and digests, on Guangdong's clock. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from app.alerts.domain import Digest, Severity
from app.core.clock import HALL_TIME

MINUTES_A_DAY = 24 * 60
DAILY_AT = time(8, 30)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which only what is critical gets through; minutes after midnight, may span it."""

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
        return _next(at, time(self.ends // 60, self.ends % 60))


def due_at(now: datetime, severity: Severity, quiet: Quiet | None, digest: Digest) -> datetime:
    """Return when somebody is to be told of what is known at ``now``.

    What is critical is told at once. The rest waits for the digest; what would then come in quiet
    hours waits for their end, so that the morning brings one message.
    """
    if severity is Severity.CRITICAL:
        return now
    wanted = now
    if digest is Digest.HOURLY:
        wanted = _full_hour(now)
    elif digest is Digest.DAILY:
        wanted = _next(now, DAILY_AT)
    if quiet is not None and quiet.covers(wanted):
        return quiet.end_after(wanted)
    return wanted


def _full_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _next(at: datetime, moment: time) -> datetime:
    local = at.astimezone(HALL_TIME)
    found = local.replace(hour=moment.hour, minute=moment.minute, second=0, microsecond=0)
    if found <= local:
        found += timedelta(days=1)
    return found.astimezone(at.tzinfo)
