"""Background work of payments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.core import clock, db
from app.core.outbox import Job
from app.payments import service


def send_refund(payload: Mapping[str, Any]) -> None:
    service.send_refund(int(payload["refund_id"]), clock.system_clock())


def reconcile(_payload: Mapping[str, Any]) -> None:
    service.reconcile(clock.system_clock())


def forget_notices(_payload: Mapping[str, Any]) -> None:
    db.transaction(lambda: service.forget_notices(clock.system_clock()))


JOBS = (
    Job(service.SEND_REFUND_JOB, send_refund),
    Job("payments.reconcile", reconcile, every=timedelta(minutes=5)),
    Job("payments.forget-notices", forget_notices, every=timedelta(days=1)),
)
