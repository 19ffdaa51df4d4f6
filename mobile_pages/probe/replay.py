"""What stored looks would have led to under other rules: the watch's own state machine, run again.

Looks stand as they were made: other intervals would have made others. A look that took longer than
a shorter time-out counts as failed; one that was given up under a shorter one stays failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mobile_pages.probe.base import Cause, Condition, Span, Verdict
from mobile_pages.probe.holding import Hold, advance
from mobile_pages.probe.state import (
    Calmed,
    CameBack,
    Event,
    Flapping,
    Rule,
    Sample,
    Step,
    Voided,
    WatchState,
    WentDown,
    begin,
    observe,
    open_spans,
)


@dataclass(frozen=True, slots=True)
class Look:
    """A stored look; ``total_ms`` until all was there, or until it was given up."""

    at: datetime
    verdict: Verdict
    total_ms: int
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """Rules to try: when a row is believed, and which look fails or is slow."""

    rule: Rule
    timeout_ms: int
    slow_ms: int

    def judged(self, look: Look) -> Verdict:
        """Return what the look says under these rules."""
        if look.verdict is not Verdict.UP and look.cause != Cause.SLOW:
            return look.verdict
        if look.total_ms >= self.timeout_ms:
            return Verdict.DOWN
        return Verdict.DEGRADED if look.total_ms >= self.slow_ms else Verdict.UP


@dataclass(frozen=True, slots=True)
class Outage:
    """An incident that would have been: ``end`` None when it would still last.

    Attributes:
        flapping: held open because the page opened and closed all the time.
    """

    since: datetime
    confirmed_at: datetime
    end: datetime | None
    cause: str
    flapping: bool = False


@dataclass(slots=True)
class Story:
    """What the looks would have led to.

    Attributes:
        downs: every confirmed outage as residents would have felt it (since, end); ``incidents`` are
            those staff would have been told of, flapping ones as one.
    """

    spans: list[Span] = field(default_factory=list)
    incidents: list[Outage] = field(default_factory=list)
    downs: list[tuple[datetime, datetime | None]] = field(default_factory=list)

    def take(self, step: Step) -> WatchState:
        """Note what a step did."""
        if step.retract_from is not None:
            self.spans = [one for one in self.spans if one.start < step.retract_from]
        self.spans += step.spans
        for event in step.events:
            self._note(event)
        return step.state

    def _note(self, event: Event) -> None:
        match event:
            case WentDown(since, confirmed_at, cause, flapping):
                self.downs.append((since, None))
                if not flapping:
                    self.incidents.append(Outage(since, confirmed_at, None, cause))
            case CameBack(at, flapping=flapping):
                self.downs[-1] = (self.downs[-1][0], at)
                if not flapping:
                    self._close(at)
            case Flapping(at):
                if self._lasting():
                    self.incidents[-1] = replace(self.incidents[-1], flapping=True)
                else:
                    self.incidents.append(Outage(at, at, None, "flapping", flapping=True))
            case Calmed(at, condition=condition) if condition is not Condition.DOWN:
                self._close(at)
            case Voided(down_since=since):
                self.downs = [one for one in self.downs if one[0] < since]
                if self._lasting():
                    self.incidents.pop()
            case _:
                pass

    def _lasting(self) -> bool:
        return bool(self.incidents) and self.incidents[-1].end is None

    def _close(self, at: datetime) -> None:
        if self._lasting():
            self.incidents[-1] = replace(self.incidents[-1], end=max(at, self.incidents[-1].since))


def replay(
    looks: Iterable[Look], holds: Sequence[Hold], trial: Trial, *, begun_at: datetime, until: datetime
) -> Story:
    """Return what these looks, in order, would have led to by ``until``."""
    story, state = Story(), begin(begun_at)
    steady_at: datetime | None = None
    gap = trial.rule.longest_gap or timedelta.max
    for look in looks:
        verdict = trial.judged(look)
        # Most looks say of a page that is open that it is: only the time of the last one moves.
        if steady_at is not None and verdict is Verdict.UP and look.at - steady_at <= gap:
            steady_at = max(steady_at, look.at)
            continue
        if steady_at is not None:
            state = replace(state, last_at=steady_at)
        if holds:
            state = story.take(advance(state, holds, look.at, trial.rule, begun_at=begun_at))
        state = story.take(observe(state, Sample(look.at, verdict, look.cause), trial.rule))
        steady_at = state.last_at if not holds and _is_steady(state) else None
    if steady_at is not None:
        state = replace(state, last_at=steady_at)
    state = story.take(advance(state, holds, until, trial.rule, begun_at=begun_at))
    story.spans += [replace(one, end=one.end or max(one.start, until)) for one in open_spans(state)]
    return story


def _is_steady(state: WatchState) -> bool:
    return (
        state.belief is Condition.UP
        and state.stretches[-1].condition is Condition.UP
        and state.row is None
        and not state.flips
        and state.flapping_since is None
    )
