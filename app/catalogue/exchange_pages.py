"""Console pages that bring files of the catalogue in, and take them out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.catalogue import importing
from app.catalogue.desk_reading import Filter
from app.catalogue.domain import VERSION_LABELS, VersionState
from app.catalogue.exchange_files import (
    BYTES_MAX,
    LAYOUTS,
    ROWS_MAX,
    WHAT_LABELS,
    XLSX_TYPE,
    FileForm,
    What,
    template,
)
from app.catalogue.exporting import exported
from app.catalogue.importing import ACT_LABELS, ImportView
from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import Conflict
from app.core.ids import read_id
from app.core.sheets import ImportRefused
from app.organisations import service as organisations

AFTER_MAX = 200
QUERY_MAX = 60
CONTENT_TYPES = {
    FileForm.CSV: "text/csv; charset=utf-8",
    FileForm.XLSX: XLSX_TYPE,
    FileForm.JSON: "application/json",
}

files = Blueprint("item_exchange", __name__, url_prefix="/console/items", template_folder="templates")


@files.context_processor
def _words() -> dict[str, Any]:
    return {"what_labels": WHAT_LABELS, "act_labels": ACT_LABELS, "rows_max": ROWS_MAX}


@files.get("/import")
@access.staff(Permission.ITEMS_READ)
def import_form() -> str:
    return _form(What.ITEMS, None)


@files.post("/import")
@access.staff(Permission.ITEMS_READ)
def try_file() -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    what = _what(request.form.get("what", ""))
    sent = request.files.get("file")
    content = sent.stream.read(BYTES_MAX + 1) if sent else b""
    name = (sent.filename or "") if sent else ""
    try:
        made = db.transaction(lambda: importing.try_file(by, what, name, content, now=now))
    except ImportRefused as refused:
        return _form(what, refused), 422
    return redirect(url_for(".trial", import_id=made.id), 303)


@files.get("/imports/<id:import_id>")
@access.staff(Permission.ITEMS_READ)
def trial(import_id: int) -> str:
    return _trial(importing.get_import(access.current_staff(), import_id))


@files.post("/imports/<id:import_id>/commit")
@access.staff(Permission.ITEMS_READ)
def commit(import_id: int) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    importing.get_import(by, import_id)
    try:
        db.transaction(lambda: importing.commit(by, import_id, now=now))
    except ImportRefused as refused:
        return _trial(importing.get_import(by, import_id), refused), 422
    except Conflict as error:
        flash(str(error), "error")
    else:
        flash("已全部导入。", "success")
    return redirect(url_for(".trial", import_id=import_id), 303)


@files.get("/import/template/<what>.csv")
@access.staff(Permission.ITEMS_READ)
def import_template(what: str) -> Response:
    chosen = _what(what)
    return _attached(template(chosen), FileForm.CSV, f"catalogue-{chosen.value}")


@files.get("/export")
@access.staff(Permission.ITEMS_READ)
def export_form() -> str:
    bodies = organisations.bodies_of(access.current_staff(), Permission.ITEMS_READ)
    return render_template(
        "catalogue/desk_export.html", bodies=bodies, state_labels=VERSION_LABELS, given=request.args
    )


@files.get("/export/file")
@access.staff(Permission.ITEMS_READ)
def export_file() -> ResponseReturnValue:
    asked = request.args
    what, form = _what(asked.get("what", What.ITEMS)), asked.get("form", FileForm.JSON)
    if form not in set(FileForm):
        abort(404)
    state = asked.get("state", "")
    wanted = Filter(
        text=asked.get("q", "").strip()[:QUERY_MAX],
        state=VersionState(state) if state in set(VersionState) else None,
        body_id=read_id(asked.get("body_id", "")),
    )
    after = asked.get("after", "")[:AFTER_MAX] or None
    made = exported(access.current_staff(), what, FileForm(form), wanted, after=after)
    if made.next_after is not None and asked.get("whole") != "no":
        return render_template(
            "catalogue/desk_export_parts.html", rows=made.rows, next_after=made.next_after, given=asked
        )
    return _attached(made.content, FileForm(form), f"catalogue-{what.value}")


def _attached(content: bytes, form: FileForm, name: str) -> Response:
    answer = Response(content, content_type=CONTENT_TYPES[form])
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.{form.value}")
    return answer


def _what(text: str) -> What:
    if text not in set(What):
        abort(404)
    return What(text)


def _form(what: What, refused: ImportRefused | None) -> str:
    return render_template(
        "catalogue/desk_import.html", what=what, refused=refused, layouts=LAYOUTS, bytes_max=BYTES_MAX
    )


def _trial(found: ImportView, refused: ImportRefused | None = None) -> str:
    return render_template("catalogue/desk_trial.html", found=found, refused=refused)
