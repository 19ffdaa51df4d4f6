from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.core import clock, db
from app.core.outbox import Job
from app.identity import service


def forget_expired(_payload: Mapping[str, Any]) -> None:
    now = clock.system_clock()
    for work in (
        service.forget_expired,
        service.forget_checks,
        service.expire_links,
        service.expire_delegations,
    ):
        _until_done(work, now)


def merge_proved(_payload: Mapping[str, Any]) -> None:
    """Merge what both accounts agreed to; each agreement asks for this, the clock sees to what was missed."""
    _until_done(service.merge_proved, clock.system_clock())


def _until_done(work: Callable[[datetime], int], now: datetime) -> None:
    while db.transaction(lambda: work(now)):
        pass


JOBS = (
    Job("identity.forget-expired", forget_expired, every=timedelta(hours=1)),
    Job("identity.merge-proved", merge_proved, every=timedelta(hours=1), urgent=True),
)
