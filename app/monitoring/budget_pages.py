"""Error budgets (差错预算) and annex 3's progress, beside how things stand now."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from app.core import access, clock
from app.core.access import Permission
from app.monitoring import service
from app.monitoring.pages import words

budget_pages = Blueprint("budget_pages", __name__, url_prefix="/wall", template_folder="templates")
budget_pages.context_processor(words)


@budget_pages.get("/budgets")
@access.staff(Permission.WATCH)
def budgets() -> str:
    by, now = access.current_staff(), clock.system_clock()
    city = request.args.get("city", "")[:20] or None
    found = service.budget_page(by, now=now, city_code=city)
    return render_template("monitoring/budgets.html", found=found, city=city, now=now)


@budget_pages.get("/schedule")
@access.staff(Permission.WATCH)
def schedule() -> str:
    now = clock.system_clock()
    rows = service.schedule_now(access.current_staff(), now=now)
    return render_template("monitoring/schedule.html", rows=rows, now=now)
