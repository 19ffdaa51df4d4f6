"""Handing somebody's open cases over while they are away."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.applications import service
from app.applications.service import Colleague
from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import Forbidden, Invalid
from app.core.ids import read_id
from app.organisations import service as organisations
from app.organisations.service import Principal

BODIES_MAX = 100

away = Blueprint("away_pages", __name__, url_prefix="/desk/away", template_folder="templates")


@away.get("")
@access.staff(Permission.CASES_READ)
def form() -> str:
    return _page({})


def _page(problems: dict[str, list[str]]) -> str:
    by = access.current_staff()
    people = _people(by)
    heads = by.may(Permission.CASES_HEAD)
    return render_template(
        "applications/away.html",
        people=people,
        absent=people if heads else [one for one in people if one.staff_id == by.staff_id],
        problems=problems,
        sent=request.form,
    )


def _people(by: Principal) -> list[Colleague]:
    """Return who handles cases of the bodies that the caller heads, or handles cases of."""
    permission = Permission.CASES_HEAD if by.may(Permission.CASES_HEAD) else Permission.CASES_HANDLE
    bodies = organisations.bodies_of(by, permission)[:BODIES_MAX]
    found = {one.staff_id: one for body in bodies for one in service.colleagues(body.id)}
    return sorted(found.values(), key=lambda one: (one.name, one.staff_id))


@away.post("")
@access.staff(Permission.CASES_READ)
def hand_over() -> ResponseReturnValue:
    by, sent, now = access.current_staff(), request.form, clock.system_clock()
    absent, to = read_id(sent.get("from_id", "")) or 0, read_id(sent.get("staff_id", "")) or 0
    reason = sent.get("hand_over_reason", "")
    try:
        count = db.transaction(lambda: service.pass_on_all(by, absent, to, reason, now=now))
    except Invalid as error:
        return _page(error.fields), 422
    except Forbidden as error:
        flash(str(error), "error")
        return redirect(url_for(".form"), 303)
    more = "，还有的请再转交一次" if count == service.AT_ONCE else ""
    flash(f"转交了 {count} 件{more}。", "success")
    return redirect(url_for(".form"), 303)
