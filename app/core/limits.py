"""Rate limits: in process by default, in Redis when configured."""

from __future__ import annotations

import math
import time

from flask import Flask, current_app
from limits import RateLimitItem, parse
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from app.core.errors import TooMany


def init_app(app: Flask, redis_url: str) -> None:
    storage = storage_from_string(redis_url or "memory://")
    app.extensions["hall_limits"] = MovingWindowRateLimiter(storage)


def hit(rate: str, *key: str) -> None:
    """Count one use of ``key``.

    Args:
        rate: e.g. ``"10/minute"``.

    Raises:
        TooMany: the rate is used up.
    """
    limiter: MovingWindowRateLimiter = current_app.extensions["hall_limits"]
    item: RateLimitItem = parse(rate)
    if not limiter.hit(item, *key):
        reset_at = limiter.get_window_stats(item, *key).reset_time
        raise TooMany(retry_after_seconds=max(1, math.ceil(reset_at - time.time())))
