"""The embedded worker: takes jobs from the outbox and runs them, a few at a time."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import structlog
from flask import Flask
from prometheus_client import Counter

from app.core import clock, db, outbox
from app.core.outbox import Claimed, Job

POLL_SECONDS = 0.25
RENEW_EVERY = outbox.LEASE / 4
log = structlog.get_logger(__name__)
_runs = Counter("hall_jobs_total", "Jobs run, by name and outcome", ["name", "outcome"])


@dataclass(slots=True)
class _Held:
    """A job under way, since when, and when its lease was last put off."""

    claimed: Claimed
    since: datetime
    renewed_at: datetime


class Worker:
    """Runs due jobs until told to stop. One per process; many processes may share the table."""

    def __init__(self, app: Flask, jobs: Mapping[str, Job], *, threads: int = 2) -> None:
        self._app = app
        self._jobs = jobs
        self._threads = threads
        self._owner = secrets.token_hex(8)
        self._stop = threading.Event()
        self._running: dict[Future[None], _Held] = {}
        self._slots: dict[str, int] = {}

    def stop(self) -> None:
        """Take no more jobs; the loop ends when the running ones have."""
        self._stop.set()

    def run_forever(self) -> None:
        """Work until :meth:`stop`. A database that is away is waited for."""
        with ThreadPoolExecutor(self._threads, thread_name_prefix="job") as pool:
            while self._running or not self._stop.is_set():
                try:
                    busy = self._round(pool)
                except Exception:
                    log.exception("worker_round_failed")
                    self._pause(2)
                    continue
                if not busy:
                    self._pause(POLL_SECONDS)

    def drain(self) -> int:
        """Run everything that is due now in this thread, what it asks for included; return how many."""
        done = 0
        while True:
            with self._app.app_context():
                claimed = outbox.claim(self._owner, limit=20, now=clock.system_clock())
            if not claimed:
                return done
            for one in claimed:
                self._run(one)
                done += 1

    def _pause(self, seconds: float) -> None:
        if self._stop.is_set():
            time.sleep(POLL_SECONDS)  # only the running jobs are waited for now
        else:
            self._stop.wait(seconds)

    def _round(self, pool: ThreadPoolExecutor) -> bool:
        now = clock.system_clock()
        self._running = {future: held for future, held in self._running.items() if not future.done()}
        self._renew(now)
        free = self._threads - len(self._running)
        if not free or self._stop.is_set():
            return False
        with self._app.app_context():
            self._ask_for_periodic(now)
            urgent = {job.name for job in self._jobs.values() if job.urgent}
            claimed = outbox.claim(self._owner, limit=free, now=now, first=urgent)
        for one in claimed:
            self._running[pool.submit(self._run, one)] = _Held(one, since=now, renewed_at=now)
        return bool(claimed)

    def _renew(self, now: datetime) -> None:
        due = [
            held
            for held in self._running.values()
            if now - held.renewed_at >= RENEW_EVERY and now - held.since < outbox.LONGEST_RUN
        ]
        if not due:
            return
        with self._app.app_context():
            outbox.renew([held.claimed for held in due], self._owner, now=now)
        for held in due:
            held.renewed_at = now

    def _ask_for_periodic(self, now: datetime) -> None:
        for job in self._jobs.values():
            if job.every is None:
                continue
            slot = int(now.timestamp() // job.every.total_seconds())
            if self._slots.get(job.name) == slot:
                continue
            # The slot is part of the key, so that several workers make one job of it.
            key = f"{job.name}@{slot}"
            db.transaction(lambda job=job, key=key: outbox.enqueue(job.name, dedup_key=key))  # type: ignore[misc]
            self._slots[job.name] = slot

    def _run(self, claimed: Claimed) -> None:
        structlog.contextvars.bind_contextvars(job=claimed.name, job_id=str(claimed.id))
        try:
            self._attempt(claimed)
        except Exception:
            log.exception("job_not_settled")  # the lease ends, another worker runs it again
        finally:
            structlog.contextvars.unbind_contextvars("job", "job_id")

    def _attempt(self, claimed: Claimed) -> None:
        try:
            with self._app.app_context():
                self._jobs[claimed.name].run(claimed.payload)
        except Exception as error:
            log.exception("job_failed", attempts=claimed.attempts)
            with self._app.app_context():
                reason = f"{type(error).__name__}: {error}"
                dead = outbox.fail(claimed, self._owner, reason, now=clock.system_clock())
            _runs.labels(claimed.name, "dead" if dead else "failed").inc()
            return
        with self._app.app_context():
            outbox.acknowledge(claimed, self._owner, now=clock.system_clock())
        _runs.labels(claimed.name, "done").inc()
