"""The clocks of applications, run by the calendar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from app.applications import service
from app.core import clock, db
from app.core.outbox import Job


def end_intakes(_payload: Mapping[str, Any]) -> None:
    _each(service.overdue_intakes(clock.day_of(clock.system_clock())), service.deem_accepted)


def end_supplements(_payload: Mapping[str, Any]) -> None:
    _each(service.overdue_supplements(clock.day_of(clock.system_clock())), service.return_overdue)


def retire_items(_payload: Mapping[str, Any]) -> None:
    db.transaction(lambda: service.retire_versions(now=clock.system_clock()))


def _each(case_ids: list[int], act: Callable[..., bool]) -> None:
    # A transaction each: one that fails holds up none of the others.
    for case_id in case_ids:
        db.transaction(partial(act, case_id, now=clock.system_clock()))


JOBS = (
    Job("applications.end-intakes", end_intakes, every=timedelta(minutes=10)),
    Job("applications.end-supplements", end_supplements, every=timedelta(minutes=10)),
    Job("applications.retire-items", retire_items, every=timedelta(hours=6)),
)
