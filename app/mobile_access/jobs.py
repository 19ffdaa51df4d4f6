"""Background work of mobile_access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from app.core import clock, db, outbox
from app.core.installation import seen_of, settings
from app.core.outbox import Job
from app.mobile_access import service
from app.mobile_access.files import artifact_store
from app.mobile_access.gathering import browsers, gather
from app.mobile_access.grace import END_GRACE_JOB
from app.mobile_access.judging import explained, judged, uncollected
from app.mobile_access.kept import excused, kept_artifact
from app.mobile_access.life import HIDE_JOB, TIMEOUT_JOB
from app.mobile_access.looking import look_at
from app.mobile_access.presenting import as_html
from app.mobile_access.printing import PRINT_JOB
from app.mobile_access.publication import PUBLISH_JOB
from app.mobile_access.rechecks import CHECK_JOB, REJUDGE_PAGE_JOB, RENEW_JOB
from app.mobile_access.service import CheckResult, CheckVerdict
from app.mobile_access.spec_versions import REJUDGE_JOB
from mobile_pages.artifact import Artifact, Monitoring
from mobile_pages.gather.static import fetch
from mobile_pages.report.pdf import to_pdf
from mobile_pages.spec.base import Profile
from mobile_pages.spec.editions import editions_of

LOOK_JOB = "mobile_access.look-at-page"
REJUDGED_AT_ONCE = 20


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
        elder=Profile.ELDER in editions_of(task.declaration),
    )
    artifact = replace(artifact, monitoring=_seen(task.page_id))
    kept = store.put(artifact.to_json().encode())
    result = _judged(artifact, kept, task.page_id)
    db.transaction(lambda: service.record_check(run_id, result, now=clock.system_clock()))


def _seen(page_id: int) -> Monitoring | None:
    return service.with_rechecks(page_id, seen_of(page_id), now=clock.system_clock())


def _judged(artifact: Artifact, digest: str, page_id: int) -> CheckResult:
    now = clock.system_clock()
    spec = service.spec_in_force(today=clock.day_of(now))
    return judged(artifact, digest, spec, excused(page_id, artifact.declaration.url, now=now))


def rejudge_pages(payload: Mapping[str, Any]) -> None:
    """Ask for a lot of pages to be judged again under a version of the spec, then for the next lot."""
    version, after = str(payload["version"]), int(payload["after"])
    pages = service.pages_to_rejudge(after, limit=REJUDGED_AT_ONCE)
    for page_id in pages:
        _rejudge(page_id, f"spec:{version}:{page_id}", service.because_of(version))
    if len(pages) == REJUDGED_AT_ONCE:
        following = {"version": version, "after": str(pages[-1])}
        key = f"{REJUDGE_JOB}:{version}:{pages[-1]}"
        db.transaction(lambda: outbox.enqueue(REJUDGE_JOB, following, dedup_key=key))


def rejudge_page(payload: Mapping[str, Any]) -> None:
    _rejudge(int(payload["page_id"]), str(payload["occasion"]), str(payload["because"]))


def _rejudge(page_id: int, occasion: str, because: str) -> None:
    """Judge a page again on what was collected last, without a visit.

    Where that is kept no more, or in a form that is read no more, or does not hold all that the rules
    ask for now, the page is visited, provided that residents use it. Safe to repeat.
    """
    found = service.rejudge_source(page_id)
    if found is None:
        return
    run_id, digest, before = found
    artifact = kept_artifact(digest)
    if artifact is None:
        said = f"{because}，原始数据已清理，重新访问"
        db.transaction(lambda: service.visit_instead(page_id, occasion, said, now=clock.system_clock()))
        return
    complete = replace(artifact, evidence=service.evidence_for(page_id, digest))
    result = _judged(complete, digest, page_id)
    lacking = uncollected(before, result.report)
    result = explained(result, lacking)

    def record() -> None:
        now, said = clock.system_clock(), because
        if lacking:
            said = f"{because}；{len(lacking)} 条上次没有采集，重新访问后才能判定"
            service.visit_instead(page_id, occasion, f"{because}，补充采集 {len(lacking)} 条", now=now)
        service.record_rejudgement(run_id, result, occasion=occasion, because=said, now=now)

    db.transaction(record)


def renew_artifact(payload: Mapping[str, Any]) -> None:
    """Have a page visited whose last visit did not collect what the spec asks for now."""
    page_id, since = int(payload["page_id"]), datetime.fromisoformat(payload["since"])
    occasion, because = str(payload["occasion"]), str(payload["because"])
    now = clock.system_clock()
    db.transaction(lambda: service.renew_artifact(page_id, occasion, because, since=since, now=now))


def apply_spec_version(_payload: Mapping[str, Any]) -> None:
    db.transaction(lambda: service.apply_due_version(now=clock.system_clock()))


def end_grace(payload: Mapping[str, Any]) -> None:
    grace_id, attempt = int(payload["grace_id"]), int(payload["attempt"])
    db.transaction(lambda: service.end_grace(grace_id, attempt, now=clock.system_clock()))


def end_waivers(_payload: Mapping[str, Any]) -> None:
    now = clock.system_clock()
    for waiver_id in service.due_waivers(now=now):
        db.transaction(partial(service.end_due_waiver, waiver_id, now=now))


def ask_weekly_rechecks(_payload: Mapping[str, Any]) -> None:
    now = clock.system_clock()
    for due in service.due_rechecks(now=now):
        db.transaction(partial(service.ask_weekly_recheck, due, now=now))


def ask_looks(_payload: Mapping[str, Any]) -> None:
    for due in service.due_looks(now=clock.system_clock()):
        payload = {"page_id": str(due.page_id), "url": due.url}
        key = f"{LOOK_JOB}:{due.page_id}:{due.at:%Y%m%dT%H%M%S}"
        db.transaction(partial(outbox.enqueue, LOOK_JOB, payload, dedup_key=key))


def look_at_page(payload: Mapping[str, Any]) -> None:
    """Look at a page by plain HTTP; a change asks for a full recheck."""
    page_id = int(payload["page_id"])
    seen = look_at(fetch(str(payload["url"]), service.outbound_guard(settings())))
    now = clock.system_clock()
    if seen is None:
        db.transaction(lambda: service.note_missed_look(page_id, now=now))
    else:
        db.transaction(lambda: service.note_look(page_id, seen, now=now))


def clear_files(_payload: Mapping[str, Any]) -> None:
    """Let go what need not be kept, then delete the files that nothing refers to."""
    now, store = clock.system_clock(), artifact_store(settings().var_dir)
    db.transaction(lambda: service.forget_printed(now=now))
    while db.transaction(lambda: service.forget_files(now=now)):
        continue
    for folder in store.folders():
        service.clear_folder(store, folder, now=now)


def print_report(payload: Mapping[str, Any]) -> None:
    key, page_id, number = str(payload["key"]), int(payload["page_id"]), int(payload["number"])
    if service.print_state(key).digest is not None:
        return
    store = artifact_store(settings().var_dir)
    found = service.report_of_any(page_id, number)
    digest = store.put(to_pdf(as_html(found, store, made_at=clock.system_clock(), for_print=True)))
    db.transaction(lambda: service.note_printed(key, digest, now=clock.system_clock()))


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
    Job(REJUDGE_JOB, rejudge_pages),
    Job(REJUDGE_PAGE_JOB, rejudge_page),
    Job(RENEW_JOB, renew_artifact),
    Job(END_GRACE_JOB, end_grace),
    Job(LOOK_JOB, look_at_page),
    Job(PRINT_JOB, print_report),
    Job("mobile_access.end-stuck-checks", end_stuck_checks, every=timedelta(minutes=10)),
    Job("mobile_access.apply-spec-version", apply_spec_version, every=timedelta(minutes=30)),
    Job("mobile_access.end-waivers", end_waivers, every=timedelta(hours=1)),
    Job("mobile_access.ask-weekly-rechecks", ask_weekly_rechecks, every=timedelta(hours=1)),
    Job("mobile_access.ask-looks", ask_looks, every=timedelta(hours=1)),
    Job("mobile_access.clear-files", clear_files, every=timedelta(days=1)),
)
