"""Grace times (限期整改): an online page that newly fails stays with residents for a while, then not.

A page in its grace time stays online and watched. When the time is over and one more visit finds it
failing still, it makes the moves ``spec_version_changed`` and ``fail``, both the system's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.core import audit, db, outbox
from app.mobile_access import publication
from app.mobile_access.domain import (
    CHECK_KIND_LABELS,
    CONFIRM_AFTER,
    DRIFT_GRACE,
    CheckKind,
    CheckVerdict,
    Event,
    GraceOutcome,
    State,
)
from app.mobile_access.models import CheckRun, GracePeriod, MobilePage
from app.mobile_access.rechecks import SHOWN, SYSTEM, ask_recheck
from app.mobile_access.registry import OBJECT, apply, channels_of, load_any
from app.mobile_access.shapes import CheckResult, GraceView

END_GRACE_JOB = "mobile_access.end-grace"
_CONFIRMS = "confirm:"
UNCONFIRMED = frozenset({CheckKind.WEEKLY, CheckKind.DRIFT, CheckKind.GRACE, CheckKind.RENEW})
"""Visits that nobody asked for: one of them may have met the page at a bad moment."""
BY_SPEC = frozenset({CheckKind.SPEC, CheckKind.RENEW})
"""What a version of the spec sets going."""
TRY_AGAIN = timedelta(days=1)
"""When the last visit told nothing (no browser, page down just then), another one follows after this."""


def after_check(
    run: CheckRun, result: CheckResult, *, grace_days: int, now: datetime, by_person: bool = False
) -> None:
    """Open, keep or end the grace time of the page a finished check is about.

    A check that could not be decided changes nothing. What a visit that nobody asked for newly found
    failing opens no grace time before a second visit has confirmed it.

    Args:
        by_person: a person decided a rule of the check just now.
    """
    page = load_any(run.page_id)
    found = _open_one(page.id)
    if page.state not in SHOWN:
        if found is not None:
            _end(found, GraceOutcome.OVERTAKEN, now)
        return
    if result.verdict is CheckVerdict.PASS and found is not None:
        _end(found, GraceOutcome.MENDED, now)
    elif result.verdict is CheckVerdict.FAIL:
        codes = blocking_codes(result.report)
        if found is None and page.state is State.ONLINE:  # an outage has a clock of its own
            if run.kind in UNCONFIRMED and not by_person:
                _ask_for_confirmation(run, codes, now)
            else:
                _open_for(page, run, result, codes, grace_days, now)
        elif found is not None:
            found.codes = codes
            visited = run.kind is not CheckKind.SPEC
            if visited and now >= found.until_at and page.state is State.ONLINE:
                _take_offline(page, found, run, now)
    db.writing().flush()


def blocking_codes(report: Mapping[str, Any] | None) -> list[str]:
    """Return the codes of must-rules that fail in a report without leave to."""
    return [
        rule["code"]
        for rule in (report or {}).get("rules", ())
        if rule["verdict"] == "fail" and rule["severity"] == "must" and not rule["waiver"]
    ]


def end_grace(grace_id: int, attempt: int, *, now: datetime) -> None:
    """Ask for the visit that decides a grace time which is over, and for another a day later.

    Safe to repeat.
    """
    found = db.writing().get(GracePeriod, grace_id)
    if found is None or found.ended_at is not None:
        return
    page = load_any(found.page_id)
    if page.state not in SHOWN:
        _end(found, GraceOutcome.OVERTAKEN, now)
        return
    if page.state is State.ONLINE:
        occasion = f"grace:{grace_id}:{attempt}"
        ask_recheck(page.id, CheckKind.GRACE, occasion=occasion, because="整改期满", actor=SYSTEM, now=now)
    _ask_for_end(grace_id, attempt + 1, now + TRY_AGAIN)


def overtaken(page_id: int, *, now: datetime) -> None:
    """End the grace time of a page that leaves residents' sight for another reason."""
    found = _open_one(page_id)
    if found is not None:
        _end(found, GraceOutcome.OVERTAKEN, now)
        db.writing().flush()


def open_grace(page_id: int) -> GraceView | None:
    """Return the grace time under way of a page, None when there is none."""
    found = _open_one(page_id)
    return None if found is None else view_of_grace(found)


def open_graces(page_ids: Sequence[int]) -> dict[int, GraceView]:
    """Return the grace times under way by page."""
    query = select(GracePeriod).where(GracePeriod.open_page_id.in_(page_ids))
    return {row.page_id: view_of_grace(row) for row in db.session().scalars(query)}


def view_of_grace(row: GracePeriod) -> GraceView:
    return GraceView(
        id=row.id,
        page_id=row.page_id,
        cause=row.cause,
        check_number=row.check_number,
        spec_version=row.spec_version,
        codes=tuple(row.codes),
        opened_at=row.opened_at,
        until_at=row.until_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
    )


def _open_one(page_id: int) -> GracePeriod | None:
    return db.session().scalar(select(GracePeriod).where(GracePeriod.open_page_id == page_id))


def _ask_for_confirmation(run: CheckRun, codes: Sequence[str], now: datetime) -> None:
    ask_recheck(
        run.page_id,
        CheckKind.CONFIRM,
        occasion=f"{_CONFIRMS}{run.id}",
        because=f"第 {run.number} 次检测发现 {len(codes)} 项必须整改，再访问一次确认",
        actor=SYSTEM,
        now=now,
        after=CONFIRM_AFTER,
    )


def _confirmed(run: CheckRun) -> CheckRun | None:
    """Return the check that ``run`` looked at a second time, None when it is of another kind."""
    if run.kind is not CheckKind.CONFIRM or run.occasion is None:
        return None
    return db.session().get(CheckRun, int(run.occasion.removeprefix(_CONFIRMS)))


def _open_for(
    page: MobilePage, run: CheckRun, result: CheckResult, codes: list[str], grace_days: int, now: datetime
) -> None:
    first = _confirmed(run)
    cause = run.kind if first is None else first.kind
    twice = [] if first is None else [code for code in codes if code in blocking_codes(first.report)]
    length = timedelta(days=grace_days) if cause in BY_SPEC else DRIFT_GRACE
    # A page that fails each time another rule fails all the same.
    _open(page, run, result, cause, twice or codes, now + length, now)


def _open(
    page: MobilePage,
    run: CheckRun,
    result: CheckResult,
    cause: CheckKind,
    codes: list[str],
    until: datetime,
    now: datetime,
) -> None:
    row = GracePeriod(
        page_id=page.id,
        open_page_id=page.id,
        cause=cause,
        check_number=run.number,
        spec_version=result.spec_version,
        codes=codes,
        opened_at=now,
        until_at=until,
    )
    db.writing().add(row)
    db.writing().flush()
    detail = {"check": run.number, "codes": codes, "until": until.isoformat()}
    audit.record(SYSTEM, "mobile_page.open_grace", OBJECT, page.id, detail)
    _ask_for_end(row.id, 1, until)


def _ask_for_end(grace_id: int, attempt: int, at: datetime) -> None:
    payload = {"grace_id": str(grace_id), "attempt": attempt}
    key = f"{END_GRACE_JOB}:{grace_id}:{attempt}"
    outbox.enqueue(END_GRACE_JOB, payload, dedup_key=key, run_at=at)


def _end(row: GracePeriod, outcome: GraceOutcome, now: datetime) -> None:
    row.ended_at, row.outcome, row.open_page_id = now, outcome, None
    detail = {"outcome": outcome.value, "codes": row.codes}
    audit.record(SYSTEM, "mobile_page.end_grace", OBJECT, row.page_id, detail)


def _take_offline(page: MobilePage, row: GracePeriod, run: CheckRun, now: datetime) -> None:
    cause = f"规范第 {row.spec_version} 版" if row.cause in BY_SPEC else CHECK_KIND_LABELS[row.cause]
    reason = f"{cause}发现 {len(row.codes)} 项必须整改，到期未改，已自动下线"
    detail = {"check": run.number, "codes": row.codes}
    apply(page, Event.SPEC_VERSION_CHANGED, SYSTEM, now=now, detail=detail)
    apply(page, Event.FAIL, SYSTEM, now=now, detail=detail, served=False, suspension_reason=reason)
    _end(row, GraceOutcome.TAKEN_OFFLINE, now)
    publication.changed(_kinds(page))


def _kinds(page: MobilePage) -> Iterable[str]:
    return [one.kind for one in channels_of([page.id])[page.id]]
