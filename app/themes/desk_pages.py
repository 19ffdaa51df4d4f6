"""The console's pages of themes: list, write as YAML, check, publish, retire."""

from __future__ import annotations

import json
from typing import Any

import yaml
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import Conflict, Invalid
from app.themes import service

DEFINITION_BYTES_MAX = 60_000

desk = Blueprint("theme_desk", __name__, url_prefix="/console/themes", template_folder="templates")


@desk.context_processor
def _words() -> dict[str, Any]:
    return {"version_labels": service.VERSION_LABELS}


@desk.get("")
@access.staff(Permission.ITEMS_REVIEW)
def themes() -> str:
    found = service.newest_versions()
    stale = {one.id for one in found if service.changes_since(one)}
    return render_template("themes/desk.html", found=found, stale=stale)


@desk.get("/new")
@access.staff(Permission.ITEMS_REVIEW)
def new() -> str:
    return _editor(None, "", {})


@desk.post("/new")
@access.staff(Permission.ITEMS_REVIEW)
def draft() -> ResponseReturnValue:
    by, text = access.current_staff(), request.form.get("definition", "")
    try:
        written = _read(text)
        made = db.transaction(lambda: service.draft(written, actor=by.actor, now=clock.system_clock()))
    except (Invalid, Conflict) as error:
        return _editor(None, text, error.fields or {"definition": [str(error)]}), 422
    flash("草稿已保存。", "success")
    return redirect(url_for(".version", version_id=made), 303)


@desk.get("/<id:version_id>")
@access.staff(Permission.ITEMS_REVIEW)
def version(version_id: int) -> str:
    view = service.version_of(version_id)
    return render_template(
        "themes/desk_version.html",
        view=view,
        findings=service.check(version_id),
        changes=service.changes_since(view),
        text=_written(view.written),
    )


@desk.get("/<id:version_id>/edit")
@access.staff(Permission.ITEMS_REVIEW)
def editor(version_id: int) -> str:
    view = service.version_of(version_id)
    return _editor(view, _written(view.written), {})


@desk.post("/<id:version_id>/edit")
@access.staff(Permission.ITEMS_REVIEW)
def edit(version_id: int) -> ResponseReturnValue:
    """Change a draft; of what is published, begin the next version."""
    by, text, view = (
        access.current_staff(),
        request.form.get("definition", ""),
        service.version_of(version_id),
    )
    now = clock.system_clock()

    def work() -> int:
        written = _read(text)
        if view.state is not service.VersionState.DRAFT:
            return service.draft(written, actor=by.actor, now=now)
        service.edit(version_id, written, version=_version(), actor=by.actor)
        return version_id

    try:
        made = db.transaction(work)
    except (Invalid, Conflict) as error:
        return _editor(view, text, error.fields or {"definition": [str(error)]}), 422
    flash("草稿已保存。", "success")
    return redirect(url_for(".version", version_id=made), 303)


@desk.post("/<id:version_id>/publish")
@access.staff(Permission.ITEMS_REVIEW)
def publish(version_id: int) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    try:
        db.transaction(lambda: service.publish(version_id, version=_version(), actor=by.actor, now=now))
        flash("已发布。", "success")
    except (Invalid, Conflict) as error:
        flash(str(error), "error")
    return redirect(url_for(".version", version_id=version_id), 303)


@desk.post("/<id:version_id>/retire")
@access.staff(Permission.ITEMS_REVIEW)
def retire(version_id: int) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    reason = request.form.get("reason", "").strip()[:1000]
    try:
        db.transaction(
            lambda: service.retire(version_id, version=_version(), reason=reason, actor=by.actor, now=now)
        )
        flash("已停用。正在办的不受影响。", "success")
    except (Invalid, Conflict) as error:
        flash(str(error), "error")
    return redirect(url_for(".version", version_id=version_id), 303)


def _editor(view: service.VersionView | None, text: str, problems: dict[str, list[str]]) -> str:
    return render_template("themes/desk_edit.html", view=view, text=text, problems=problems)


def _written(definition: Any) -> str:
    return str(yaml.safe_dump(definition, allow_unicode=True, sort_keys=False, width=100))


def _read(text: str) -> dict[str, Any]:
    """Read YAML, of which JSON is a part.

    Raises:
        Invalid: it is none, is too long, or uses references (a few lines of those can mean gigabytes).
    """
    if len(text.encode()) > DEFINITION_BYTES_MAX:
        raise Invalid(fields={"definition": ["定义太长"]})
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise Invalid(fields={"definition": ["不能使用引用（*）"]})
        # Through JSON: YAML knows days and sets, which no definition has.
        found = json.loads(json.dumps(yaml.safe_load(text)))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        raise Invalid(fields={"definition": ["不是有效的 YAML 或 JSON"]}) from None
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise Invalid(fields={"definition": ["定义应是一个对象"]})
    return found


def _version() -> int:
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
