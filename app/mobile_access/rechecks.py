"""Checks that move nothing by themselves: of pages that residents see, made while they stay served."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.core import db, outbox
from app.mobile_access.domain import BECAUSE_MAX, CheckKind, State
from app.mobile_access.models import CheckRun, MobilePage

CHECK_JOB = "mobile_access.check-page"
REJUDGE_PAGE_JOB = "mobile_access.rejudge-page"
RENEW_JOB = "mobile_access.renew-artifact"
SYSTEM = "system"
SHOWN = frozenset({State.ONLINE, State.DEGRADED})
"""Where a page is one that residents use."""


def ask_recheck(
    page_id: int,
    kind: CheckKind,
    *,
    occasion: str | None,
    because: str,
    actor: str,
    now: datetime,
    after: timedelta = timedelta(0),
) -> int | None:
    """Ask for a visit to a page in whatever state, without moving it.

    Args:
        occasion: what it is for; asked again for the same, nothing happens. None is no such bond.
        after: how long to wait before the visit.

    Returns:
        the check, None when it was asked for already.
    """
    run = new_run(page_id, kind, occasion=occasion, because=because, actor=actor, now=now)
    if run is None:
        return None
    key = f"{CHECK_JOB}:{run.id}"
    outbox.enqueue(CHECK_JOB, {"run_id": str(run.id)}, dedup_key=key, run_at=now + after if after else None)
    return run.id


def phase_of(page_id: int, period: timedelta) -> timedelta:
    """Return the page's own place in ``period``, the same every time, so that work is spread."""
    return timedelta(seconds=zlib.crc32(str(page_id).encode()) % int(period.total_seconds()))


def ask_rejudgement(page_id: int, occasion: str, because: str) -> None:
    """Ask for the page to be judged again on what was collected last."""
    payload = {"page_id": str(page_id), "occasion": occasion, "because": because}
    outbox.enqueue(REJUDGE_PAGE_JOB, payload, dedup_key=f"{REJUDGE_PAGE_JOB}:{occasion}")


def new_run(
    page_id: int, kind: CheckKind, *, occasion: str | None, because: str, actor: str, now: datetime
) -> CheckRun | None:
    """Insert the next check of a page; None when its occasion has one."""
    if occasion is not None and has_occasion(occasion):
        return None
    run = CheckRun(
        page_id=page_id,
        number=_next_number(page_id),
        asked_by=actor,
        asked_at=now,
        spec_version="",
        profile="",
        counts={},
        kind=kind,
        occasion=occasion,
        because=because[:BECAUSE_MAX],
    )
    try:
        with db.writing().begin_nested():
            db.writing().add(run)
    except IntegrityError:
        if occasion is not None and has_occasion(occasion):
            return None  # another worker was quicker
        raise
    return run


def has_occasion(occasion: str) -> bool:
    return db.session().scalar(select(CheckRun.id).where(CheckRun.occasion == occasion)) is not None


def _next_number(page_id: int) -> int:
    # The page's version stays: nobody who is reviewing or editing it has seen something else.
    db.writing().execute(
        update(MobilePage)
        .where(MobilePage.id == page_id)
        .values(checks=MobilePage.checks + 1)
        .execution_options(synchronize_session=False)
    )
    page = db.writing().get_one(MobilePage, page_id)
    db.writing().refresh(page)
    return page.checks
