"""Background work of monitoring."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.core import clock, db
from app.core.outbox import Job
from app.monitoring import escalation, service
from app.monitoring.incidents_intake import TEND_JOB


def forget_samples(_payload: Mapping[str, Any]) -> None:
    """Delete old looks, an hour's worth a transaction, so that none of them is long."""
    before = clock.system_clock() - service.KEEP_SAMPLES
    while db.transaction(lambda: service.forget_samples(before)):
        pass


def tend_incidents(_payload: Mapping[str, Any]) -> None:
    """Group incidents, tell whoever is due, note hidden entries."""
    while db.transaction(lambda: escalation.tend(clock.system_clock())):
        pass
    db.transaction(escalation.keep_house)


JOBS = (
    Job(TEND_JOB, tend_incidents, every=timedelta(minutes=1)),
    Job("monitoring.forget-samples", forget_samples, every=timedelta(hours=1)),
)
