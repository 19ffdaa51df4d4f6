"""Checks: what is to be looked at, what came of it, and what staff read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import load_only

from app.core import db
from app.core.access import Permission
from app.core.errors import NotFound
from app.mobile_access.domain import CheckVerdict
from app.mobile_access.life import check_ended
from app.mobile_access.models import CheckRun, MobilePage
from app.mobile_access.registry import channels_of, load, load_any
from app.mobile_access.shapes import CheckReport, CheckView
from app.organisations import service as organisations
from mobile_pages.artifact import Declaration, Level

STUCK_AFTER = timedelta(hours=1)
"""A check not finished by then never will be: the job was put aside."""

_LEVELS = {"province": Level.PROVINCE, "city": Level.CITY}


@dataclass(frozen=True, slots=True)
class CheckTask:
    """What the job has to look at."""

    run_id: int
    declaration: Declaration


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of a check.

    Attributes:
        report: the report as JSON, None when the check never came that far; ``counts`` its totals.
        artifact: content address of what was collected, None when nothing was.
    """

    verdict: CheckVerdict
    spec_version: str
    profile: str
    counts: Mapping[str, int]
    report: Mapping[str, Any] | None
    artifact: str | None


def begin_check(run_id: int, *, now: datetime) -> CheckTask | None:
    """Return what a check is to look at and note when it began; None when it is finished already.

    Raises:
        NotFound: no such check.
    """
    run = db.writing().get(CheckRun, run_id)
    if run is None:
        raise NotFound("没有这次检测")
    if run.finished_at is not None:
        return None
    run.started_at = run.started_at or now
    return CheckTask(run_id, declaration_of(load_any(run.page_id)))


def declaration_of(page: MobilePage) -> Declaration:
    """Return what the department said about its page, as the rules read it."""
    body = organisations.get_body(page.body_id)
    return Declaration(
        name=page.name,
        url=page.url,
        body_name=body.full_name,
        level=_LEVELS.get(body.level, Level.COUNTY),
        region_code=body.region_code,
        service_region_code=body.region_code,
        hotline=page.hotline,
        description=page.description,
        channels=tuple(one.kind for one in channels_of([page.id])[page.id]),
        domains=tuple(page.domains),
        elder_url=page.elder_url or None,
        health_url=page.health_url or None,
        icp_number=page.icp_number,
        name_reason=page.name_reason,
    )


def record_check(run_id: int, result: CheckResult, *, now: datetime) -> bool:
    """Store the result of a check and move its page on; a second result changes nothing.

    Returns:
        True when it was the first.

    Raises:
        NotFound: no such check.
    """
    run = db.writing().get(CheckRun, run_id)
    if run is None:
        raise NotFound("没有这次检测")
    won = db.writing().execute(
        update(CheckRun)
        .where(CheckRun.id == run_id, CheckRun.finished_at.is_(None))
        .values(
            finished_at=now,
            verdict=result.verdict,
            spec_version=result.spec_version,
            profile=result.profile,
            counts=dict(result.counts),
            report=None if result.report is None else dict(result.report),
            artifact=result.artifact,
        )
        .execution_options(synchronize_session=False)
    )
    if won.rowcount != 1:  # type: ignore[attr-defined]
        return False
    check_ended(run.page_id, run.number, result.verdict, now=now)
    return True


def checks_of(by: organisations.Principal, page_id: int, *, limit: int = 50) -> list[CheckView]:
    """Return the checks of a page, newest first, without their reports.

    Raises:
        NotFound: no such page in the scope of ``by``.
    """
    load(by, Permission.PAGES_READ, page_id)
    query = (
        select(CheckRun)
        .where(CheckRun.page_id == page_id)
        .order_by(CheckRun.number.desc())
        .limit(limit)
        .options(load_only(*_LIGHT))
    )
    return [_view(run) for run in db.session().scalars(query)]


def report_of(by: organisations.Principal, page_id: int, number: int) -> CheckReport:
    """Return a check with its report.

    Raises:
        NotFound: no such page in the scope of ``by``, or no such check.
    """
    load(by, Permission.PAGES_READ, page_id)
    query = select(CheckRun).where(CheckRun.page_id == page_id, CheckRun.number == number)
    run = db.session().scalar(query)
    if run is None:
        raise NotFound("没有这次检测")
    return CheckReport(_view(run), run.report)


def stuck_checks(*, now: datetime) -> list[int]:
    """Return the checks asked for so long ago that they will never finish."""
    query = select(CheckRun.id).where(CheckRun.finished_at.is_(None), CheckRun.asked_at < now - STUCK_AFTER)
    return list(db.session().scalars(query))


_LIGHT = (
    CheckRun.page_id,
    CheckRun.number,
    CheckRun.asked_by,
    CheckRun.asked_at,
    CheckRun.started_at,
    CheckRun.finished_at,
    CheckRun.spec_version,
    CheckRun.profile,
    CheckRun.verdict,
    CheckRun.counts,
    CheckRun.artifact,
)


def _view(run: CheckRun) -> CheckView:
    return CheckView(
        id=run.id,
        page_id=run.page_id,
        number=run.number,
        asked_by=run.asked_by,
        asked_at=run.asked_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        spec_version=run.spec_version,
        profile=run.profile,
        verdict=run.verdict,
        counts=run.counts,
        artifact=run.artifact,
    )
