"""From single looks to what is held true: a pure state machine per watched page.

A page is down after ``down_after`` failing looks in a row and back after ``back_after`` good ones;
both moments are dated back to the first look of the row. Looks that say nothing (missed, or the
prober itself cut off) make the time unknown and neither extend nor break a row.

The state is one frozen value that goes to and from JSON, so a row can keep it. Every step hands
out the spans that are now settled for good (each exactly once, without gaps or overlaps) and the
events staff or residents must hear of. What is not settled yet is told by :func:`open_spans`.

A page that opens and closes all the time flaps: its outages are counted as ever, but the events of
each are marked, so that one incident is held open until it is calm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from mobile_pages.probe.base import Condition, Span, Verdict
from mobile_pages.probe.events import (
    Calmed,
    CameBack,
    Changed,
    Event,
    Flapping,
    LostSight,
    Rule,
    Sample,
    Voided,
    WentDown,
)
from mobile_pages.probe.flapping import FlapRule

__all__ = [
    "HOLDS",
    "Calmed",
    "CameBack",
    "Changed",
    "Event",
    "Flapping",
    "Incident",
    "LostSight",
    "Rule",
    "Sample",
    "Step",
    "Stretch",
    "Voided",
    "WatchState",
    "WentDown",
    "begin",
    "from_dict",
    "hold",
    "lapse",
    "observe",
    "open_spans",
    "release",
    "to_dict",
    "void",
]

STATE_VERSION = 1
HOLDS = frozenset({Condition.PAUSED, Condition.MAINTENANCE})
SECOND_PATIENCE = 2
"""So many times the usual row is believed though the second prober has not looked."""

_ANSWERS = {
    Verdict.UP: Condition.UP,
    Verdict.DEGRADED: Condition.DEGRADED,
    Verdict.DOWN: Condition.DOWN,
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """The time from ``start`` to the next stretch.

    Attributes:
        condition: None while it waits for confirmation.
    """

    start: datetime
    condition: Condition | None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """A confirmed outage that has not ended."""

    since: datetime
    confirmed_at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class WatchState:
    """All that must be remembered of one page.

    Attributes:
        belief: what is held true of the page itself; kept while we cannot look.
        stretches: the confirmed stretch still open, then those waiting for confirmation.
        row: what the unconfirmed looks say, None when there are none; ``row_count`` of them.
        row_prober: who made the first of them; ``row_seconded`` once another prober agreed.
        hold: paused or under maintenance; None when it is watched.
        last_at: when the newest look counted began; older ones are ignored.
        released_at: when the last hold ended; no hold reaches back before it.
        flips: the newest looks as bits of :class:`~mobile_pages.probe.flapping.FlapRule`, the last
            1 among them made at ``flipped_at``.
        flapping_since: None while the page is calm.
    """

    stretches: tuple[Stretch, ...]
    belief: Condition = Condition.UNKNOWN
    belief_cause: str = ""
    row: Condition | None = None
    row_count: int = 0
    row_since: datetime | None = None
    row_cause: str = ""
    hold: Condition | None = None
    incident: Incident | None = None
    last_at: datetime | None = None
    row_prober: int | None = None
    row_seconded: bool = False
    released_at: datetime | None = None
    flips: int = 0
    flipped_at: datetime | None = None
    flapping_since: datetime | None = None

    @property
    def condition(self) -> Condition:
        """What may be shown now; an unconfirmed change is not shown."""
        return self.stretches[-1].condition or self.belief

    @property
    def wants_confirmation(self) -> bool:
        """Whether looks at half the interval would settle something sooner."""
        return self.row is not None and self.hold is None

    @property
    def wants_second(self) -> bool:
        """Whether failing looks wait for another prober's opinion."""
        return self.row is Condition.DOWN and not self.row_seconded and self.hold is None


@dataclass(frozen=True, slots=True)
class Step:
    """What one input did: the new state, the spans now settled, the events, both in order.

    Attributes:
        retract_from: settled spans from here on were wrong: remove or cut them before adding
            ``spans``; None nearly always.
    """

    state: WatchState
    spans: tuple[Span, ...] = ()
    events: tuple[Event, ...] = ()
    retract_from: datetime | None = None


def begin(at: datetime) -> WatchState:
    """Return the state of a page watched from ``at`` (aware) on, of which nothing is known."""
    return WatchState(stretches=(Stretch(_utc(at), Condition.UNKNOWN),))


def observe(state: WatchState, sample: Sample, rule: Rule | None = None) -> Step:
    """Take in one look.

    A look not newer than the last one, or older than the newest stretch, changes nothing: telling
    it twice or late is harmless. Looks during pause or maintenance are not judged.
    """
    at = _utc(sample.at)
    rule = rule or Rule()
    if (state.last_at is not None and at <= state.last_at) or at < state.stretches[-1].start:
        return Step(state)
    gap = lapse(state, at, rule)
    step = _judged(replace(gap.state, last_at=at), at, sample, rule)
    if rule.flaps is not None:
        step = _damped(gap.state, step, at, sample.verdict, rule.flaps)
    return Step(step.state, gap.spans + step.spans, gap.events + step.events)


def lapse(state: WatchState, now: datetime, rule: Rule) -> Step:
    """Forget what was known when no look has come for longer than ``rule.longest_gap``."""
    if rule.longest_gap is None or state.last_at is None or state.hold is not None:
        return Step(state)
    blind_from = state.last_at + rule.longest_gap
    if _utc(now) <= blind_from or blind_from < state.stretches[-1].start:
        return Step(state)
    return _cannot_tell(state, blind_from, "missed")


def hold(state: WatchState, at: datetime, condition: Condition) -> Step:
    """Begin a pause or maintenance at exactly ``at``, also when that has passed already.

    Unconfirmed failures are dropped, and so is what was seen from ``at`` on: ``retract_from`` says
    so when spans of it were settled, and an outage that began then is taken back.

    Raises:
        ValueError: ``condition`` is neither pause nor maintenance.
    """
    if condition not in HOLDS:
        raise ValueError(f"{condition} is no way to hold a watch")
    at = _utc(at)
    state = _refuted(state)
    events: tuple[Event, ...] = ()
    if state.incident is not None and state.incident.since >= at:
        since = state.incident.since
        events = (Voided(since, since, condition.value),)
        state = replace(state, incident=None, belief=Condition.UNKNOWN, belief_cause="")
    retract_from = at if at < state.stretches[0].start else None
    kept = tuple(one for one in state.stretches if one.start < at)
    step = _settle(replace(state, stretches=(*kept, Stretch(at, condition)), hold=condition))
    return Step(step.state, step.spans, events, retract_from)


def release(state: WatchState, at: datetime) -> Step:
    """End a pause or maintenance; until the next look the page's condition is unknown."""
    if state.hold is None:
        return Step(state)
    if state.belief is Condition.UNKNOWN:
        # Nothing is believed of it, as of one that comes back to the watch: it begins afresh.
        state = replace(state, flips=0, flipped_at=None, flapping_since=None)
    state = _put(state, Stretch(_utc(at), Condition.UNKNOWN))
    return _settle(replace(state, hold=None, released_at=state.stretches[-1].start))


def void(state: WatchState, since: datetime, at: datetime, cause: str = "prober_offline") -> Step:
    """Take back what was seen after ``since``, the last moment our own connection surely worked.

    Unconfirmed failures are dropped. An outage that began after ``since`` is taken back as a
    whole, and the step says so in ``retract_from`` when spans of it were settled already; one
    that began before was seen with a working connection and stays open, its time unknown.
    """
    at = _utc(at)
    state = replace(_refuted(state), last_at=max(at, state.last_at or at))
    blind_from = max(_utc(since), state.stretches[0].start)
    events: tuple[Event, ...] = ()
    retract_from = None
    if state.incident is not None and state.incident.since > _utc(since):
        blind_from = state.incident.since
        if blind_from < state.stretches[0].start:
            retract_from = blind_from
        events = (Voided(at, blind_from),)
        state = replace(state, incident=None, belief=Condition.UNKNOWN, belief_cause="")
    if state.flapping_since is not None and state.flapping_since > _utc(since):
        events = events or (_calmed_by_void(state, at),)
        state = replace(state, flapping_since=None)
    state = replace(state, flips=0, flipped_at=None)
    if state.hold is not None and retract_from is None:
        return Step(state, events=events)
    if state.hold is None and state.condition is not Condition.UNKNOWN:
        events += (LostSight(blind_from, cause),)
    kept = tuple(one for one in state.stretches if one.start < blind_from)
    held = () if state.hold is None else state.stretches[-1:]
    blind = Stretch(blind_from, Condition.UNKNOWN, cause)
    step = _settle(replace(state, stretches=(*kept, blind, *held)))
    return Step(step.state, step.spans, events, retract_from)


def _calmed_by_void(state: WatchState, at: datetime) -> Event:
    if state.incident is not None:
        return Calmed(at, at, Condition.DOWN, state.incident.cause)
    return Voided(at, state.flapping_since or at)


def open_spans(state: WatchState) -> tuple[Span, ...]:
    """Return the spans not settled yet, what waits for confirmation told as what was held true."""
    stretches = _merged(_refuted(state).stretches)
    ends: list[datetime | None] = [one.start for one in stretches[1:]]
    return tuple(
        Span(one.start, end, one.condition or state.belief, one.cause)
        for one, end in zip(stretches, [*ends, None], strict=True)
        if one.start != end
    )


def _judged(state: WatchState, at: datetime, sample: Sample, rule: Rule) -> Step:
    if state.hold is not None:
        return Step(state)
    saying = _ANSWERS.get(sample.verdict)
    if saying is None:
        return _cannot_tell(state, at, sample.cause)
    if saying is state.belief:
        return _settle(_put(_refuted(state), Stretch(at, saying, state.belief_cause)))
    return _in_doubt(state, at, saying, sample, rule)


def _cannot_tell(state: WatchState, at: datetime, cause: str) -> Step:
    events = () if state.condition is Condition.UNKNOWN else (LostSight(at, cause),)
    step = _settle(_put(state, Stretch(at, Condition.UNKNOWN, cause)))
    return Step(step.state, step.spans, events)


def _in_doubt(state: WatchState, at: datetime, saying: Condition, sample: Sample, rule: Rule) -> Step:
    same_row = state.row is saying or (
        # After an outage a slow answer is as good a sign of life as a quick one.
        state.belief is Condition.DOWN and state.row is not None
    )
    if not same_row:
        state = replace(_refuted(state), row_since=at, row_cause=sample.cause, row_prober=sample.prober)
    state = replace(
        _put(state, Stretch(at, None)),
        row=saying,
        row_count=state.row_count + 1,
        row_seconded=state.row_seconded or sample.prober != state.row_prober,
    )
    needed = rule.needed(state.belief, saying)
    if rule.second_prober and sample.second_at_hand and state.wants_second:
        needed *= SECOND_PATIENCE
    if state.row_count < needed:
        return _settle(state)
    return _confirmed(state, at, saying)


def _confirmed(state: WatchState, at: datetime, saying: Condition) -> Step:
    since = state.row_since or at
    cause = "" if saying is Condition.UP else state.row_cause
    event: Event
    incident = None
    if saying is Condition.DOWN:
        event = WentDown(since, at, cause)
        incident = Incident(since, at, cause)
    elif state.incident is not None:
        event = CameBack(since, at, state.incident.since)
    else:
        event = Changed(since, at, saying, cause)
    believed = replace(state, belief=saying, belief_cause=cause, incident=incident)
    step = _settle(_refuted(believed))
    return Step(step.state, step.spans, (event,))


def _refuted(state: WatchState) -> WatchState:
    """Give what waited for confirmation to the belief and forget the row."""
    stretches = tuple(
        replace(one, condition=state.belief, cause=state.belief_cause) if one.condition is None else one
        for one in state.stretches
    )
    return replace(
        state,
        stretches=stretches,
        row=None,
        row_count=0,
        row_since=None,
        row_cause="",
        row_prober=None,
        row_seconded=False,
    )


def _damped(before: WatchState, step: Step, at: datetime, verdict: Verdict, rule: FlapRule) -> Step:
    """Note whether the look flipped; mark the events of a page that flaps, say when that begins and ends."""
    state = step.state
    if verdict not in _ANSWERS or state.hold is not None:
        return step
    said = before.row or before.belief
    flipped = said is not Condition.UNKNOWN and (said is Condition.DOWN) is not (verdict is Verdict.DOWN)
    if not flipped and not before.flips and before.flapping_since is None:
        return step
    bits = rule.noted(before.flips, flipped=flipped)
    flipped_at = at if flipped else before.flipped_at
    state = replace(state, flips=bits, flipped_at=flipped_at if bits else None)
    events = step.events
    if state.flapping_since is None and rule.flaps(bits):
        state = replace(state, flapping_since=at)
        events = (*map(_held_back, events), Flapping(at))
    elif state.flapping_since is not None:
        events = tuple(map(_held_back, events))
        if rule.calm(bits):
            state = replace(state, flips=0, flipped_at=None, flapping_since=None)
            events += (Calmed(flipped_at or at, at, state.belief, state.belief_cause),)
    return replace(step, state=state, events=events)


def _held_back(event: Event) -> Event:
    return replace(event, flapping=True) if isinstance(event, WentDown | CameBack) else event


def _put(state: WatchState, stretch: Stretch) -> WatchState:
    """Begin ``stretch`` unless the newest one goes on; never before the newest one."""
    newest = state.stretches[-1]
    if newest.condition is stretch.condition:
        return state
    later = replace(stretch, start=max(stretch.start, newest.start))
    return replace(state, stretches=(*state.stretches, later))


def _settle(state: WatchState) -> Step:
    """Hand out every span that nothing to come can change."""
    stretches = _merged(state.stretches)
    waiting = next((i for i, one in enumerate(stretches) if one.condition is None), len(stretches))
    spans = tuple(
        Span(one.start, following.start, one.condition or state.belief, one.cause)
        for one, following in zip(stretches[: waiting - 1], stretches[1:waiting], strict=True)
        if one.start != following.start
    )
    return Step(replace(state, stretches=stretches[waiting - 1 :]), spans)


def _merged(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    merged: list[Stretch] = []
    for one in stretches:
        if not merged or merged[-1].condition is not one.condition:
            merged.append(one)
    return tuple(merged)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a watch needs aware datetimes")
    return at.astimezone(UTC)


_RARE = (
    ("row_prober", None),
    ("row_seconded", False),
    ("released_at", None),
    ("flips", 0),
    ("flipped_at", None),
    ("flapping_since", None),
)
"""Written only where they say something: nearly every page is calm, and there are many pages."""


def to_dict(state: WatchState) -> dict[str, Any]:
    """Return the state as plain JSON values."""
    incident = state.incident
    raw = {
        "version": STATE_VERSION,
        "stretches": [[_iso(one.start), one.condition, one.cause] for one in state.stretches],
        "belief": state.belief.value,
        "belief_cause": state.belief_cause,
        "row": state.row,
        "row_count": state.row_count,
        "row_since": _iso(state.row_since),
        "row_cause": state.row_cause,
        "hold": state.hold,
        "incident": incident and [_iso(incident.since), _iso(incident.confirmed_at), incident.cause],
        "last_at": _iso(state.last_at),
    }
    for name, usual in _RARE:
        value = getattr(state, name)
        if value != usual:
            raw[name] = _iso(value) if isinstance(value, datetime) else value
    return raw


def from_dict(raw: Any) -> WatchState:
    """Read what :func:`to_dict` wrote.

    Raises:
        ValueError: not a state of this version.
    """
    try:
        if raw["version"] != STATE_VERSION or not raw["stretches"]:
            raise ValueError("not a watch state of version 1")
        return WatchState(
            stretches=tuple(
                Stretch(_instant(start), _condition(condition), str(cause))
                for start, condition, cause in raw["stretches"]
            ),
            belief=Condition(raw["belief"]),
            belief_cause=str(raw["belief_cause"]),
            row=_condition(raw["row"]),
            row_count=int(raw["row_count"]),
            row_since=_moment(raw["row_since"]),
            row_cause=str(raw["row_cause"]),
            hold=_condition(raw["hold"]),
            incident=raw["incident"] and _incident(*raw["incident"]),
            last_at=_moment(raw["last_at"]),
            row_prober=raw.get("row_prober"),
            row_seconded=bool(raw.get("row_seconded")),
            released_at=_moment(raw.get("released_at")),
            flips=int(raw.get("flips", 0)),
            flipped_at=_moment(raw.get("flipped_at")),
            flapping_since=_moment(raw.get("flapping_since")),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a watch state of version 1: {error!r}") from error


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _instant(text: str) -> datetime:
    return _utc(datetime.fromisoformat(text))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else _instant(text)


def _condition(value: str | None) -> Condition | None:
    return None if value is None else Condition(value)


def _incident(since: str, confirmed_at: str, cause: str) -> Incident:
    return Incident(_instant(since), _instant(confirmed_at), cause)
