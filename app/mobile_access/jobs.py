"""Background work of mobile_access."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from app.core import clock, db
from app.core.installation import settings
from app.core.outbox import Job
from app.mobile_access import service
from app.mobile_access.files import artifact_store
from app.mobile_access.gathering import browsers, gather
from app.mobile_access.life import CHECK_JOB, HIDE_JOB, TIMEOUT_JOB
from app.mobile_access.publication import PUBLISH_JOB
from app.mobile_access.service import CheckResult, CheckVerdict
from app.mobile_access.waivers import waivers_for
from mobile_pages.artifact import Artifact
from mobile_pages.report.document import to_json
from mobile_pages.spec.base import Profile, Rule
from mobile_pages.spec.engine import Report, judge

log = structlog.get_logger(__name__)


def check_page(payload: Mapping[str, Any]) -> None:
    """Visit, judge, record. Run twice it visits twice and records once."""
    run_id = int(payload["run_id"])
    task = db.transaction(lambda: service.begin_check(run_id, now=clock.system_clock()))
    if task is None:
        return
    installed = settings()
    store = artifact_store(installed.var_dir)
    artifact = gather(
        task.declaration,
        service.outbound_guard(installed),
        browsers(),
        store_screenshot=store.put,
        deadline_seconds=installed.check_deadline_seconds,
        now=clock.system_clock(),
    )
    waivers = waivers_for(task.declaration.url, installed, clock.system_clock().date())
    report = judge(artifact, Profile.STANDARD, waivers=waivers, on_error=_rule_broke)
    kept = store.put(artifact.to_json().encode())
    result = _result(report, artifact, kept)
    db.transaction(lambda: service.record_check(run_id, result, now=clock.system_clock()))


def _result(report: Report, artifact: Artifact, digest: str) -> CheckResult:
    return CheckResult(
        verdict=CheckVerdict(report.verdict),
        spec_version=report.spec_version,
        profile=report.profile,
        counts=dataclasses.asdict(report.totals),
        report=to_json(report, artifact),
        artifact=digest,
    )


def _rule_broke(rule: Rule, error: Exception) -> None:
    log.error("rule_broke", rule=rule.code, exc_info=error)


def end_stuck_checks(_payload: Mapping[str, Any]) -> None:
    """Let pages go on whose check was put aside after too many failures."""
    now = clock.system_clock()
    for run_id in service.stuck_checks(now=now):
        db.transaction(lambda id=run_id: service.record_check(id, _NOT_DONE, now=now))  # type: ignore[misc]


_NOT_DONE = CheckResult(
    verdict=CheckVerdict.UNDECIDED,
    spec_version="",
    profile="",
    counts={},
    report=None,
    artifact=None,
)


def publish_channel(payload: Mapping[str, Any]) -> None:
    service.publish_menus(str(payload["kind"]), base_url=settings().base_url, now=clock.system_clock())


def hide_entry(payload: Mapping[str, Any]) -> None:
    page_id, down_since = _outage(payload)
    db.transaction(lambda: service.hide_entry(page_id, down_since, now=clock.system_clock()))


def end_outage(payload: Mapping[str, Any]) -> None:
    page_id, down_since = _outage(payload)
    db.transaction(lambda: service.end_outage(page_id, down_since, now=clock.system_clock()))


def _outage(payload: Mapping[str, Any]) -> tuple[int, datetime]:
    return int(payload["page_id"]), datetime.fromisoformat(payload["down_since"])


JOBS = (
    Job(CHECK_JOB, check_page),
    Job(PUBLISH_JOB, publish_channel),
    Job(HIDE_JOB, hide_entry),
    Job(TIMEOUT_JOB, end_outage),
    Job("mobile_access.end-stuck-checks", end_stuck_checks, every=timedelta(minutes=10)),
)
