"""HTTP of tables over many pages, and of the visit to an online page that somebody asks for."""

from __future__ import annotations

import json
from typing import Any

from flask import Response
from flask.views import MethodView

from app.core import access, clock, idempotency, limits
from app.core.access import Permission
from app.core.idempotency import Answer
from app.core.json_api import Blueprint, answered_once
from app.mobile_access import service, tables_schemas
from app.mobile_access.presenting import exported
from app.mobile_access.schemas import CheckSchema
from app.mobile_access.service import Totals, TotalsFilter
from mobile_pages.report.csv import totals_to_csv

tables_blp = Blueprint(
    "page_tables", __name__, url_prefix="/mobile-pages", description="网页的汇总、导出和重新检测"
)
_check = CheckSchema()


@tables_blp.route("/rule-totals")
class RuleTotals(MethodView):
    @tables_blp.arguments(tables_schemas.TotalsQuerySchema(), location="query")
    @tables_blp.response(200, tables_schemas.TotalsSchema())
    @access.staff(Permission.PAGES_READ)
    def get(self, narrowed: TotalsFilter) -> Totals:
        """Count how each rule ended in the newest reports of the pages in one's scope"""
        return service.rule_totals(access.current_staff(), narrowed)


@tables_blp.route("/rule-totals.csv")
class RuleTotalsTable(MethodView):
    @tables_blp.arguments(tables_schemas.TotalsQuerySchema(), location="query")
    @tables_blp.response(200, content_type="text/csv")
    @access.staff(Permission.PAGES_READ)
    def get(self, narrowed: TotalsFilter) -> Response:
        """Get the same as a table for a spreadsheet program"""
        found = service.rule_totals(access.current_staff(), narrowed)
        answer = Response(totals_to_csv(found.rules), content_type="text/csv; charset=utf-8")
        answer.headers.set("Content-Disposition", "attachment", filename="rule-totals.csv")
        return answer


@tables_blp.route("/export")
class Export(MethodView):
    @tables_blp.arguments(tables_schemas.ExportSchema())
    @tables_blp.response(200, content_type="application/octet-stream")
    @access.staff(Permission.PAGES_READ)
    def post(self, wanted: dict[str, Any]) -> Response:
        """Write the registrations in one's scope as a file that can be imported"""
        made = exported(access.current_staff(), **wanted)
        answer = Response(made.content, content_type=made.content_type)
        answer.headers.set("Content-Disposition", "attachment", filename=f"mobile-pages.{made.ending}")
        return answer


@tables_blp.route("/<id:page_id>/look-again")
class LookAgain(MethodView):
    @tables_blp.doc(parameters=[idempotency.HEADER])
    @tables_blp.response(202, _check)
    @access.staff(Permission.PAGES_REGISTER)
    def post(self, page_id: int) -> Response:
        """Ask for a visit to an online page, which stays with residents meanwhile"""
        by = access.current_staff()

        def work() -> Answer:
            service.get(by, page_id)
            limits.hit(service.LOOKS_AGAIN, "look-again", str(page_id))
            check = service.look_again(by, page_id, now=clock.system_clock())
            return Answer(202, json.dumps(_check.dump(check), ensure_ascii=False))

        return answered_once(by.actor, "mobile_access.look-again", work, of=str(page_id))
