"""The prober as a service: loads the list, looks when it is time, hands results on once a second.

It knows no database: loading and storing are functions of the caller, run in threads so that a
slow database never delays a look.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import resource
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Protocol

from mobile_pages.probe.base import Cause, Condition, ProbeResult, ProbeTarget, Verdict
from mobile_pages.probe.outage import Outage, OwnConnection
from mobile_pages.probe.outbox import Outbox
from mobile_pages.probe.schedule import Due, Scheduler
from mobile_pages.probe.state import Rule, Sample, Stretch, WatchState, observe
from mobile_pages.probe.steady import SteadyClock

log = logging.getLogger(__name__)

_ASK_REFERENCES_SECONDS = 2.0
"""No more often than this, however many pages fail."""

STALLED_SHARE = 0.3
"""A look that stood still for so much of its time, for want of CPU here, says nothing."""

LoadTargets = Callable[[], Sequence[ProbeTarget]]
Store = Callable[[list[ProbeResult]], None]
TellOutage = Callable[[Outage], None]


class Looker(Protocol):
    """What looks at a page: :class:`mobile_pages.probe.http.HttpProber`."""

    async def look(self, target: ProbeTarget) -> ProbeResult: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Settings:
    """How the service behaves.

    Attributes:
        references: addresses on networks of different providers that tell whether our own
            connection works; they are looked at like pages and stored nowhere.
        running_most: looks under way at the same time; what comes due beyond is missed.
        grace_seconds: how late a look may begin.
        drain_seconds: how long looks under way may still take when the service is stopped.
        buffer_most: results kept while storing fails.
        stall_seconds: standing still for longer than this, for want of CPU, is our own fault.
    """

    references: tuple[ProbeTarget, ...] = ()
    reload_seconds: float = 10.0
    store_seconds: float = 1.0
    grace_seconds: float = 5.0
    drain_seconds: float = 5.0
    running_most: int = 7000
    buffer_most: int = 50_000
    stall_seconds: float = 1.5
    rule: Rule = Rule()


@dataclass(frozen=True, slots=True)
class Stats:
    """The service's own health; counts since the start, lag over the last thousand looks."""

    targets: int
    running: int
    looks: int
    missed: int
    waiting: int
    lost: int
    offline: bool
    lag_p50_ms: float
    lag_p99_ms: float
    spooled: int = 0


class Prober:
    """Runs until told to stop. One instance, one :meth:`run`.

    Args:
        load_targets: called in a thread every ``reload_seconds``; when it fails the last list holds.
        store: called in a thread, once a second when there is something, with results in the order
            they were seen; must take a result told twice. When it raises, all is told again.
        tell_outage: called in the same thread and order when our own connection fails or returns.
    """

    def __init__(
        self,
        make_looker: Callable[[], Looker],
        load_targets: LoadTargets,
        store: Store,
        tell_outage: TellOutage,
        settings: Settings | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._settings = settings or Settings()
        self._make_looker = make_looker
        self._load_targets = load_targets
        self._store = store
        self._tell_outage = tell_outage
        self._clock = clock or SteadyClock()
        self._schedule = Scheduler(self._settings.grace_seconds)
        self._references = frozenset(one.id for one in self._settings.references)
        self._connection = OwnConnection(len(self._references))
        self._outbox = Outbox(self._settings.buffer_most)
        self._believed: dict[str, Verdict] = {}
        self._doubts: dict[str, WatchState] = {}
        self._listed: frozenset[str] = frozenset()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lags: deque[float] = deque(maxlen=1000)
        self._references_asked_at = float("-inf")
        self._look_count = 0
        self._missed_count = 0
        self._awake_at = float("inf")
        self._stalled_at, self._stall_seconds = float("-inf"), 0.0

    def stats(self) -> Stats:
        """Return the service's health at this moment; safe to call from any thread."""
        lags = sorted(self._lags.copy()) or [0.0]
        return Stats(
            targets=max(0, len(self._schedule) - len(self._references)),
            running=len(self._tasks),
            looks=self._look_count,
            missed=self._missed_count,
            waiting=len(self._outbox),
            lost=self._outbox.lost_count,
            offline=self._connection.offline,
            lag_p50_ms=lags[len(lags) // 2],
            lag_p99_ms=lags[len(lags) * 99 // 100],
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set, then let looks under way end and hand on what is left."""
        looker = self._make_looker()
        pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="probe")
        helpers = [
            asyncio.create_task(self._keep_loading(pool, stop)),
            asyncio.create_task(self._keep_storing(pool, stop)),
        ]
        try:
            while not stop.is_set():
                self._start_due(looker)
                soonest = self._schedule.next_at()
                wait = 0.25 if soonest is None else min(0.25, max(0.0, soonest - self._clock()))
                self._awake_at = monotonic() + wait
                await _sleep(stop, wait)
                self._note_stall()
        finally:
            stop.set()
            await self._drain()
            await asyncio.gather(*helpers)
            await self._hand_on(pool)
            await looker.close()
            pool.shutdown()

    def _start_due(self, looker: Looker) -> None:
        for due in self._schedule.take(self._clock()):
            if due.missed:
                self._miss(due)
            elif len(self._tasks) >= self._settings.running_most:
                self._schedule.done(due.target.id, self._clock())
                self._miss(due)
            else:
                task = asyncio.create_task(self._look(looker, due))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _look(self, looker: Looker, due: Due) -> None:
        lag_ms = max(0.0, (self._clock() - due.due_at) * 1000)
        self._lags.append(lag_ms)
        confirm = False
        try:
            result = replace(await looker.look(due.target), lag_ms=lag_ms)
            self._look_count += 1
            confirm = self._take_in(due.target, result)
        finally:
            self._schedule.done(due.target.id, self._clock(), confirm)

    def _note_stall(self) -> None:
        """Note that this process itself stood still: what timed out meanwhile says nothing."""
        late_seconds = monotonic() - self._awake_at
        if late_seconds >= self._settings.stall_seconds:
            self._awake_at = monotonic()
            log.warning("prober_stalled", extra={"seconds": round(late_seconds, 1)})
            self._stalled_at, self._stall_seconds = self._clock(), late_seconds

    def _was_stalled(self, result: ProbeResult) -> bool:
        if result.verdict is not Verdict.DOWN or result.status is not None:
            return False
        self._note_stall()  # the loop may not have come to it yet
        share = self._stall_seconds * 1000 / max(1.0, result.phases.total_ms)
        return result.started_at.timestamp() <= self._stalled_at and share >= STALLED_SHARE

    def _take_in(self, target: ProbeTarget, result: ProbeResult) -> bool:
        """Note a result; return whether another look soon would settle something."""
        if self._was_stalled(result):
            detail = f"探测机过于繁忙，本次结果不计。（{result.detail}）"
            result = replace(result, verdict=Verdict.UNKNOWN, cause=Cause.PROBER_FAULT.value, detail=detail)
        if target.id in self._references:
            self._tell(self._connection.note_reference(result))
            return result.verdict is Verdict.DOWN
        host = target.url.partition("://")[2].partition("/")[0]
        self._tell(self._connection.note_page(result, host))
        if self._connection.excuses(result):
            detail = f"探测机自身网络中断，本次结果不计。（{result.detail}）"
            result = replace(result, verdict=Verdict.UNKNOWN, cause=Cause.PROBER_OFFLINE.value, detail=detail)
        self._outbox.add(result)
        closer = self._wants_closer_look(result)
        if closer and result.verdict is Verdict.DOWN and result.status is None:
            self._ask_references(target.interval_seconds)
        return closer

    def _ask_references(self, interval_seconds: float) -> None:
        """Look at the reference addresses before a page is believed to be down, for it may be us."""
        now = self._clock()
        if now - self._references_asked_at < min(_ASK_REFERENCES_SECONDS, interval_seconds / 5):
            return
        self._references_asked_at = now
        for reference in self._references:
            self._schedule.hasten(reference, now)

    def _wants_closer_look(self, result: ProbeResult) -> bool:
        # The caller keeps the state that counts; this one only tells when to look closer.
        state = self._doubts.get(result.target_id)
        if state is None:
            if result.verdict is self._believed.get(result.target_id, Verdict.UP):
                return False
            state = self._state_of(result)
        sample = Sample(result.started_at, result.verdict, result.cause)
        state = observe(state, sample, self._settings.rule).state
        if state.wants_confirmation:
            self._doubts[result.target_id] = state
            return True
        self._doubts.pop(result.target_id, None)
        self._believed[result.target_id] = Verdict(state.belief)
        return False

    def _state_of(self, result: ProbeResult) -> WatchState:
        """Return a state that believes what was believed until now."""
        believed = Condition(self._believed.get(result.target_id, Verdict.UNKNOWN))
        return WatchState((Stretch(result.started_at, believed),), believed)

    def _tell(self, outage: Outage | None) -> None:
        if outage is not None:
            log.warning("prober_online" if outage.over else "prober_offline")
            self._outbox.add(outage)

    def _miss(self, due: Due) -> None:
        if due.target.id in self._references or due.confirming:
            return
        self._missed_count += 1
        self._outbox.add(
            ProbeResult(
                target_id=due.target.id,
                started_at=datetime.fromtimestamp(due.due_at, UTC),
                verdict=Verdict.UNKNOWN,
                cause=Cause.MISSED.value,
                detail="探测任务繁忙，本次未能按时探测。",
            )
        )

    async def _keep_loading(self, pool: ThreadPoolExecutor, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            try:
                targets = await loop.run_in_executor(pool, self._load_targets)
                self._take_list(targets)
            except Exception:
                log.exception("probe_targets_not_loaded")
            await _sleep(stop, self._settings.reload_seconds)

    def _take_list(self, targets: Sequence[ProbeTarget]) -> None:
        pages = [target for target in targets if target.id not in self._references]
        self._schedule.load([*pages, *self._settings.references], self._clock())
        for gone in self._listed - {target.id for target in pages}:
            self._believed.pop(gone, None)
            self._doubts.pop(gone, None)
            self._connection.forget(gone)
        self._listed = frozenset(target.id for target in pages)

    async def _keep_storing(self, pool: ThreadPoolExecutor, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await _sleep(stop, self._settings.store_seconds)
            await self._hand_on(pool)

    async def _hand_on(self, pool: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        while (batch := self._outbox.take()) is not None:
            try:
                if isinstance(batch, Outage):
                    await loop.run_in_executor(pool, self._tell_outage, batch)
                else:
                    await loop.run_in_executor(pool, self._store, batch)
            except Exception:
                log.exception("probe_results_not_stored")
                self._outbox.put_back(batch)
                return

    async def _drain(self) -> None:
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._settings.drain_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but not beyond ``stop``."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def serve(prober: Prober) -> None:
    """Run the service on uvloop in the main thread until SIGINT or SIGTERM; return when all is stored."""
    # Here and not above: web workers read this module's shapes and run no loop.
    import uvloop

    # Each look holds a socket; the soft limit of most systems is too low for a province.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    # Twenty thousand pages are a million lasting objects: going through them all again and again would
    # stop everything for a moment each time.
    gc.set_threshold(50_000, 20, 1000)
    # The loop asks for the interpreter at every event and must not wait long for the thread that stores.
    sys.setswitchinterval(0.0005)

    async def until_signal() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await prober.run(stop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(until_signal())
