"""Console pages of announced maintenance and pauses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import DomainError, Invalid, NotFound
from app.monitoring import service
from app.monitoring.domain import MaintenanceScope
from app.monitoring.forms import problems_of, read_moment, read_number
from app.monitoring.service import Announcement
from app.monitoring.wording import duration
from app.organisations import service as organisations
from app.organisations.service import RegionLevel

STANDING_LABELS = {"under_way": "进行中", "coming": "未开始", "over": "已结束"}
EVERY = {
    "": "只这一次",
    "FREQ=DAILY": "每天",
    "FREQ=WEEKLY": "每周这一天",
    "FREQ=WEEKLY;INTERVAL=2": "每两周这一天",
    "FREQ=MONTHLY": "每月这一日",
}
maintenance_pages = Blueprint(
    "maintenance_pages", __name__, url_prefix="/wall/maintenance", template_folder="templates"
)


@maintenance_pages.context_processor
def _words() -> dict[str, Any]:
    return {
        "standing_labels": STANDING_LABELS,
        "every": EVERY,
        "duration": duration,
    }


@maintenance_pages.get("")
@access.staff(Permission.WATCH)
def listing() -> str:
    over = request.args.get("over") == "1"
    found = service.window_list(access.current_staff(), over=over, now=clock.system_clock())
    names = organisations.names_of(one.created_by for one in found)
    return render_template("monitoring/maintenance.html", windows=found, over=over, names=names)


@maintenance_pages.route("/new", methods=("GET", "POST"))
@access.staff(Permission.WATCH)
def new() -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    if request.method == "GET":
        return _form({**request.args, "minutes": 60}, {})
    try:
        told = _sent()
        db.transaction(lambda: service.announce(by, told, now=now))
    except DomainError as error:
        return _form(request.form, problems_of(error)), 422
    flash("维护已公告，期间不计入可用率。", "success")
    return redirect(url_for(".listing"), 303)


def _form(values: Mapping[str, Any], problems: Mapping[str, str]) -> str:
    by = access.current_staff()
    earliest = clock.system_clock() + timedelta(minutes=1)
    return render_template(
        "monitoring/maintenance_form.html",
        values=values,
        problems=problems,
        scopes=_scopes(by),
        earliest=earliest.astimezone(clock.HALL_TIME).strftime("%Y-%m-%dT%H:%M"),
    )


def _scopes(by: organisations.Principal) -> list[tuple[str, str]]:
    """Return what ``by`` may announce for, but for single pages: value and name."""
    found = [("province:", "全省")] if service.may_announce(by, MaintenanceScope.PROVINCE, "") else []
    for one in organisations.regions():
        if one.level is RegionLevel.CITY and service.may_announce(by, MaintenanceScope.CITY, one.code):
            found.append((f"city:{one.code}", one.name))
    bodies = organisations.bodies_of(by, Permission.WATCH)
    found += [(f"body:{one.id}", one.full_name) for one in bodies]
    page = request.values.get("scope", "")
    if page.startswith("page:") and service.may_announce(by, MaintenanceScope.PAGE, page[5:]):
        found.insert(0, (page, "这个网页"))
    return found


def _sent() -> Announcement:
    sent = request.form
    scope, _, ref = sent.get("scope", "").partition(":")
    problems: dict[str, list[str]] = {}
    if scope not in set(MaintenanceScope):
        problems["scope"] = ["请选择范围"]
    starts_at = read_moment(sent.get("starts_at", ""))
    if starts_at is None:
        problems["starts_at"] = ["请选择时间"]
    if problems or starts_at is None:
        raise Invalid("维护公告填写有误", fields=problems)
    return Announcement(
        scope=MaintenanceScope(scope),
        scope_ref=ref[:20],
        title=sent.get("title", ""),
        text=sent.get("text", ""),
        starts_at=starts_at,
        minutes=read_number(sent.get("minutes", "")) or 0,
        recurrence=sent.get("recurrence", ""),
        until_at=read_moment(sent.get("until_at", "")),
    )


@maintenance_pages.post("/<id:window_id>/end")
@access.staff(Permission.WATCH)
def end(window_id: int) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    if request.form.get("this_time") == "1":
        db.transaction(lambda: service.end_this_time(by, window_id, now=now))
    else:
        db.transaction(lambda: service.end_window(by, window_id, None, now=now))
    flash("已结束，从现在起照常监测。", "success")
    return redirect(url_for(".listing"), 303)


@maintenance_pages.route("/pause/<id:check_id>", methods=("GET", "POST"))
@access.staff(Permission.WATCH)
def pause(check_id: int) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    if not service.may_announce(by, MaintenanceScope.CHECK, str(check_id)):
        raise NotFound("没有这项检查，或不归您管理")
    problems: Mapping[str, str] = {}
    if request.method == "POST":
        until = read_moment(request.form.get("until", "")) or now
        reason = request.form.get("reason", "")
        try:
            db.transaction(lambda: service.pause(by, check_id, reason, until, now=now))
        except Invalid as error:
            problems = problems_of(error)
        else:
            flash("监测已暂停，到时自动恢复。", "success")
            return redirect(url_for(".listing"), 303)
    answer = render_template(
        "monitoring/maintenance_pause.html", values=request.form, problems=problems, check_id=check_id
    )
    return answer, 422 if problems else 200
