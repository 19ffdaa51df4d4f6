"""Background work of monitoring."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.core import clock, db
from app.core.outbox import Job
from app.monitoring import service


def forget_samples(_payload: Mapping[str, Any]) -> None:
    """Delete old looks, an hour's worth a transaction, so that none of them is long."""
    before = clock.system_clock() - service.KEEP_SAMPLES
    while db.transaction(lambda: service.forget_samples(before)):
        pass


JOBS = (Job("monitoring.forget-samples", forget_samples, every=timedelta(hours=1)),)
