"""The moves of a page's life that people, the check and the probes make."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update

from app.core import audit, db, outbox
from app.core.access import Permission
from app.core.errors import Conflict, Invalid
from app.mobile_access import publication
from app.mobile_access.domain import (
    DOWN_GRACE,
    DOWN_LIMIT,
    ChannelState,
    CheckVerdict,
    Event,
    State,
    move,
)
from app.mobile_access.grace import overtaken
from app.mobile_access.models import CheckRun, MobilePage, PageChannel
from app.mobile_access.rechecks import CHECK_JOB, SYSTEM
from app.mobile_access.registry import OBJECT, apply, channels_of, load, load_any, touch, view_of
from app.mobile_access.shapes import PageView
from app.organisations.service import Principal

PROBER = "system:prober"
HIDE_JOB = "mobile_access.hide-entry"
TIMEOUT_JOB = "mobile_access.end-outage"


class MustRuleFails(Conflict):
    """The newest check of the page says that it fails, by the machine or by a person."""

    code = "must_rule_fails"
    title = "最近一次检测还有必须整改的条款，不能上线"
    title_en = "A must-rule fails in the newest check"


def start_check(by: Principal, page_id: int, *, now: datetime, version: int | None = None) -> PageView:
    """Ask for a check of a page that is registered, failed its last check, or was suspended.

    Raises:
        NotFound: no such page in the scope of ``by``.
        MoveNotAllowed: it is being checked, reviewed or shown.
        Stale: ``version`` is given and no longer the page's.
    """
    page = load(by, Permission.PAGES_REGISTER, page_id, version=version)
    if page.state is State.FAILED:
        apply(page, Event.FIX, by.actor, now=now)
    event = Event.RECHECK if page.state is State.SUSPENDED else Event.CHECK
    return _check(page, event, by.actor, now)


def recheck(by: Principal, page_id: int, *, now: datetime, version: int | None = None) -> PageView:
    """Ask for the check that brings a suspended page back to review.

    Raises:
        As :func:`start_check`; MoveNotAllowed unless it is suspended.
    """
    page = load(by, Permission.PAGES_REGISTER, page_id, version=version)
    return _check(page, Event.RECHECK, by.actor, now)


def _check(page: MobilePage, event: Event, actor: str, now: datetime) -> PageView:
    number = page.checks + 1
    apply(page, event, actor, now=now, detail={"check": number}, checks=number)
    _forget_decisions(page, now)
    run = CheckRun(
        page_id=page.id,
        number=number,
        asked_by=actor,
        asked_at=now,
        spec_version="",
        profile="",
        counts={},
    )
    db.writing().add(run)
    db.writing().flush()
    outbox.enqueue(CHECK_JOB, {"run_id": str(run.id)}, dedup_key=f"{CHECK_JOB}:{run.id}")
    return view_of(page)


def check_ended(page_id: int, number: int, verdict: CheckVerdict, *, now: datetime) -> None:
    """Move a page on after its check; a check that a later one has overtaken moves nothing.

    ``undecided`` is no pass: the page has to be checked again where a browser is.
    """
    page = load_any(page_id)
    if page.state is not State.CHECKING or page.checks != number:
        return
    detail = {"check": number, "verdict": verdict.value}
    event = Event.PASS if verdict is CheckVerdict.PASS else Event.FAIL
    apply(page, event, SYSTEM, now=now, detail=detail)


def approve(
    by: Principal,
    page_id: int,
    kinds: Sequence[str],
    *,
    version: int,
    now: datetime,
    reason: str = "",
) -> PageView:
    """Let a page onto channels. The first approval puts it online; later ones add channels.

    Raises:
        NotFound: no such page in the scope of ``by``.
        Stale: somebody decided first.
        MoveNotAllowed: it is neither waiting for review nor online.
        Invalid: a channel is not waiting for a decision.
        MustRuleFails: the newest check says no, e.g. after a person settled what the machine left open.
    """
    page = load(by, Permission.PAGES_REVIEW, page_id, version=version)
    if page.state is not State.ONLINE:
        move(page.state, Event.APPROVE)
    _waiting_besides(page, kinds)
    newest = _decided_on(page.id)
    if newest is not None and newest.verdict is CheckVerdict.FAIL:
        raise MustRuleFails
    detail = {"channels": sorted(kinds), "reason": reason}
    if page.state is State.ONLINE:
        touch(page, now=now)
        audit.record(by.actor, "mobile_page.approve_channels", OBJECT, page.id, detail)
    else:
        apply(
            page,
            Event.APPROVE,
            by.actor,
            now=now,
            detail=detail,
            served=True,
            first_online_at=page.first_online_at or now,
            suspension_reason="",
        )
    _decide(page, kinds, ChannelState.APPROVED, by.actor, reason, now)
    publication.changed(_kinds(page))
    return view_of(page)


def reject(
    by: Principal, page_id: int, kinds: Sequence[str], reason: str, *, version: int, now: datetime
) -> PageView:
    """Send a page back on channels. With no channel left to decide it fails as a whole.

    Raises:
        As :func:`approve`; Invalid also without a reason.
    """
    page = load(by, Permission.PAGES_REVIEW, page_id, version=version)
    _need_reason(reason)
    if page.state is not State.ONLINE:
        move(page.state, Event.REJECT)
    waiting = _waiting_besides(page, kinds)
    _decided_on(page.id)
    detail = {"channels": sorted(kinds), "reason": reason}
    if page.state is State.PASSED and not waiting:
        apply(page, Event.REJECT, by.actor, now=now, detail=detail)
    else:
        touch(page, now=now)
        audit.record(by.actor, "mobile_page.reject_channels", OBJECT, page.id, detail)
    _decide(page, kinds, ChannelState.REJECTED, by.actor, reason, now)
    return view_of(page)


def suspend(by: Principal, page_id: int, reason: str, *, version: int, now: datetime) -> PageView:
    """Take an online page away from residents; a recheck may bring it back.

    Raises:
        NotFound, Stale, MoveNotAllowed, Invalid: as :func:`reject`.
    """
    page = load(by, Permission.PAGES_REVIEW, page_id, version=version)
    _need_reason(reason)
    apply(
        page,
        Event.SUSPEND,
        by.actor,
        now=now,
        detail={"reason": reason},
        served=False,
        suspension_reason=reason,
    )
    overtaken(page.id, now=now)
    publication.changed(_kinds(page))
    return view_of(page)


def retire(by: Principal, page_id: int, *, version: int, now: datetime, reason: str = "") -> PageView:
    """End a page for good; its address may be registered again.

    Raises:
        NotFound, Stale, MoveNotAllowed: as :func:`suspend`.
    """
    page = load(by, Permission.PAGES_REGISTER, page_id, version=version)
    was_served = page.served
    apply(page, Event.RETIRE, by.actor, now=now, detail={"reason": reason}, served=False, url_digest=None)
    overtaken(page.id, now=now)
    if was_served:
        publication.changed(_kinds(page))
    return view_of(page)


def probe_failed(page_id: int, at: datetime, cause: str, *, grace: timedelta = DOWN_GRACE) -> bool:
    """Note a confirmed outage that began at ``at``.

    The entry is hidden from residents once the page has been down for ``grace``, and the page is
    taken offline after ``DOWN_LIMIT``; both happen by themselves. Safe to repeat.

    Returns:
        True when the page was online and is degraded now.

    Raises:
        NotFound: no such page.
    """
    page = load_any(page_id)
    if page.state is not State.ONLINE:
        return False
    apply(page, Event.PROBE_FAIL, PROBER, now=at, detail={"cause": cause}, down_since=at)
    outage = {"page_id": str(page_id), "down_since": at.isoformat()}
    outbox.enqueue(HIDE_JOB, outage, dedup_key=f"{HIDE_JOB}:{page_id}:{page.version}", run_at=at + grace)
    outbox.enqueue(
        TIMEOUT_JOB, outage, dedup_key=f"{TIMEOUT_JOB}:{page_id}:{page.version}", run_at=at + DOWN_LIMIT
    )
    return True


def probe_recovered(page_id: int, at: datetime) -> bool:
    """Note that a degraded page answers again since ``at``; its entry comes back at once. Safe to repeat.

    Returns:
        True when the page was degraded and is online now.

    Raises:
        NotFound: no such page.
    """
    page = load_any(page_id)
    if page.state is not State.DEGRADED:
        return False
    was_hidden = not page.served
    apply(page, Event.PROBE_OK, PROBER, now=at, served=True, down_since=None)
    if was_hidden:
        publication.changed()
    return True


def hide_entry(page_id: int, down_since: datetime, *, now: datetime) -> bool:
    """Hide the entry of a page whose outage of ``down_since`` goes on. Safe to repeat.

    Returns:
        True when it was visible until now.
    """
    page = load_any(page_id)
    if not (page.state is State.DEGRADED and page.down_since == down_since and page.served):
        return False
    touch(page, now=now, served=False)
    audit.record(PROBER, "mobile_page.hide_entry", OBJECT, page.id, {"down_since": down_since.isoformat()})
    publication.changed()
    return True


def end_outage(page_id: int, down_since: datetime, *, now: datetime) -> bool:
    """Take a page offline whose outage of ``down_since`` has lasted too long. Safe to repeat.

    Returns:
        True when it was degraded until now.
    """
    page = load_any(page_id)
    if page.state is not State.DEGRADED or page.down_since != down_since:
        return False
    apply(
        page,
        Event.TIMEOUT,
        SYSTEM,
        now=now,
        detail={"down_since": down_since.isoformat()},
        served=False,
        down_since=None,
        suspension_reason="长时间无法访问，已自动下线",
    )
    overtaken(page.id, now=now)
    publication.changed(_kinds(page))
    return True


def mark_published(kind: str, *, now: datetime) -> int:
    """Note that the menus of ``kind`` lead to every page approved for it; return how many are new."""
    rows = db.writing().scalars(
        select(PageChannel)
        .join(MobilePage, MobilePage.id == PageChannel.page_id)
        .where(
            PageChannel.kind == kind,
            PageChannel.state == ChannelState.APPROVED,
            MobilePage.served.is_(True),
        )
        .order_by(PageChannel.page_id)
    )
    done = 0
    for row in rows:
        won = db.writing().execute(
            update(PageChannel)
            .where(PageChannel.id == row.id, PageChannel.state == ChannelState.APPROVED)
            .values(state=ChannelState.PUBLISHED, changed_at=now)
            .execution_options(synchronize_session=False)
        )
        if won.rowcount == 1:  # type: ignore[attr-defined]
            audit.record(SYSTEM, "mobile_page.publish_channel", OBJECT, row.page_id, {"channel": kind})
            done += 1
    return done


def _waiting_besides(page: MobilePage, kinds: Sequence[str]) -> set[str]:
    """Return the channels that wait for a decision when ``kinds`` are decided.

    Raises:
        Invalid: no channel, one twice, or one that is not waiting.
    """
    waiting = {one.kind for one in channels_of([page.id])[page.id] if one.state is ChannelState.WANTED}
    if not kinds or len(set(kinds)) != len(kinds) or not waiting.issuperset(kinds):
        raise Invalid("请选择待审核的渠道", fields={"channels": ["请选择待审核的渠道"]})
    return waiting.difference(kinds)


def _decided_on(page_id: int) -> CheckRun | None:
    """Return the newest finished check and note that a review was decided on it; its files are kept."""
    query = (
        select(CheckRun)
        .where(CheckRun.page_id == page_id, CheckRun.finished_at.is_not(None))
        .order_by(CheckRun.number.desc())
        .limit(1)
    )
    found = db.writing().scalar(query)
    if found is not None:
        found.decided_review = True
    return found


def _decide(
    page: MobilePage, kinds: Sequence[str], state: ChannelState, actor: str, reason: str, now: datetime
) -> None:
    # The page's new version is written before this: whoever decides second is stale, not here.
    rows = select(PageChannel).where(PageChannel.page_id == page.id, PageChannel.kind.in_(kinds))
    for row in db.writing().scalars(rows):
        row.state, row.reviewer, row.reason, row.changed_at = state, actor, reason, now
    db.writing().flush()


def _forget_decisions(page: MobilePage, now: datetime) -> None:
    """Put every channel back to be decided: what was approved is not what will be reviewed."""
    for row in db.writing().scalars(select(PageChannel).where(PageChannel.page_id == page.id)):
        if row.state is not ChannelState.WANTED:
            row.state, row.reviewer, row.reason, row.changed_at = ChannelState.WANTED, "", "", now
    db.writing().flush()


def _kinds(page: MobilePage) -> list[str]:
    return [one.kind for one in channels_of([page.id])[page.id]]


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("请填写理由", fields={"reason": ["请填写理由"]})
