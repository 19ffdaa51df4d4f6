"""Console pages: applications of departments, their keys, scopes, quota, use and deliveries."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import Conflict, DomainError, Forbidden, Invalid
from app.core.ids import read_id
from app.core.installation import settings
from app.mobile_access import service as mobile_access
from app.organisations import service as organisations
from app.organisations.service import Principal
from app.third_parties import service
from app.third_parties.service import (
    AppEvent,
    AppState,
    AppView,
    EventKind,
    Quota,
    Registration,
    Scope,
    Stage,
)

MANAGE, ASK = Permission.CHANNELS_MANAGE, Permission.PAGES_REGISTER
STATE_BADGES = {
    AppState.DRAFT: "",
    AppState.SUBMITTED: "badge-warn",
    AppState.APPROVED: "badge-good",
    AppState.SUSPENDED: "badge-bad",
    AppState.CLOSED: "",
}
EVENT_WORDS = {
    AppEvent.SUBMIT: "已提交审核",
    AppEvent.WITHDRAW: "已撤回",
    AppEvent.APPROVE: "已开通",
    AppEvent.RETURN: "已退回",
    AppEvent.SUSPEND: "已暂停",
    AppEvent.RESUME: "已恢复",
    AppEvent.CLOSE: "已关闭",
}
ERRORS = {
    "timeout": "对方没有按时回答",
    "not_reached": "连接不上对方",
    "connection_lost": "连接中断",
    "tls_failed": "加密连接没有通过验证",
    "answer_too_large": "对方的回答太大",
}

console = Blueprint(
    "third_parties_pages", __name__, url_prefix="/console/third-parties", template_folder="templates"
)


@console.after_request
def _never_stored(answer: Response) -> Response:
    # They hold secrets and contacts of people.
    answer.headers["Cache-Control"] = "no-store"
    return answer


@console.context_processor
def _words() -> dict[str, Any]:
    return {
        "state_labels": service.APP_STATE_LABELS,
        "state_badges": STATE_BADGES,
        "stage_labels": service.STAGE_LABELS,
        "scope_labels": service.SCOPE_LABELS,
        "scope_state_labels": service.SCOPE_STATE_LABELS,
        "scope_badges": {"asked": "badge-warn", "granted": "badge-good", "refused": "badge-bad"},
        "event_labels": service.EVENT_LABELS,
        "webhook_state_labels": service.WEBHOOK_STATE_LABELS,
        "delivery_state_labels": service.DELIVERY_STATE_LABELS,
        "delivery_badges": {"queued": "badge-info", "delivered": "badge-good", "failed": "badge-bad"},
        "error_label": error_label,
        "stages": list(Stage),
        "choosable": service.CHOOSABLE,
        "subscribable": service.SUBSCRIBABLE,
    }


def error_label(error: str) -> str:
    """Return what went wrong with a delivery in Chinese."""
    if error.startswith("guard_"):
        return "地址不允许访问"
    if error.startswith("http_"):
        return f"对方回答 {error.removeprefix('http_')}"
    return ERRORS.get(error, error)


@console.get("")
@access.staff()
def applications() -> str:
    by = _by()
    return render_template(
        "third_parties/list.html", apps=service.listing(by), may_ask=bool(_bodies(by)), problem=""
    )


@console.get("/new")
@access.staff()
def new() -> str:
    return _form_page(None)


@console.post("/new")
@access.staff()
def register() -> ResponseReturnValue:
    by, body_id = _by(), read_id(request.form.get("body_id", ""))
    try:
        wanted = _registration()
        made = db.transaction(lambda: service.register(by, body_id or 0, wanted, now=clock.system_clock()))
    except Invalid as error:
        return _form_page(None, error), 422
    flash("已登记。可以先创建测试密钥联调，再提交审核。", "success")
    return redirect(url_for(".application", app_id=made.id), 303)


@console.get("/<id:app_id>")
@access.staff()
def application(app_id: int) -> str:
    return _detail(app_id)


@console.get("/<id:app_id>/edit")
@access.staff()
def edit(app_id: int) -> str:
    return _form_page(service.get_app(_by(), app_id))


@console.post("/<id:app_id>/edit")
@access.staff()
def change(app_id: int) -> ResponseReturnValue:
    by = _by()
    found = service.get_app(by, app_id)
    try:
        wanted, version = _registration(), _number("version")
        db.transaction(
            lambda: service.change_app(by, app_id, wanted, version=version, now=clock.system_clock())
        )
    except (Invalid, Conflict) as error:
        return _form_page(found, error), 422
    flash("已保存", "success")
    return redirect(url_for(".application", app_id=app_id), 303)


@console.post("/<id:app_id>/moves")
@access.staff()
def advance(app_id: int) -> ResponseReturnValue:
    by, reason = _by(), request.form.get("reason", "")

    def work() -> str:
        event, version = _choice(AppEvent, "event"), _number("version")
        now = clock.system_clock()
        service.advance(by, app_id, event, version=version, now=now, reason=reason)
        return EVENT_WORDS[event]

    return _act(app_id, work)


@console.post("/<id:app_id>/scopes")
@access.staff()
def ask_scopes(app_id: int) -> ResponseReturnValue:
    by = _by()

    def work() -> str:
        service.ask_scopes(by, app_id, _scopes(), now=clock.system_clock())
        return "已申请，等待审核；测试环境现在就能用"

    return _act(app_id, work)


@console.post("/<id:app_id>/scopes/decision")
@access.staff(MANAGE)
def decide_scope(app_id: int) -> ResponseReturnValue:
    by, grant = _by(), request.form.get("decision") == "grant"

    def work() -> str:
        service.decide_scope(by, app_id, _choice(Scope, "scope"), grant=grant, now=clock.system_clock())
        return "已开通这项能力" if grant else "已收回这项能力"

    return _act(app_id, work)


@console.post("/<id:app_id>/quota")
@access.staff(MANAGE)
def set_quota(app_id: int) -> ResponseReturnValue:
    by = _by()

    def work() -> str:
        quota = Quota(per_minute=_number("per_minute"), per_day=_number("per_day"))
        service.set_quota(by, app_id, _choice(Stage, "stage"), quota)
        return "已保存限额"

    return _act(app_id, work)


@console.post("/<id:app_id>/keys")
@access.staff()
def issue_key(app_id: int) -> ResponseReturnValue:
    by, make = _by(), service.rotate_keys if request.form.get("rotate") else service.issue_key
    try:
        stage = _choice(Stage, "stage")
        made = db.transaction(lambda: make(by, app_id, stage, now=clock.system_clock()))
    except (Invalid, Conflict) as error:
        return _detail(app_id, str(error)), 422
    return render_template("third_parties/key_made.html", app=service.get_app(by, app_id), made=made)


@console.post("/<id:app_id>/keys/<id:key_id>/revocation")
@access.staff()
def revoke_key(app_id: int, key_id: int) -> ResponseReturnValue:
    by = _by()

    def work() -> str:
        service.revoke_key(by, app_id, key_id, now=clock.system_clock())
        return "密钥已吊销，立即失效"

    return _act(app_id, work)


@console.post("/<id:app_id>/webhooks")
@access.staff()
def add_webhook(app_id: int) -> ResponseReturnValue:
    by = _by()
    service.get_app(by, app_id)
    try:
        stage, kinds = _choice(Stage, "stage"), _kinds()
        guard = mobile_access.outbound_guard(settings())
        url = service.vetted_url(request.form.get("url", "").strip(), guard)
        made, secret = db.transaction(
            lambda: service.add_webhook(app_id, stage, url, kinds, actor=by.actor, now=clock.system_clock())
        )
    except (Invalid, Conflict) as error:
        return _detail(app_id, _said(error)), 422
    return render_template(
        "third_parties/webhook_made.html", app=service.get_app(by, app_id), webhook=made, secret=secret
    )


@console.post("/<id:app_id>/webhooks/<id:webhook_id>/<any(ping,stop,start,removal,secret):act>")
@access.staff()
def act_on_webhook(app_id: int, webhook_id: int, act: str) -> ResponseReturnValue:
    by, now = _by(), clock.system_clock()
    found = service.get_app(by, app_id)
    stage = service.stage_of(app_id, webhook_id=webhook_id)
    if act == "secret":
        secret = db.transaction(
            lambda: service.rotate_secret(app_id, stage, webhook_id, actor=by.actor, now=now)
        )
        webhook = service.get_webhook(app_id, stage, webhook_id)
        return render_template("third_parties/webhook_made.html", app=found, webhook=webhook, secret=secret)

    def work() -> str:
        if act == "ping":
            service.ping(app_id, stage, webhook_id, now=now)
            return "测试已发出，几秒后刷新看结果"
        if act == "removal":
            service.remove_webhook(app_id, stage, webhook_id, actor=by.actor)
            return "已删除推送地址"
        known = service.get_webhook(app_id, stage, webhook_id)
        service.change_webhook(
            app_id,
            stage,
            webhook_id,
            version=known.version,
            kinds=known.events,
            active=act == "start",
            actor=by.actor,
        )
        return "已恢复推送" if act == "start" else "已停止推送"

    return _act(app_id, work)


@console.post("/<id:app_id>/deliveries/<id:delivery_id>/redelivery")
@access.staff()
def redeliver(app_id: int, delivery_id: int) -> ResponseReturnValue:
    by = _by()
    service.get_app(by, app_id)
    stage = service.stage_of(app_id, delivery_id=delivery_id)

    def work() -> str:
        service.redeliver(app_id, stage, delivery_id, now=clock.system_clock())
        return "已重新推送，几秒后刷新看结果"

    return _act(app_id, work)


def _by() -> Principal:
    by: Principal = access.current_staff()
    if not (by.may(MANAGE) or by.may(ASK)):
        raise Forbidden
    return by


def _act(app_id: int, work: Any) -> ResponseReturnValue:
    try:
        said = db.transaction(work)
    except (Invalid, Conflict) as error:
        return _detail(app_id, _said(error)), 422
    flash(said, "success")
    return redirect(url_for(".application", app_id=app_id), 303)


def _said(error: DomainError) -> str:
    words = [str(word) for found in error.fields.values() for word in found]
    return "；".join(words) or str(error)


def _detail(app_id: int, problem: str = "") -> str:
    by, now = _by(), clock.system_clock()
    found = service.get_app(by, app_id)
    webhooks = service.webhooks_of(app_id)
    today = clock.day_of(now)
    return render_template(
        "third_parties/detail.html",
        app=found,
        contact=service.contact(by, app_id),
        manages=service.may_manage(by, app_id),
        keys=service.keys_of(app_id, now=now),
        quotas={stage: service.quota_of(app_id, stage) for stage in Stage},
        usages={stage: service.usage(app_id, stage, today=today) for stage in Stage},
        webhooks=webhooks,
        hosts={one.id: one.host for one in webhooks},
        deliveries=service.deliveries([one.id for one in webhooks]),
        missing=[scope for scope in service.CHOOSABLE if scope not in found.scopes],
        problem=problem,
    )


def _form_page(app: AppView | None, error: DomainError | None = None) -> str:
    by = _by()
    return render_template(
        "third_parties/form.html",
        app=app,
        bodies=_bodies(by) if app is None else [],
        contact=service.contact(by, app.id) if app else "",
        problem=str(error) if error else "",
        problems=error.fields if error else {},
        form=request.form,
    )


def _bodies(by: Principal) -> list[organisations.BodyView]:
    found = organisations.bodies_of(by, MANAGE) + organisations.bodies_of(by, ASK)
    return list({body.id: body for body in found}.values())


def _registration() -> Registration:
    form = request.form
    hosts, wrong = service.hosts_in(form.get("sso_hosts", ""))
    if wrong:
        raise Invalid("应用信息有误", fields={"sso_hosts": [f"不是域名：{'、'.join(wrong)[:100]}"]})
    return Registration(
        name=form.get("name", ""),
        purpose=form.get("purpose", ""),
        contact=form.get("contact", ""),
        callback_url=form.get("callback_url", "").strip(),
        sso_hosts=tuple(hosts),
        scopes=_scopes(),
    )


def _scopes() -> tuple[Scope, ...]:
    asked = set(request.form.getlist("scopes"))
    return tuple(scope for scope in service.CHOOSABLE if scope.value in asked)


def _kinds() -> list[EventKind]:
    asked = set(request.form.getlist("events"))
    return [kind for kind in service.SUBSCRIBABLE if kind.value in asked]


def _number(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _choice(kind: type[Any], name: str) -> Any:
    try:
        return kind(request.form.get(name, ""))
    except ValueError:
        raise Invalid("没有这个选项", fields={name: ["没有这个选项"]}) from None
