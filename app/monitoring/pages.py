"""The wall and its drill-down, for staff; each sees the bodies in its own scope."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.core.access import Permission
from app.monitoring import service
from app.monitoring.domain import CHECK_KIND_LABELS
from app.monitoring.service import CONDITION_LABELS, OUTCOME_LABELS, OfficialVerdict, Scope
from app.monitoring.wording import duration, heat_class, moment, percent
from app.organisations.service import Principal

OFFICIAL_LABELS = {
    OfficialVerdict.PASS: "合格",
    OfficialVerdict.WARN: "接近红线",
    OfficialVerdict.VETO: "单项否决",
    OfficialVerdict.TOO_FEW_VISITS: "监测不满一周，暂不判定",
}
WALL_DAYS = 14
PAGE_DAYS = 90
PLACE_DAYS = 30
HEAT_PAGES = 60
HOURS = 24
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
        "heat_class": heat_class,
        "sparkline": service.sparkline,
    }


@pages.get("")
@access.staff(Permission.WATCH)
def wall() -> str:
    return render_template("monitoring/wall.html", **wall_context(access.current_staff()))


@pages.get("/live")
@access.staff(Permission.WATCH)
def live() -> str:
    """Return the part of the wall that refreshes itself."""
    return render_template("monitoring/live.html", **wall_context(access.current_staff()))


@pages.get("/city/<code>")
@access.staff(Permission.WATCH)
def city(code: str) -> str:
    now = clock.system_clock()
    by = access.current_staff()
    found = service.city_watch(by, code, service.terms_now(now), now=now)
    heat = None if _refreshing() else service.heat(by, PLACE_DAYS, now=now, city_code=code)
    hours = service.group_hours(Scope.CITY, code, HOURS, now=now)
    lately = [one.p95_ms for one in hours]
    return render_template("monitoring/city.html", city=found, heat=heat, lately=lately)


@pages.get("/body/<id:body_id>")
@access.staff(Permission.WATCH)
def body(body_id: int) -> str:
    now = clock.system_clock()
    found = service.body_watch(access.current_staff(), body_id, service.terms_now(now), now=now)
    shown = {str(one.page_id): one.name for one in found.pages[:HEAT_PAGES]}
    strips = [] if _refreshing() else service.page_heat(shown, PLACE_DAYS, now=now)
    hours = service.group_hours(Scope.BODY, str(body_id), HOURS, now=now)
    lately = [one.p95_ms for one in hours]
    return render_template("monitoring/body.html", watch=found, strips=strips, lately=lately)


@pages.get("/page/<id:page_id>")
@access.staff(Permission.WATCH)
def page(page_id: int) -> str:
    now = clock.system_clock()
    found = service.page_watch(
        access.current_staff(), page_id, service.terms_now(now), now=now, days=PAGE_DAYS
    )
    return render_template("monitoring/page.html", page=found, kind_labels=CHECK_KIND_LABELS)


@pages.post("/incidents/<id:incident_id>/acknowledge")
@access.staff(Permission.WATCH)
def acknowledge(incident_id: int) -> ResponseReturnValue:
    by = access.current_staff()
    known = db.transaction(lambda: service.acknowledge(by, incident_id, now=clock.system_clock()))
    return redirect(url_for(".page", page_id=known.page_id), 303)


def _refreshing() -> bool:
    """Tell whether only the part that refreshes itself is asked for: it shows no past days."""
    return "HX-Request" in request.headers


def wall_context(viewer: Principal) -> dict[str, Any]:
    """Return what the wall shows ``viewer``: how things stand, the last days, the last day's times."""
    now = clock.system_clock()
    shown = service.wall(viewer, now=now)
    hours = service.group_hours(Scope.PROVINCE, "", HOURS, now=now) if shown.province_wide else []
    return {
        "wall": shown,
        "heat": service.heat_of(
            {tile.key: tile.name for tile in shown.cities if tile.worst},
            {tile.key: tile.name for tile in shown.departments},
            WALL_DAYS,
            now=now,
        ),
        "lately": [one.p95_ms for one in hours],
    }
