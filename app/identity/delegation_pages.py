"""Residents' pages of acting for others (授权代办): give, accept, decline, end; see who may act for whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, cast

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db, problems
from app.core.errors import DomainError, Invalid, NotFound
from app.core.ids import read_id
from app.core.installation import item_names
from app.identity import service
from app.identity.pages import pages
from app.identity.service import (
    DELEGATION_LABELS,
    DELEGATION_STATE_LABELS,
    ID_KIND_LABELS,
    NAME_LEVEL,
    SCOPE_MAX,
    DelegationKind,
    IdKind,
    Offer,
    SignedIn,
)

TYPED_MAX = 60
DAYS_AT_FIRST = 90
TEXTS = ("kind", "agent_kind", "agent_name", "agent_number", "starts_on", "ends_on", "enterprise_id")
GIVEN = (DelegationKind.AGENT, DelegationKind.FAMILY)
"""What a person gives; an enterprise sends clerks."""


def _me() -> SignedIn:
    return cast(SignedIn, access.current_resident())


@pages.get("/me/delegations")
@access.resident(NAME_LEVEL)
def delegations() -> str:
    me, today = _me(), clock.day_of(clock.system_clock())
    found = service.delegations(me.id)
    return render_template(
        "identity/delegations.html",
        given=[one for one in found if one.mine_to_give],
        taken=[one for one in found if not one.mine_to_give],
        kinds=DELEGATION_LABELS,
        states=DELEGATION_STATE_LABELS,
        today=today,
        acting=service.acting_for(me.id, on=today),
        items=item_names("", {item for one in found for item in one.scope}),
    )


@pages.get("/me/delegations/new")
@access.resident(NAME_LEVEL)
def new_delegation() -> ResponseReturnValue:
    today = clock.day_of(clock.system_clock())
    ends = today + timedelta(days=DAYS_AT_FIRST)
    return _form({"starts_on": today.isoformat(), "ends_on": ends.isoformat()})


def _form(typed: Mapping[str, str], trouble: DomainError | None = None) -> ResponseReturnValue:
    chosen, wanted = _scope(), request.values.get("find", "")[:TYPED_MAX].strip()
    page = render_template(
        "identity/delegation_form.html",
        kinds={one: DELEGATION_LABELS[one] for one in GIVEN},
        id_kinds=ID_KIND_LABELS,
        enterprises=service.enterprises_of(_me().id),
        typed=typed,
        chosen=chosen,
        find=wanted,
        items=item_names(wanted, chosen),
        problems=_by_field(trouble),
        trouble=trouble,
    )
    return page if trouble is None else problems.as_page(page, trouble)


def _by_field(trouble: DomainError | None) -> dict[str, Any]:
    """Return what is wrong by the names of the form's fields."""
    names = {"number": "agent_number", "name": "agent_name"}
    found = trouble.fields if trouble else {}
    return {names.get(name, name): words for name, words in found.items()}


@pages.post("/me/delegations")
@access.resident(NAME_LEVEL)
def give_delegation() -> ResponseReturnValue:
    me, now = _me(), clock.system_clock()
    typed = {name: request.form.get(name, "")[:TYPED_MAX].strip() for name in TEXTS}
    if request.form.get("then") == "find":
        return _form(typed)
    try:
        offer = _offer(typed)
        db.transaction(lambda: service.give_delegation(me.id, offer, now=now))
    except DomainError as error:
        return _form(typed, error)
    flash("已发出，对方实名登录后在“授权代办”里接受，才会生效。", "success")
    return redirect(url_for(".delegations"), 303)


def _offer(typed: Mapping[str, str]) -> Offer:
    said: dict[str, list[str]] = {}
    enterprise_id = read_id(typed["enterprise_id"]) if typed["enterprise_id"] else None
    if typed["enterprise_id"] and enterprise_id is None:
        raise NotFound("没有这家企业")
    kind = DelegationKind.CLERK
    if enterprise_id is None:
        if typed["kind"] in GIVEN:
            kind = DelegationKind(typed["kind"])
        else:
            said["kind"] = ["请选择授权给谁"]
    if typed["agent_kind"] not in list(IdKind):
        said["agent_kind"] = ["请选择证件类型"]
    days = {name: _day(typed[name]) for name in ("starts_on", "ends_on")}
    said |= {name: ["请填写日期，如 2026-12-31"] for name, day in days.items() if day is None}
    starts_on, ends_on = days["starts_on"], days["ends_on"]
    if said or starts_on is None or ends_on is None:
        raise Invalid("授权填写有误", fields=said)
    scope = _scope()
    # What cannot be read must not turn into an empty scope, which is every item.
    if any(read_id(one) is None for one in request.values.getlist("scope")):
        raise NotFound("没有这个事项")
    if len(item_names("", scope)) != len(set(scope)):
        raise NotFound("没有这个事项")
    return Offer(
        kind=kind,
        agent_kind=IdKind(typed["agent_kind"]),
        agent_number=typed["agent_number"],
        agent_name=typed["agent_name"],
        starts_on=starts_on,
        ends_on=ends_on,
        scope=scope,
        enterprise_id=enterprise_id,
    )


def _scope() -> tuple[int, ...]:
    """Return the items chosen so far; none for all."""
    asked = request.values.getlist("scope")[: SCOPE_MAX + 1]
    return tuple({key: None for one in asked if (key := read_id(one)) is not None})


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@pages.post("/me/delegations/<id:delegation_id>/accept")
@access.resident(NAME_LEVEL)
def accept_delegation(delegation_id: int) -> ResponseReturnValue:
    return _done(service.accept_delegation, delegation_id, "已接受，办事时可以选择替谁办。")


@pages.post("/me/delegations/<id:delegation_id>/decline")
@access.resident(NAME_LEVEL)
def decline_delegation(delegation_id: int) -> ResponseReturnValue:
    return _done(service.decline_delegation, delegation_id, "已拒绝。")


@pages.post("/me/delegations/<id:delegation_id>/end")
@access.resident()
def end_delegation(delegation_id: int) -> ResponseReturnValue:
    return _done(service.end_delegation, delegation_id, "授权已终止。")


def _done(work: Callable[..., None], delegation_id: int, said: str) -> ResponseReturnValue:
    me, now = _me(), clock.system_clock()
    try:
        db.transaction(lambda: work(me.id, delegation_id, now=now))
    except NotFound:
        raise
    except DomainError as error:
        flash(str(error), "error")
    else:
        flash(said, "success")
    return redirect(url_for(".delegations"), 303)
