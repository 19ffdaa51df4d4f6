"""When somebody is told: quiet hours (免打扰) and digests, on Guangdong's clock. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from app.alerts.domain import Digest, Severity
from app.core.quiet import Quiet, next_time_of_day

DAILY_AT = time(8, 30)


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
        wanted = next_time_of_day(now, DAILY_AT)
    if quiet is not None and quiet.covers(wanted):
        return quiet.end_after(wanted)
    return wanted


def _full_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
