"""Console pages of tables over many pages: totals per rule, export of registrations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from app.core import access
from app.core.access import Permission
from app.mobile_access import service
from app.mobile_access.presenting import exported
from app.mobile_access.service import TotalsFilter
from app.mobile_access.tables_schemas import ExportSchema, TotalsQuerySchema, TotalsSchema
from app.organisations import service as organisations
from mobile_pages.report.csv import totals_to_csv

tables = Blueprint("mobile_access_tables", __name__, url_prefix="/console/pages", template_folder="templates")
_query = TotalsQuerySchema(unknown=ma.EXCLUDE)
_totals = TotalsSchema()
_export = ExportSchema(unknown=ma.EXCLUDE)


@tables.get("/totals")
@access.staff(Permission.PAGES_READ)
def totals() -> str:
    narrowed, given, problems = _asked()
    by = access.current_staff()
    found = service.rule_totals(by, narrowed)
    failing = sorted((one for one in found.rules if one.failed), key=lambda one: -one.failed)
    return render_template(
        "mobile_access/totals.html",
        found=found,
        failing=failing,
        given=given,
        problems=problems,
        bodies=organisations.bodies_of(by, Permission.PAGES_READ),
        cities=[one for one in organisations.regions() if one.level == "city"],
        versions=[one.version for one in service.versions()],
        state_labels=service.STATE_LABELS,
    )


@tables.get("/totals.<any(csv,json):form>")
@access.staff(Permission.PAGES_READ)
def totals_file(form: str) -> Response:
    narrowed, _, _ = _asked()
    found = service.rule_totals(access.current_staff(), narrowed)
    if form == "json":
        text = _totals.dumps(found, ensure_ascii=False, indent=1)
        return _attached(text.encode(), "application/json", "rule-totals.json")
    return _attached(totals_to_csv(found.rules), "text/csv; charset=utf-8", "rule-totals.csv")


@tables.get("/export")
@access.staff(Permission.PAGES_READ)
def export_form() -> str:
    return _export_form({})


@tables.post("/export")
@access.staff(Permission.PAGES_READ)
def export() -> ResponseReturnValue:
    """Give the file; a POST, because reading contact persons leaves a trace."""
    sent = {name: value for name, value in request.form.items() if value.strip()}
    try:
        wanted = _export.load(sent)
    except ma.ValidationError as error:
        return _export_form(error.messages_dict), 422
    made = exported(access.current_staff(), **wanted)
    return _attached(made.content, made.content_type, f"mobile-pages.{made.ending}")


def _export_form(problems: Mapping[str, Any]) -> str:
    by = access.current_staff()
    return render_template(
        "mobile_access/export.html",
        problems=problems,
        bodies=organisations.bodies_of(by, Permission.PAGES_READ),
        state_labels=service.STATE_LABELS,
        theme_labels=service.THEME_LABELS,
        may_register=by.may(Permission.PAGES_REGISTER),
    )


def _asked() -> tuple[TotalsFilter, dict[str, str], Mapping[str, Any]]:
    """Return what is asked for, as it was sent, and what is wrong with it; nothing narrows then."""
    given = {name: value for name, value in request.args.items() if value.strip()}
    try:
        return _query.load(given), given, {}
    except ma.ValidationError as error:
        return TotalsFilter(), given, error.messages_dict


def _attached(content: bytes, content_type: str, name: str) -> Response:
    answer = Response(content, content_type=content_type)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
