"""Console pages of alerts: messages, own settings, proofs of delivery, endpoints."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.alerts import service
from app.alerts.service import (
    Digest,
    EndpointFormat,
    NewEndpoint,
    NewSettings,
    Severity,
    Topic,
    Way,
)
from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import DomainError, Invalid, NotFound
from app.core.ids import read_id
from app.core.installation import settings as installation
from app.core.quiet import clock_time, minutes_of
from app.mobile_access import service as mobile_access
from app.notices import service as notices
from app.organisations import service as organisations

MESSAGES_SHOWN = 30
COUNTED = timedelta(days=7)
FIRST = "first"
ERRORS = {
    "no_address": "没有可用的接收方式",
    "address_gone": "接收方式已解除",
    "not_following": "没有关注，或超过 48 小时没有来信，平台不让发送",
    "needs_consent": "本人拒收",
    "quota": "平台当天的发送额度用完",
    "auth": "渠道账号的密钥或权限有误",
    "mail_not_configured": "没有设置邮件服务器",
    "smtp_no_tls": "邮件服务器不支持加密",
    "bad_address": "邮箱地址不正确",
    "timeout": "对方没有按时回答",
    "not_reached": "连接不上对方",
    "connection_lost": "连接中断",
    "tls_failed": "加密连接没有通过验证",
    "answer_too_large": "对方的回答太大",
    "bad_answer": "对方的回答不正确",
    "circuit_open": "对方长时间不能用，放弃发送",
    "given_up": "超过 24 小时没有结果，放弃发送",
}
NOT_TRIED = {
    "unsupported": "这个账号没有这种消息",
    "no_form": "没有填写这个账号的平台模板",
    "no_consent": "没有订阅次数",
    "window_closed": "本人 48 小时内没有来信",
    "breaker_open": "账号已熔断",
    "pace": "发得太快，稍后再试",
    "quota": "今天的额度用完",
}

pages = Blueprint("alerts_pages", __name__, url_prefix="/alerts", template_folder="templates")


@pages.after_request
def _never_stored(answer: Response) -> Response:
    # They hold codes, secrets and addresses of people.
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.context_processor
def _words() -> dict[str, Any]:
    return {
        "severity_labels": service.SEVERITY_LABELS,
        "severity_badges": {"info": "badge-info", "warning": "badge-warn", "critical": "badge-bad"},
        "topic_labels": service.TOPIC_LABELS,
        "topic_label": service.topic_label,
        "way_labels": service.WAY_LABELS,
        "state_labels": service.STATE_LABELS,
        "state_badges": {
            "sent": "badge-good",
            "delivered": "badge-good",
            "failed": "badge-bad",
            "suppressed": "badge-warn",
            "queued": "badge-info",
        },
        "digest_labels": service.DIGEST_LABELS,
        "format_labels": service.FORMAT_LABELS,
        "error_label": error_label,
        "local_moment": service.local_moment,
    }


def error_label(error: str) -> str:
    """Return what went wrong in Chinese; the code itself where it is the platform's own."""
    if error.startswith("guard_"):
        return "地址不允许访问"
    code, _, rest = error.partition(" ")
    known = ERRORS.get(code, f"对方回答 {code}" if code else "")
    return f"{known}（{rest}）" if rest else known


@pages.get("")
@access.staff()
def inbox() -> str:
    by = access.current_staff()
    return render_template(
        "alerts/inbox.html",
        messages=service.own_messages(by, limit=MESSAGES_SHOWN),
        watches=by.may(Permission.WATCH),
        reachable=_reachable(by.staff_id),
    )


@pages.get("/messages/<id:message_id>")
@access.staff()
def message(message_id: int) -> str:
    by = access.current_staff()
    found = service.get_message(by, message_id)
    return render_template("alerts/message.html", message=found, alerts=service.alerts_in(by, message_id))


@pages.get("/notice-tests/<id:version_id>")
@access.staff(Permission.CHANNELS_MANAGE)
def notice_test(version_id: int) -> str:
    return _notice_test_page(version_id, None)


@pages.post("/notice-tests/<id:version_id>")
@access.staff(Permission.CHANNELS_MANAGE)
def send_notice_test(version_id: int) -> str:
    """Send a notice with its samples to one of one's own accounts; calls the platform."""
    binding_id = read_id(request.form.get("binding_id", ""))
    if binding_id is None:
        raise NotFound("没有这个绑定")
    by, now = access.current_staff(), clock.system_clock()
    tried = service.try_notice(by, version_id, binding_id, base_url=installation().base_url, now=now)
    return _notice_test_page(version_id, tried)


def _notice_test_page(version_id: int, tried: list[notices.Tried] | None) -> str:
    return render_template(
        "alerts/notice_test.html",
        version=notices.version(version_id),
        bindings=service.bindings_of(access.current_staff().staff_id),
        tried=tried,
        way_label=notices.way_label,
        skipped=NOT_TRIED,
    )


@pages.get("/settings")
@access.staff()
def settings() -> str:
    return _settings_page()


@pages.post("/settings")
@access.staff()
def change_settings() -> ResponseReturnValue:
    staff_id = access.current_staff().staff_id
    try:
        wanted, version = _wanted(), _number(request.form.get("version", ""))
        db.transaction(
            lambda: service.change_settings(staff_id, wanted, version=version, now=clock.system_clock())
        )
    except Invalid as error:
        return _settings_page(error.fields), 422
    flash("已保存", "success")
    return redirect(url_for(".settings"), 303)


@pages.post("/settings/code")
@access.staff()
def new_code() -> str:
    staff_id = access.current_staff().staff_id
    code = db.transaction(lambda: service.new_code(staff_id, now=clock.system_clock()))
    return render_template("alerts/code.html", code=code, accounts=service.bindable_accounts())


@pages.post("/bindings/<id:binding_id>/removal")
@access.staff()
def unbind(binding_id: int) -> ResponseReturnValue:
    staff_id = access.current_staff().staff_id
    db.transaction(lambda: service.unbind(staff_id, binding_id))
    flash("已解除绑定", "success")
    return redirect(url_for(".settings"), 303)


@pages.post("/test")
@access.staff()
def send_test() -> ResponseReturnValue:
    by = access.current_staff()
    message_id = db.transaction(lambda: service.send_test(by, now=clock.system_clock()))
    return redirect(url_for(".message", message_id=message_id), 303)


@pages.get("/log")
@access.staff(Permission.WATCH)
def log() -> str:
    by, asked = access.current_staff(), request.args.get("state", "")
    state = service.DeliveryState(asked) if asked in set(service.DeliveryState) else None
    after = read_id(request.args.get("after", ""))
    return render_template(
        "alerts/log.html",
        listed=service.deliveries(by, state=state, after=after),
        counts=service.delivery_counts(by, clock.system_clock() - COUNTED),
        state=state,
        states=list(service.DeliveryState),
    )


@pages.get("/endpoints")
@access.staff(Permission.WATCH)
def endpoints() -> str:
    return _endpoints_page()


@pages.post("/endpoints")
@access.staff(Permission.WATCH)
def add_endpoint() -> ResponseReturnValue:
    by = access.current_staff()
    try:
        wanted = service.vetted_endpoint(_endpoint(), mobile_access.outbound_guard(installation()))
        made, secret = db.transaction(lambda: service.add_endpoint(by, wanted, now=clock.system_clock()))
    except (Invalid, NotFound) as error:
        return _endpoints_page(_said(error)), 422
    return render_template("alerts/endpoint_made.html", endpoint=made, secret=secret)


@pages.post("/endpoints/<id:endpoint_id>")
@access.staff(Permission.WATCH)
def change_endpoint(endpoint_id: int) -> ResponseReturnValue:
    by, form = access.current_staff(), request.form
    found = service.get_endpoint(by, endpoint_id)
    try:
        severity = _choice(Severity, "min_severity", found.min_severity)
        db.transaction(
            lambda: service.change_endpoint(
                by,
                endpoint_id,
                version=_number(form.get("version", "")) or 0,
                name=form.get("name", ""),
                min_severity=severity,
                active=form.get("active") == "on",
            )
        )
    except Invalid as error:
        return _endpoints_page(_said(error)), 422
    flash("已保存", "success")
    return redirect(url_for(".endpoints"), 303)


@pages.post("/endpoints/<id:endpoint_id>/removal")
@access.staff(Permission.WATCH)
def remove_endpoint(endpoint_id: int) -> ResponseReturnValue:
    by = access.current_staff()
    db.transaction(lambda: service.remove_endpoint(by, endpoint_id, now=clock.system_clock()))
    flash("已删除", "success")
    return redirect(url_for(".endpoints"), 303)


@pages.post("/endpoints/<id:endpoint_id>/test")
@access.staff(Permission.WATCH)
def test_endpoint(endpoint_id: int) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    message_id = db.transaction(lambda: service.send_test(by, endpoint_id=endpoint_id, now=now))
    return redirect(url_for(".message", message_id=message_id), 303)


def _reachable(staff_id: int) -> bool:
    found = service.settings_of(staff_id).wanted
    bound = {binding.kind for binding in service.bindings_of(staff_id)}
    return any(way in bound or (way is Way.EMAIL and found.email) for way in found.ways)


def _settings_page(problems: dict[str, list[str]] | None = None) -> str:
    staff_id = access.current_staff().staff_id
    return render_template(
        "alerts/settings.html",
        view=service.settings_of(staff_id),
        bindings=service.bindings_of(staff_id),
        accounts=service.bindable_accounts(),
        mail_works=bool(installation().smtp_url),
        problems=problems or {},
        ways=service.STAFF_WAYS,
        severities=list(Severity),
        digests=list(Digest),
        topics=list(Topic),
        clock_time=clock_time,
    )


def _wanted() -> NewSettings:
    form = request.form
    chosen = [way for way in service.STAFF_WAYS if way.value in form.getlist("ways")]
    first = form.get(FIRST, "")
    quiet = form.get("quiet") == "on"
    return NewSettings(
        ways=tuple(sorted(chosen, key=lambda way: way.value != first)),
        quiet_from=_minutes("quiet_from") if quiet else None,
        quiet_until=_minutes("quiet_until") if quiet else None,
        digest=_choice(Digest, "digest", Digest.AT_ONCE),
        min_severity=_choice(Severity, "min_severity", Severity.WARNING),
        muted=tuple(topic.value for topic in Topic if topic.value not in form.getlist("topics")),
        email=form.get("email", "").strip(),
    )


def _minutes(name: str) -> int:
    try:
        return minutes_of(request.form.get(name, ""))
    except ValueError:
        raise Invalid("告警设置有误", fields={name: ["要写成 22:00 这样的时间"]}) from None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else None


def _choice(kind: type[Any], name: str, otherwise: Any) -> Any:
    given = request.form.get(name, "")
    if not given:
        return otherwise
    try:
        return kind(given)
    except ValueError:
        raise Invalid("选项有误", fields={name: ["没有这个选项"]}) from None


def _endpoint() -> NewEndpoint:
    form = request.form
    kind, _, ref = form.get("endpoint_scope", "").partition(":")
    body_id = read_id(ref) if kind == "body" else None
    if kind not in {"province", "city", "body"} or (kind == "body" and body_id is None):
        raise Invalid("请选择范围", fields={"endpoint_scope": ["请选择范围"]})
    return NewEndpoint(
        name=form.get("name", ""),
        format=_choice(EndpointFormat, "format", EndpointFormat.GENERIC),
        url=form.get("url", "").strip(),
        secret=form.get("secret", "").strip(),
        min_severity=_choice(Severity, "min_severity", Severity.WARNING),
        body_id=body_id,
        city_code=ref if kind == "city" else None,
    )


def _endpoints_page(problem: str = "") -> str:
    by = access.current_staff()
    return render_template(
        "alerts/endpoints.html",
        endpoints=service.endpoints(by),
        scopes=_scopes(),
        problem=problem,
        form=request.form,
        formats=list(EndpointFormat),
        severities=list(Severity),
        now=clock.system_clock(),
    )


def _scopes() -> list[tuple[str, str]]:
    """Return what the signed-in person may set an endpoint up for: value and name."""
    by = access.current_staff()
    province = service.sees_province(by)
    level = organisations.RegionLevel.CITY
    own = set(service.own_cities(by))
    cities = [one for one in organisations.regions() if one.level is level and (province or one.code in own)]
    bodies = organisations.bodies_of(by, Permission.WATCH)
    return [
        *([("province:", "全省")] if province else []),
        *((f"city:{one.code}", one.name) for one in cities),
        *((f"body:{one.id}", one.full_name) for one in bodies),
    ]


def _said(error: DomainError) -> str:
    fields = [
        text for texts in error.fields.values() for text in (texts if isinstance(texts, list) else [texts])
    ]
    return "；".join(fields) or str(error)
