"""The working calendar in the console: what is in force, and bringing a published year in."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.applications import service
from app.core import access, clock, db, working_years
from app.core.access import Permission
from app.core.errors import Conflict, Invalid
from app.organisations import service as organisations
from config.working_days import Year

calendar = Blueprint("calendar_pages", __name__, url_prefix="/console/calendar", template_folder="templates")


@calendar.get("")
@access.staff(Permission.CALENDAR_MANAGE)
def overview() -> str:
    return _overview({})


def _overview(problems: dict[str, list[str]]) -> str:
    views = working_years.history()
    return render_template(
        "applications/calendar.html",
        views=views,
        version=working_years.version(),
        names=organisations.names_of(one.entered_by for one in views),
        problems=problems,
        sent=request.form,
        kilobytes=service.CALENDAR_BYTES_MAX // 1024,
    )


@calendar.get("/<int(min=2000, max=2100):year>")
@access.staff(Permission.CALENDAR_MANAGE)
def one_year(year: int) -> ResponseReturnValue:
    views = [one for one in working_years.history() if one.year.number == year]
    return render_template(
        "applications/calendar_year.html",
        year=year,
        views=views,
        names=organisations.names_of(one.entered_by for one in views),
    )


@calendar.post("/trial")
@access.staff(Permission.CALENDAR_MANAGE)
def trial() -> ResponseReturnValue:
    """Say what a file would change; nothing is changed."""
    sent = request.files.get("file")
    content = sent.stream.read(service.CALENDAR_BYTES_MAX + 1) if sent else b""
    is_csv = bool(sent and (sent.filename or "").lower().endswith(".csv"))
    try:
        found = service.tried(_years(content, is_csv))
    except Invalid as error:
        return _overview(error.fields), 422
    return render_template(
        "applications/calendar_trial.html",
        trial=found,
        most=service.MOVED_MAX,
        # Nothing is kept between trial and apply: the browser sends the same words again.
        text=service.decoded_days(content),
        is_csv=is_csv,
        sent=request.form,
    )


@calendar.post("/apply")
@access.staff(Permission.CALENDAR_MANAGE)
def apply() -> ResponseReturnValue:
    """Let the years of a trial come into force, unless another calendar did meanwhile."""
    by, now, sent = access.current_staff(), clock.system_clock(), request.form
    version = sent.get("version", "")
    seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else -1
    try:
        years = _years(sent.get("text", "").encode(), sent.get("format") == "csv")
        landed = db.transaction(lambda: service.land_years(years, by=by.actor, now=now, version=seen))
    except Invalid as error:
        return _overview(error.fields), 422
    except Conflict as error:
        flash(str(error), "error")
        return redirect(url_for(".overview"), 303)
    said = "、".join(f"{one.number} 年" for one in landed)
    flash(f"{said}的安排已生效，办件的期限正在重新计算" if landed else "与现行安排一样，没有改动", "success")
    return redirect(url_for(".overview"), 303)


def _years(content: bytes, is_csv: bool) -> list[Year]:
    sent = request.form
    source = sent.get("source", "").strip()
    if is_csv and not source:
        raise Invalid(fields={"source": ["CSV 文件里没有出处，请写明是哪份文件的安排"]})
    return service.read_years(
        content, is_csv=is_csv, source=source, provisional=sent.get("provisional") == "1"
    )
