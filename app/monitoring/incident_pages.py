"""Console pages of incidents, groups and reform orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import DomainError, Invalid
from app.core.ids import read_id
from app.monitoring import service
from app.monitoring.causes import PHASE_LABELS, told
from app.monitoring.domain import (
    CHECK_KIND_LABELS,
    DEMANDS_MAX,
    EVENT_LABELS,
    INCIDENT_STATE_LABELS,
    NOTE_MAX,
    ORDER_STATE_LABELS,
    CheckKind,
    IncidentState,
    OrderState,
)
from app.monitoring.pages import words
from app.organisations import service as organisations
from app.organisations.service import RegionLevel

E = TypeVar("E", bound=StrEnum)
PAGE_SIZE = 30
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)
LEVELS = {0: "还没有通知", 1: "单位联系人", 2: "单位和所在地市", 3: "省级值守"}

incident_pages = Blueprint("incident_pages", __name__, url_prefix="/wall", template_folder="templates")
incident_pages.context_processor(words)


@incident_pages.context_processor
def _labels() -> dict[str, Any]:
    return {
        "state_labels": INCIDENT_STATE_LABELS,
        "event_labels": EVENT_LABELS,
        "kind_labels": CHECK_KIND_LABELS,
        "phase_labels": PHASE_LABELS,
        "order_labels": ORDER_STATE_LABELS,
        "levels": LEVELS,
        "told": told,
        "note_max": NOTE_MAX,
        "demands_max": DEMANDS_MAX,
    }


@incident_pages.get("/incidents")
@access.staff(Permission.WATCH)
def listing() -> str:
    by, asked = access.current_staff(), request.args
    wanted = {
        "state": _one_of(IncidentState, asked.get("state", "")),
        "kind": _one_of(CheckKind, asked.get("kind", "")),
        "phase": asked.get("phase", "") if asked.get("phase") in PHASE_LABELS else "",
        "city_code": asked.get("city", "")[:20],
        "body_id": read_id(asked.get("body", "")),
        "from_on": _day(asked.get("from", "")),
        "until_on": _day(asked.get("until", "")),
    }
    found = service.incidents(by, after=_after(), limit=PAGE_SIZE, **wanted)
    bodies = {body.id: body for body in organisations.bodies()}
    return render_template(
        "monitoring/incident_list.html",
        found=found,
        wanted=wanted,
        bodies=bodies,
        own=organisations.bodies_of(by, Permission.WATCH),
        cities=[one for one in organisations.regions() if one.level is RegionLevel.CITY],
        keep={name: value for name, value in asked.items() if name != "after"},
        now=clock.system_clock(),
    )


@incident_pages.get("/incidents/<id:incident_id>")
@access.staff(Permission.WATCH)
def incident(incident_id: int) -> str:
    return _incident(incident_id, {}, {})


def _incident(incident_id: int, sent: Any, problems: Any) -> str:
    by = access.current_staff()
    found = service.incident_detail(by, incident_id, now=clock.system_clock())
    may_order = organisations.covers(by, Permission.PAGES_REVIEW, found.incident.body_id)
    running = any(one.state not in (OrderState.ACCEPTED, OrderState.WITHDRAWN) for one in found.orders)
    return render_template(
        "monitoring/incident.html",
        found=found,
        one=found.incident,
        may_order=may_order and not running and found.incident.outcome is not service.Outcome.VOIDED,
        sent=sent,
        problems=problems,
    )


@incident_pages.post("/incidents/<id:incident_id>/notes")
@access.staff(Permission.WATCH)
def note(incident_id: int) -> ResponseReturnValue:
    by, text = access.current_staff(), request.form.get("text", "")[:NOTE_MAX]
    return _on_incident(
        incident_id,
        lambda: service.add_note(by, incident_id, text, now=clock.system_clock()),
        "备注已记入经过。",
    )


@incident_pages.post("/incidents/<id:incident_id>/take")
@access.staff(Permission.WATCH)
def take(incident_id: int) -> ResponseReturnValue:
    by, text = access.current_staff(), request.form.get("note", "")[:NOTE_MAX]
    return _on_incident(
        incident_id,
        lambda: service.acknowledge(by, incident_id, note=text, now=clock.system_clock()),
        "已签收。",
    )


@incident_pages.post("/incidents/<id:incident_id>/assignee")
@access.staff(Permission.WATCH)
def assignee(incident_id: int) -> ResponseReturnValue:
    by, staff_id = access.current_staff(), read_id(request.form.get("staff_id", ""))
    return _on_incident(
        incident_id,
        lambda: service.assign(by, incident_id, staff_id, now=clock.system_clock()),
        "已指派。",
    )


def _on_incident(incident_id: int, work: Callable[[], object], done: str) -> ResponseReturnValue:
    service.incident_detail(access.current_staff(), incident_id, now=clock.system_clock())
    return _done(work, done, url_for(".incident", incident_id=incident_id))


def _done(work: Callable[[], object], done: str, back: str) -> ResponseReturnValue:
    try:
        db.transaction(work)
        flash(done, "success")
    except DomainError as error:
        flash("；".join(_said(error)), "error")
    return redirect(back, 303)


def _said(error: DomainError) -> list[str]:
    found = [text for texts in error.fields.values() for text in texts]
    return found or [str(error)]


@incident_pages.get("/incident-groups/<id:group_id>")
@access.staff(Permission.WATCH)
def group(group_id: int) -> str:
    found = service.group_detail(access.current_staff(), group_id, after=_after())
    bodies = {body.id: body for body in organisations.bodies()}
    return render_template(
        "monitoring/incident_group.html", found=found, bodies=bodies, now=clock.system_clock()
    )


@incident_pages.post("/incident-groups/<id:group_id>/take")
@access.staff(Permission.WATCH)
def take_group(group_id: int) -> ResponseReturnValue:
    by, text = access.current_staff(), request.form.get("note", "")[:NOTE_MAX]
    count = db.transaction(
        lambda: service.acknowledge_group(by, group_id, note=text, now=clock.system_clock())
    )
    flash(f"已签收 {count} 个事件。", "success")
    return redirect(url_for(".group", group_id=group_id), 303)


@incident_pages.post("/incidents/<id:incident_id>/reform-orders")
@access.staff(Permission.PAGES_REVIEW)
def issue(incident_id: int) -> ResponseReturnValue:
    by, sent = access.current_staff(), request.form
    demands, due_on = sent.get("demands", "")[:DEMANDS_MAX], _day(sent.get("due_on", ""))
    now = clock.system_clock()
    try:
        if due_on is None:
            raise Invalid(fields={"due_on": ["请填写期限"]})
        made = db.transaction(lambda: service.issue_order(by, incident_id, demands, due_on, now=now))
    except Invalid as error:
        return _incident(incident_id, sent, error.fields), 422
    flash("整改通知已下达，PDF 正在生成。", "success")
    return redirect(url_for(".order", order_id=made.id), 303)


@incident_pages.get("/reform-orders")
@access.staff(Permission.WATCH)
def orders() -> str:
    state = _one_of(OrderState, request.args.get("state", ""))
    found = service.reform_orders(access.current_staff(), state=state, after=_after(), limit=PAGE_SIZE)
    bodies = {body.id: body for body in organisations.bodies()}
    return render_template("monitoring/reform_orders.html", found=found, state=state, bodies=bodies)


@incident_pages.get("/reform-orders/<id:order_id>")
@access.staff(Permission.WATCH)
def order(order_id: int) -> str:
    by = access.current_staff()
    found = service.get_order(by, order_id)
    return render_template(
        "monitoring/reform_order.html",
        order=found,
        body=organisations.get_body(found.body_id),
        names=organisations.names_of(
            one for one in (found.ordered_by, found.answered_by, found.decided_by) if one
        ),
        may_answer=organisations.covers(by, Permission.PAGES_REGISTER, found.body_id),
        may_decide=organisations.covers(by, Permission.PAGES_REVIEW, found.body_id),
    )


@incident_pages.post("/reform-orders/<id:order_id>/answer")
@access.staff(Permission.PAGES_REGISTER)
def answer(order_id: int) -> ResponseReturnValue:
    by, sent = access.current_staff(), request.form
    remedy = sent.get("remedy", "")[:DEMANDS_MAX]
    evidence_note = sent.get("evidence_note", "")[:DEMANDS_MAX]
    return _on_order(
        order_id,
        lambda: service.answer_order(
            by, order_id, remedy, evidence_note, version=_version(), now=clock.system_clock()
        ),
        "整改情况已提交，等待省级复核。",
    )


@incident_pages.post("/reform-orders/<id:order_id>/decision")
@access.staff(Permission.PAGES_REVIEW)
def decide(order_id: int) -> ResponseReturnValue:
    by, sent = access.current_staff(), request.form
    decision, reason = sent.get("decision", ""), sent.get("reason", "")[:NOTE_MAX]
    now = clock.system_clock()
    if decision == "withdraw":
        return _on_order(
            order_id,
            lambda: service.withdraw_order(by, order_id, reason, version=_version(), now=now),
            "整改通知已撤回。",
        )
    accept = decision == "accept"
    return _on_order(
        order_id,
        lambda: service.decide_order(by, order_id, accept=accept, reason=reason, version=_version(), now=now),
        "整改已通过。" if accept else "已退回，由单位继续整改。",
    )


@incident_pages.get("/reform-orders/<id:order_id>/paper.pdf")
@access.staff(Permission.WATCH)
def paper(order_id: int) -> Response:
    by = access.current_staff()
    found = service.get_order(by, order_id)
    answer = Response(service.paper(by, order_id), content_type="application/pdf")
    name = f"reform-order-{found.year}-{found.number}.pdf"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def _on_order(order_id: int, work: Callable[[], object], done: str) -> ResponseReturnValue:
    service.get_order(access.current_staff(), order_id)
    return _done(work, done, url_for(".order", order_id=order_id))


def _version() -> int:
    sent = request.form.get("version", "")
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 10 else 0


def _after() -> int | None:
    return read_id(request.args.get("after", ""))


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST else None


def _one_of(kind: type[E], text: str) -> E | None:
    return kind(text) if text in set(kind) else None
