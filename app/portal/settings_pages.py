"""How pages look, and for which place: one tap on any page, or all of it under “我的”."""

from __future__ import annotations

from collections.abc import Mapping

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
@access.public("how pages look is nobody's secret")
def choose_here() -> ResponseReturnValue:
    """Let this phone remember what the address names, and lead back to where it was chosen."""
    return _kept(_back(request.args), viewing.from_words(request.args))


@settings_pages.post(CHOOSE_PATH)
@access.resident()
def choose_everywhere() -> ResponseReturnValue:
    """Keep what was chosen for all the resident's devices."""
    choice, me, now = viewing.from_words(request.form), access.current_resident(), clock.system_clock()
    db.transaction(lambda: preferences.choose(me.id, choice, now=now))
    return _kept(_back(request.form), choice)


@settings_pages.get("/place")
@access.public("residents look before they sign in")
def places() -> str:
    """Offer the province, its cities, and what lies within each."""
    return render_template(
        "portal/places.html",
        groups=place_groups(),
        chosen=preferences.place_name(viewing.current().region),
        return_to=_back(request.args),
    )


@settings_pages.get("/privacy")
@access.public("what the hall does with personal data is told to everybody")
def privacy() -> str:
    return render_template("portal/privacy.html")


@settings_pages.get("/me/settings")
@access.resident()
def settings() -> str:
    return render_template("portal/settings.html", groups=place_groups(), editions=Edition)


@settings_pages.post("/me/settings")
@access.resident()
def save_settings() -> ResponseReturnValue:
    choice, me, now = viewing.from_words(request.form), access.current_resident(), clock.system_clock()
    db.transaction(lambda: preferences.choose(me.id, choice, now=now))
    flash("已保存，您登录的设备都会这样显示。", "success")  # translated where it is shown
    return _kept(url_for(".settings"), choice)


def _kept(target: str, choice: Choice) -> Response:
    preferences.check_place(choice)
    answer = make_response(redirect(target, 303))
    viewing.keep_on_device(answer, choice)
    return answer


def _back(words: Mapping[str, str]) -> str:
    asked = words.get("return_to", "")
    return asked if is_own_path(asked) else "/"


def place_groups() -> list[tuple[RegionView, list[RegionView]]]:
    """Return every city with what lies within it."""
    regions = organisations.regions()
    cities = [region for region in regions if region.level is RegionLevel.CITY]
    return [(city, [one for one in regions if one.parent_code == city.code]) for city in cities]
