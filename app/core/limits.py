"""Rate limits: in process by default, in Redis when configured.

When Redis is away, every process counts for itself until Redis is back: refusing everybody would lock
staff out, and counting nothing would let passwords be tried without end.
"""

from __future__ import annotations

import math
import time

import structlog
from flask import Flask, current_app
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from app.core.errors import TooMany

REDIS_TIMEOUT_SECONDS = 0.5
AWAY_SECONDS = 5.0
"""How long Redis is left alone after it did not answer."""

log = structlog.get_logger(__name__)


class Limiter:
    """Counts in Redis while it answers, else in this process."""

    def __init__(self, redis_url: str = "") -> None:
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared = MovingWindowRateLimiter(_redis(redis_url)) if redis_url else None
        self._away_until = 0.0
        self._away = False

    def try_once(self, item: RateLimitItem, *key: str) -> float | None:
        """Count one use of ``key``; return seconds to wait when the rate is used up, else None."""
        if self._shared is None or time.monotonic() < self._away_until:
            return _seconds_to_wait(self._own, item, *key)
        try:
            wait = _seconds_to_wait(self._shared, item, *key)
        except StorageError as error:
            self._leave_alone(error)
            return _seconds_to_wait(self._own, item, *key)
        if self._away:
            self._away = False
            log.info("redis_back")
        return wait

    def left(self, item: RateLimitItem, *key: str) -> tuple[int, float]:
        """Return how many uses are left, and in how many seconds one more is."""
        if self._shared is None or time.monotonic() < self._away_until:
            return _what_is_left(self._own, item, *key)
        try:
            return _what_is_left(self._shared, item, *key)
        except StorageError as error:
            self._leave_alone(error)
            return _what_is_left(self._own, item, *key)

    def _leave_alone(self, error: StorageError) -> None:
        self._away_until = time.monotonic() + AWAY_SECONDS
        if not self._away:
            self._away = True
            log.warning("redis_away", error=type(error.storage_error).__name__)

    def forget(self) -> None:
        """Forget what was counted in this process."""
        self._own.storage.reset()


def _redis(url: str) -> RedisStorage:
    # The settings say unix:// as redis-py does; this library has a name of its own for it.
    known = f"redis+{url}" if url.startswith("unix:") else url
    return RedisStorage(
        known,
        wrap_exceptions=True,
        key_prefix="hall",
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
    )


def _seconds_to_wait(limiter: MovingWindowRateLimiter, item: RateLimitItem, *key: str) -> float | None:
    if limiter.hit(item, *key):
        return None
    return limiter.get_window_stats(item, *key).reset_time - time.time()


def _what_is_left(limiter: MovingWindowRateLimiter, item: RateLimitItem, *key: str) -> tuple[int, float]:
    stats = limiter.get_window_stats(item, *key)
    return stats.remaining, stats.reset_time - time.time()


def init_app(app: Flask, redis_url: str) -> None:
    app.extensions["hall_limits"] = Limiter(redis_url)


def hit(rate: str, *key: str) -> None:
    """Count one use of ``key``.

    Args:
        rate: e.g. ``"10/minute"``.

    Raises:
        TooMany: the rate is used up.
    """
    limiter: Limiter = current_app.extensions["hall_limits"]
    wait = limiter.try_once(parse(rate), *key)
    if wait is not None:
        raise TooMany(retry_after_seconds=max(1, math.ceil(wait)))


def left(rate: str, *key: str) -> tuple[int, int]:
    """Return how many uses of ``key`` are left, and in how many whole seconds the oldest is forgotten."""
    limiter: Limiter = current_app.extensions["hall_limits"]
    count, wait = limiter.left(parse(rate), *key)
    return count, max(1, math.ceil(wait))
