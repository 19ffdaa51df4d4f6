"""Background work of the exchange."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from app.core import clock, db
from app.core.apart import each_apart
from app.core.outbox import Job
from app.exchange import service


def tell_system(payload: Mapping[str, Any]) -> None:
    """Tell the system that handles a case that it moved."""
    application_id, step = int(payload["application_id"]), int(payload["step"])
    db.transaction(lambda: service.tell_system(application_id, step, now=clock.system_clock()))


def hand_over(payload: Mapping[str, Any]) -> None:
    db.transaction(lambda: service.hand_over(int(payload["out_id"]), now=clock.system_clock()))


def note_push(payload: Mapping[str, Any]) -> None:
    at = datetime.fromisoformat(payload["at"])
    told = (payload["reference"], int(payload["attempt"]), payload["outcome"], payload["error"])
    db.transaction(lambda: service.note_push(*told, now=at))


def catch_up(payload: Mapping[str, Any]) -> None:
    """Put what was open before a system went live into its inbox, a part at a time."""
    system_id = int(payload["system_id"])
    after: int | None = 0
    while after is not None:
        after = db.transaction(partial(service.catch_up, system_id, now=clock.system_clock(), after=after))


def bring_in(payload: Mapping[str, Any]) -> None:
    """Try again what waits of a system whose registration was changed, a case at a time."""
    now, waiting = clock.system_clock(), service.waiting_cases(int(payload["system_id"]))
    each_apart(waiting, lambda one: db.transaction(partial(service.settle_again, one, now=now)))


def forget_case(payload: Mapping[str, Any]) -> None:
    """Forget what messages said of a case whose personal answers are kept no longer."""
    db.transaction(lambda: service.forget_case(int(payload["application_id"])))


def look_after(_payload: Mapping[str, Any]) -> None:
    """Hand over again what nobody acknowledged, and tell people what has waited too long."""
    now = clock.system_clock()
    db.transaction(lambda: service.tell_of_waiting(now=now))
    each_apart(service.due(now), lambda one: db.transaction(partial(service.hand_over, one, now=now)))


JOBS = (
    Job("exchange.tell-system", tell_system),
    Job(service.HAND_OVER_JOB, hand_over, urgent=True),
    Job("exchange.note-push", note_push),
    Job(service.CATCH_UP_JOB, catch_up),
    Job(service.BRING_IN_JOB, bring_in),
    Job("exchange.forget-case", forget_case),
    Job("exchange.look-after", look_after, every=timedelta(minutes=1)),
)
