"""Error budgets (差错预算) and how fast they burn, from pooled seconds. Pure.

A page, department, city or the province may be down for ``1 - target`` of the time known. A burn
rate of 1 spends exactly that over the window. An alarm needs two windows: the long one says that it
matters, the short one that it still goes on.

Source: pairs of windows and factors of the SRE workbook, «Alerting on SLOs», for a window of 30 days.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from mobile_pages.probe.uptime import Tally


class Urgency(StrEnum):
    """``page``: somebody must look now; ``ticket``: on the next working day."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class Pair:
    """An alarm is due when the budget burns ``factor`` times too fast in both windows."""

    factor: float
    long: timedelta
    short: timedelta
    urgency: Urgency


PAIRS = (
    Pair(14.4, timedelta(hours=1), timedelta(minutes=5), Urgency.PAGE),
    Pair(6.0, timedelta(hours=6), timedelta(minutes=30), Urgency.PAGE),
    Pair(1.0, timedelta(days=3), timedelta(hours=6), Urgency.TICKET),
)
LENGTHS = tuple(sorted({length for pair in PAIRS for length in (pair.long, pair.short)}))


@dataclass(frozen=True, slots=True)
class Budget:
    """What may still go wrong in a window; seconds pooled over all members.

    Attributes:
        allowed: down time that the target leaves of the time known.
        left: what of it is not spent; negative when the target is missed.
        spent_rate: spent ÷ allowed; None when nothing is known or nothing is allowed.
    """

    target_rate: float
    availability_rate: float | None
    allowed: timedelta
    spent: timedelta
    spent_rate: float | None

    @property
    def left(self) -> timedelta:
        return self.allowed - self.spent


@dataclass(frozen=True, slots=True)
class Burn:
    """An alarm that is due; both rates are at least the pair's factor."""

    pair: Pair
    long_rate: float
    short_rate: float


def budget(spent: Tally, target_rate: float) -> Budget:
    """Return the budget of a window in which ``spent`` happened.

    Args:
        target_rate: fraction 0–1 of the known time that must be open.

    Raises:
        ValueError: ``target_rate`` is no fraction.
    """
    allowed = spent.known * _leeway(target_rate)
    return Budget(
        target_rate=target_rate,
        availability_rate=spent.availability_rate,
        allowed=allowed,
        spent=spent.down,
        spent_rate=spent.down / allowed if allowed else None,
    )


def burn_rate(spent: Tally, target_rate: float) -> float:
    """Return how many times too fast the budget burns; 0 when nothing is known or nothing was down.

    A target of 1 leaves no budget: any down time burns infinitely fast.
    """
    leeway = _leeway(target_rate)
    if not spent.down:
        return 0.0
    return round((spent.down / spent.known) / leeway, 6) if leeway else float("inf")


def burns(
    of_last: Callable[[timedelta], Tally], target_rate: float, pairs: Sequence[Pair] = PAIRS
) -> tuple[Burn, ...]:
    """Return the alarms that are due, the most urgent first.

    Args:
        of_last: the pooled tally of the time just passed, for each of :data:`LENGTHS`.
    """
    due = []
    for pair in pairs:
        long_rate = burn_rate(of_last(pair.long), target_rate)
        short_rate = burn_rate(of_last(pair.short), target_rate)
        if long_rate >= pair.factor and short_rate >= pair.factor:
            due.append(Burn(pair, long_rate, short_rate))
    return tuple(due)


def _leeway(target_rate: float) -> float:
    if not 0 <= target_rate <= 1:
        raise ValueError("a target is a fraction")
    # 1 - 0.995 is a little more than 0.005: rounded, so that a burn of exactly 1 is one.
    return round(1 - target_rate, 9)
