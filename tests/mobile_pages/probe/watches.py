"""A watch that is told looks, one a minute, and keeps what a caller would keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mobile_pages.probe.base import Span, Verdict
from mobile_pages.probe.holding import Hold, advance
from mobile_pages.probe.state import Rule, Sample, Step, begin, observe, open_spans

START = datetime(2016, 9, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
_VERDICTS = {"u": Verdict.UP, "g": Verdict.DEGRADED, "d": Verdict.DOWN, "?": Verdict.UNKNOWN}


def minute(number: float) -> datetime:
    return START + number * MINUTE


class Told:
    """State, ledger of settled spans, and events of one page; ``.`` in the letters is no look."""

    def __init__(self, rule: Rule | None = None, holds: tuple[Hold, ...] = ()):
        self.rule = rule or Rule()
        self.holds = holds
        self.state = begin(START)
        self.ledger: list[Span] = []
        self.events: list[object] = []
        self.clock = 0

    def take(self, step: Step) -> Told:
        if step.retract_from is not None:
            self.ledger = [
                Span(one.start, min(one.end, step.retract_from), one.condition, one.cause)
                for one in self.ledger
                if one.start < step.retract_from
            ]
        self.state = step.state
        self.ledger += step.spans
        self.events += step.events
        return self

    def look(self, letter: str, at: datetime, *, prober: int = 0, second: bool = False) -> Told:
        self.take(advance(self.state, self.holds, at, self.rule, begun_at=START))
        sample = Sample(at, _VERDICTS[letter], "timeout" if letter == "d" else "", prober, second)
        return self.take(observe(self.state, sample, self.rule))

    def told(self, letters: str) -> Told:
        for letter in letters:
            if letter != ".":
                self.look(letter, minute(self.clock))
            self.clock += 1
        return self

    def advanced(self, to: float) -> Told:
        return self.take(advance(self.state, self.holds, minute(to), self.rule, begun_at=START))

    def spans(self) -> list[Span]:
        return [*self.ledger, *open_spans(self.state)]

    def story(self) -> list[tuple[str, float]]:
        """Condition and the minute it began."""
        return [(one.condition.value, (one.start - START) / MINUTE) for one in self.spans()]
