"""Checks: what is to be looked at, what came of it, and what staff read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import load_only

from app.core import clock, db, outbox
from app.core.access import Permission
from app.core.errors import Conflict, NotFound
from app.mobile_access.domain import RENEW_WITHIN, CheckKind, State, verify_files
from app.mobile_access.grace import after_check
from app.mobile_access.life import check_ended
from app.mobile_access.models import CheckFile, CheckRun, MobilePage
from app.mobile_access.rechecks import (
    RENEW_JOB,
    SYSTEM,
    ask_recheck,
    ask_rejudgement,
    new_run,
    phase_of,
)
from app.mobile_access.registry import channels_of, load, load_any
from app.mobile_access.shapes import CheckReport, CheckResult, CheckTask, CheckView, Differences
from app.mobile_access.spec_versions import spec_in_force
from app.organisations import service as organisations
from mobile_pages.artifact import Declaration, Level, Monitoring
from mobile_pages.report.comparison import compare
from mobile_pages.report.document import from_json

RECHECK_WITHIN = timedelta(hours=24)  # Source: MAS-MON-04

_RENEWED = frozenset({State.ONLINE, State.PASSED})

LOOKS_AGAIN = "6/hour"
"""How often a visit to one online page may be asked for, by whoever it is."""

STUCK_AFTER = timedelta(hours=1)
"""A check not finished by then never will be: the job was put aside."""

_LEVELS = {"province": Level.PROVINCE, "city": Level.CITY}


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
    return CheckTask(run_id, run.page_id, declaration_of(load_any(run.page_id)))


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
        verify_files=verify_files(page.wechat_file, page.wechat_file_text, page.alipay_file),
        signed_in_url=page.signed_in_url or None,
        ticket_url=page.ticket_url or None,
        expired_ticket_url=page.expired_ticket_url or None,
        may_probe_paths=page.may_probe_paths,
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
    before = report_before(run.page_id, run.number)
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
            differences=differences_between(before, result.report),
        )
        .execution_options(synchronize_session=False)
    )
    if won.rowcount != 1:  # type: ignore[attr-defined]
        return False
    db.writing().refresh(run)
    _keep_files(run)
    if run.kind is CheckKind.ASKED:
        check_ended(run.page_id, run.number, result.verdict, now=now)
    spec = spec_in_force(today=clock.day_of(now))
    after_check(run, result, grace_days=spec.grace_days, now=now)
    if run.artifact is not None and run.spec_version != spec.version:
        # A version was published while the page was being visited.
        ask_rejudgement(run.page_id, f"spec:{spec.version}:{run.page_id}", because_of(spec.version))
    return True


def because_of(version: str) -> str:
    return f"规范第 {version} 版生效"


def record_rejudgement(
    source_id: int, result: CheckResult, *, occasion: str, because: str, now: datetime
) -> bool:
    """Store what was said of an earlier check's artifact as a check of its own. Safe to repeat.

    Returns:
        False when it was there already, or a later check has overtaken the one judged again.
    """
    source = db.writing().get_one(CheckRun, source_id)
    newest = _newest(source.page_id)
    if newest is None or newest.id != source_id:
        return False
    run = new_run(source.page_id, CheckKind.SPEC, occasion=occasion, because=because, actor=SYSTEM, now=now)
    if run is None:
        return False
    run.started_at = now
    db.writing().flush()
    return record_check(run.id, result, now=now)


def rejudge_source(page_id: int) -> tuple[int, str, Mapping[str, Any] | None] | None:
    """Return the check to judge again, its artifact's address and its report.

    None while a check is under way, which will know the version that holds, and where nothing is kept.
    """
    page = load_any(page_id)
    run = _newest(page_id)
    if page.state in (State.CHECKING, State.RETIRED) or run is None or run.finished_at is None:
        return None
    if run.artifact is None or run.files_forgotten_at is not None:
        return None
    return run.id, run.artifact, run.report


def visit_instead(page_id: int, occasion: str, because: str, *, now: datetime) -> None:
    """Have a page visited that cannot be judged on what is kept, at its own moment within a day.

    Only of pages that residents use or the province is about to decide on. Safe to repeat.
    """
    if load_any(page_id).state not in _RENEWED:
        return
    payload = {
        "page_id": str(page_id),
        "occasion": f"{occasion}:visit",
        "because": because,
        "since": now.isoformat(),
    }
    at = now + phase_of(page_id, RENEW_WITHIN)
    outbox.enqueue(RENEW_JOB, payload, dedup_key=f"{RENEW_JOB}:{occasion}", run_at=at)


def renew_artifact(page_id: int, occasion: str, because: str, *, since: datetime, now: datetime) -> None:
    """Ask for the visit, unless one was made or asked for after ``since``. Safe to repeat."""
    visited = db.session().scalar(
        select(CheckRun.id)
        .where(CheckRun.page_id == page_id, CheckRun.kind != CheckKind.SPEC, CheckRun.asked_at > since)
        .limit(1)
    )
    if visited is None and load_any(page_id).state in _RENEWED:
        ask_recheck(page_id, CheckKind.RENEW, occasion=occasion, because=because, actor=SYSTEM, now=now)


def pages_to_rejudge(after: int, *, limit: int) -> list[int]:
    """Return the next pages, by id, that have been checked and are not retired."""
    query = (
        select(MobilePage.id)
        .where(MobilePage.id > after, MobilePage.checks > 0, MobilePage.state != State.RETIRED)
        .order_by(MobilePage.id)
        .limit(limit)
    )
    return list(db.session().scalars(query))


def look_again(by: organisations.Principal, page_id: int, *, now: datetime) -> CheckView:
    """Ask for a visit to an online page; it stays with residents meanwhile.

    Raises:
        NotFound: no such page in the scope of ``by``.
        Conflict: it is not online, or a check of it is under way.
    """
    page = load(by, Permission.PAGES_REGISTER, page_id)
    newest = _newest(page_id)
    confirming = newest is not None and newest.kind is CheckKind.CONFIRM  # waits for some minutes yet
    under_way = newest is not None and newest.finished_at is None and not confirming
    if page.state is not State.ONLINE or under_way:
        raise Conflict("网页不在线，或者正在检测")
    run_id = ask_recheck(page_id, CheckKind.ASKED, occasion=None, because="", actor=by.actor, now=now)
    return _view(db.writing().get_one(CheckRun, run_id))


def _newest(page_id: int) -> CheckRun | None:
    query = select(CheckRun).where(CheckRun.page_id == page_id).order_by(CheckRun.number.desc()).limit(1)
    return db.session().scalar(query)


def report_before(page_id: int, number: int) -> Mapping[str, Any] | None:
    """Return the newest report of the page before its check ``number``, None when there is none."""
    query = (
        select(CheckRun.id)
        .where(
            CheckRun.page_id == page_id,
            CheckRun.number < number,
            CheckRun.finished_at.is_not(None),
            CheckRun.artifact.is_not(None),
        )
        .order_by(CheckRun.number.desc())
        .limit(1)
    )
    found = db.session().scalar(query)
    if found is None:
        return None
    return db.session().scalar(select(CheckRun.report).where(CheckRun.id == found))


def differences_between(
    before: Mapping[str, Any] | None, now: Mapping[str, Any] | None
) -> dict[str, list[str]] | None:
    if before is None or now is None:
        return None
    try:
        found = compare(from_json(before), from_json(now))
    except ValueError:  # a report of an earlier release, in a form that is read no more
        return None
    return {
        "broken": [one.code for one in found.broken],
        "must_broken": [one.code for one in found.broken if one.blocks],
        "mended": [one.code for one in found.mended],
    }


def _keep_files(run: CheckRun) -> None:
    pictures = [one["sha256"] for one in (run.report or {}).get("screenshots", ())]
    for digest in sorted({one for one in (run.artifact, *pictures) if one}):
        db.writing().add(CheckFile(run_id=run.id, digest=digest))
    db.writing().flush()


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
    return report_of_any(page_id, number)


def report_of_any(page_id: int, number: int) -> CheckReport:
    """Return a check with its report whosever page it is, for the system itself.

    Raises:
        NotFound: no such check.
    """
    query = select(CheckRun).where(CheckRun.page_id == page_id, CheckRun.number == number)
    run = db.session().scalar(query)
    if run is None:
        raise NotFound("没有这次检测")
    return CheckReport(_view(run), run.report, report_before(page_id, number))


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
    CheckRun.kind,
    CheckRun.because,
    CheckRun.differences,
    CheckRun.files_forgotten_at,
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
        kind=run.kind,
        because=run.because,
        differences=differences_of(run),
        has_files=run.artifact is not None and run.files_forgotten_at is None,
    )


def differences_of(run: CheckRun) -> Differences | None:
    """Return what moved since the check before, None when there was nothing to compare with."""
    if run.differences is None:
        return None
    return Differences(**{name: tuple(codes) for name, codes in run.differences.items()})


def with_rechecks(page_id: int, watch: Monitoring | None, *, now: datetime) -> Monitoring | None:
    """Return ``watch`` with how changes of the page were followed up; None stays None."""
    if watch is None:
        return None
    runs = list(
        db.session().execute(
            select(CheckRun.kind, CheckRun.asked_at, CheckRun.finished_at).where(
                CheckRun.page_id == page_id, CheckRun.kind != CheckKind.SPEC, CheckRun.artifact.is_not(None)
            )
        )
    )
    finished = [done for _, _, done in runs if done is not None]
    drifts = [(asked, done) for kind, asked, done in runs if kind is CheckKind.DRIFT]
    in_time = [asked for asked, done in drifts if done is not None and done - asked <= RECHECK_WITHIN]
    return replace(
        watch,
        changes=len(drifts),
        changes_rechecked=len(in_time),
        days_since_full_check=(now - max(finished)) / timedelta(days=1) if finished else None,
    )
