"""What themes do behind people's backs: gather in what sub-cases came to, give old drafts up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from app.core import clock, db
from app.core.outbox import Job
from app.themes import service

SWEEP = 500


def follow_case(payload: Mapping[str, Any]) -> None:
    _follow(service.followers_of(int(payload["application_id"])))


def follow_all(_payload: Mapping[str, Any]) -> None:
    # Items that were suspended are open again, drafts were given up: nothing tells of it.
    _follow(service.unfinished(limit=SWEEP))


def _follow(ids: list[int]) -> None:
    for theme_application_id in ids:
        db.transaction(partial(service.follow, theme_application_id, now=clock.system_clock()))


def forget_drafts(_payload: Mapping[str, Any]) -> None:
    now = clock.system_clock()
    for theme_application_id in service.expired_drafts(clock.day_of(now)):
        db.transaction(partial(service.forget_draft, theme_application_id, now=now))


JOBS = (
    Job("themes.follow-case", follow_case),
    Job("themes.follow-all", follow_all, every=timedelta(minutes=30)),
    Job("themes.forget-drafts", forget_drafts, every=timedelta(hours=6)),
)
