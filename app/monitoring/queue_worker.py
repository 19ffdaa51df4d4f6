"""Looks that were asked for through a queue: the prober's own look and desk, without its schedule."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event
from typing import Protocol

import uvloop
from flask import Flask

from app.monitoring import service
from app.monitoring.domain import PROBER_MAX, QUEUE_PREFIX
from app.monitoring.prober import RELOAD_SECONDS, Desk, lookers, references
from config.settings import Settings
from mobile_pages.probe.base import Cause, ProbeResult, ProbeTarget, Verdict
from mobile_pages.probe.runner import Looker, Stats
from mobile_pages.probe.schedule import Scheduler
from mobile_pages.probe.steady import SteadyClock

TICK_SECONDS = 0.25
NO_STATS = Stats(0, 0, 0, 0, 0, 0, False, 0.0, 0.0)


class Send(Protocol):
    """Puts looks into the queue."""

    def __call__(self, check_ids: Sequence[int], due_at: float, *, expires_seconds: float) -> None: ...


class QueueWorker:
    """Looks and stores, one batch after the other. Belongs to one process."""

    def __init__(self, app: Flask, settings: Settings, host: str) -> None:
        name = f"{QUEUE_PREFIX}{host}"[:PROBER_MAX]
        self._looks = 0
        terms = service.terms(settings)
        self._desk = Desk(app, name, terms, lambda: replace(NO_STATS, looks=self._looks))
        self._references = references(settings, terms)
        self._loop = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._looker = self._loop.run(_made(lambda: lookers(settings, SteadyClock())))

    def look(self, check_ids: Sequence[int], due_at: float) -> None:
        """Look at checks at the same time and store what was found; unknown ones are passed over."""
        targets = self._desk.targets(check_ids)
        lag_ms = max(0.0, time.time() - due_at) * 1000
        results = [replace(one, lag_ms=lag_ms) for one in self._loop.run(self._look_at(targets))]
        self._desk.store(results)
        self._looks += len(results)

    def close(self) -> None:
        """Free the sockets."""
        self._loop.run(self._looker.close())
        self._loop.close()

    async def _look_at(self, targets: Sequence[ProbeTarget]) -> list[ProbeResult]:
        results = await asyncio.gather(*map(self._looker.look, targets))
        if not any(map(_silent, results)) or not self._references:
            return results
        # Is it them or us? A worker keeps no history: the references are asked when it matters.
        known = await asyncio.gather(*map(self._looker.look, self._references))
        return list(results) if not all(map(_silent, known)) else list(map(_excused, results))


def relay(desk: Desk, send: Send, stop: Event, clock: Callable[[], float] = time.time) -> None:
    """Put looks into the queue when they are due, those of the desk's leases, until told to stop."""
    schedule = Scheduler()
    loaded_at = float("-inf")
    while not stop.is_set():
        if clock() - loaded_at >= RELOAD_SECONDS:
            schedule.load(desk.load(), clock())
            loaded_at = clock()
        due = [one for one in schedule.take(clock()) if not one.missed]
        for interval in {one.target.interval_seconds for one in due}:
            ids = [int(one.target.id) for one in due if one.target.interval_seconds == interval]
            send(ids, clock(), expires_seconds=interval)
        for one in due:
            schedule.done(one.target.id, clock())
        stop.wait(TICK_SECONDS)
    desk.leave()


async def _made(make: Callable[[], Looker]) -> Looker:
    return make()


def _silent(result: ProbeResult) -> bool:
    return result.verdict is Verdict.DOWN and result.status is None


def _excused(result: ProbeResult) -> ProbeResult:
    if not _silent(result):
        return result
    detail = f"探测机自身网络中断，本次结果不计。（{result.detail}）"
    return replace(result, verdict=Verdict.UNKNOWN, cause=Cause.PROBER_OFFLINE.value, detail=detail)
