"""Figures as people read them."""

from __future__ import annotations

import math
from datetime import datetime

from app.core import clock


def percent(rate: float | None) -> str:
    """Return a rate as a percentage, rounded down: only what never failed shows as 100 %."""
    return "—" if rate is None else f"{math.floor(rate * 10_000 + 1e-9) / 100:g}%"


def duration(seconds: float) -> str:
    """Return a length of time in Chinese, its two largest units."""
    days, rest = divmod(int(seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days} 天 {hours} 小时"
    if hours:
        return f"{hours} 小时 {minutes} 分"
    return f"{minutes} 分 {left} 秒" if minutes else f"{left} 秒"


def moment(at: datetime) -> str:
    """Return month, day and time of day in Guangdong."""
    return at.astimezone(clock.HALL_TIME).strftime("%m-%d %H:%M:%S")


_HEAT_STEPS = ((1.0, "h0"), (0.999, "h1"), (0.995, "h2"), (0.99, "h3"), (0.95, "h4"))


def heat_class(rate: float | None) -> str:
    """Return an availability's step on the heat map: ``h0`` (all) to ``h5``; ``hn`` when unknown."""
    if rate is None:
        return "hn"
    return next((name for least, name in _HEAT_STEPS if rate >= least), "h5")
