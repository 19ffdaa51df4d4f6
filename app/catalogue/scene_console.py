"""Console pages: how an item stands to others, and the scripts of scenes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.catalogue import service
from app.catalogue.service import OUR_SCHEME, RELATION_LABELS, RelationKind, SceneVersionView
from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import DomainError, Invalid, NotFound
from app.core.ids import read_id
from app.core.json_api import strict_json

_BLANK = {
    "name": "给居民看的名称",
    "summary": "一句话说明",
    "start": "first",
    "questions": {
        "first": {
            "text": "第一个问题？",
            "choices": [
                {"code": "one", "text": "一个选项", "to": {"item": "事项的基本编码", "variant": ""}},
                {"code": "other", "text": "另一个选项", "to": {"exit": "window"}},
            ],
        }
    },
    "exits": {
        "window": {
            "title": "到窗口办",
            "text": "说明",
            "where": "去哪里",
            "phone": "12345",
            "bring": ["带什么"],
        }
    },
}
"""What a new scene begins with: one of everything."""

console = Blueprint("catalogue_console", __name__, url_prefix="/console", template_folder="templates")


@console.get("/item-directory/<id:directory_id>/relations")
@access.staff(Permission.ITEMS_READ)
def relations(directory_id: int) -> str:
    return _relations_page(directory_id)


@console.post("/item-directory/<id:directory_id>/relations")
@access.staff(Permission.ITEMS_READ)
def add_relation(directory_id: int) -> ResponseReturnValue:
    by = access.current_staff()

    def work() -> None:
        service.demand_editor(by, directory_id)
        kind, other = _kind(), _other()
        variant = request.form.get("variant", "").strip()
        now = clock.system_clock()
        service.add_relation(directory_id, kind, other, variant=variant, actor=by.actor, now=now)

    return _done(work, "已加上关联。", directory_id)


@console.post("/item-directory/<id:directory_id>/relations/<id:relation_id>/removal")
@access.staff(Permission.ITEMS_READ)
def remove_relation(directory_id: int, relation_id: int) -> ResponseReturnValue:
    by = access.current_staff()

    def work() -> None:
        service.demand_editor(by, directory_id)
        service.remove_relation(directory_id, relation_id, actor=by.actor)

    return _done(work, "已删去关联。", directory_id)


def _done(work: Callable[[], None], said: str, directory_id: int) -> ResponseReturnValue:
    try:
        db.transaction(work)
    except NotFound:
        raise
    except DomainError as error:
        return _relations_page(directory_id, error), 422
    flash(said, "success")
    return redirect(url_for(".relations", directory_id=directory_id))


def _relations_page(directory_id: int, problem: DomainError | None = None) -> str:
    rows = service.all_relations_of(directory_id)
    names = service.directory_names([directory_id, *(one.other_directory_id for one in rows)])
    if directory_id not in names:
        raise NotFound("没有这个事项")
    return render_template(
        "catalogue/relations.html",
        directory_id=directory_id,
        rows=rows,
        names=names,
        may_edit=service.may_edit_relations(access.current_staff(), directory_id),
        variants=service.variants_of(directory_id),
        kinds=RELATION_LABELS,
        problem=_said(problem),
        form=request.form,
    )


def _kind() -> RelationKind:
    asked = request.form.get("kind", "")
    found = next((one for one in RelationKind if one.value == asked), None)
    if found is None:
        raise Invalid("请选择是哪种关联", fields={"kind": ["请选择是哪种关联"]})
    return found


def _other() -> int:
    code = request.form.get("other", "").strip()
    scheme = request.form.get("scheme", "").strip() or OUR_SCHEME
    found = service.find_directory(scheme, code)
    if found is None:
        raise Invalid("没有这个基本编码的事项", fields={"other": ["没有这个基本编码的事项"]})
    return found


def _said(problem: DomainError | None) -> list[str]:
    if problem is None:
        return []
    return [text for texts in problem.fields.values() for text in texts] or [str(problem)]


@console.get("/scenes")
@access.staff(Permission.ITEMS_REVIEW)
def scenes() -> ResponseReturnValue:
    key = request.args.get("key", "").strip()
    if service.SCENE_KEY.fullmatch(key):
        return redirect(url_for(".script", key=key))
    found = [(one, service.dead_leaves(one.script)) for one in service.scenes()]
    return render_template("catalogue/scene_list.html", scenes=found)


@console.get("/scenes/<key>")
@access.staff(Permission.ITEMS_REVIEW)
def script(key: str) -> str:
    versions = _versions(key)
    if versions:
        return _script_page(key, versions[0].number, _text(versions[0].content))
    return _script_page(key, 0, _text(_BLANK))


@console.post("/scenes/<key>")
@access.staff(Permission.ITEMS_REVIEW)
def save_script(key: str) -> ResponseReturnValue:
    text, seen = request.form.get("content", ""), request.form.get("seen", "")
    actor = access.current_staff().actor
    try:
        content = _content(text)
        db.transaction(
            lambda: service.save_scene(
                key,
                content,
                seen=read_id(seen) or 0,
                actor=actor,
                now=clock.system_clock(),
            )
        )
    except NotFound:
        raise
    except DomainError as error:
        return _script_page(key, seen, text, error), 422
    flash("已保存，居民现在看到的是新版本。", "success")
    return redirect(url_for(".script", key=key))


def _versions(key: str) -> list[SceneVersionView]:
    """Return the versions of a scene, none of one that is yet to be written."""
    try:
        return service.scene_versions(key)
    except NotFound:
        if not service.SCENE_KEY.fullmatch(key):
            raise
        return []


def _content(text: str) -> dict[str, Any]:
    try:
        found = strict_json(text.encode())
    except ValueError as error:
        raise Invalid("内容有误", fields={"content": [str(error)]}) from None
    if not isinstance(found, dict):
        raise Invalid("内容有误", fields={"content": ["应是一个 JSON 对象"]})
    return found


def _text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1)


def _script_page(key: str, seen: int | str, text: str, problem: DomainError | None = None) -> str:
    live = next((one for one in service.scenes() if one.key == key), None)
    return render_template(
        "catalogue/scene_script.html",
        key=key,
        seen=seen,
        text=text,
        live=live,
        versions=_versions(key),
        problem=_said(problem),
    )
