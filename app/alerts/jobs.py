"""Background work of alerts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.alerts import service
from app.alerts.delivering import deliver as deliver_one
from app.core import clock, db
from app.core.installation import settings
from app.core.outbox import Job


def gather(_payload: Mapping[str, Any]) -> None:
    service.gather(clock.system_clock())


def compose(payload: Mapping[str, Any]) -> None:
    db.transaction(lambda: service.compose(payload["recipient"], clock.system_clock()))


def deliver(payload: Mapping[str, Any]) -> None:
    deliver_one(int(payload["delivery_id"]), settings(), clock.system_clock)


def find_forgotten(_payload: Mapping[str, Any]) -> None:
    """Take what a job that died left behind."""
    now = clock.system_clock()
    service.gather_late(now)
    service.find_forgotten(now)
    db.transaction(lambda: service.give_up(now))


def forget_old(_payload: Mapping[str, Any]) -> None:
    before = clock.system_clock() - service.KEEP
    while db.transaction(lambda: service.forget_old(before)):
        pass


JOBS = (
    Job(service.GATHER_JOB, gather, urgent=True),
    Job(service.COMPOSE_JOB, compose, urgent=True),
    Job(service.DELIVER_JOB, deliver, urgent=True),
    Job("alerts.find-forgotten", find_forgotten, every=timedelta(minutes=1)),
    Job("alerts.forget-old", forget_old, every=timedelta(hours=6)),
)
