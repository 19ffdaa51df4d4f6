"""The wall and its drill-down, for staff; each sees the bodies in its own scope."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.core.access import Permission
from app.core.installation import settings
from app.monitoring import service
from app.monitoring.service import CONDITION_LABELS, OUTCOME_LABELS, OfficialVerdict, Terms
from app.monitoring.wording import duration, moment, percent

OFFICIAL_LABELS = {
    OfficialVerdict.PASS: "合格",
    OfficialVerdict.WARN: "接近红线",
    OfficialVerdict.VETO: "单项否决",
    OfficialVerdict.TOO_FEW_VISITS: "监测不满一周，暂不判定",
}
SIGNS = {"up": "✓", "degraded": "!", "down": "✕", "unknown": "?"}

pages = Blueprint("monitoring_pages", __name__, url_prefix="/wall", template_folder="templates")


@pages.context_processor
def words() -> dict[str, Any]:
    """Return what every template of the watch says things with."""
    return {
        "condition_labels": CONDITION_LABELS,
        "outcome_labels": OUTCOME_LABELS,
        "official_labels": OFFICIAL_LABELS,
        "signs": SIGNS,
        "cause_label": service.cause_label,
        "percent": percent,
        "duration": duration,
        "moment": moment,
    }


@pages.get("")
@access.staff(Permission.WATCH)
def wall() -> str:
    return render_template("monitoring/wall.html", wall=_wall())


@pages.get("/live")
@access.staff(Permission.WATCH)
def live() -> str:
    """Return the part of the wall that refreshes itself."""
    return render_template("monitoring/live.html", wall=_wall())


@pages.get("/city/<code>")
@access.staff(Permission.WATCH)
def city(code: str) -> str:
    found = service.city_watch(access.current_staff(), code, _terms(), now=clock.system_clock())
    return render_template("monitoring/city.html", city=found)


@pages.get("/body/<id:body_id>")
@access.staff(Permission.WATCH)
def body(body_id: int) -> str:
    found = service.body_watch(access.current_staff(), body_id, _terms(), now=clock.system_clock())
    return render_template("monitoring/body.html", watch=found)


@pages.get("/page/<id:page_id>")
@access.staff(Permission.WATCH)
def page(page_id: int) -> str:
    found = service.page_watch(access.current_staff(), page_id, _terms(), now=clock.system_clock())
    return render_template("monitoring/page.html", page=found)


@pages.post("/incidents/<id:incident_id>/acknowledge")
@access.staff(Permission.WATCH)
def acknowledge(incident_id: int) -> ResponseReturnValue:
    by = access.current_staff()
    known = db.transaction(lambda: service.acknowledge(by, incident_id, now=clock.system_clock()))
    return redirect(url_for(".page", page_id=known.page_id), 303)


def _wall() -> service.Wall:
    return service.wall(access.current_staff(), _terms(), now=clock.system_clock())


def _terms() -> Terms:
    return service.terms(settings())
