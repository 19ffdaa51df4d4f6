"""From looks to conclusions: which pages are watched, what the looks at them mean, who must know."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Row, delete, insert, select, update

from app.core import db
from app.mobile_access import service as mobile_access
from app.mobile_access.service import State, WatchedPage
from app.monitoring import incidents_intake as incidents
from app.monitoring import marks, samples
from app.monitoring.domain import CAUSE_MAX, FLAPPING, CheckKind, Outcome, Terms
from app.monitoring.models import ProberBeat, StateSpan, Watch
from mobile_pages.probe.base import Condition, Span
from mobile_pages.probe.outage import Outage
from mobile_pages.probe.runner import Stats
from mobile_pages.probe.state import (
    Calmed,
    CameBack,
    Event,
    Flapping,
    Step,
    Voided,
    WatchState,
    WentDown,
    begin,
    from_dict,
    hold,
    open_spans,
    release,
    to_dict,
    void,
)

OFFLINE_CAUSE = "prober_offline"
_SOUND = frozenset({Condition.UP, Condition.DEGRADED})
_CHUNK = 500


class Check(Protocol):
    """What the watch copies of a check: :class:`app.monitoring.checks.CheckTarget`."""

    @property
    def check_id(self) -> int: ...
    @property
    def page_id(self) -> int: ...
    @property
    def kind(self) -> CheckKind: ...
    @property
    def body_id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def url(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _Main:
    """A page's main check."""

    check_id: int
    page_id: int
    kind: CheckKind
    body_id: int
    name: str
    url: str


def _wanted(pages: Sequence[WatchedPage], further: Sequence[Check]) -> dict[int, Check]:
    mains = (_Main(one.id, one.id, CheckKind.PAGE, one.body_id, one.name, one.url) for one in pages)
    return {one.check_id: one for one in (*mains, *further)}


def differs(pages: Sequence[WatchedPage], further: Sequence[Check] = ()) -> bool:
    """Tell whether :func:`take_list` would change anything; one cheap reading."""
    query = select(Watch.check_id, Watch.body_id, Watch.name, Watch.url, Watch.condition).where(
        Watch.watched.is_(True)
    )
    held = {row[0]: row for row in db.session().execute(query)}
    wanted = _wanted(pages, further)
    if held.keys() != wanted.keys():
        return True
    states = {page.id: page.state for page in pages}
    return any(
        row[1:4] != (wanted[check_id].body_id, wanted[check_id].name, wanted[check_id].url)
        or (check_id in states and _contradict(states[check_id], row[4]))
        for check_id, row in held.items()
    )


def _contradict(state: State, condition: Condition) -> bool:
    if state is State.ONLINE:
        return condition is Condition.DOWN
    return condition in _SOUND


def take_list(
    pages: Sequence[WatchedPage], terms: Terms, *, now: datetime, further: Sequence[Check] = ()
) -> None:
    """Bring the watch in line with the registry: new checks begin, vanished ones are held.

    Where registry and watch contradict each other (a move was refused meanwhile) the watch prevails.

    Args:
        pages: each has its main check.
        further: the checks besides.
    """
    rows = {row.check_id: row for row in db.writing().scalars(_locked(select(Watch)))}
    wanted = _wanted(pages, further)
    states = {page.id: page.state for page in pages}
    _begin([one for check_id, one in wanted.items() if check_id not in rows], now)
    for check_id, row in rows.items():
        one = wanted.get(check_id)
        if one is None:
            if row.watched:
                _end(row, now)
            continue
        row.body_id, row.name, row.url = one.body_id, one.name, one.url
        if not row.watched:
            row.watched = True
            keep(row, state_of(row), release(state_of(row), now))
        if check_id in states and _contradict(states[check_id], row.condition):
            _mend(row, terms.grace, now)
    incidents.settle()
    db.writing().flush()


def _begin(checks: Sequence[Check], now: datetime) -> None:
    if not checks:
        return
    fresh = begin(now)
    same: dict[str, Any] = {
        "watched": True,
        "begun_at": now,
        "condition": fresh.condition,
        "since": now,
        "cause": "",
        "memory": to_dict(fresh),
        "version": 1,
    }
    rows = [
        {
            "check_id": one.check_id,
            "page_id": one.page_id,
            "kind": one.kind,
            "body_id": one.body_id,
            "name": one.name,
            "url": one.url,
        }
        | same
        for one in checks
    ]
    db.writing().execute(insert(Watch), rows)
    spans = [_span_row(one.check_id, span) for one in checks for span in open_spans(fresh)]
    db.writing().execute(insert(StateSpan), spans)


def _mend(row: Watch, grace: timedelta, now: datetime) -> None:
    incident = state_of(row).incident
    if incident is not None:
        mobile_access.probe_failed(row.page_id, incident.since, incident.cause, grace=grace)
    else:
        mobile_access.probe_recovered(row.page_id, now)


def _end(row: Watch, now: datetime) -> None:
    before = state_of(row)
    step = hold(before, now, Condition.PAUSED)
    # When it comes back it has been changed and checked anew: what was believed says nothing then.
    state = replace(step.state, incident=None, belief=Condition.UNKNOWN, belief_cause="")
    row.watched = False
    keep(row, before, replace(step, state=state))
    incidents.closed(row.check_id, now, Outcome.UNWATCHED)


def void_outage(outage: Outage, check_ids: Collection[int], terms: Terms) -> None:
    """Take back what was seen of these checks while the prober itself was cut off. Safe to repeat."""
    for row in locked_watches(check_ids).values():
        before = state_of(row)
        step = void(before, outage.since, outage.noticed_at, OFFLINE_CAUSE)
        keep(row, before, step)
        for event in step.events:
            act(row, event, "", terms)
    incidents.settle()
    db.writing().flush()


def watched_ids() -> list[list[int]]:
    """Return the ids of all watched pages in portions fit for one transaction each."""
    query = select(Watch.check_id).where(Watch.watched.is_(True)).order_by(Watch.check_id)
    ids = list(db.session().scalars(query))
    return [ids[at : at + _CHUNK] for at in range(0, len(ids), _CHUNK)]


def beat(prober: str, stats: Stats, *, now: datetime) -> None:
    """Note that a prober is alive and how it fares."""
    db.writing().merge(
        ProberBeat(
            name=prober,
            number=samples.prober_number(prober),
            seen_at=now,
            own_network_ok=not stats.offline,
            lag_p99_ms=round(stats.lag_p99_ms),
            targets=stats.targets,
            looks=stats.looks,
            missed=stats.missed,
            waiting=stats.waiting,
            lost=stats.lost,
            running=stats.running,
            spooled=stats.spooled,
        )
    )
    db.writing().flush()


def _locked(query: Any) -> Any:
    # In the order of the key, so that two probers never wait for each other in a ring.
    return query.order_by(Watch.check_id).with_for_update().execution_options(populate_existing=True)


def locked_watches(check_ids: Collection[int]) -> dict[int, Watch]:
    """Return the rows of those of the checks that are watched, locked in the order of their keys."""
    query = select(Watch).where(Watch.check_id.in_(check_ids), Watch.watched.is_(True))
    return {row.check_id: row for row in db.writing().scalars(_locked(query))}


def state_of(row: Watch | Row[Any]) -> WatchState:
    """Return what is known of a check: what it remembers, and how far looks have confirmed it since."""
    state = from_dict(row.memory)
    if row.sampled_at is None or (state.last_at is not None and state.last_at >= row.sampled_at):
        return state
    return replace(state, last_at=row.sampled_at)


def keep(row: Watch, before: WatchState, step: Step) -> None:
    """Write the new state into its row and the spans it settles or changes into theirs."""
    held, now_open = open_spans(before), open_spans(step.state)
    if step.spans or held != now_open:
        after, retracted = (*step.spans, *now_open), step.retract_from
        marks.spans_changed(row.check_id, held, after, seen_at=before.last_at, retract_from=retracted)
        _replace_spans(row.check_id, held[0].start, step, now_open)
    row.memory, row.version = to_dict(step.state), row.version + 1
    row.condition, row.since = now_open[-1].condition, now_open[-1].start
    row.cause = now_open[-1].cause[:CAUSE_MAX]
    row.flapping_since = step.state.flapping_since


def _replace_spans(check_id: int, from_: datetime, step: Step, now_open: Sequence[Span]) -> None:
    if step.retract_from is not None and step.retract_from < from_:
        from_ = step.retract_from
        db.writing().execute(
            update(StateSpan)
            .where(StateSpan.check_id == check_id, StateSpan.started_at < from_, StateSpan.ended_at > from_)
            .values(ended_at=from_)
            .execution_options(synchronize_session=False)
        )
    db.writing().execute(
        delete(StateSpan)
        .where(StateSpan.check_id == check_id, StateSpan.started_at >= from_)
        .execution_options(synchronize_session=False)
    )
    _add_spans(check_id, (*step.spans, *now_open))


def _add_spans(check_id: int, spans: Iterable[Span]) -> None:
    db.writing().execute(insert(StateSpan), [_span_row(check_id, span) for span in spans])


def _span_row(check_id: int, span: Span) -> dict[str, Any]:
    return {
        "check_id": check_id,
        "started_at": span.start,
        "ended_at": span.end,
        "condition": span.condition,
        "cause": span.cause[:CAUSE_MAX],
    }


def act(row: Watch, event: Event, detail: str, terms: Terms) -> None:
    """Let the incidents know of a change; :func:`incidents.settle` must follow."""
    match event:
        case WentDown(since, confirmed_at, cause, flapping):
            incidents.opened(row, since, confirmed_at, cause, detail, terms, held=flapping)
        case CameBack(at, flapping=flapping):
            incidents.closed(row.check_id, at, Outcome.RECOVERED, held=flapping)
        case Flapping(at):
            incidents.opened(row, at, at, FLAPPING, detail, terms, held=True)
        case Calmed(at, condition=condition) if condition is not Condition.DOWN:
            incidents.closed(row.check_id, at, Outcome.RECOVERED)
        case Voided(at):
            incidents.closed(row.check_id, at, Outcome.VOIDED)
        case _:
            pass
