"""The only place that asks what time it is. UTC inside; days are Guangdong's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

HALL_TIME = ZoneInfo("Asia/Shanghai")

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the current instant, aware, UTC."""
    return datetime.now(UTC)


def day_of(instant: datetime) -> date:
    """Return the calendar day in Guangdong (UTC+8) at ``instant``."""
    return instant.astimezone(HALL_TIME).date()
