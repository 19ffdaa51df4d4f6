"""Pages of a page's checks, for the staff of its body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import DomainError, Invalid
from app.core.installation import settings
from app.mobile_access import service as mobile_access
from app.monitoring import service
from app.monitoring.check_settings import ADDABLE, INTERVAL_LEAST, INTERVAL_MOST, CheckSettings, Draft
from app.monitoring.domain import CHECK_KIND_LABELS, CONDITION_LABELS, CheckKind, cause_label
from app.monitoring.service import CheckView
from mobile_pages.guard import Policy
from mobile_pages.probe.steps import METHODS

check_pages = Blueprint(
    "monitoring_checks", __name__, url_prefix="/console/checks", template_folder="templates"
)
KIND_HINTS = {
    CheckKind.PAGE: "打开网页，看标题和文字对不对。",
    CheckKind.HEALTH: "登记了健康检查网址就自动探测，取消登记就自动停止。",
    CheckKind.API: "调一个接口，看状态码和返回的内容对不对。",
    CheckKind.TASK: "用测试账号走一遍登录和查询，一步不对就报出是哪一步。",
    CheckKind.RENDERED: "用浏览器打开，看是不是空白页、脚本有没有出错；每 10 分钟以上一次。",
}


@check_pages.context_processor
def _words() -> dict[str, Any]:
    return {
        "kind_labels": CHECK_KIND_LABELS,
        "kind_hints": KIND_HINTS,
        "condition_labels": {key.value: label for key, label in CONDITION_LABELS.items()},
        "cause_label": cause_label,
        "day": lambda at: clock.day_of(at).isoformat(),
        "methods": METHODS,
        "interval_least": INTERVAL_LEAST,
        "interval_most": INTERVAL_MOST,
    }


@check_pages.get("/pages/<id:page_id>")
@access.staff(Permission.PAGES_READ)
def listing(page_id: int) -> str:
    by = access.current_staff()
    found = service.checks_of(by, page_id)
    return render_template(
        "monitoring/checks.html", checks=found, addable=ADDABLE, changeable=service.may_change(by, found[0])
    )


@check_pages.get("/pages/<id:page_id>/new/<kind>")
@access.staff(Permission.PAGES_READ)
def new(page_id: int, kind: str) -> str:
    page = service.get_check(access.current_staff(), page_id)
    return _form(page, None, _kind(kind), {}, {})


@check_pages.post("/pages/<id:page_id>/new/<kind>")
@access.staff(Permission.PAGES_READ)
def create(page_id: int, kind: str) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    page = service.get_check(by, page_id)
    wanted = _kind(kind)
    try:
        draft = _draft(wanted)
        made = db.transaction(lambda: service.add_check(by, page_id, draft, _policy(), now=now))
    except DomainError as error:
        return _form(page, None, wanted, request.form, _problems(error)), 422
    flash("探测已添加，几秒后开始。", "success")
    return redirect(url_for(".detail", check_id=made.id), 303)


@check_pages.get("/<id:check_id>")
@access.staff(Permission.PAGES_READ)
def detail(check_id: int) -> str:
    check = service.get_check(access.current_staff(), check_id)
    return _form(check, check, check.kind, _values(check), {})


@check_pages.post("/<id:check_id>")
@access.staff(Permission.PAGES_READ)
def change(check_id: int) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    check = service.get_check(by, check_id)
    try:
        draft, version = _draft(check.kind), _number(request.form.get("version", ""), "version")
        db.transaction(lambda: service.change_check(by, check_id, draft, _policy(), version=version, now=now))
    except DomainError as error:
        return _form(check, check, check.kind, request.form, _problems(error)), 422
    flash("已保存，几秒后按新的设置探测。", "success")
    return redirect(url_for(".detail", check_id=check_id), 303)


@check_pages.post("/<id:check_id>/try")
@access.staff(Permission.PAGES_READ)
def try_now(check_id: int) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    db.transaction(lambda: service.ask_try(by, check_id, now=now))
    return redirect(url_for(".detail", check_id=check_id) + "#tried", 303)


@check_pages.post("/<id:check_id>/remove")
@access.staff(Permission.PAGES_READ)
def remove(check_id: int) -> ResponseReturnValue:
    by = access.current_staff()
    check = service.get_check(by, check_id)
    version = _number(request.form.get("version", ""), "version")
    db.transaction(lambda: service.remove_check(by, check_id, version=version))
    flash(f"已删除探测“{check.name}”，以前的记录还在。", "success")
    return redirect(url_for(".listing", page_id=check.page_id), 303)


def _form(
    page: CheckView,
    check: CheckView | None,
    kind: CheckKind,
    values: Mapping[str, str],
    problems: Mapping[str, str],
) -> str:
    facts, changes = service.facts_of(check.id) if check else (None, [])
    return render_template(
        "monitoring/check.html",
        facts=facts,
        changes=changes,
        page=page,
        check=check,
        kind=kind,
        values=values,
        problems=problems,
        changeable=service.may_change(access.current_staff(), page),
        removable=check is not None and kind in ADDABLE,
    )


def _draft(kind: CheckKind) -> Draft:
    sent = request.form
    interval = sent.get("interval_seconds", "").strip()
    return Draft(
        kind=kind,
        name=sent.get("name", ""),
        url=sent.get("url", ""),
        interval_seconds=_number(interval, "interval_seconds") if interval else None,
        enabled="off" not in sent,
        settings=CheckSettings(
            expected_title=sent.get("expected_title", ""),
            must_contain=tuple(sent.get("must_contain", "").splitlines()),
            must_not_contain=tuple(sent.get("must_not_contain", "").splitlines()),
            method=sent.get("method", "GET"),
            headers=sent.get("headers", ""),
            body=sent.get("body", ""),
            expectations=sent.get("expectations", ""),
            script=sent.get("script", "").replace("\r\n", "\n"),
        ),
        secrets=_secrets(sent.get("secrets", "")),
    )


def _secrets(text: str) -> Mapping[str, str] | None:
    """Read ``name=value`` lines; nothing typed leaves what is kept."""
    lines = [line.partition("=") for line in text.splitlines() if line.strip()]
    return {name.strip(): value.strip() for name, _, value in lines} or None


def _number(text: str, name: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise Invalid(fields={name: ["请填整数"]})
    return int(text)


def _values(check: CheckView) -> dict[str, str]:
    held = check.settings
    return {
        "name": check.name,
        "url": check.url,
        "interval_seconds": str(check.interval_seconds or ""),
        "off": "" if check.enabled else "on",
        "expected_title": held.expected_title,
        "must_contain": "\n".join(held.must_contain),
        "must_not_contain": "\n".join(held.must_not_contain),
        "method": held.method,
        "headers": held.headers,
        "body": held.body,
        "expectations": held.expectations,
        "script": held.script,
    }


def _kind(text: str) -> CheckKind:
    kind = next((one for one in ADDABLE if one.value == text), None)
    if kind is None:
        raise Invalid("没有这种探测")
    return kind


def _problems(error: DomainError) -> dict[str, str]:
    found = {name: "；".join(map(str, said)) for name, said in error.fields.items()}
    return found or {"": str(error)}


def _policy() -> Policy:
    return mobile_access.outbound_guard(settings()).policy
