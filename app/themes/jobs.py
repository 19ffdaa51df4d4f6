"""What themes do behind people's backs: gather in what sub-cases came to, give old drafts up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from app.core import clock, db
from app.core.apart import each_apart
from app.core.outbox import Job
from app.themes import service

SWEEP = 500


def follow_case(payload: Mapping[str, Any]) -> None:
    _follow(service.followers_of(int(payload["application_id"])))


def follow_all(_payload: Mapping[str, Any]) -> None:
    # Items that were suspended are open again, drafts were given up: nothing tells of it.
    _follow(service.unfinished(limit=SWEEP))


def _follow(ids: list[int]) -> None:
    each_apart(ids, lambda one: db.transaction(partial(service.follow, one, now=clock.system_clock())))


def forget_drafts(_payload: Mapping[str, Any]) -> None:
    now = clock.system_clock()
    over = service.expired_drafts(clock.day_of(now))
    each_apart(over, lambda one: db.transaction(partial(service.forget_draft, one, now=now)))


def forget_resident(payload: Mapping[str, Any]) -> None:
    """Give up the drafts of a closed account; what was submitted goes on."""
    resident_id, now = int(payload["resident_id"]), clock.system_clock()
    db.transaction(lambda: service.forget_resident(resident_id, now=now))


JOBS = (
    Job("themes.follow-case", follow_case),
    Job("themes.follow-all", follow_all, every=timedelta(minutes=30)),
    Job("themes.forget-resident", forget_resident),
    Job("themes.forget-drafts", forget_drafts, every=timedelta(hours=6)),
)
