"""How pages look, and for which place: one tap on any page, or all of it under “我的”."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db, viewing, web
from app.core.installation import settings as installation
from app.core.own_path import is_own_path
from app.core.viewing import CHOOSE_PATH, Choice, Edition
from app.organisations import service as organisations
from app.organisations.service import RegionLevel, RegionView
from app.portal import preferences

settings_pages = Blueprint("portal_settings_pages", __name__, template_folder="templates")


@settings_pages.before_request
def _frame() -> None:
    # In demo the sandbox's phone shows these pages in a frame, as a platform's web view would.
    sandbox = installation().sandbox_url
    web.allow_framing(f"'self' {sandbox}" if sandbox else "'self'")


@settings_pages.after_request
def _never_stored(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer


@settings_pages.get(CHOOSE_PATH)
@access.public("how pages look is nobody's secret; who is signed in keeps it for all devices")
def choose() -> ResponseReturnValue:
    """Keep what the address names, and lead back to where it was chosen.

    A link and no form, so that one tap does it on every page without a session for every visitor. It
    changes how pages look to who follows it, and nothing else.
    """
    choice = viewing.from_words(request.args)
    preferences.check_place(choice)
    asked = request.args.get("return_to", "")
    return _kept(asked if is_own_path(asked) else "/", choice)


@settings_pages.get("/place")
@access.public("residents look before they sign in")
def places() -> str:
    """Offer the province, its cities, and what lies within each."""
    asked = request.args.get("return_to", "")
    return render_template(
        "portal/places.html",
        groups=place_groups(),
        chosen=preferences.place_name(viewing.current().region),
        return_to=asked if is_own_path(asked) else "/",
    )


@settings_pages.get("/me/settings")
@access.resident()
def settings() -> str:
    return render_template("portal/settings.html", groups=place_groups(), editions=Edition)


@settings_pages.post("/me/settings")
@access.resident()
def save_settings() -> ResponseReturnValue:
    choice = viewing.from_words(request.form)
    answer = _kept(url_for(".settings"), choice)
    flash("已保存，您登录的设备都会这样显示。", "success")  # translated where it is shown
    return answer


def _kept(target: str, choice: Choice) -> Response:
    resident, now = access.maybe_resident(), clock.system_clock()
    if resident is not None:
        db.transaction(lambda: preferences.choose(resident.id, choice, now=now))
    answer = make_response(redirect(target, 303))
    viewing.keep_on_device(answer, choice)
    return answer


def place_groups() -> list[tuple[RegionView, list[RegionView]]]:
    """Return every city with what lies within it."""
    regions = organisations.regions()
    cities = [region for region in regions if region.level is RegionLevel.CITY]
    return [(city, [one for one in regions if one.parent_code == city.code]) for city in cities]
