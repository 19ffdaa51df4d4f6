"""Console pages of the rules of operation (运行管理办法)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import Conflict, DomainError, Invalid
from app.monitoring import service
from app.monitoring.domain import CHECK_KIND_LABELS
from app.monitoring.forms import problems_of, read_moment, read_number
from app.monitoring.policy_api import PROVINCE_CODE, city_code
from app.monitoring.rules import CITY_MAY, FIELDS, Field, Kind, Rules, said
from app.organisations import service as organisations

STANDING_LABELS = {"current": "现行", "coming": "未生效", "past": "已过", "overtaken": "未生效即被取代"}
policy_pages = Blueprint("policy_pages", __name__, url_prefix="/wall/policies", template_folder="templates")


@policy_pages.context_processor
def _words() -> dict[str, Any]:
    return {
        "fields": FIELDS,
        "said": said,
        "standing_labels": STANDING_LABELS,
        "kind_labels": CHECK_KIND_LABELS,
        "code_of": lambda code: code or PROVINCE_CODE,
        "Kind": Kind,
    }


@policy_pages.get("")
@access.staff(Permission.WATCH)
def places() -> str:
    found = service.policy_places(access.current_staff(), now=clock.system_clock())
    return render_template("monitoring/policies.html", places=found)


@policy_pages.get("/<code>")
@access.staff(Permission.WATCH)
def place(code: str) -> str:
    now = clock.system_clock()
    found = service.policy_place(access.current_staff(), city_code(code), now=now)
    versions = service.policies(found.code, now=now)
    before = [*(one.rules for one in versions[1:]), service.rules_before(found.code, now=now)]
    return render_template(
        "monitoring/policy.html",
        place=found,
        versions=[
            (one, service.changes_between(older, one.rules))
            for one, older in zip(versions, before, strict=False)
        ],
        names=organisations.names_of(one.created_by for one in versions),
    )


@policy_pages.route("/<code>/change", methods=("GET", "POST"))
@access.staff(Permission.WATCH)
def change(code: str) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    found = service.policy_place(by, city_code(code), now=now)
    if request.method == "GET":
        return _form(found, _shown(found.current.rules, found.current.city_may), {})
    try:
        sent = _sent(found)
        made = db.transaction(lambda: service.propose_policy(by, found.code, **sent, now=now))
    except DomainError as error:
        status = 409 if isinstance(error, Conflict) else 422
        return _form(found, request.form, problems_of(error)), status
    return redirect(url_for(".draft", draft_id=made.id), 303)


def _form(found: service.PolicyPlace, values: Mapping[str, Any], problems: Mapping[str, str]) -> str:
    now = clock.system_clock()
    allowed = _allowed(found, now)
    newest = max((one.number for one in service.policies(found.code, now=now)), default=0)
    return render_template(
        "monitoring/policy_form.html",
        place=found,
        allowed=[field for field in FIELDS if field.name in allowed],
        values=values,
        chosen=values.getlist if isinstance(values, MultiDict) else lambda name: values.get(name, []),
        problems=problems,
        newest=newest,
    )


def _allowed(found: service.PolicyPlace, now: datetime) -> tuple[str, ...]:
    if not found.code:
        return tuple(field.name for field in FIELDS)
    return service.policy_place(access.current_staff(), "", now=now).current.city_may


def _shown(rules: Rules, city_may: tuple[str, ...]) -> dict[str, Any]:
    """Return the rules as a form shows them."""
    values: dict[str, Any] = {CITY_MAY: list(city_may)}
    for field in FIELDS:
        value = getattr(rules, field.name)
        match field.kind:
            case Kind.RATE:
                values[field.name] = f"{value * 100:.4g}"
            case Kind.STEPS:
                values |= {f"{field.name}_{number}": step for number, step in enumerate(value)}
            case Kind.KINDS:
                values[field.name] = [kind.value for kind in value]
            case Kind.SWITCH:
                values[field.name] = "1" if value else ""
            case _:
                values[field.name] = value
    return values


def _sent(found: service.PolicyPlace) -> dict[str, Any]:
    allowed = _allowed(found, clock.system_clock())
    base = read_number(request.form.get("base_number", ""))
    effective = request.form.get("effective_at", "")
    effective_at = read_moment(effective)
    if effective and effective_at is None:
        raise Invalid("规则填写有误", fields={"effective_at": ["请选择时间"]})
    return {
        "stated": {field.name: _value(field) for field in FIELDS if field.name in allowed},
        "city_may": None if found.code else request.form.getlist(CITY_MAY),
        "reason": request.form.get("reason", ""),
        "base_number": -1 if base is None else base,
        "effective_at": effective_at,
    }


def _value(field: Field) -> Any:
    """Return what the form says of a rule; None where that is nothing of the kind, which is refused."""
    sent = request.form.get(field.name, "").strip()
    match field.kind:
        case Kind.SWITCH:
            return sent == "1"
        case Kind.KINDS:
            return request.form.getlist(field.name)
        case Kind.STEPS:
            return [read_number(request.form.get(f"{field.name}_{number}", "")) for number in range(3)]
        case Kind.RATE:
            try:
                return round(float(sent) / 100, 8)
            except ValueError:
                return None
        case _:
            return read_number(sent)


@policy_pages.get("/drafts/<id:draft_id>")
@access.staff(Permission.WATCH)
def draft(draft_id: int) -> str:
    by, now = access.current_staff(), clock.system_clock()
    found = service.policy_draft(by, draft_id, now=now)
    return render_template(
        "monitoring/policy_draft.html",
        draft=found,
        place=service.policy_place(by, found.city_code, now=now),
        names=organisations.names_of([found.created_by]),
    )


@policy_pages.post("/drafts/<id:draft_id>/confirm")
@access.staff(Permission.WATCH)
def confirm(draft_id: int) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    made = db.transaction(lambda: service.confirm_policy(by, draft_id, now=now))
    flash(f"第 {made.number} 版已确认。", "success")
    return redirect(url_for(".place", code=made.city_code or PROVINCE_CODE), 303)
