"""The work desk of staff: what is due, one case, its next steps."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.applications import service
from app.applications.service import EVENT_LABELS, STATE_LABELS, CaseView, Event, State, Told
from app.catalogue import service as catalogue
from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
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

desk = Blueprint("desk_pages", __name__, url_prefix="/desk", template_folder="templates")


@desk.context_processor
def _words() -> dict[str, Any]:
    return {
        "state_labels": STATE_LABELS,
        "event_labels": EVENT_LABELS,
        "delivery_labels": catalogue.DELIVERY_LABELS,
        "handing_labels": catalogue.HANDING_LABELS,
        "channel_labels": service.CHANNEL_LABELS,
        "needs": NEEDS,
        "today": clock.day_of(clock.system_clock()),
        "far": date(9999, 1, 1),
    }


@desk.get("/cases")
@access.staff(Permission.CASES_READ)
def cases() -> str:
    by = access.current_staff()
    state, mine = _state(), request.args.get("mine") == "1"
    found = service.queue(by, state=state, only_mine=mine, cursor=request.args.get("after", "")[:60] or None)
    names = organisations.names_of(f"staff:{one.handler_id}" for one in found.items if one.handler_id)
    return render_template("applications/desk.html", found=found, state=state, mine=mine, names=names, me=by)


def _state() -> State | None:
    asked = request.args.get("state", "")
    if not asked:
        return None
    try:
        return State(asked)
    except ValueError:
        raise NotFound("没有这个状态") from None


@desk.get("/cases/<id:application_id>")
@access.staff(Permission.CASES_READ)
def case(application_id: int) -> str:
    by = access.current_staff()
    return _page(service.case_for(by, application_id), {})


def _page(found: CaseView, problems: dict[str, Any], clear: dict[str, Any] | None = None) -> str:
    by = access.current_staff()
    return render_template(
        "applications/desk_case.html",
        case=found,
        problems=problems,
        clear=clear,
        mine=found.handler_id == by.staff_id,
        handles=organisations.covers(by, Permission.CASES_HANDLE, found.item.body_id),
        tried=request.form.get("event", ""),
        sent=request.form,
    )


@desk.post("/cases/<id:application_id>/handler")
@access.staff(Permission.CASES_HANDLE)
def handler(application_id: int) -> ResponseReturnValue:
    by = access.current_staff()
    if request.form.get("back") == "1":
        return _tried(application_id, lambda: service.put_back(by, application_id))
    version = _number("version")
    return _tried(application_id, lambda: service.take(by, application_id, version=version))


@desk.post("/cases/<id:application_id>/step")
@access.staff(Permission.CASES_READ)
def step(application_id: int) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    try:
        event = Event(request.form.get("event", ""))
    except ValueError:
        raise NotFound("没有这个步骤") from None
    told = _told(service.case_for(by, application_id))
    return _tried(application_id, lambda: service.step(by, application_id, event, told, now=now))


def _tried(application_id: int, work: Any) -> ResponseReturnValue:
    try:
        db.transaction(work)
    except Invalid as error:
        found = service.case_for(access.current_staff(), application_id)
        return _page(found, error.fields or {"": [str(error)]}), 422
    except (Conflict, Forbidden) as error:
        flash(str(error), "error")
    return redirect(url_for(".case", application_id=application_id), 303)


def _told(found: CaseView) -> Told:
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


def _items(found: CaseView) -> list[dict[str, str]]:
    """Return what the ticked fields and materials, and the lines of text, ask for."""
    sent, items = request.form, []
    for name in sent.getlist("item_field"):
        if name in found.form["fields"]:
            items.append({"field": name, "text": f"请更正“{found.form['fields'][name]['label']}”"})
    names = {one.code: one.name for one in found.item.content.materials}
    for code in sent.getlist("item_material"):
        if code in names:
            items.append({"material": code, "text": f"请补交“{names[code]}”"})
    lines = sent.get("item_texts", "")[: 10 * TEXT_MAX].splitlines()
    return items + [{"text": line.strip()} for line in lines if line.strip()]


@desk.post("/cases/<id:application_id>/personal")
@access.staff(Permission.CASES_HANDLE)
def personal(application_id: int) -> ResponseReturnValue:
    by, reason = access.current_staff(), request.form.get("why", "").strip()[:200]
    try:
        clear = db.transaction(lambda: service.personal_answers(by, application_id, reason))
    except Invalid:
        return _page(service.case_for(by, application_id), {"why": ["请说明查看的理由"]}), 422
    return _page(service.case_for(by, application_id), {}, clear)


def _number(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
