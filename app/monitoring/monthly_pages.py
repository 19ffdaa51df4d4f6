"""Monthly reports for staff: read on the screen, as spreadsheet, as PDF."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import NotFound
from app.monitoring import service
from app.monitoring.monthly_files import NOTES, as_xlsx
from app.monitoring.pages import words
from app.monitoring.service import Figures, ReportView

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

monthly_pages = Blueprint("monthly_pages", __name__, url_prefix="/wall/reports", template_folder="templates")
monthly_pages.context_processor(words)


@monthly_pages.get("")
@access.staff(Permission.WATCH)
def listing() -> str:
    by = access.current_staff()
    scopes = dict(service.report_scopes(by))
    return render_template(
        "monitoring/monthly_list.html",
        reports=service.published_months(by),
        scopes=scopes,
        this_month=clock.day_of(clock.system_clock()).strftime("%Y-%m"),
    )


@monthly_pages.get("/preview")
@access.staff(Permission.WATCH)
def preview() -> str:
    by, now = access.current_staff(), clock.system_clock()
    month_on = _month(request.args.get("month", ""))
    figures = service.preview_month(by, month_on, request.args.get("scope", "")[:20], now=now)
    return render_template("monitoring/monthly.html", figures=figures, report=None, notes=NOTES)


@monthly_pages.get("/<month>/<scope>")
@access.staff(Permission.WATCH)
def read(month: str, scope: str) -> str:
    found = _found(month, scope)
    return render_template("monitoring/monthly.html", figures=found.figures, report=found, notes=NOTES)


@monthly_pages.get("/<month>/<scope>.xlsx")
@access.staff(Permission.WATCH)
def spreadsheet(month: str, scope: str) -> Response:
    found = _found(month, scope)
    return _file(as_xlsx(found.figures), XLSX, found.figures, "xlsx")


@monthly_pages.get("/<month>/<scope>.pdf")
@access.staff(Permission.WATCH)
def paper(month: str, scope: str) -> ResponseReturnValue:
    found = _found(month, scope)
    if found.paper is None:
        raise NotFound("PDF 还没有打印好")
    return _file(found.paper, "application/pdf", found.figures, "pdf")


@monthly_pages.post("/<month>/<scope>/paper")
@access.staff(Permission.WATCH)
def ask_for_paper(month: str, scope: str) -> ResponseReturnValue:
    by, month_on, ref = access.current_staff(), _month(month), _ref(scope)
    db.transaction(lambda: service.ask_for_paper(by, month_on, ref, now=clock.system_clock()))
    flash("正在打印，几秒钟后刷新本页即可下载。", "success")
    return redirect(url_for(".read", month=month, scope=scope), 303)


def _found(month: str, scope: str) -> ReportView:
    return service.monthly_report(access.current_staff(), _month(month), _ref(scope))


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01") if len(text) == len("2016-05") else date.max.replace(day=1)
    except ValueError:
        raise NotFound("没有这个月份") from None


def _ref(scope: str) -> str:
    return "" if scope == "province" else scope[:20]


def _file(content: bytes, content_type: str, figures: Figures, ending: str) -> Response:
    answer = Response(content, content_type=content_type)
    name = quote(f"{figures.name}移动网页运行月报{figures.month}.{ending}")
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return answer
