"""Pages of files: the applicant's uploads of one material, and what the desk opens."""

from __future__ import annotations

import secrets

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.applications import service
from app.applications.desk_pages import desk as desk
from app.applications.domain import FILE_BYTES_MAX, FILES_PER_MATERIAL_MAX
from app.applications.file_answers import answered, store, take
from app.applications.pages import pages as pages
from app.applications.service import CaseView, Event, FileNotWanted, FileRefused, State
from app.catalogue.service import Handing, Material
from app.core import access, clock, db, web
from app.core.access import Permission
from app.core.errors import NotFound
from app.core.idempotency import KeyReused
from app.core.problems import MIME

PAGE_UPLOAD_BYTES = 40 * 1024 * 1024
"""Of several files sent at once by a browser without script; the script sends one at a time."""
KEY_MAX = 60


@pages.get("/me/applications/<id:application_id>/materials/<code>")
@access.resident()
def material(application_id: int, code: str) -> ResponseReturnValue:
    found = service.my_case(access.current_resident().id, application_id)
    return _material_page(found, code, [])


def _material_page(found: CaseView, code: str, problems: list[str]) -> str:
    needed = _needed(found, code)
    return render_template(
        "applications/material.html",
        case=found,
        needed=needed,
        files=[one for one in found.files if one.material == code],
        problems=problems,
        open=_takes(found, code),
        key=secrets.token_urlsafe(12),
        size_max=FILE_BYTES_MAX // 1024 // 1024,
        back=_back(found, code),
    )


def _needed(found: CaseView, code: str) -> Material:
    for one in found.item.content.materials:
        if one.code == code and Handing.UPLOAD in one.handings:
            return one
    raise NotFound("没有这份材料，或不用上传")


def _takes(found: CaseView, code: str) -> bool:
    if found.state is State.DRAFT:
        return True
    asked = found.supplements[-1].items if Event.SUPPLY in found.may else []
    return any(one.get("material") == code for one in asked)


def _back(found: CaseView, code: str) -> str:
    endpoint = ".fill" if found.state is State.DRAFT else ".case"
    return url_for(endpoint, application_id=found.id, _anchor=f"materials.{code}")


@pages.post("/me/applications/<id:application_id>/materials/<code>")
@access.resident()
@web.takes_uploads(PAGE_UPLOAD_BYTES)
def add_files(application_id: int, code: str) -> ResponseReturnValue:
    """Take all files of one request; those that are refused are named, the others are kept."""
    sent = [one for one in request.files.getlist("file") if one.filename or one.stream.read(1)]
    key = "".join(one for one in request.form.get("key", "") if one.isalnum() or one in "_-")[:KEY_MAX]
    if not sent or len(key) < 8:
        raise FileNotWanted(_("请先选照片或文件"))
    if len(sent) > FILES_PER_MATERIAL_MAX:
        raise service.TooManyFiles
    problems = []
    for number, one in enumerate(sent):
        one.stream.seek(0)
        try:
            take(application_id, code, key if len(sent) == 1 else f"{key}-{number}", one)
        except FileRefused as error:
            if _by_script():
                raise
            problems.append(f"{(one.filename or '')[-40:]}：{error}")
        except KeyReused:
            # Somebody went back to a page that has sent its file; the page that is shown now has a new key.
            problems.append(_("%(file)s：没有传上，请再选一次", file=(one.filename or "")[-40:]))
    if problems:
        found = service.my_case(access.current_resident().id, application_id)
        return _material_page(found, code, problems), 422
    if _by_script():
        return "", 204
    flash(_("传好了 %(count)s 个文件。", count=len(sent)), "success")
    return redirect(url_for(".material", application_id=application_id, code=code), 303)


def _by_script() -> bool:
    return request.accept_mimetypes.best == MIME


@pages.post("/me/applications/<id:application_id>/materials/<code>/<id:file_id>/remove")
@access.resident()
def remove_file(application_id: int, code: str, file_id: int) -> ResponseReturnValue:
    me, now = access.current_resident(), clock.system_clock()
    db.transaction(lambda: service.remove_file(me.id, application_id, file_id, now=now))
    flash(_("已删除。"), "success")
    return redirect(url_for(".material", application_id=application_id, code=code), 303)


@pages.get("/me/applications/<id:application_id>/files/<id:file_id>")
@access.resident()
def file(application_id: int, file_id: int) -> Response:
    return _mine(application_id, file_id, thumb=False)


@pages.get("/me/applications/<id:application_id>/files/<id:file_id>/thumb")
@access.resident()
def thumb(application_id: int, file_id: int) -> Response:
    return _mine(application_id, file_id, thumb=True)


def _mine(application_id: int, file_id: int, *, thumb: bool) -> Response:
    me = access.current_resident()
    found = service.my_file(me.id, application_id, file_id, thumb=thumb, store=store())
    return answered(*found, thumb=thumb)


@pages.post("/me/applications/<id:application_id>/query-code")
@access.resident()
def new_code(application_id: int) -> ResponseReturnValue:
    me, now = access.current_resident(), clock.system_clock()
    version = request.form.get("version", type=int, default=0)
    db.transaction(lambda: service.new_query_code(me.id, application_id, version=version, now=now))
    flash(_("查询码换好了，旧的从此无效。"), "success")
    return redirect(url_for(".case", application_id=application_id), 303)


@desk.get("/cases/<id:application_id>/files/<id:file_id>")
@access.staff(Permission.CASES_HANDLE)
def desk_file(application_id: int, file_id: int) -> Response:
    return _of_case(application_id, file_id, thumb=False)


@desk.get("/cases/<id:application_id>/files/<id:file_id>/thumb")
@access.staff(Permission.CASES_READ)
def desk_thumb(application_id: int, file_id: int) -> Response:
    return _of_case(application_id, file_id, thumb=True)


def _of_case(application_id: int, file_id: int, *, thumb: bool) -> Response:
    by, now = access.current_staff(), clock.system_clock()
    found = service.case_file(by, application_id, file_id, thumb=thumb, store=store(), now=now)
    return answered(*found, thumb=thumb)
