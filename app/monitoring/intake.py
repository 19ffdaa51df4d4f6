"""The intake of looks: what each means for what is held true of its check.

Nearly every look confirms what is known. Such a look costs its row in the samples and, seconds
later, its share of one statement that moves ``sampled_at`` (a pulse); no row is loaded or locked.
For this a process remembers what it believes of each check, with the version of the row it read.

A look that changes something is judged on the locked row: its serialised state is a checkpoint, the
stored looks after ``sampled_at`` are the log, and what the row believes now is the one followed by
the other. So nothing is lost when a process dies between two pulses, when two provers tell of the
same check, or when a batch is told twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import bindparam, select, text

from app.core import db
from app.monitoring import incidents_intake as incidents
from app.monitoring import samples
from app.monitoring.domain import Terms
from app.monitoring.models import ProberBeat, ProbeSample, Watch
from app.monitoring.opinions import Opinions
from app.monitoring.watching import act, keep, locked_watches, state_of
from mobile_pages.probe.base import ProbeResult, Verdict
from mobile_pages.probe.state import Sample, Step, WatchState, observe

PULSE_SECONDS = 3.0
_CHUNK = 200
_MICROSECOND = timedelta(microseconds=1)

_Looks = Mapping[datetime, tuple[ProbeResult, int]]
"""Looks by moment, each with the number of its prober."""
_NOTHING: _Looks = {}


@dataclass(frozen=True, slots=True)
class _Held:
    """What a process believes of a check, and the version of the row it believed it at."""

    version: int
    state: WatchState
    cause: str


@dataclass(frozen=True, slots=True)
class _Pulse:
    """All stored looks of a check up to ``at`` have been judged and confirmed ``version``."""

    at: datetime
    total_ms: int
    version: int


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a batch taught; to be remembered once its transaction is through."""

    held: Mapping[int, _Held]
    pulses: Mapping[int, _Pulse]
    flushed: bool
    number: int | None


@dataclass(slots=True)
class Intake:
    """One process's intake. Losing it costs time, never truth.

    Args:
        pulse_seconds: between two writings of pulses; 0 writes them with every batch.
        second_at_hand: whether another prober is alive that could be asked for its opinion.
        own: terms of the checks that have other ones.
    """

    prober: str
    terms: Terms
    pulse_seconds: float = PULSE_SECONDS
    clock: Callable[[], float] = monotonic
    second_at_hand: bool = False
    own: Mapping[int, Terms] = field(default_factory=dict)
    _held: dict[int, _Held] = field(default_factory=dict)
    _pulses: dict[int, _Pulse] = field(default_factory=dict)
    _flushed_at: float = float("-inf")
    _number: int | None = None

    def take_in(self, results: Iterable[ProbeResult]) -> Learnt:
        """Store looks and draw the conclusions, in the running transaction. Safe to repeat.

        Looks at checks that are not watched (any more) are dropped. :meth:`remember` must follow
        when the transaction is through, and only then.
        """
        told = _by_check(results)
        versions = _versions(told)
        number, registered = self._prober_number()
        looks = [(check_id, one) for check_id in versions for one in told[check_id]]
        samples.store(number, looks)
        held, pulses = {}, dict(self._pulses)
        doubtful = []
        recalled = _recall([one for one, version in versions.items() if not self._knows(one, version)])
        for check_id in versions:
            belief, unjudged = recalled.get(check_id) or (self._held[check_id], _NOTHING)
            calm = self._calm(check_id, belief, _with(unjudged, told[check_id], number))
            if calm is None:
                doubtful.append(check_id)
                continue
            held[check_id], pulse = calm
            if pulse is not None:
                pulses[check_id] = pulse
        for row, belief, pulse in self._judge_locked(number, doubtful, told):
            held[row.check_id] = belief
            pulses.pop(row.check_id, None)
            if pulse is not None:
                pulses[row.check_id] = pulse
        incidents.settle()
        db.writing().flush()
        flushed = self.clock() - self._flushed_at >= self.pulse_seconds
        if flushed:
            write_pulses(pulses)
        return Learnt(held, {} if flushed else pulses, flushed, number if registered else None)

    def remember(self, learnt: Learnt) -> None:
        """Keep what a batch taught, its transaction being through."""
        self._held.update(learnt.held)
        self._pulses = dict(learnt.pulses)
        self._number = learnt.number
        if learnt.flushed:
            self._flushed_at = self.clock()

    def forget(self, watched: Collection[int]) -> None:
        """Drop what is remembered of checks that are not in ``watched``."""
        for gone in self._held.keys() - set(watched):
            del self._held[gone]

    def _prober_number(self) -> tuple[int, bool]:
        """Return the number of this prober, and whether it is registered with it."""
        if self._number is not None:
            return self._number, True
        query = select(ProberBeat.number).where(ProberBeat.name == self.prober)
        known = db.writing().scalar(query)
        return (samples.prober_number(self.prober), False) if known is None else (known, True)

    def _knows(self, check_id: int, version: int) -> bool:
        held = self._held.get(check_id)
        return held is not None and held.version == version

    def _calm(self, check_id: int, held: _Held, looks: _Looks) -> tuple[_Held, _Pulse | None] | None:
        """Return what is believed after looks that confirm it; None when they must be judged."""
        rule, state, newest = self._terms_of(check_id).rule, held.state, None
        for result, number in _in_order(looks):
            step = observe(state, self._sample(result, number), rule)
            if step.state is state:
                continue  # told before, or overtaken by a newer one
            if not _confirms(state, step) or _changes_cause(held, step, result):
                return None
            state, newest = step.state, result
        if newest is None:
            return held, None
        return replace(held, state=state), _pulse(newest, held.version)

    def _judge_locked(
        self, number: int, check_ids: Collection[int], told: Mapping[int, Sequence[ProbeResult]]
    ) -> Iterable[tuple[Watch, _Held, _Pulse | None]]:
        rows = locked_watches(check_ids) if check_ids else {}
        log = _log([(row.check_id, state_of(row).last_at or row.begun_at) for row in rows.values()])
        opinions = Opinions(self.prober)
        for check_id, row in rows.items():
            looks = _with(log.get(check_id, _NOTHING), told[check_id], number)
            wanted = self._wants_second(check_id, state_of(row))
            held, pulse = self._judge(row, _in_order(looks))
            opinions.note(check_id, wanted, self._wants_second(check_id, held.state), held.state.last_at)
            yield row, held, pulse
        opinions.settle()

    def _terms_of(self, check_id: int) -> Terms:
        return self.own.get(check_id, self.terms)

    def _wants_second(self, check_id: int, state: WatchState) -> bool:
        rule = self._terms_of(check_id).rule
        return rule.second_prober and self.second_at_hand and state.wants_second

    def _sample(self, result: ProbeResult, number: int) -> Sample:
        return Sample(result.started_at, result.verdict, result.cause, number, self.second_at_hand)

    def _judge(self, row: Watch, looks: Iterable[tuple[ProbeResult, int]]) -> tuple[_Held, _Pulse | None]:
        terms = self._terms_of(row.check_id)
        state, newest, changed = state_of(row), None, False
        for look, number in looks:
            step = observe(state, self._sample(look, number), terms.rule)
            if step.state is state:
                continue
            newest = look
            if not _confirms(state, step):
                changed = True
                keep(row, state, step)
                for event in step.events:
                    act(row, event, look.detail, terms)
            state = step.state
            # While it flaps, flapping is the cause; that of each look would only flicker.
            if look.verdict is Verdict.DOWN and state.incident is not None and not state.flapping_since:
                incidents.failing(row.check_id, look)
        cause = newest.cause if newest is not None else row.cause
        if newest is None or not changed:
            pulse = None if newest is None else _pulse(newest, row.version)
            return _Held(row.version, state, cause), pulse
        row.sampled_at, row.total_ms = newest.started_at, _total_ms(newest)
        return _Held(row.version, state, cause), None


def ingest(prober: str, results: Iterable[ProbeResult], terms: Terms) -> None:
    """Take looks in without a memory from batch to batch."""
    Intake(prober, terms, pulse_seconds=0).take_in(results)


def write_pulses(pulses: Mapping[int, _Pulse]) -> None:
    """Move ``sampled_at`` of rows that nobody has changed since; one statement a few hundred rows."""
    # In the order of the key, as rows are locked everywhere.
    rows = sorted(pulses.items())
    write = _pulse_rows if db.writing().get_bind().dialect.name == "sqlite" else _pulse_joined
    for at in range(0, len(rows), _CHUNK):
        write(rows[at : at + _CHUNK])


_PULSE_ROW = text(
    "UPDATE watch_state SET sampled_at = :at, total_ms = :ms"
    " WHERE check_id = :id AND version = :version AND (sampled_at IS NULL OR sampled_at < :at)"
).bindparams(bindparam("at", type_=db.Instant()))


def _pulse_rows(rows: Sequence[tuple[int, _Pulse]]) -> None:
    db.writing().execute(
        _PULSE_ROW,
        [
            {"id": check_id, "at": pulse.at, "ms": pulse.total_ms, "version": pulse.version}
            for check_id, pulse in rows
        ],
    )


def _pulse_joined(rows: Sequence[tuple[int, _Pulse]]) -> None:
    """Do the same where every statement costs a journey to the server."""
    # Numbers and instants made by ourselves, so they may stand in the text.
    told = " UNION ALL SELECT ".join(
        f"{check_id}, TIMESTAMP'{pulse.at:%Y-%m-%d %H:%M:%S.%f}', {pulse.total_ms}, {pulse.version}"
        for check_id, pulse in rows
    )
    db.writing().connection().exec_driver_sql(
        f"UPDATE watch_state w JOIN (SELECT 0 AS id, TIMESTAMP'2000-01-01 00:00:00.000000' AS at, 0 AS ms,"
        f" 0 AS version UNION ALL SELECT {told}) p"
        " ON w.check_id = p.id AND w.version = p.version AND (w.sampled_at IS NULL OR w.sampled_at < p.at)"
        " SET w.sampled_at = p.at, w.total_ms = p.ms"
    )


def _versions(check_ids: Collection[int]) -> dict[int, int]:
    """Return the version of each of these checks that is watched."""
    query = select(Watch.check_id, Watch.version).where(
        Watch.check_id.in_(check_ids), Watch.watched.is_(True)
    )
    rows = db.writing().execute(query) if check_ids else ()
    return {row.check_id: row.version for row in rows}


def _recall(check_ids: Collection[int]) -> dict[int, tuple[_Held, _Looks]]:
    """Return what the rows of these checks say, and the looks they do not know of yet; locks nothing."""
    columns = (Watch.check_id, Watch.version, Watch.memory, Watch.sampled_at, Watch.begun_at, Watch.cause)
    query = select(*columns).where(Watch.check_id.in_(check_ids))
    rows = db.writing().execute(query).all() if check_ids else []
    states = {row.check_id: state_of(row) for row in rows}
    log = _log([(row.check_id, states[row.check_id].last_at or row.begun_at) for row in rows])
    return {
        row.check_id: (_Held(row.version, states[row.check_id], row.cause), log.get(row.check_id, _NOTHING))
        for row in rows
    }


def _log(marks: Iterable[tuple[int, datetime]]) -> dict[int, _Looks]:
    """Return the stored looks after a moment of each check."""
    in_order = sorted(marks, key=lambda mark: mark[1])
    found: dict[int, dict[datetime, tuple[ProbeResult, int]]] = {}
    for start in range(0, len(in_order), _CHUNK):
        # Checks of much the same mark share a statement, so the earliest of them asks for little more.
        after = dict(in_order[start : start + _CHUNK])
        query = (
            select(
                ProbeSample.check_id,
                ProbeSample.at,
                ProbeSample.verdict,
                ProbeSample.cause,
                ProbeSample.prober,
            )
            .where(ProbeSample.check_id.in_(after), ProbeSample.at > in_order[start][1])
            # More than one prober may have looked at the same moment: the first of them is heard.
            .order_by(ProbeSample.prober.desc())
        )
        for check_id, at, verdict, cause, prober in db.writing().execute(query):
            if at > after[check_id]:
                look = ProbeResult(str(check_id), at, samples.verdict_of(verdict), samples.cause_of(cause))
                found.setdefault(check_id, {})[at] = (look, prober)
    return dict(found)


def _with(looks: _Looks, results: Iterable[ProbeResult], number: int) -> _Looks:
    """Return stored looks and those just told, which say more than what is stored of them."""
    return {**looks, **{one.started_at: (one, number) for one in results}}


def _in_order(looks: _Looks) -> Iterable[tuple[ProbeResult, int]]:
    return (looks[at] for at in sorted(looks))


def _by_check(results: Iterable[ProbeResult]) -> dict[int, list[ProbeResult]]:
    told: dict[int, list[ProbeResult]] = {}
    for result in sorted(map(_stored, results), key=lambda one: one.started_at):
        told.setdefault(int(result.target_id), []).append(result)
    return told


def _stored(result: ProbeResult) -> ProbeResult:
    """Return a result at the moment that its stored look will tell, so that the two are one."""
    beyond = result.started_at.microsecond % 1000
    return result if not beyond else replace(result, started_at=result.started_at - beyond * _MICROSECOND)


def _confirms(before: WatchState, step: Step) -> bool:
    """Tell whether a look left everything as it was but for the time it was made at."""
    return (
        not step.spans
        and not step.events
        and step.retract_from is None
        and replace(step.state, last_at=before.last_at) == before
    )


def _changes_cause(held: _Held, step: Step, result: ProbeResult) -> bool:
    """Tell whether an outage goes on for another reason than it was told to have."""
    return step.state.incident is not None and result.verdict is Verdict.DOWN and result.cause != held.cause


def _pulse(newest: ProbeResult, version: int) -> _Pulse:
    return _Pulse(newest.started_at, _total_ms(newest), version)


def _total_ms(result: ProbeResult) -> int:
    return round(result.phases.total_ms)
