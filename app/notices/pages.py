"""Residents' pages on the phone: my messages, and how I want to be told."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db, web
from app.core.errors import DomainError, Invalid
from app.core.installation import settings as installation
from app.core.quiet import Quiet, clock_time, minutes_of
from app.notices import service
from app.notices.service import QUIET, TOPIC_LABELS, Settings, Topic

pages = Blueprint("notices_pages", __name__, url_prefix="/me", template_folder="templates")


@pages.before_request
def _frame() -> None:
    # In demo the sandbox's phone shows these pages in a frame, as a platform's web view would.
    sandbox = installation().sandbox_url
    web.allow_framing(f"'self' {sandbox}" if sandbox else "'self'")


@pages.after_request
def _never_stored(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.context_processor
def _words() -> dict[str, Any]:
    return {
        "topic_labels": TOPIC_LABELS,
        "clock_time": clock_time,
        "elder": request.args.get("style") == "elder",
    }


@pages.get("/messages")
@access.resident()
def messages() -> str:
    found = service.messages(access.current_resident().id, cursor=request.args.get("after"))
    return render_template("notices/messages.html", found=found)


@pages.post("/messages/read")
@access.resident()
def read_all() -> ResponseReturnValue:
    me, now = access.current_resident().id, clock.system_clock()
    count = db.transaction(lambda: service.mark_all_read(me, now))
    flash(f"{count} 条消息已标为已读。" if count else "没有未读消息。", "success")
    return redirect(url_for(".messages"))


@pages.get("/messages/<id:message_id>")
@access.resident()
def message(message_id: int) -> str:
    """Show one message; to open it is to read it."""
    me, now = access.current_resident().id, clock.system_clock()
    found = service.message(me, message_id)
    if not found.is_read:
        db.transaction(lambda: service.mark_read(me, [message_id], now))
    return render_template("notices/message.html", message=found)


@pages.get("/notice-settings")
@access.resident()
def settings() -> str:
    return _settings_page(service.settings(access.current_resident().id), {})


@pages.post("/notice-settings")
@access.resident()
def save_settings() -> ResponseReturnValue:
    me, now = access.current_resident().id, clock.system_clock()
    known = service.settings(me)
    try:
        wanted = _wanted()
        db.transaction(lambda: service.change_settings(me, wanted, version=wanted.version, now=now))
    except DomainError as error:
        problems = {"": str(error), **{name: str(text) for name, text in error.fields.items()}}
        return _settings_page(known, problems), 422
    flash("已保存。", "success")
    return redirect(url_for(".settings"), 303)


def _wanted() -> Settings:
    """Return what the form says.

    A box that is not ticked mutes a topic on a channel; ``first`` moves one channel to the front.
    """
    kinds, first = list(service.channel_kinds()), request.form.get("first", "")
    ticked = set(request.form.getlist("on"))
    muted = {
        topic.value: tuple(kind for kind in _own_kinds() if f"{topic.value}|{kind}" not in ticked)
        for topic in Topic
        if topic is not Topic.SERVED
    }
    known = service.settings(access.current_resident().id)
    order = [first, *(kind for kind in known.channels if kind != first)] if first in kinds else known.channels
    version = request.form.get("version", "")
    if not (version.isascii() and version.isdecimal() and len(version) <= 9):
        raise Invalid
    elsewhere = {
        topic: tuple(kind for kind in off if kind not in _own_kinds()) for topic, off in known.muted.items()
    }
    merged = {
        topic: tuple(dict.fromkeys((*elsewhere.get(topic, ()), *off)))
        for topic, off in {**dict.fromkeys(elsewhere, ()), **muted}.items()
    }
    return Settings(tuple(order), _quiet(), {one: off for one, off in merged.items() if off}, int(version))


def _quiet() -> Quiet | None:
    if "quiet" not in request.form:
        return None
    try:
        starts, ends = (minutes_of(request.form.get(name, "")) for name in ("quiet_from", "quiet_until"))
    except ValueError:
        raise Invalid("设置有误", fields={"quiet_from": "要写成 22:00 这样的时间"}) from None
    return Quiet(starts, ends)


def _own_kinds() -> dict[str, str]:
    """Return the channels this resident is bound to, with their names."""
    return service.bound_kinds(access.current_resident().id)


def _settings_page(view: Settings, problems: dict[str, str]) -> str:
    return render_template(
        "notices/settings.html",
        view=view,
        quiet=view.quiet or QUIET,
        kinds=_own_kinds(),
        topics=[topic for topic in Topic if topic is not Topic.SERVED],
        problems=problems,
    )
