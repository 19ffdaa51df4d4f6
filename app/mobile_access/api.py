"""HTTP of the registry of pages."""

from __future__ import annotations

import json
from typing import Any

from flask import Response
from flask.views import MethodView
from werkzeug.datastructures import FileStorage

from app.core import access, clock, db, hot, idempotency
from app.core.access import Permission
from app.core.idempotency import Answer
from app.core.installation import settings
from app.core.json_api import Blueprint, answered_once
from app.mobile_access import schemas, service
from app.mobile_access.imports import import_pages
from app.mobile_access.service import PageView, Registration
from app.mobile_access.tables import BYTES_MAX, template

blp = Blueprint(
    "mobile_access", __name__, url_prefix="/mobile-pages", description="移动网页的登记、检测和审核"
)
published_blp = Blueprint(
    "published_pages", __name__, url_prefix="/published-pages", description="已发布的移动网页"
)
schedule_blp = Blueprint(
    "mobile_access_schedule", __name__, url_prefix="/schedule", description="附件3：接入手机版时间安排"
)
BLUEPRINTS = (blp, published_blp, schedule_blp)
_page = schemas.PageSchema()
_published = schemas.PublishedListSchema()


@blp.route("")
class Pages(MethodView):
    @blp.arguments(schemas.PageQuerySchema(), location="query")
    @blp.response(200, schemas.PageListSchema())
    @access.staff(Permission.PAGES_READ)
    def get(self, query: dict[str, Any]) -> service.PageList:
        """List pages in one's scope, the last changed first"""
        cursor, limit = query.pop("cursor", None), query.pop("limit")
        return service.listing(access.current_staff(), service.Filter(**query), cursor=cursor, limit=limit)

    @blp.doc(parameters=[idempotency.HEADER])
    @blp.arguments(schemas.NewPageSchema())
    @blp.response(201, _page)
    @access.staff(Permission.PAGES_REGISTER)
    def post(self, new: dict[str, Any]) -> Response:
        """Register a page"""
        by = access.current_staff()
        wanted = service.vetted(schemas.registration_from(new), service.outbound_guard(settings()))

        def work() -> Answer:
            page = service.register(by, new["body_id"], wanted, now=clock.system_clock())
            return Answer(201, json.dumps(_page.dump(page), ensure_ascii=False))

        return answered_once(by.actor, "mobile_access.register", work)


@blp.route("/<id:page_id>")
class Page(MethodView):
    @blp.etag
    @blp.response(200, _page)
    @access.staff(Permission.PAGES_READ)
    def get(self, page_id: int) -> PageView:
        """Get a page with its channels"""
        page = service.get(access.current_staff(), page_id)
        blp.set_etag(page, _page)
        return page

    @blp.etag
    @blp.arguments(schemas.RegistrationSchema())
    @blp.response(200, _page)
    @access.staff(Permission.PAGES_REGISTER)
    def put(self, new: Registration, page_id: int) -> PageView:
        """Replace what was registered; needs If-Match"""
        wanted = service.vetted(new, service.outbound_guard(settings()))

        def replace() -> PageView:
            by = access.current_staff()
            seen = service.get(by, page_id)
            blp.check_etag(seen, _page)
            return service.update_page(by, page_id, wanted, version=seen.version, now=clock.system_clock())

        page = db.transaction(replace)
        blp.set_etag(page, _page)
        return page


@blp.route("/<id:page_id>/checks")
class Checks(MethodView):
    @blp.response(200, schemas.CheckSchema(many=True))
    @access.staff(Permission.PAGES_READ)
    def get(self, page_id: int) -> list[service.CheckView]:
        """List the checks of a page, newest first"""
        return service.checks_of(access.current_staff(), page_id)

    @blp.response(202, _page)
    @access.staff(Permission.PAGES_REGISTER)
    @db.transactional
    def post(self, page_id: int) -> PageView:
        """Ask for a check; it runs in the background"""
        return service.start_check(access.current_staff(), page_id, now=clock.system_clock())


@blp.route("/<id:page_id>/checks/<int(max=2147483647):number>")
class Check(MethodView):
    @blp.response(200, schemas.CheckReportSchema())
    @access.staff(Permission.PAGES_READ)
    def get(self, page_id: int, number: int) -> service.CheckReport:
        """Get a check with its report"""
        return service.report_of(access.current_staff(), page_id, number)


@blp.route("/<id:page_id>/approval")
class Approval(MethodView):
    @blp.arguments(schemas.ApprovalSchema())
    @blp.response(200, _page)
    @access.staff(Permission.PAGES_REVIEW)
    @db.transactional
    def post(self, decision: dict[str, Any], page_id: int) -> PageView:
        """Let a page onto channels"""
        return service.approve(
            access.current_staff(),
            page_id,
            decision["channels"],
            version=decision["version"],
            reason=decision["reason"],
            now=clock.system_clock(),
        )


@blp.route("/<id:page_id>/rejection")
class Rejection(MethodView):
    @blp.arguments(schemas.RejectionSchema())
    @blp.response(200, _page)
    @access.staff(Permission.PAGES_REVIEW)
    @db.transactional
    def post(self, decision: dict[str, Any], page_id: int) -> PageView:
        """Send a page back on channels, with a reason"""
        return service.reject(
            access.current_staff(),
            page_id,
            decision["channels"],
            decision["reason"],
            version=decision["version"],
            now=clock.system_clock(),
        )


@blp.route("/<id:page_id>/suspension")
class Suspension(MethodView):
    @blp.arguments(schemas.ReasonSchema())
    @blp.response(200, _page)
    @access.staff(Permission.PAGES_REVIEW)
    @db.transactional
    def post(self, given: dict[str, Any], page_id: int) -> PageView:
        """Take a page away from residents, with a reason"""
        return service.suspend(access.current_staff(), page_id, **given, now=clock.system_clock())


@blp.route("/<id:page_id>/recheck")
class Recheck(MethodView):
    @blp.arguments(schemas.VersionSchema())
    @blp.response(202, _page)
    @access.staff(Permission.PAGES_REGISTER)
    @db.transactional
    def post(self, given: dict[str, Any], page_id: int) -> PageView:
        """Ask for the check that brings a suspended page back to review"""
        return service.recheck(access.current_staff(), page_id, **given, now=clock.system_clock())


@blp.route("/<id:page_id>/retirement")
class Retirement(MethodView):
    @blp.arguments(schemas.RetirementSchema())
    @blp.response(200, _page)
    @access.staff(Permission.PAGES_REGISTER)
    @db.transactional
    def post(self, given: dict[str, Any], page_id: int) -> PageView:
        """End a page for good"""
        return service.retire(access.current_staff(), page_id, **given, now=clock.system_clock())


@blp.route("/import")
class Import(MethodView):
    @blp.response(200, content_type="text/csv")
    @access.staff(Permission.PAGES_REGISTER)
    def get(self) -> Response:
        """Get an empty file to fill in"""
        return Response(
            template(),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="mobile-pages.csv"'},
        )

    @blp.arguments(schemas.ImportFileSchema(), location="files")
    @blp.response(201, schemas.ImportResultSchema())
    @access.staff(Permission.PAGES_REGISTER)
    def post(self, sent: dict[str, FileStorage]) -> dict[str, Any]:
        """Register all pages of a CSV or XLSX file, or none"""
        content = sent["file"].stream.read(BYTES_MAX + 1)
        policy = service.outbound_guard(settings()).policy
        pages = import_pages(access.current_staff(), content, policy, now=clock.system_clock())
        return {"imported": len(pages), "pages": pages}


@published_blp.route("")
class PublishedPages(MethodView):
    @published_blp.arguments(schemas.PublishedQuerySchema(), location="query")
    @published_blp.response(200, _published)
    @published_blp.alt_response(304, description="与 If-None-Match 相同")
    @access.public("what residents may open")
    def get(self, query: dict[str, Any]) -> Response:
        """List published pages, the longest online first"""
        return hot.answer(
            service.publication_version(), lambda: _encoded(query), content_type="application/json"
        )


def _encoded(query: dict[str, Any]) -> bytes:
    found = service.published(
        query.get("theme"),
        query.get("query"),
        region_code=query.get("region_code"),
        cursor=query.get("cursor"),
        limit=query["limit"],
    )
    return json.dumps(_published.dump(found), ensure_ascii=False, separators=(",", ":")).encode()


@schedule_blp.route("/mobile-access")
class MobileAccessSchedule(MethodView):
    @schedule_blp.response(200, schemas.ScheduleRowSchema(many=True))
    @access.public("progress that the notice publishes")
    def get(self) -> list[service.ScheduleRow]:
        """List bodies and cities of annex 3 and since when they are connected"""
        return service.schedule_state(today=clock.day_of(clock.system_clock()))
