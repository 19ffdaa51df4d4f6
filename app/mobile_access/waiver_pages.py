"""Console pages of waivers (暂缓整改): asking, deciding, ending."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import DomainError, Invalid
from app.mobile_access import service
from app.mobile_access.domain import REASON_MAX, WAIVER_DAYS_MAX
from app.mobile_access.service import WaiverState, WaiverView
from app.mobile_access.wording import problems_of
from app.organisations import service as organisations
from config.access_spec import load_clauses

waivers = Blueprint("mobile_access_waivers", __name__, url_prefix="/console", template_folder="templates")
_WAIVER = "/pages/<id:page_id>/waivers/<id:waiver_id>"


@waivers.get("/waivers")
@access.staff(Permission.PAGES_READ)
def listing() -> str:
    by = access.current_staff()
    asked = request.args.get("state", "")
    state = WaiverState(asked) if asked in set(WaiverState) else None
    found = service.waivers(by, state)
    return render_template(
        "mobile_access/waivers.html",
        found=found,
        state=state,
        state_labels=service.WAIVER_STATE_LABELS,
        names=organisations.names_of(
            name for one in found for name in (one.requested_by, one.approver) if name
        ),
        may_decide=by.may(Permission.PAGES_REVIEW),
    )


@waivers.get("/pages/<id:page_id>/waivers/new")
@access.staff(Permission.PAGES_REGISTER)
def new(page_id: int) -> str:
    return _form(page_id, {"code": request.args.get("code", "")}, {})


@waivers.post("/pages/<id:page_id>/waivers/new")
@access.staff(Permission.PAGES_REGISTER)
def create(page_id: int) -> ResponseReturnValue:
    by = access.current_staff()
    sent = request.form
    try:
        until_on = _day(sent.get("until_on", ""))
        db.transaction(
            lambda: service.request_waiver(
                by, page_id, sent.get("code", ""), sent.get("reason", ""), until_on, now=clock.system_clock()
            )
        )
    except DomainError as error:
        return _form(page_id, sent, problems_of(error)), 422
    flash("暂缓申请已提交，等待省级审批。", "success")
    return redirect(url_for("mobile_access_pages.detail", page_id=page_id))


@waivers.post(f"{_WAIVER}/decide")
@access.staff(Permission.PAGES_REVIEW)
def decide(page_id: int, waiver_id: int) -> ResponseReturnValue:
    by = access.current_staff()
    approve = request.form.get("decision") == "approve"
    opinion = request.form.get("opinion", "").strip()[:REASON_MAX]
    return _act(
        page_id,
        lambda: service.decide_waiver(
            by, page_id, waiver_id, approve=approve, opinion=opinion, now=clock.system_clock()
        ),
        "已同意暂缓，网页正在重新判定。" if approve else "已退回暂缓申请。",
    )


@waivers.post(f"{_WAIVER}/end")
@access.staff(Permission.PAGES_READ)
def end(page_id: int, waiver_id: int) -> ResponseReturnValue:
    by = access.current_staff()
    return _act(
        page_id, lambda: service.end_waiver(by, page_id, waiver_id, now=clock.system_clock()), "暂缓已结束。"
    )


def _act(page_id: int, act: Callable[[], WaiverView], done: str) -> ResponseReturnValue:
    service.get(access.current_staff(), page_id)
    try:
        db.transaction(act)
        flash(done, "success")
    except DomainError as error:
        flash(str(error), "error")
    return redirect(url_for("mobile_access_pages.detail", page_id=page_id))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(fields={"until_on": ["请选择日期"]}) from None


def _form(page_id: int, values: Mapping[str, str], problems: Mapping[str, str]) -> str:
    page = service.get(access.current_staff(), page_id)
    today = clock.day_of(clock.system_clock())
    return render_template(
        "mobile_access/waiver_form.html",
        page=page,
        clauses=load_clauses(),
        values=values,
        problems=problems,
        reason_max=REASON_MAX,
        first_day=today + timedelta(days=1),
        last_day=today + timedelta(days=WAIVER_DAYS_MAX),
    )
