"""Background work of notices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.core import clock, db
from app.core.installation import settings
from app.core.outbox import Job
from app.notices import service
from app.notices.delivering import deliver as deliver_one

RECEIPTS_AT_ONCE = 200


def deliver(payload: Mapping[str, Any]) -> None:
    deliver_one(int(payload["message_id"]), settings().base_url, clock.system_clock)


def find_forgotten(_payload: Mapping[str, Any]) -> None:
    """Take what a job that died left behind, and receipts that were faster than the answer."""
    now = clock.system_clock()
    db.transaction(lambda: service.match_early(now, limit=RECEIPTS_AT_ONCE))
    db.transaction(lambda: service.find_forgotten(now))


def forget_old(_payload: Mapping[str, Any]) -> None:
    now = clock.system_clock()
    while db.transaction(lambda: service.forget_texts(now)):
        pass
    while db.transaction(lambda: service.forget_proofs(now)):
        pass
    db.transaction(lambda: service.forget_receipts(now))


def forget_resident(payload: Mapping[str, Any]) -> None:
    db.transaction(lambda: service.forget_resident(int(payload["resident_id"])))


def tell_same_person(payload: Mapping[str, Any]) -> None:
    """Tell who holds an account that another was verified as the same person: it may be a stranger's."""
    resident_id, link_id = int(payload["resident_id"]), int(payload["link_id"])
    db.transaction(lambda: service.tell_same_person(resident_id, link_id, now=clock.system_clock()))


JOBS = (
    Job(service.DELIVER_JOB, deliver, urgent=True),
    Job("notices.find-forgotten", find_forgotten, every=timedelta(minutes=1)),
    Job("notices.forget-resident", forget_resident),
    Job("notices.tell-same-person", tell_same_person),
    Job("notices.forget-old", forget_old, every=timedelta(hours=6)),
)
