"""Background work of monitoring."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.core import clock, db
from app.core.installation import settings
from app.core.outbox import Job
from app.monitoring import marks, partitions, policy, rollups, samples, service, trying
from app.monitoring.checks import TRY_JOB
from app.monitoring.incident_jobs import JOBS as INCIDENT_JOBS
from app.monitoring.monthly_jobs import JOBS as MONTHLY_JOBS
from app.monitoring.reckoning import paces_of
from app.monitoring.upkeep_jobs import JOBS as UPKEEP_JOBS
from mobile_pages.probe.uptime import day_window

ROLL_UP_FOR = timedelta(minutes=8)
"""No longer at once, so that one run is over before the next is asked for."""


def roll_up_history(_payload: Mapping[str, Any]) -> None:
    """Roll up what has ended; after days of standing still it takes more than one run."""
    now = clock.system_clock()
    pace = paces_of(policy.terms_of_bodies(now).of)
    rollups.roll_up(now, pace, lambda: clock.system_clock() > now + ROLL_UP_FOR)


def keep_history(_payload: Mapping[str, Any]) -> None:
    """Make days ahead; let go what is old enough and rolled up."""
    now, engine = clock.system_clock(), db.database().write_engine
    partitions.keep_ahead(engine, now)
    rolled = marks.marks().get(marks.Mark.DAYS)
    if rolled is None:
        return
    before = min(day_window(clock.day_of(now - service.KEEP_SAMPLES)).start, rolled)
    db.transaction(lambda: marks.put(marks.Mark.SAMPLES, before))
    partitions.drop_before(engine, before)
    while engine.dialect.name == "sqlite" and db.transaction(lambda: samples.forget(before)):
        pass
    while db.transaction(lambda: rollups.forget_hours(min(now - rollups.KEEP_HOURS, rolled))):
        pass


def try_check(payload: Mapping[str, Any]) -> None:
    """Look once at a check for those who set it up."""
    now = clock.system_clock()
    trying.try_check(int(payload["check_id"]), payload["asked_at"], settings(), now=now)


JOBS = (
    Job(TRY_JOB, try_check),
    Job("monitoring.roll-up-history", roll_up_history, every=timedelta(minutes=10)),
    Job("monitoring.keep-history", keep_history, every=timedelta(hours=1)),
    *INCIDENT_JOBS,
    *MONTHLY_JOBS,
    *UPKEEP_JOBS,
)
