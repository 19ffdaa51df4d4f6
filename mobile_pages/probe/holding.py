"""Holds (maintenance, pauses) laid over a watch at their exact times, however late they are applied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mobile_pages.probe.base import Condition
from mobile_pages.probe.state import Rule, Step, WatchState, hold, lapse, release


@dataclass(frozen=True, slots=True)
class Hold:
    """A stretch of time set aside, ``start`` included, ``end`` not; aware datetimes."""

    start: datetime
    end: datetime
    condition: Condition

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None or self.end <= self.start:
            raise ValueError("a hold needs aware datetimes and a length")


def disjoint(holds: Iterable[Hold]) -> tuple[Hold, ...]:
    """Return the same time without overlaps, in order; where both cover it, maintenance counts.

    Neighbours of one condition become one.
    """
    held = list(holds)
    edges = sorted({edge for one in held for edge in (one.start, one.end)})
    parts: list[Hold] = []
    for start, end in zip(edges, edges[1:], strict=False):
        covering = {one.condition for one in held if one.start <= start and end <= one.end}
        if not covering:
            continue
        condition = Condition.MAINTENANCE if Condition.MAINTENANCE in covering else covering.pop()
        if parts and parts[-1].end == start and parts[-1].condition is condition:
            start = parts.pop().start
        parts.append(Hold(start, end, condition))
    return tuple(parts)


def advance(
    state: WatchState, holds: Sequence[Hold], now: datetime, rule: Rule, *, begun_at: datetime
) -> Step:
    """Apply every hold that began or ended until ``now``; doing it twice, or late, changes nothing.

    To be called before each look with the look's time, and from time to time without one. A hold
    that began unnoticed takes back what was seen since; one that ended unnoticed ended when it did.

    Args:
        holds: of this check, as :func:`disjoint` returns them; those of the recent past included.
        begun_at: when the check's watch began; no hold reaches back before it.
    """
    step = Step(state)
    if not holds and state.hold is None:
        return step
    for one in holds:
        if one.start > now:
            break
        floor = max(begun_at, step.state.released_at or begun_at)
        if one.end <= floor:
            continue
        start = max(one.start, floor)
        if step.state.hold is not one.condition:
            step = _then(step, lapse(step.state, start, rule))
            step = _then(step, hold(step.state, start, one.condition))
        if one.end <= now:
            step = _then(step, release(step.state, one.end))
    over = not any(one.start <= now < one.end for one in holds)
    if step.state.hold is not None and over and step.state.stretches[-1].start <= now:
        step = _then(step, release(step.state, now))
    return step


def _then(before: Step, after: Step) -> Step:
    """Return what two steps did together."""
    retract_from, spans = before.retract_from, before.spans
    if after.retract_from is not None:
        spans = tuple(one for one in spans if one.start < after.retract_from)
        retract_from = min(after.retract_from, retract_from or after.retract_from)
    return Step(after.state, spans + after.spans, before.events + after.events, retract_from)
