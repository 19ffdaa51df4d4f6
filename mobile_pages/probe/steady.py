"""A clock that never goes back, so that neither the schedule nor the order of looks is upset.

Somebody may set the machine's clock, or its time service may find that it was wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic, time

PACE = 0.75


class SteadyClock:
    """Seconds since 1970 that follow the machine's clock forward at once and never backward.

    When the machine's clock was set back, this one goes on at ``PACE`` until it has been caught up
    with: looks go on, somewhat rarer, and each is later than the one before.
    """

    def __init__(self, wall: Callable[[], float] = time, ticks: Callable[[], float] = monotonic) -> None:
        self._wall = wall
        self._ticks = ticks
        self._told, self._told_at = wall(), ticks()

    def __call__(self) -> float:
        ticks = self._ticks()
        passed = ticks - self._told_at
        self._told = max(self._wall(), self._told + passed * PACE)
        self._told_at = ticks
        return self._told

    def now(self) -> datetime:
        """Return the same as an aware datetime, UTC, in whole milliseconds."""
        return datetime.fromtimestamp(int(self() * 1000) / 1000, UTC)
