"""The resident's pages: apply, go on with a draft, follow a case, look at progress without signing in."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.applications import service
from app.applications.api import guarded_progress
from app.applications.form_reading import MATERIAL, answers_from, materials_from, starred
from app.applications.service import AnswersRefused, CaseView, Channel, Event, State, SupplementView
from app.catalogue import service as catalogue
from app.core import access, clock, db, idempotency, web
from app.core.errors import DomainError, LevelTooLow, Stale
from app.core.idempotency import Answer
from app.core.installation import settings
from app.identity import service as identity
from channels import registry

CHANNELS = {"wechat": Channel.WECHAT, "alipay": Channel.ALIPAY}

pages = Blueprint("applications_pages", __name__, template_folder="templates")


@pages.before_request
def _frame() -> None:
    # In demo the sandbox's phone shows these pages in a frame, as a platform's web view would.
    sandbox = settings().sandbox_url
    web.allow_framing(f"'self' {sandbox}" if sandbox else "'self'")


@pages.after_request
def _never_stored(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.url_defaults
def _keep_edition(_endpoint: str, values: dict[str, Any]) -> None:
    # Whoever came in the elder edition stays in it from page to page.
    if request.args.get("style") == "elder":
        values.setdefault("style", "elder")


@pages.context_processor
def _words() -> dict[str, Any]:
    return {
        "elder": request.args.get("style") == "elder",
        "handing_labels": catalogue.HANDING_LABELS,
        "state_labels": service.PLAIN_LABELS,
        "starred": starred,
        "material": MATERIAL,
        "grouped": grouped,
    }


def grouped(number: str) -> str:
    """Return a case number as people read it: in groups that stay together."""
    return " ".join((number[:6], number[6:12], number[12:17], number[17:]))


@pages.get("/apply/<id:item_id>")
@access.resident()
def apply(item_id: int) -> str:
    me = access.current_resident()
    return render_template(
        "applications/apply.html",
        item=catalogue.item(item_id),
        draft=service.draft_of(me.id, item_id),
        principals=identity.acting_for(me.id, on=clock.day_of(clock.system_clock())),
        variant=request.args.get("variant", "")[:40],
    )


@pages.post("/apply/<id:item_id>")
@access.resident()
def start(item_id: int) -> ResponseReturnValue:
    me, now = access.current_resident(), clock.system_clock()
    fresh = request.form.get("fresh") == "1"
    started = db.transaction(
        lambda: service.start_draft(
            me.id,
            item_id,
            on_behalf_of=_delegation(),
            variant=request.form.get("variant", "")[:40],
            fresh=fresh,
            channel=_channel(),
            now=now,
        )
    )
    if started.open_number:
        flash(f"提醒：您的同一事项正在办理，编号 {started.open_number}。", "info")
    return redirect(url_for(".fill", application_id=started.id), 303)


def _delegation() -> int | None:
    told = request.form.get("on_behalf_of", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 20 else None


def _channel() -> Channel:
    env = registry.detect(dict(request.headers))
    platform = env.channel.split("_")[0] if env else ""
    return CHANNELS.get(platform, Channel.WAP)


@pages.get("/me/applications")
@access.resident()
def mine() -> str:
    cursor = request.args.get("after", "")[:120] or None
    me, acting = access.current_resident(), request.args.get("acting") == "1"
    found = service.mine(me.id, cursor=cursor, acting=acting)
    acts = acting or bool(identity.acting_for(me.id, on=clock.day_of(clock.system_clock())))
    return render_template("applications/mine.html", found=found, acting=acting, acts=acts)


@pages.get("/me/applications/<id:application_id>")
@access.resident()
def case(application_id: int) -> ResponseReturnValue:
    found = service.my_case(access.current_resident().id, application_id)
    if found.state is State.DRAFT:
        return redirect(url_for(".fill", application_id=application_id))
    return _case_page(found, {})


def _case_page(
    found: CaseView,
    problems: Mapping[str, Any],
    typed: Mapping[str, Any] | None = None,
    chosen: Mapping[str, Any] | None = None,
) -> str:
    """Show a case; ``typed`` and ``chosen`` are a supplement that was refused, and must not be lost."""
    asked = found.supplements[-1] if Event.SUPPLY in found.may else None
    return render_template(
        "applications/case.html",
        case=found,
        papers=service.papers_of(found.id),
        problems=problems,
        asked=asked,
        fields=_fields_to_supply(found, asked, problems) if asked else [],
        materials={one["material"] for one in asked.items if one.get("material")} if asked else set(),
        values={**found.answers, **(typed or {})},
        chosen={**found.materials, **(chosen or {})},
        statement=request.form.get("statement", ""),
    )


def _fields_to_supply(found: CaseView, asked: SupplementView, problems: Mapping[str, Any]) -> list[str]:
    """Return the fields of the notice, and those that became necessary by what was supplied."""
    named = [one["field"] for one in asked.items if one.get("field")]
    return list(dict.fromkeys((*named, *(name for name in problems if name in found.form["fields"]))))


@pages.get("/me/applications/<id:application_id>/form")
@access.resident()
def fill(application_id: int) -> ResponseReturnValue:
    found = service.my_case(access.current_resident().id, application_id)
    if found.state is not State.DRAFT:
        return redirect(url_for(".case", application_id=application_id))
    return _form(found, {})


def _form(
    found: CaseView,
    problems: Mapping[str, Any],
    typed: Mapping[str, Any] | None = None,
    chosen: Mapping[str, Any] | None = None,
) -> str:
    """Show the form; ``typed`` and ``chosen`` are what could not be saved, and must not be lost."""
    variants = found.item.content.variants
    told = next((one for one in variants if one.code == found.variant and one.when is not None), None)
    return render_template(
        "applications/form.html",
        case=found,
        problems=problems,
        values={**found.answers, **(typed or {})},
        chosen={**found.materials, **(chosen or {})},
        key=secrets.token_urlsafe(12),
        shape=json.dumps(catalogue.page_shape(found.form, found.answers), ensure_ascii=False),
        told_variant=told,
        choices=[one for one in variants if one.when is None],
        level_lacking=found.item.content.level > access.current_resident().level,
    )


@pages.post("/me/applications/<id:application_id>/form")
@access.resident()
def save(application_id: int) -> ResponseReturnValue:
    """Save what was typed; then show what is asked for now, or submit."""
    me, now = access.current_resident(), clock.system_clock()
    before = service.my_case(me.id, application_id)
    if before.state is not State.DRAFT:
        return redirect(url_for(".case", application_id=application_id), 303)
    asked, chosen = answers_from(before, request.form), materials_from(before, request.form)
    try:
        saved = db.transaction(
            lambda: service.save_draft(
                me.id,
                application_id,
                _still_asked(before, asked),
                materials=chosen,
                variant=_variant(),
                version=_version(),
                now=now,
            )
        )
    except AnswersRefused as error:
        return _form(service.my_case(me.id, application_id), error.fields, asked, chosen), 422
    except Stale:
        flash("这份草稿在另一台设备上改过，下面是最新的内容，请再核对。", "error")
        return redirect(url_for(".fill", application_id=application_id), 303)
    if saved.item_changed:
        flash("这个事项的办理要求有更新，请核对后再提交。", "error")
        return redirect(url_for(".fill", application_id=application_id), 303)
    then, _colon, code = request.form.get("then", "").partition(":")
    if then == "upload":
        return redirect(url_for(".material", application_id=application_id, code=code[:40]), 303)
    if then == "prefill":
        return _prefill(application_id, saved.version)
    if then != "submit":
        flash("已保存，可以换一台设备接着填。", "success")
        return redirect(url_for(".fill", application_id=application_id), 303)
    if saved.problems:
        return _form(service.my_case(me.id, application_id), saved.problems), 422
    return _submit(application_id, saved.version)


def _still_asked(before: CaseView, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what the page showed and the other answers on it now make needless."""
    plain = {name: value for name, value in before.answers.items() if name not in answers}
    merged = {**plain, **{name: value for name, value in answers.items() if value is not None}}
    visible = catalogue.visible_fields(before.form, merged)
    return {name: value if name in visible else None for name, value in answers.items()}


def _variant() -> str | None:
    told = request.form.get("variant")
    return None if told is None else told[:40]


def _prefill(application_id: int, version: int) -> ResponseReturnValue:
    me, now = access.current_resident(), clock.system_clock()
    done = db.transaction(lambda: service.prefill(me.id, application_id, version=version, now=now))
    if done.filled:
        flash(_("填好了 %(count)s 项，请核对。", count=len(done.filled)), "success")
    else:
        flash(_("没有可以填的：大厅还没有您的这些资料，或者都已经填了。"), "info")
    return redirect(url_for(".fill", application_id=application_id), 303)


def _submit(application_id: int, version: int) -> ResponseReturnValue:
    me, now = access.current_resident(), clock.system_clock()

    def work() -> Answer:
        service.submit(me.id, application_id, version=version, level=me.level, now=now)
        return Answer(303, json.dumps(str(application_id)))

    try:
        idempotency.answer_once(
            me.actor,
            f"applications.page-submit:{application_id}",
            request.form.get("key") or None,
            str(application_id).encode(),
            work,
            now=now,
        )
    except LevelTooLow as error:
        back = url_for(".fill", application_id=application_id)
        return redirect(url_for("identity_pages.verify", level=error.level_needed, return_to=back), 303)
    except DomainError as error:
        flash(str(error), "error")
        return redirect(url_for(".fill", application_id=application_id), 303)
    flash("已提交。请记下编号和查询码。", "success")
    return redirect(url_for(".case", application_id=application_id), 303)


@pages.post("/me/applications/<id:application_id>/discard")
@access.resident()
def discard(application_id: int) -> ResponseReturnValue:
    me, now = access.current_resident(), clock.system_clock()
    db.transaction(lambda: service.discard(me.id, application_id, now=now))
    flash("草稿已放弃，填写的内容已删除。", "success")
    return redirect(url_for(".mine"), 303)


@pages.post("/me/applications/<id:application_id>/withdraw")
@access.resident()
def withdraw(application_id: int) -> ResponseReturnValue:
    me, now = access.current_resident(), clock.system_clock()
    if request.form.get("sure") != "yes":
        found = service.my_case(me.id, application_id)
        return _case_page(found, {"sure": ["请先勾选"]}), 422
    db.transaction(lambda: service.withdraw(me.id, application_id, version=_version(), now=now))
    flash("申请已撤回。", "success")
    return redirect(url_for(".case", application_id=application_id), 303)


@pages.post("/me/applications/<id:application_id>/supplement")
@access.resident()
def supplement(application_id: int) -> ResponseReturnValue:
    me, now = access.current_resident(), clock.system_clock()
    before = service.my_case(me.id, application_id)
    answers = {name: value for name, value in answers_from(before, request.form).items() if value is not None}
    materials = {code: way for code, way in materials_from(before, request.form).items() if way}
    try:
        db.transaction(
            lambda: service.supply(
                me.id,
                application_id,
                answers,
                materials,
                request.form.get("statement", "").strip()[:1000],
                version=_version(),
                now=now,
            )
        )
    except AnswersRefused as error:
        page = _case_page(service.my_case(me.id, application_id), error.fields, answers, materials)
        return page, 422
    flash("补正已提交。", "success")
    return redirect(url_for(".case", application_id=application_id), 303)


@pages.route("/progress", methods=("GET", "POST"))
@access.public("who has number and query code may look; nothing personal is shown")
def progress() -> ResponseReturnValue:
    if request.method == "GET":
        return render_template("applications/progress.html", found=None, problem="")
    number = "".join(request.form.get("number", "").split())[:40]
    code = "".join(request.form.get("query_code", "").split())[:20]
    try:
        found = guarded_progress(number, code)
    except service.ProgressUnknown as error:
        page = render_template("applications/progress.html", found=None, problem=error.title, number=number)
        return page, 422
    return render_template("applications/progress.html", found=found, problem="")


def _version() -> int:
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
