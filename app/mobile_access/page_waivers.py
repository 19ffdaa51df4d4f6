"""Leave to fail a rule until a day (暂缓整改): the department asks, the province decides."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.core import audit, clock, db
from app.core.access import Permission
from app.core.errors import Conflict, Invalid, NotFound
from app.mobile_access.domain import REASON_MAX, WAIVER_DAYS_MAX, WaiverState
from app.mobile_access.models import MobilePage, PageWaiver
from app.mobile_access.rechecks import SYSTEM, ask_rejudgement
from app.mobile_access.registry import OBJECT, load
from app.mobile_access.shapes import WaiverView
from app.organisations import service as organisations
from app.organisations.service import Principal
from config.access_spec import load_clauses
from mobile_pages.spec.engine import Waiver

LIST_MAX = 200


class WaiverOpen(Conflict):
    """The rule is waived for the page already, or that has been asked for."""

    code = "waiver_open"
    title = "这一条已经申请或正在暂缓"
    title_en = "There is a waiver for this rule already"


class WaiverDecided(Conflict):
    """Somebody decided it, or it is over."""

    code = "waiver_decided"
    title = "这个申请已经处理过了"
    title_en = "The waiver was decided already"


def request_waiver(
    by: Principal, page_id: int, code: str, reason: str, until_on: date, *, now: datetime
) -> WaiverView:
    """Ask for leave to fail ``code`` up to and including ``until_on``, at most a year away.

    Raises:
        NotFound: no such page in the scope of ``by``.
        Invalid: no such rule, no reason, or a day that is past or too far away.
        WaiverOpen: see there.
    """
    page = load(by, Permission.PAGES_REGISTER, page_id)
    today = clock.day_of(now)
    problems = {}
    if code not in load_clauses():
        problems["code"] = ["没有这一条"]
    if not 1 <= len(reason.strip()) <= REASON_MAX:
        problems["reason"] = [f"请写明理由，不超过 {REASON_MAX} 字"]
    if not today < until_on <= today + timedelta(days=WAIVER_DAYS_MAX):
        problems["until_on"] = ["应在明天以后、一年以内"]
    if problems:
        raise Invalid(fields=problems)
    row = PageWaiver(
        page_id=page.id,
        code=code,
        open_key=f"{page.id}:{code}",
        state=WaiverState.REQUESTED,
        reason=reason.strip(),
        until_on=until_on,
        requested_by=by.actor,
        requested_at=now,
        approver="",
        opinion="",
    )
    try:
        with db.writing().begin_nested():
            db.writing().add(row)
    except IntegrityError:
        raise WaiverOpen from None
    detail = {"code": code, "until": until_on.isoformat(), "reason": row.reason}
    audit.record(by.actor, "mobile_page.request_waiver", OBJECT, page.id, detail)
    return _view(row, page.name)


def decide_waiver(
    by: Principal, page_id: int, waiver_id: int, *, approve: bool, opinion: str, now: datetime
) -> WaiverView:
    """Give or refuse leave; the page is judged again at once when it is given.

    Raises:
        NotFound: no such request in the scope of ``by``.
        WaiverDecided: it is not waiting any more.
        Invalid: refused without a word, or its day is past.
    """
    row, page = _load(by, Permission.PAGES_REVIEW, page_id, waiver_id)
    if len(opinion) > REASON_MAX or (not approve and not opinion.strip()):
        raise Invalid("不同意时请写明意见", fields={"opinion": ["请写明意见"]})
    if approve and row.until_on < clock.day_of(now):
        raise Invalid("申请的期限已过，请单位重新申请")
    state = WaiverState.APPROVED if approve else WaiverState.DECLINED
    values = {"approver": by.actor, "approved_at": now, "opinion": opinion.strip()}
    _move(row, (WaiverState.REQUESTED,), state, **values, **({} if approve else _over(now)))
    detail = {"code": row.code, "until": row.until_on.isoformat(), "reason": opinion.strip()}
    action = "approve_waiver" if approve else "decline_waiver"
    audit.record(by.actor, f"mobile_page.{action}", OBJECT, page.id, detail)
    if approve:
        ask_rejudgement(page.id, f"waiver:{row.id}:begins", f"{row.code} 暂缓整改获准")
    return _view(row, page.name)


def end_waiver(by: Principal, page_id: int, waiver_id: int, *, now: datetime) -> WaiverView:
    """Take back a request, or end leave early; the department may, and the province.

    Raises:
        NotFound: no such waiver in the scope of ``by``.
        WaiverDecided: it is over already.
    """
    if by.may(Permission.PAGES_REVIEW):
        row, page = _load(by, Permission.PAGES_REVIEW, page_id, waiver_id)
    else:
        row, page = _load(by, Permission.PAGES_REGISTER, page_id, waiver_id)
    _end(row, by.actor, now)
    return _view(row, page.name)


def due_waivers(*, now: datetime) -> list[int]:
    """Return the waivers whose last day in Guangdong is over."""
    query = select(PageWaiver.id).where(
        PageWaiver.state.in_([WaiverState.APPROVED, WaiverState.REQUESTED]),
        PageWaiver.until_on < clock.day_of(now),
    )
    return list(db.session().scalars(query))


def end_due_waiver(waiver_id: int, *, now: datetime) -> bool:
    """End a waiver whose day is over and have its page judged again. Safe to repeat.

    Returns:
        True when it was not over yet.
    """
    row = db.writing().get(PageWaiver, waiver_id)
    if row is None or row.open_key is None or row.until_on >= clock.day_of(now):
        return False
    _end(row, SYSTEM, now)
    return True


def waivers_in_force(page_id: int, *, today: date) -> list[Waiver]:
    """Return what the page is excused from on ``today`` (Guangdong), as the rules take it."""
    query = (
        select(PageWaiver)
        .where(
            PageWaiver.page_id == page_id,
            PageWaiver.state == WaiverState.APPROVED,
            PageWaiver.until_on >= today,
        )
        .order_by(PageWaiver.code)
    )
    rows = list(db.session().scalars(query))
    names = organisations.names_of(row.approver for row in rows)
    return [Waiver(row.code, row.until_on, f"{row.reason}，{names[row.approver]}批准") for row in rows]


def waivers_of(by: Principal, page_id: int) -> list[WaiverView]:
    """Return the waivers of a page, the newest first.

    Raises:
        NotFound: no such page in the scope of ``by``.
    """
    page = load(by, Permission.PAGES_READ, page_id)
    query = select(PageWaiver).where(PageWaiver.page_id == page_id).order_by(PageWaiver.requested_at.desc())
    return [_view(row, page.name) for row in db.session().scalars(query)]


def waivers(by: Principal, state: WaiverState | None = None) -> list[WaiverView]:
    """Return the waivers in the scope of ``by``, those that end first in front."""
    query = (
        select(PageWaiver, MobilePage.name)
        .join(MobilePage, MobilePage.id == PageWaiver.page_id)
        .where(organisations.scope_condition(by, Permission.PAGES_READ, MobilePage.body_id))
        .order_by(PageWaiver.until_on, PageWaiver.id)
        .limit(LIST_MAX)
    )
    if state is not None:
        query = query.where(PageWaiver.state == state)
    return [_view(row, name) for row, name in db.session().execute(query)]


def _load(
    by: Principal, permission: Permission, page_id: int, waiver_id: int
) -> tuple[PageWaiver, MobilePage]:
    page = load(by, permission, page_id)
    row = db.writing().get(PageWaiver, waiver_id)
    if row is None or row.page_id != page.id:
        raise NotFound("没有这个申请")
    return row, page


def _end(row: PageWaiver, actor: str, now: datetime) -> None:
    was_given = row.state is WaiverState.APPROVED
    _move(row, (WaiverState.REQUESTED, WaiverState.APPROVED), WaiverState.ENDED, **_over(now))
    audit.record(actor, "mobile_page.end_waiver", OBJECT, row.page_id, {"code": row.code})
    if was_given:
        ask_rejudgement(row.page_id, f"waiver:{row.id}:ends", f"{row.code} 暂缓整改结束")


def _over(now: datetime) -> dict[str, object]:
    return {"ended_at": now, "open_key": None}


def _move(row: PageWaiver, before: tuple[WaiverState, ...], after: WaiverState, **values: object) -> None:
    won = db.writing().execute(
        update(PageWaiver)
        .where(PageWaiver.id == row.id, PageWaiver.state.in_(before))
        .values(state=after, **values)
        .execution_options(synchronize_session=False)
    )
    if won.rowcount != 1:  # type: ignore[attr-defined]
        raise WaiverDecided
    db.writing().refresh(row)


def _view(row: PageWaiver, page_name: str) -> WaiverView:
    return WaiverView(
        id=row.id,
        page_id=row.page_id,
        page_name=page_name,
        code=row.code,
        title=load_clauses()[row.code].title,
        state=row.state,
        reason=row.reason,
        until_on=row.until_on,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        approver=row.approver,
        approved_at=row.approved_at,
        opinion=row.opinion,
        ended_at=row.ended_at,
    )
