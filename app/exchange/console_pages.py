"""Console pages of the exchange: systems, their health and tests, and the repair of messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import Conflict, DomainError, Invalid
from app.core.ids import read_id
from app.core.json_api import strict_json
from app.exchange import service
from app.exchange.service import (
    FieldValue,
    MessageState,
    OutState,
    SystemEvent,
    SystemState,
    SystemView,
    SystemWanted,
)
from app.organisations.service import Principal
from app.third_parties import service as third_parties
from app.third_parties.service import Scope, Stage
from config import exchange

MANAGE = Permission.EXCHANGE_MANAGE
STATE_BADGES = {
    SystemState.REGISTERED: "",
    SystemState.TESTING: "badge-info",
    SystemState.PASSED: "badge-warn",
    SystemState.LIVE: "badge-good",
    SystemState.SUSPENDED: "badge-bad",
}
MESSAGE_BADGES = {
    MessageState.QUARANTINED: "badge-warn",
    MessageState.REJECTED: "badge-bad",
    MessageState.APPLIED: "badge-good",
    MessageState.DEAD: "",
}
OUT_BADGES = {OutState.DEAD: "badge-bad", OutState.RETRY: "badge-warn", OutState.ACKNOWLEDGED: "badge-good"}
EVENT_WORDS = {
    SystemEvent.GO_LIVE: "已上线",
    SystemEvent.SUSPEND: "已暂停",
    SystemEvent.RESUME: "已恢复",
}
OUT_ERRORS = {
    "no_ack": "对方没有按时确认",
    "timeout": "对方没有按时回答",
    "not_reached": "连接不上对方",
    "connection_lost": "连接中断",
    "tls_failed": "加密连接没有通过验证",
}

pages = Blueprint("exchange_pages", __name__, url_prefix="/console/exchange", template_folder="templates")


@pages.after_request
def _never_stored(answer: Response) -> Response:
    # They hold what departments say of people.
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.context_processor
def _words() -> dict[str, Any]:
    return {
        "state_labels": service.SYSTEM_LABELS,
        "state_badges": STATE_BADGES,
        "message_labels": service.MESSAGE_LABELS,
        "message_badges": MESSAGE_BADGES,
        "out_labels": service.OUT_LABELS,
        "out_badges": OUT_BADGES,
        "outcome_labels": service.OUTCOME_LABELS,
        "out_words": out_words,
        "out_error": out_error,
        "span": span,
        "standard_version": exchange.golden()[0],
    }


@pages.app_context_processor
def _notes() -> dict[str, Any]:
    # The desk's pages lie below and know no exchange; what they show of it is asked for by this name.
    return {"case_notes": service.notes_of}


def span(length: timedelta | None) -> str:
    """Return a length of time in words, rounded."""
    if length is None:
        return "—"
    minutes = int(length.total_seconds()) // 60
    if minutes < 60:
        return f"{minutes} 分钟"
    hours = minutes // 60
    return f"{hours} 小时" if hours < 48 else f"{hours // 24} 天"


def out_words(event: str) -> str:
    """Return what the hall tells with an event, in words."""
    return service.CASE_EVENT_LABELS.get(event, event)


def out_error(error: str) -> str:
    """Return why a message was not taken over, in words."""
    if error.startswith("http_"):
        return f"对方回答 {error.removeprefix('http_')}"
    return OUT_ERRORS.get(error, error)


@pages.get("")
@access.staff(MANAGE)
def overview() -> str:
    by = _by()
    now = clock.system_clock()
    return render_template(
        "exchange/overview.html", systems=service.health(by, now=now), may_register=bool(_apps(by))
    )


@pages.get("/new")
@access.staff(MANAGE)
def new() -> str:
    return _form_page(None)


@pages.post("/new")
@access.staff(MANAGE)
def register() -> ResponseReturnValue:
    by, app_id = _by(), read_id(request.form.get("app_id", ""))
    code = request.form.get("code", "").strip()
    try:
        wanted, now = _wanted(), clock.system_clock()
        made = db.transaction(lambda: service.register(by, app_id or 0, code, wanted, now=now))
    except (Invalid, Conflict) as error:
        return _form_page(None, error), 422
    flash("已登记。用测试密钥开始联调测试，通过后由省级管理人员上线。", "success")
    return redirect(url_for(".system", system_id=made.id), 303)


@pages.get("/systems/<id:system_id>")
@access.staff(MANAGE)
def system(system_id: int) -> str:
    return _system_page(system_id)


@pages.get("/systems/<id:system_id>/edit")
@access.staff(MANAGE)
def edit(system_id: int) -> str:
    return _form_page(service.get(_by(), system_id))


@pages.post("/systems/<id:system_id>/edit")
@access.staff(MANAGE)
def change(system_id: int) -> ResponseReturnValue:
    by = _by()
    found = service.get(by, system_id)
    try:
        wanted, version, now = _wanted(), _number("version"), clock.system_clock()
        db.transaction(lambda: service.change(by, system_id, wanted, version=version, now=now))
    except (Invalid, Conflict) as error:
        return _form_page(found, error), 422
    flash("已保存", "success")
    return redirect(url_for(".system", system_id=system_id), 303)


@pages.post("/systems/<id:system_id>/moves")
@access.staff(MANAGE)
def advance(system_id: int) -> ResponseReturnValue:
    by, reason = _by(), request.form.get("reason", "")
    try:
        event = SystemEvent(request.form.get("event", ""))
        version, now = _number("version"), clock.system_clock()
        db.transaction(lambda: service.advance(by, system_id, event, version=version, now=now, reason=reason))
    except ValueError:
        return _system_page(system_id, "没有这种操作"), 422
    except (Invalid, Conflict) as error:
        return _system_page(system_id, _said(error)), 422
    flash(EVENT_WORDS.get(event, "已完成"), "success")
    return redirect(url_for(".system", system_id=system_id), 303)


@pages.get("/systems/<id:system_id>/runs/<id:run_id>")
@access.staff(MANAGE)
def certificate(system_id: int, run_id: int) -> str:
    by, now = _by(), clock.system_clock()
    run = service.passed_run(by, system_id, run_id, now=now)
    return render_template("exchange/certificate.html", system=service.get(by, system_id), run=run)


@pages.get("/messages")
@access.staff(MANAGE)
def queue() -> str:
    by = _by()
    system_id = read_id(request.args.get("system", ""))
    state = next((one for one in MessageState if one == request.args.get("state")), None)
    return render_template(
        "exchange/queue.html",
        messages=service.queue(by, system_id=system_id, state=state, stage=Stage.PRODUCTION),
        outgoing=service.undelivered(by, system_id=system_id),
        systems=service.listing(by),
        system_id=system_id,
        state=state,
    )


@pages.get("/messages/<id:message_id>")
@access.staff(MANAGE)
def message(message_id: int) -> str:
    return _message_page(message_id)


@pages.post("/messages/<id:message_id>/again")
@access.staff(MANAGE)
def resend(message_id: int) -> ResponseReturnValue:
    by, now = _by(), clock.system_clock()
    _, fields = service.message(by, message_id)
    try:
        changed, version = _changed(fields), _number("version")
        receipt = db.transaction(lambda: service.resend(by, message_id, changed, version=version, now=now))
    except (Invalid, Conflict) as error:
        return _message_page(message_id, _said(error)), 422
    if receipt.state is MessageState.APPLIED:
        flash("已重报并入账", "success")
        return redirect(url_for(".queue"), 303)
    flash("已重报，还没有入账，请看说明", "error")
    return redirect(url_for(".message", message_id=receipt.message_id or message_id), 303)


@pages.post("/messages/<id:message_id>/closing")
@access.staff(MANAGE)
def close(message_id: int) -> ResponseReturnValue:
    by, now, reason = _by(), clock.system_clock(), request.form.get("reason", "")
    try:
        version = _number("version")
        db.transaction(lambda: service.close(by, message_id, reason, version=version, now=now))
    except (Invalid, Conflict) as error:
        return _message_page(message_id, _said(error)), 422
    flash("已关闭", "success")
    return redirect(url_for(".queue"), 303)


@pages.post("/outgoing/<id:out_id>/again")
@access.staff(MANAGE)
def requeue(out_id: int) -> ResponseReturnValue:
    by, now = _by(), clock.system_clock()
    try:
        db.transaction(lambda: service.requeue(by, out_id, now=now))
    except Conflict as error:
        flash(str(error), "error")
    else:
        flash("已重新分发", "success")
    return redirect(url_for(".queue"), 303)


@pages.get("/cases/<id:application_id>")
@access.staff(MANAGE)
def case(application_id: int) -> str:
    messages, outgoing = service.of_case(_by(), application_id)
    return render_template(
        "exchange/case.html", messages=messages, outgoing=outgoing, application_id=application_id
    )


def _by() -> Principal:
    found: Principal = access.current_staff()
    return found


def _apps(by: Principal) -> list[third_parties.AppView]:
    """Return the applications of departments that a system may be registered for."""
    return [
        app
        for app in third_parties.listing(by)
        if app.scopes.get(Scope.EXCHANGE) not in (None, third_parties.ScopeState.REFUSED)
    ]


def _form_page(found: SystemView | None, error: DomainError | None = None) -> str:
    by = _by()
    return render_template(
        "exchange/form.html",
        system=found,
        apps=[] if found else _apps(by),
        given=request.form,
        results=_results_text(found),
        problem=_said(error) if error else "",
    )


def _system_page(system_id: int, problem: str = "") -> str:
    by, now = _by(), clock.system_clock()
    return render_template(
        "exchange/system.html",
        system=service.get(by, system_id),
        runs=service.runs(by, system_id, now=now),
        provincial=service.is_provincial(by),
        problem=problem,
    )


def _message_page(message_id: int, problem: str = "") -> str:
    line, fields = service.message(_by(), message_id)
    faulty = {one["field"].partition("[")[0]: one for one in line.findings if one["field"]}
    return render_template(
        "exchange/message.html",
        message=line,
        fields=[one for one in fields if one.value or one.required or one.code in faulty],
        others=[one for one in fields if not (one.value or one.required or one.code in faulty)],
        faulty=faulty,
        open=line.state in (MessageState.QUARANTINED, MessageState.REJECTED),
        problem=problem,
    )


def _changed(fields: list[FieldValue]) -> dict[str, Any]:
    """Return the fields that somebody changed; a starred one is changed only when filled in."""
    changed: dict[str, Any] = {}
    for field in fields:
        given = request.form.get(field.code)
        if given is None or field.code == "SJBBH":
            continue
        given = given.strip()
        if given == field.value or (field.personal and not given):
            continue
        changed[field.code] = _list(given) if field.is_list and given else given
    return changed


def _list(given: str) -> Any:
    try:
        return strict_json(given.encode("utf-8", "replace"))
    except ValueError as error:
        raise Invalid(f"材料清单：{error}") from None


def _results_text(found: SystemView | None) -> str:
    results: Mapping[str, str] = found.results if found else service.standard_results("gd")
    return "\n".join(f"{code} {outcome}" for code, outcome in sorted(results.items()))


def _wanted() -> SystemWanted:
    """Return what the form says of a system.

    Raises:
        Invalid: the table of results cannot be read.
    """
    items = request.form.get("items", "").replace("，", " ").replace(",", " ").split()
    results = {}
    for line in request.form.get("results", "").splitlines():
        code, _, outcome = line.strip().partition(" ")
        if code:
            results[code] = outcome.strip()
    return SystemWanted(request.form.get("name", ""), tuple(items), results)


def _number(name: str) -> int:
    text = request.form.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid("表单不完整，请刷新后再试")
    return int(text)


def _said(error: DomainError) -> str:
    told = [f"{text}" for texts in error.fields.values() for text in texts]
    return "；".join(told) or str(error)
