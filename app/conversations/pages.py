"""Console pages: what an account says, who is with a person, menus of some residents."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.channel_accounts import service as channel_accounts
from app.conversations import menus, service
from app.conversations.rules import Action, Duty, Trigger
from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import DomainError, Stale
from app.core.installation import settings
from channels.base import Capability, ChannelError, EventKind

BLANK_ROUTES = 2
SAID_MAX = 200
_TRIED = {"text": EventKind.TEXT, "menu": EventKind.MENU, "scan": EventKind.SCAN, "follow": EventKind.FOLLOW}

pages = Blueprint(
    "conversations_pages", __name__, url_prefix="/console/conversations", template_folder="templates"
)


@pages.get("/<id:account_id>")
@access.staff(Permission.CHANNELS_MANAGE)
def rules(account_id: int) -> str:
    number = request.args.get("version", "")
    shown = service.current_rules(account_id)
    if number.isascii() and number.isdecimal() and len(number) < 9:
        shown = service.rules_version(account_id, int(number))
    return _form(account_id, shown.rules, {})


@pages.post("/<id:account_id>")
@access.staff(Permission.CHANNELS_MANAGE)
def save(account_id: int) -> ResponseReturnValue:
    wanted = service.read_rules(request.form.to_dict(flat=False))
    seen = request.form.get("seen", "")
    number = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 9 else -1
    actor = access.current_staff().actor
    try:
        saved = db.transaction(
            lambda: service.save_rules(account_id, number, wanted, actor=actor, now=clock.system_clock())
        )
    except DomainError as error:
        problems = {"": str(error), **{name: str(text) for name, text in error.fields.items()}}
        return _form(account_id, wanted, problems), _status(error)
    flash(f"已保存为第 {saved} 版，两秒内生效。", "success")
    return redirect(url_for(".rules", account_id=account_id))


@pages.get("/<id:account_id>/talks")
@access.staff(Permission.CHANNELS_MANAGE)
def talks(account_id: int) -> str:
    return render_template(
        "conversations/talks.html",
        account=channel_accounts.get(account_id),
        talks=service.talks_under_way(account_id, clock.system_clock()),
        refused=service.refused_replies(account_id),
    )


@pages.post("/<id:account_id>/talks/<id:talk_id>/end")
@access.staff(Permission.CHANNELS_MANAGE)
def end_talk(account_id: int, talk_id: int) -> ResponseReturnValue:
    actor = access.current_staff().actor
    db.transaction(lambda: service.end_talk(account_id, talk_id, actor=actor))
    flash("已交还给自动回复。", "success")
    return redirect(url_for(".talks", account_id=account_id))


@pages.get("/<id:account_id>/menu")
@access.staff(Permission.CHANNELS_MANAGE)
def menu(account_id: int) -> str:
    return _menu(account_id, menus.written(account_id), {}, compare="compare" in request.args)


@pages.post("/<id:account_id>/menu")
@access.staff(Permission.CHANNELS_MANAGE)
def save_menu(account_id: int) -> ResponseReturnValue:
    given = menus.read_form(request.form.to_dict(flat=False))
    actor = access.current_staff().actor
    try:
        base_url = settings().base_url
        db.transaction(lambda: menus.save(account_id, given, base_url, actor=actor, now=clock.system_clock()))
    except DomainError as error:
        problems = {"": str(error), **{name: str(text) for name, text in error.fields.items()}}
        return _menu(account_id, given, problems, compare=False), _status(error)
    flash("已保存。发布以后居民才能看到。", "success")
    return redirect(url_for(".menu", account_id=account_id))


@pages.post("/<id:account_id>/menu/publish")
@access.staff(Permission.CHANNELS_MANAGE)
def publish_menu(account_id: int) -> ResponseReturnValue:
    """Put the menus of all accounts of this kind in place and say how it went."""
    said = menus.publish(account_id, settings().base_url, access.current_staff().actor, clock.system_clock())
    flash(
        f"平台没有接受：{said}" if said else "平台已接受，手机上通常在五分钟内更新。",
        "error" if said else "success",
    )
    return redirect(url_for(".menu", account_id=account_id))


def _status(error: DomainError) -> int:
    return 409 if isinstance(error, Stale) else 422


def _form(account_id: int, shown: service.Rules, problems: dict[str, str]) -> str:
    account = channel_accounts.get(account_id)
    said, way = request.args.get("say", "")[:SAID_MAX], request.args.get("way", "text")
    tried = None
    if said or way == "follow":
        kind = _TRIED.get(way, EventKind.TEXT)
        tried = service.try_it(account_id, kind, said, settings().base_url, clock.system_clock())
    capabilities = channel_accounts.adapter(account_id).capabilities
    return render_template(
        "conversations/rules.html",
        account=account,
        current=service.current_rules(account_id),
        rules=shown,
        shown=service.shown_rules(shown),
        blank_routes=BLANK_ROUTES,
        problems=problems,
        history=service.rules_history(account_id),
        tried=tried,
        said=said,
        way=way,
        hands_over=Capability.HANDOVER in capabilities,
        triggers={one.value: service.TRIGGER_LABELS[one] for one in Trigger},
        actions={one.value: service.ACTION_LABELS[one] for one in Action},
        duties={one.value: service.DUTY_LABELS[one] for one in Duty},
    )


def _menu(account_id: int, given: menus.Written, problems: dict[str, str], *, compare: bool) -> str:
    account = channel_accounts.get(account_id)
    capabilities = channel_accounts.adapter(account_id).capabilities
    compared, trouble = None, ""
    if compare:
        try:
            compared = menus.compare(account_id, settings().base_url)
        except ChannelError as error:
            trouble = error.code or "error"
    return render_template(
        "conversations/menu.html",
        account=account,
        given=given,
        ours=menus.ours(account.kind, settings().base_url),
        has_menu=Capability.MENU in capabilities,
        can_rule=Capability.MENU_RULES in capabilities,
        problems=problems,
        compared=compared,
        trouble=trouble,
        systems=menus.SYSTEMS,
    )
