"""Console pages of notices: templates and their versions, figures, and how each account fares."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.channel_accounts import service as channel_accounts
from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import DomainError, Invalid
from app.core.ids import read_id
from app.notices import console_forms, service
from app.notices.domain import DEFAULT_ORDER, PlatformForm
from app.notices.service import DeliveryState, Right, Topic, VariableType, VersionState, VersionView, Wording
from channels.base import ChannelError, PlatformTemplate

FIGURE_DAYS = (1, 7, 30)
SPARE_VARIABLES = 3

console = Blueprint("notices_console", __name__, url_prefix="/console/notices", template_folder="templates")


@console.after_request
def _never_stored(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer


@console.context_processor
def _words() -> dict[str, Any]:
    return {
        "topic_labels": service.TOPIC_LABELS,
        "state_labels": service.STATE_LABELS,
        "state_badges": {
            "accepted": "badge-info",
            "delivered": "badge-good",
            "refused": "badge-warn",
            "failed": "badge-bad",
            "expired": "badge-warn",
        },
        "version_labels": service.VERSION_LABELS,
        "version_badges": {"draft": "badge-info", "published": "badge-good", "retired": ""},
        "right_labels": service.RIGHT_LABELS,
        "type_labels": service.TYPE_LABELS,
        "way_label": service.way_label,
    }


@console.get("")
@access.staff(Permission.CHANNELS_MANAGE)
def listing() -> str:
    now = clock.system_clock()
    return render_template(
        "notices/console.html",
        templates=service.templates(),
        senders=[(one, service.sender(one.id, now)) for one in channel_accounts.accounts()],
        now=now,
    )


@console.get("/new")
@access.staff(Permission.CHANNELS_MANAGE)
def new() -> str:
    return _new_page({})


@console.post("/new")
@access.staff(Permission.CHANNELS_MANAGE)
def create() -> ResponseReturnValue:
    by, now = access.current_staff().actor, clock.system_clock()
    try:
        wanted = console_forms.read_template(request.form)
        wording = console_forms.read_wording(request.form)
        made = db.transaction(lambda: service.create_template(wanted, wording, by=by, now=now))
    except DomainError as error:
        return _new_page(_problems(error)), 422
    flash("已存为草稿，发布后才会使用。", "success")
    return redirect(url_for(".template", template_id=made.template_id), 303)


@console.get("/<id:template_id>")
@access.staff(Permission.CHANNELS_MANAGE)
def template(template_id: int) -> str:
    found, versions = service.template(template_id), service.versions(template_id)
    shown = next((one for one in versions if one.state is not VersionState.RETIRED), versions[0])
    before = next((one for one in versions if one.number < shown.number), None)
    return render_template(
        "notices/template.html",
        template=found,
        versions=versions,
        shown=shown,
        before=before,
        changes=service.difference(before, shown) if before else [],
        previews=service.previews(shown.wording),
    )


@console.post("/<id:template_id>/versions")
@access.staff(Permission.CHANNELS_MANAGE)
def add_version(template_id: int) -> ResponseReturnValue:
    by, now = access.current_staff().actor, clock.system_clock()
    made = db.transaction(lambda: service.new_version(template_id, by=by, now=now))
    return redirect(url_for(".version", version_id=made.id), 303)


@console.get("/versions/<id:version_id>")
@access.staff(Permission.CHANNELS_MANAGE)
def version(version_id: int) -> ResponseReturnValue:
    found = service.version(version_id)
    if found.state is not VersionState.DRAFT:
        return redirect(url_for(".template", template_id=found.template_id))
    return _version_page(found, found.wording, {})


@console.post("/versions/<id:version_id>")
@access.staff(Permission.CHANNELS_MANAGE)
def save_version(version_id: int) -> ResponseReturnValue:
    by, found = access.current_staff().actor, service.version(version_id)
    try:
        row_version = console_forms.number(request.form.get("row_version", ""), "")
        wording = console_forms.read_wording(request.form)
        db.transaction(lambda: service.change_draft(version_id, wording, row_version=row_version, by=by))
    except DomainError as error:
        return _version_page(found, _typed(found.wording), _problems(error)), 422
    flash("草稿已保存。", "success")
    return redirect(url_for(".template", template_id=found.template_id), 303)


@console.post("/versions/<id:version_id>/publish")
@access.staff(Permission.CHANNELS_MANAGE)
def publish(version_id: int) -> ResponseReturnValue:
    by, now = access.current_staff().actor, clock.system_clock()
    return _moved(
        version_id, lambda: service.publish(version_id, by=by, now=now), "已发布，新消息都用这一版。"
    )


@console.post("/versions/<id:version_id>/retire")
@access.staff(Permission.CHANNELS_MANAGE)
def retire(version_id: int) -> ResponseReturnValue:
    by, now = access.current_staff().actor, clock.system_clock()
    return _moved(version_id, lambda: service.retire(version_id, by=by, now=now), "已停用，不再发送。")


@console.get("/figures")
@access.staff(Permission.CHANNELS_MANAGE)
def figures() -> str:
    asked = request.args.get("days", "")
    days = int(asked) if asked in {str(one) for one in FIGURE_DAYS} else 7
    now, span = clock.system_clock(), timedelta(days=days)
    return render_template(
        "notices/figures.html",
        figures=service.figures(now, span),
        reasons=service.reasons(now, span),
        messages=service.messages_by_state(now, span),
        shown_states=[
            DeliveryState.ACCEPTED,
            DeliveryState.DELIVERED,
            DeliveryState.REFUSED,
            DeliveryState.FAILED,
            DeliveryState.EXPIRED,
            DeliveryState.QUEUED,
        ],
        days=days,
        choices=FIGURE_DAYS,
    )


@console.get("/senders/<id:account_id>")
@access.staff(Permission.CHANNELS_MANAGE)
def sender(account_id: int) -> str:
    return _sender_page(account_id, {})


@console.post("/senders/<id:account_id>")
@access.staff(Permission.CHANNELS_MANAGE)
def save_sender(account_id: int) -> ResponseReturnValue:
    by, now, form = access.current_staff().actor, clock.system_clock(), request.form
    channel_accounts.get(account_id)
    try:
        per_second = console_forms.number(form.get("per_second", ""), "per_second")
        limits = {
            right: console_forms.number(form.get(f"limit:{right}", ""), f"limit:{right}", digits=9)
            for right in Right
        }
        db.transaction(
            lambda: service.set_limits(account_id, per_second=per_second, daily_limits=limits, by=by, now=now)
        )
    except DomainError as error:
        return _sender_page(account_id, _problems(error)), 422
    flash("已保存。", "success")
    return redirect(url_for(".sender", account_id=account_id), 303)


@console.post("/senders/<id:account_id>/reset")
@access.staff(Permission.CHANNELS_MANAGE)
def reset(account_id: int) -> ResponseReturnValue:
    by, now = access.current_staff().actor, clock.system_clock()
    channel_accounts.get(account_id)
    db.transaction(lambda: service.reset_sender(account_id, by=by, now=now))
    flash("已恢复发送。", "success")
    return redirect(url_for(".sender", account_id=account_id), 303)


def _moved(version_id: int, move: Any, said: str) -> ResponseReturnValue:
    template_id = service.version(version_id).template_id
    try:
        db.transaction(move)
        flash(said, "success")
    except DomainError as error:
        flash("；".join([str(error), *map(str, error.fields.values())]), "error")
    return redirect(url_for(".template", template_id=template_id), 303)


def _typed(otherwise: Wording) -> Wording:
    """Return the words in the form, so that a mistake costs nobody what they wrote."""
    if not request.form:
        return otherwise
    try:
        return console_forms.read_wording(request.form)
    except Invalid:
        said = request.form.get("title", "").strip(), request.form.get("body", "").strip()
        return replace(otherwise, title=said[0], body=said[1])


def _new_page(problems: dict[str, str]) -> str:
    wording = _typed(Wording("", "", (), DEFAULT_ORDER))
    return render_template(
        "notices/new.html",
        topics=list(Topic),
        form=request.form,
        problems=problems,
        **_editor(wording),
    )


def _version_page(found: VersionView, wording: Wording, problems: dict[str, str]) -> str:
    listed, trouble = _listed()
    return render_template(
        "notices/version.html",
        version=found,
        template=service.template(found.template_id),
        problems=problems,
        listed=listed,
        listed_for=read_id(request.args.get("read", "")),
        trouble=trouble,
        **_editor(wording),
    )


def _editor(wording: Wording) -> dict[str, Any]:
    forms: dict[tuple[int, Right], PlatformForm] = {(one.account_id, one.right): one for one in wording.forms}
    ways = [*wording.order, *(one for one in service.possible_ways() if one not in wording.order)]
    return {
        "wording": wording,
        "types": list(VariableType),
        "spare": range(SPARE_VARIABLES),
        "ranks": [(way, wording.order.index(way) + 1 if way in wording.order else "") for way in ways],
        "accounts": service.form_accounts(),
        "forms": forms,
        "written_fields": console_forms.written_fields,
    }


def _listed() -> tuple[tuple[PlatformTemplate, ...], str]:
    """Return what the platform of the account in ``read`` has approved, or why it could not be asked."""
    account_id = read_id(request.args.get("read", ""))
    if account_id is None:
        return (), ""
    try:
        return service.platform_templates(account_id), ""
    except ChannelError as error:
        return (), f"平台没有给出模板清单（{error.code}）"


def _sender_page(account_id: int, problems: dict[str, str]) -> str:
    now = clock.system_clock()
    return render_template(
        "notices/sender.html",
        account=channel_accounts.get(account_id),
        sender=service.sender(account_id, now),
        rights=list(Right),
        problems=problems,
        now=now,
    )


def _problems(error: DomainError) -> dict[str, str]:
    return {"": str(error), **{name: str(text) for name, text in error.fields.items()}}
