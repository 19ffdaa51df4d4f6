"""The resident's pages of themes: find one, apply once for all of it, follow its parts."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.applications.service import AnswersRefused, Channel
from app.catalogue import service as catalogue
from app.core import access, clock, db, idempotency, viewing, web
from app.core.errors import DomainError, LevelTooLow, Stale
from app.core.idempotency import Answer
from app.core.installation import settings
from app.organisations import service as organisations
from app.organisations.service import RegionLevel, RegionView
from app.themes import service
from app.themes.service import Event, Feed, Guide, State, ThemeCaseView
from channels import registry

CHANNELS = {"wechat": Channel.WECHAT, "alipay": Channel.ALIPAY}
MATERIAL = "material-"

pages = Blueprint("theme_pages", __name__, template_folder="templates")


@pages.before_request
def _frame() -> None:
    # In demo the sandbox's phone shows these pages in a frame, as a platform's web view would.
    sandbox = settings().sandbox_url
    web.allow_framing(f"'self' {sandbox}" if sandbox else "'self'")


@pages.after_request
def _never_stored(answer: Response) -> Response:
    if request.path.startswith("/me/"):
        answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.context_processor
def _words() -> dict[str, Any]:
    return {
        "handing_labels": catalogue.HANDING_LABELS,
        "starred": lambda case, name: catalogue.is_starred(case.form, name),
        "material": MATERIAL,
        "grouped": grouped,
        "names_of": names_of,
        "fed_name": fed_name,
    }


def grouped(number: str) -> str:
    """Return a number as people read it: in groups that stay together."""
    return " ".join((number[:6], number[6:12], number[12:17], number[17:]))


def names_of(guide: Guide, items: Iterable[str]) -> str:
    """Return the names of items of a theme, in the theme's order."""
    return "、".join(one.name for one in guide.placed.items if one.code in items)


def fed_name(guide: Guide, feed: Feed) -> str:
    """Return the name of the material that an earlier result stands for."""
    views = {one.code: view for one, view in guide.placed.there}
    return next(one.name for one in views[feed.other].content.materials if one.code == feed.material)


@pages.get("/themes")
@access.public("residents look before they sign in")
def themes() -> str:
    query = request.args.get("q", "").strip()[: catalogue.QUERY_MAX]
    return render_template("themes/themes.html", found=service.themes(query), query=query)


@pages.get("/themes/<id:theme_id>")
@access.public("residents look before they sign in")
def guide(theme_id: int) -> str:
    region, me = _region(), access.maybe_resident()
    found = service.guide(theme_id, region)
    return render_template(
        "themes/guide.html",
        guide=found,
        region=region,
        groups=_region_groups(),
        draft=service.draft_of(me.id, theme_id, found.placed.region.code) if me else None,
    )


def _region() -> str | None:
    """Return the place that was asked for, else the one that the resident chose; None is the province.

    What was asked for and is no place is left to the service to refuse.
    """
    asked = request.values.get("region")
    if asked is not None:
        return asked.strip()[:20] or None
    chosen = viewing.current().region
    return chosen if chosen in {region.code for region in organisations.regions()} else None


def _region_groups() -> list[tuple[RegionView, list[RegionView]]]:
    """Return every city with what lies within it, for the choice of a place."""
    regions = organisations.regions()
    cities = [region for region in regions if region.level is RegionLevel.CITY]
    return [(city, [one for one in regions if one.parent_code == city.code]) for city in cities]


@pages.post("/themes/<id:theme_id>/apply")
@access.resident()
def start(theme_id: int) -> ResponseReturnValue:
    me, now = access.current_resident(), clock.system_clock()
    started = db.transaction(
        lambda: service.start(
            me.id,
            theme_id,
            _region(),
            left_out=_left_out(),
            fresh=request.form.get("fresh") == "1",
            channel=_channel(),
            now=now,
        )
    )
    if started.open_number:
        flash(_("提醒：您的同一主题正在办理，编号 %(number)s。", number=started.open_number), "info")
    return redirect(url_for(".fill", theme_application_id=started.id), 303)


def _left_out() -> list[str]:
    """Return the optional items whose box the page showed and that were not ticked."""
    shown, wanted = request.form.getlist("offered")[:20], request.form.getlist("wanted")[:20]
    return [code for code in shown if code not in wanted]


def _channel() -> Channel:
    env = registry.detect(dict(request.headers))
    platform = env.channel.split("_")[0] if env else ""
    return CHANNELS.get(platform, Channel.WAP)


@pages.get("/me/themes")
@access.resident()
def mine() -> str:
    cursor = request.args.get("after", "")[:120] or None
    found = service.mine(access.current_resident().id, cursor=cursor)
    return render_template("themes/mine.html", found=found)


@pages.get("/me/themes/<id:theme_application_id>")
@access.resident()
def case(theme_application_id: int) -> ResponseReturnValue:
    found = service.my_case(access.current_resident().id, theme_application_id)
    if found.state is State.DRAFT:
        return redirect(url_for(".fill", theme_application_id=theme_application_id))
    return _case_page(found, {})


def _case_page(found: ThemeCaseView, problems: Mapping[str, Any]) -> str:
    return render_template(
        "themes/case.html", case=found, problems=problems, may_withdraw=Event.WITHDRAW in found.may
    )


@pages.get("/me/themes/<id:theme_application_id>/form")
@access.resident()
def fill(theme_application_id: int) -> ResponseReturnValue:
    found = service.my_case(access.current_resident().id, theme_application_id)
    if found.state is not State.DRAFT:
        return redirect(url_for(".case", theme_application_id=theme_application_id))
    return _form(found, {})


def _form(
    found: ThemeCaseView,
    problems: Mapping[str, Any],
    typed: Mapping[str, Any] | None = None,
    chosen: Mapping[str, Any] | None = None,
) -> str:
    """Show the form; ``typed`` and ``chosen`` are what could not be saved, and must not be lost."""
    return render_template(
        "themes/form.html",
        case=found,
        problems=problems,
        values={**found.answers, **(typed or {})},
        chosen={**found.materials, **(chosen or {})},
        key=secrets.token_urlsafe(12),
        shape=json.dumps(catalogue.page_shape(found.form, found.answers), ensure_ascii=False),
        level_lacking=found.level > access.current_resident().level,
    )


@pages.post("/me/themes/<id:theme_application_id>/form")
@access.resident()
def save(theme_application_id: int) -> ResponseReturnValue:
    """Save what was typed; then show what is asked for now, or submit."""
    me, now = access.current_resident(), clock.system_clock()
    before = service.my_case(me.id, theme_application_id)
    if before.state is not State.DRAFT:
        return redirect(url_for(".case", theme_application_id=theme_application_id), 303)
    asked = catalogue.typed_answers(before.form, request.form, before.answers)
    chosen = _chosen(before)
    here = url_for(".fill", theme_application_id=theme_application_id)
    try:
        saved = db.transaction(
            lambda: service.save(
                me.id,
                theme_application_id,
                _still_asked(before, asked),
                materials=chosen,
                version=_version(),
                now=now,
            )
        )
    except AnswersRefused as error:
        return _form(service.my_case(me.id, theme_application_id), error.fields, asked, chosen), 422
    except Stale:
        flash(_("这份草稿在另一台设备上改过，下面是最新的内容，请再核对。"), "error")
        return redirect(here, 303)
    if saved.theme_changed:
        flash(_("这件事的办理要求有更新，请核对后再提交。"), "error")
        return redirect(here, 303)
    if request.form.get("then") != "submit":
        flash(_("已保存，可以换一台设备接着填。"), "success")
        return redirect(here, 303)
    if saved.problems:
        return _form(service.my_case(me.id, theme_application_id), saved.problems), 422
    return _submit(theme_application_id, saved.version, here)


def _chosen(before: ThemeCaseView) -> dict[str, str | None]:
    codes = [one.code for one in before.slots]
    return {code: request.form[MATERIAL + code] or None for code in codes if MATERIAL + code in request.form}


def _still_asked(before: ThemeCaseView, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what the page showed and the other answers on it now make needless."""
    plain = {name: value for name, value in before.answers.items() if name not in answers}
    merged = {**plain, **{name: value for name, value in answers.items() if value is not None}}
    visible = catalogue.visible_fields(before.form, merged)
    return {name: value if name in visible else None for name, value in answers.items()}


def _submit(theme_application_id: int, version: int, here: str) -> ResponseReturnValue:
    me, now = access.current_resident(), clock.system_clock()

    def work() -> Answer:
        service.submit(me.id, theme_application_id, version=version, level=me.level, now=now)
        return Answer(303, json.dumps(str(theme_application_id)))

    try:
        idempotency.answer_once(
            me.actor,
            f"themes.page-submit:{theme_application_id}",
            request.form.get("key") or None,
            str(theme_application_id).encode(),
            work,
            now=now,
        )
    except LevelTooLow as error:
        return redirect(url_for("identity_pages.verify", level=error.level_needed, return_to=here), 303)
    except DomainError as error:
        flash(str(error), "error")
        return redirect(here, 303)
    flash(_("已提交。一个编号管全部事项，请记下编号和查询码。"), "success")
    return redirect(url_for(".case", theme_application_id=theme_application_id), 303)


@pages.post("/me/themes/<id:theme_application_id>/discard")
@access.resident()
def discard(theme_application_id: int) -> ResponseReturnValue:
    me, now = access.current_resident(), clock.system_clock()
    db.transaction(lambda: service.discard(me.id, theme_application_id, now=now))
    flash(_("草稿已放弃，填写的内容已删除。"), "success")
    return redirect(url_for(".mine"), 303)


@pages.post("/me/themes/<id:theme_application_id>/withdraw")
@access.resident()
def withdraw(theme_application_id: int) -> ResponseReturnValue:
    me, now = access.current_resident(), clock.system_clock()
    if request.form.get("sure") != "yes":
        found = service.my_case(me.id, theme_application_id)
        return _case_page(found, {"sure": [_("请先勾选")]}), 422
    db.transaction(lambda: service.withdraw(me.id, theme_application_id, version=_version(), now=now))
    flash(_("申请已撤回。"), "success")
    return redirect(url_for(".case", theme_application_id=theme_application_id), 303)


def _version() -> int:
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
