"""The work desk of staff: what is due, one case, its next steps."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.applications import service
from app.applications.desk_api import personal_answers
from app.applications.service import (
    EVENT_LABELS,
    MARK_LABELS,
    STATE_LABELS,
    CodeNeeded,
    DeskCase,
    Event,
    NothingToTake,
    State,
    Told,
    Wanted,
)
from app.catalogue import service as catalogue
from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.ids import read_id
from app.core.installation import settings
from app.organisations import service as organisations

TEXT_MAX = 1000
NEEDS = {
    Event.REFUSE: ("reason", "remedy"),
    Event.ASK_SUPPLEMENT: ("items",),
    Event.DECIDE: ("granted", "reason", "remedy", "opinion"),
    Event.DECIDE_ON_SPOT: ("granted", "reason", "remedy", "opinion"),
    Event.STEP_PASS: ("opinion",),
    Event.STEP_RETURN: ("opinion",),
    Event.EXTEND: ("days", "reason"),
    Event.SPECIAL_BEGIN: ("kind", "expected_on", "reason"),
    Event.SPECIAL_END: ("opinion",),
    Event.REFER_UP: ("reason",),
    Event.COMPLETE: ("result",),
    Event.DELIVER: ("delivery",),
    Event.VOID: ("reason",),
}
"""Which fields the page shows for an event; none for those that need no word."""

FIELD_FAULTS = ("填写不完整，请补充完整", "与提交的材料不一致，请核对后更正", "填写有误，请更正")
MATERIAL_FAULTS = (
    "没有提交，请补交",
    "照片不清楚或没有拍全，请重新拍摄四角完整、文字清楚的照片",
    "已过有效期，请提交有效期内的",
    "与填写的内容不一致，请核对后重新提交",
    "没有签名或盖章，请补签或补盖后提交",
)
"""Sample wording of supplement notices."""

desk = Blueprint("desk_pages", __name__, url_prefix="/desk", template_folder="templates")


@desk.context_processor
def _words() -> dict[str, Any]:
    return {
        "state_labels": STATE_LABELS,
        "event_labels": EVENT_LABELS,
        "delivery_labels": catalogue.DELIVERY_LABELS,
        "handing_labels": catalogue.HANDING_LABELS,
        "channel_labels": service.CHANNEL_LABELS,
        "mark_labels": MARK_LABELS,
        "field_faults": FIELD_FAULTS,
        "material_faults": MATERIAL_FAULTS,
        "needs": NEEDS,
        "today": clock.day_of(clock.system_clock()),
        "far": date(9999, 1, 1),
    }


@desk.get("/cases")
@access.staff(Permission.CASES_READ)
def cases() -> str:
    by, now = access.current_staff(), clock.system_clock()
    wanted, today = _wanted(), clock.day_of(now)
    cursor = request.args.get("after", "")[:60] or None
    found = service.queue(by, wanted, today=today, cursor=cursor)
    names = organisations.names_of(f"staff:{one.handler_id}" for one in found.items if one.handler_id)
    return render_template(
        "applications/desk.html",
        found=found,
        wanted=wanted,
        counts=service.counts(by, today),
        names=names,
        me=by,
        handles=by.may(Permission.CASES_HANDLE),
        query={name: value for name, value in request.args.items() if name != "after"},
    )


def _wanted() -> Wanted:
    asked = request.args
    whose = asked.get("whose", "")
    return Wanted(
        state=_state(),
        item_id=read_id(asked.get("item", "")),
        whose=whose if whose in {"mine", "unassigned"} else "",
        overdue=asked.get("overdue") == "1",
        proposed=asked.get("proposed") == "1",
    )


def _state() -> State | None:
    asked = request.args.get("state", "")
    if not asked:
        return None
    try:
        return State(asked)
    except ValueError:
        raise NotFound("没有这个状态") from None


@desk.post("/cases/next")
@access.staff(Permission.CASES_HANDLE)
def take_next() -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    try:
        taken = db.transaction(lambda: service.take_next(by, now=now))
    except NothingToTake as error:
        flash(str(error), "error")
        return redirect(url_for(".cases"), 303)
    return redirect(url_for(".case", application_id=taken), 303)


@desk.get("/cases/<id:application_id>")
@access.staff(Permission.CASES_READ)
def case(application_id: int) -> str:
    return _page(_case(application_id), {})


def _case(application_id: int) -> DeskCase:
    return service.case_for(access.current_staff(), application_id, now=clock.system_clock())


def _page(found: DeskCase, problems: dict[str, Any], clear: dict[str, Any] | None = None) -> str:
    by = access.current_staff()
    heads = organisations.covers(by, Permission.CASES_HEAD, found.item.body_id)
    mine = found.handler_id == by.staff_id
    may_hand_over = not found.ended and (mine or heads or by.may(Permission.CASES_SUPERVISE))
    return render_template(
        "applications/desk_case.html",
        case=found,
        problems=problems,
        clear=clear,
        mine=mine,
        handles=organisations.covers(by, Permission.CASES_HANDLE, found.item.body_id),
        colleagues=service.colleagues(found.item.body_id) if may_hand_over else [],
        asks_code=not organisations.freshly_confirmed(by, clock.system_clock()),
        demo=organisations.is_demo_account(by.staff_id, environment=settings().environment),
        tried=request.form.get("event", ""),
        sent=request.form,
    )


@desk.post("/cases/<id:application_id>/handler")
@access.staff(Permission.CASES_HANDLE)
def handler(application_id: int) -> ResponseReturnValue:
    by, now, version = access.current_staff(), clock.system_clock(), _number("version")
    if request.form.get("back") == "1":
        reason = request.form.get("put_back_reason", "")
        return _tried(application_id, lambda: service.put_back(by, application_id, reason, now=now))
    return _tried(application_id, lambda: service.take(by, application_id, version=version, now=now))


@desk.post("/cases/<id:application_id>/hand-over")
@access.staff(Permission.CASES_READ)
def hand_over(application_id: int) -> ResponseReturnValue:
    by, now, version = access.current_staff(), clock.system_clock(), _number("version")
    to_id = read_id(request.form.get("staff_id", "")) or 0
    reason = request.form.get("hand_over_reason", "")
    return _tried(
        application_id,
        lambda: service.pass_on(by, application_id, to_id, reason, version=version, now=now),
    )


@desk.post("/cases/<id:application_id>/opinions")
@access.staff(Permission.CASES_READ)
def opinions(application_id: int) -> ResponseReturnValue:
    by, now, text = access.current_staff(), clock.system_clock(), request.form.get("note", "")
    return _tried(application_id, lambda: service.opine(by, application_id, text, now=now))


@desk.post("/cases/<id:application_id>/step")
@access.staff(Permission.CASES_READ)
def step(application_id: int) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    try:
        event = Event(request.form.get("event", ""))
    except ValueError:
        raise NotFound("没有这个步骤") from None
    told = _told(_case(application_id))
    return _tried(application_id, lambda: service.step(by, application_id, event, told, now=now))


@desk.post("/cases/<id:application_id>/second-opinion")
@access.staff(Permission.CASES_READ)
def second_opinion(application_id: int) -> ResponseReturnValue:
    by, now, version = access.current_staff(), clock.system_clock(), _number("version")
    answer = service.confirm if request.form.get("answer") == "confirm" else service.send_back
    said = request.form.get("second_opinion", "").strip()[:TEXT_MAX]
    return _tried(application_id, lambda: answer(by, application_id, said, version=version, now=now))


def _tried(application_id: int, work: Any) -> ResponseReturnValue:
    try:
        db.transaction(work)
    except Invalid as error:
        return _page(_case(application_id), error.fields or {"": [str(error)]}), 422
    except (Conflict, Forbidden) as error:
        flash(str(error), "error")
    return redirect(url_for(".case", application_id=application_id), 303)


def _told(found: DeskCase) -> Told:
    sent = request.form
    granted = {"yes": True, "no": False}.get(sent.get("granted", ""))
    return Told(
        version=_number("version"),
        opinion=sent.get("opinion", "").strip(),
        reason=sent.get("reason", "").strip(),
        remedy=sent.get("remedy", "").strip(),
        granted=granted,
        items=_items(found),
        days=_number("days"),
        kind=sent.get("kind", "").strip(),
        expected_on=_day(sent.get("expected_on", "")),
        result={
            "name": sent.get("result_name", "").strip()[:100],
            "number": sent.get("result_number", "").strip()[:100],
        },
        delivery=sent.get("delivery", ""),
    )


def _items(found: DeskCase) -> list[dict[str, str]]:
    """Return what the ticked fields and materials, and the lines of text, ask for."""
    sent, items = request.form, []
    for name in sent.getlist("item_field"):
        if name in found.form["fields"]:
            label = found.form["fields"][name]["label"]
            items.append({"field": name, "text": f"“{label}”：{_fault(f'field_{name}', FIELD_FAULTS)}"})
    names = {one.code: one.name for one in found.item.content.materials}
    for code in sent.getlist("item_material"):
        if code in names:
            fault = _fault(f"material_{code}", MATERIAL_FAULTS)
            items.append({"material": code, "text": f"“{names[code]}”：{fault}"})
    lines = sent.get("item_texts", "")[: 10 * TEXT_MAX].splitlines()
    return items + [{"text": line.strip()} for line in lines if line.strip()]


def _fault(name: str, known: tuple[str, ...]) -> str:
    chosen = request.form.get(name, "")
    return chosen if chosen in known else known[0]


@desk.post("/cases/<id:application_id>/personal")
@access.staff(Permission.CASES_HANDLE)
def personal(application_id: int) -> ResponseReturnValue:
    by, sent = access.current_staff(), request.form
    try:
        clear = personal_answers(by, application_id, sent.get("why", ""), sent.get("code", "")[:10])
    except Invalid:
        return _page(_case(application_id), {"why": ["请说明查看的理由"]}), 422
    except CodeNeeded as error:
        said = "动态验证码不对，请看验证器里最新的六位数字" if sent.get("code") else str(error)
        return _page(_case(application_id), {"code": [said]}), 422
    return _page(_case(application_id), {}, clear)


def _number(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
