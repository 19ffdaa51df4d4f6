"""The wall on a big screen (大屏): runs for months with nobody signed in, shows, changes nothing."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import NotFound
from app.core.installation import settings
from app.monitoring import service
from app.monitoring.pages import wall_context, words
from app.organisations.service import Principal

COOKIE = "hall_display"
PATH = "/tv"

# Where the cities stand on the tile map: column and row, roughly as on a map.
MAP = {
    "440200": (4, 1), "441800": (3, 1), "441600": (6, 1), "441400": (7, 1),
    "441200": (2, 2), "440600": (3, 2), "440100": (4, 2),
    "441300": (6, 2), "445200": (7, 2), "445100": (8, 2),
    "445300": (2, 3), "440700": (3, 3), "441900": (5, 3), "441500": (6, 3), "440500": (8, 3),
    "440900": (1, 4), "441700": (2, 4), "442000": (4, 4), "440300": (5, 4),
    "440800": (1, 5), "440400": (4, 5),
}  # fmt: skip

tv_pages = Blueprint("tv_pages", __name__, url_prefix=PATH, template_folder="templates")
tv_pages.context_processor(words)


@tv_pages.get("")
@access.public("a screen shows its own secret; staff their session; others are sent to sign in")
def tv() -> ResponseReturnValue:
    viewer = _viewer()
    if viewer is None:
        return redirect(url_for("organisations_pages.sign_in"), 303)
    answer = make_response(render_template("monitoring/tv.html", **_shown(viewer)))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@tv_pages.get("/live")
@access.public("as above; the part that refreshes itself")
def live() -> ResponseReturnValue:
    viewer = _viewer()
    if viewer is None:
        raise NotFound("这块大屏已停用")
    answer = make_response(render_template("monitoring/tv_live.html", **_shown(viewer)))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@tv_pages.get("/enter/<secret>")
@access.public("a screen brings its secret once and keeps it in a cookie")
def enter(secret: str) -> ResponseReturnValue:
    if service.viewer_of(secret, now=clock.system_clock()) is None:
        raise NotFound("这个大屏地址已失效，请在监控墙里重新建一个")
    answer = redirect(url_for(".tv"), 303)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=service.LIVES_DAYS_MAX * 86_400,
        httponly=True,
        secure=settings().base_url.startswith("https:"),
        samesite="Strict",
        path=PATH,
    )
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@tv_pages.get("/displays")
@access.staff(Permission.WATCH)
def displays() -> str:
    return _displays_page()


@tv_pages.post("/displays")
@access.staff(Permission.WATCH)
def create_display() -> str:
    by, now, form = access.current_staff(), clock.system_clock(), request.form
    days = int(form["days"]) if form.get("days", "").isdecimal() and len(form["days"]) < 5 else 0
    _, secret = db.transaction(
        lambda: service.create_display(
            by, form.get("name", ""), form.get("city_code", ""), days=days, now=now
        )
    )
    return _displays_page(f"{settings().base_url}{url_for('.enter', secret=secret)}")


@tv_pages.post("/displays/<id:display_id>/end")
@access.staff(Permission.WATCH)
def end_display(display_id: int) -> ResponseReturnValue:
    by = access.current_staff()
    db.transaction(lambda: service.end_display(by, display_id, now=clock.system_clock()))
    flash("这块大屏已停用", "success")
    return redirect(url_for(".displays"), 303)


def _displays_page(address: str = "") -> str:
    by = access.current_staff()
    return render_template(
        "monitoring/displays.html",
        displays=service.displays(by, now=clock.system_clock()),
        places=service.places_of(by),
        address=address,
    )


def _viewer() -> Principal | None:
    secret = request.cookies.get(COOKIE, "")
    viewer = service.viewer_of(secret, now=clock.system_clock()) if secret else None
    if viewer is not None:
        return viewer
    staff = access.maybe_staff()
    return staff if staff is not None and staff.may(Permission.WATCH) else None


def _shown(viewer: Principal) -> dict[str, Any]:
    return {**wall_context(viewer), "map": MAP}
