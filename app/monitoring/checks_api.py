"""JSON API of a page's checks."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from app.core import access, clock, db
from app.core.access import Permission
from app.core.installation import settings
from app.core.json_api import Blueprint
from app.mobile_access import service as mobile_access
from app.monitoring import service
from app.monitoring.check_schemas import (
    NewPageCheckSchema,
    PageCheckChangeSchema,
    PageCheckListSchema,
    PageCheckQuerySchema,
    PageCheckSchema,
    PageCheckVersionSchema,
    draft_of,
)
from app.monitoring.service import CheckView
from mobile_pages.guard import Policy

checks_api = Blueprint(
    "checks",
    __name__,
    url_prefix="/checks",
    description="一个网页的各项探测：网页、健康地址、接口、流程、显示",
)


@checks_api.route("")
class PageChecks(MethodView):
    @checks_api.arguments(PageCheckQuerySchema(), location="query")
    @checks_api.response(200, PageCheckListSchema())
    @access.staff(Permission.PAGES_READ)
    def get(self, query: dict[str, Any]) -> dict[str, list[CheckView]]:
        """List the checks of a page, its main one first."""
        return {"items": service.checks_of(access.current_staff(), query["page_id"])}

    @checks_api.arguments(NewPageCheckSchema())
    @checks_api.response(201, PageCheckSchema())
    @access.staff(Permission.PAGES_READ)
    def post(self, sent: dict[str, Any]) -> CheckView:
        """Add a check to a page."""
        by, now = access.current_staff(), clock.system_clock()
        page_id, draft = sent.pop("page_id"), draft_of(sent)
        return db.transaction(lambda: service.add_check(by, page_id, draft, _policy(), now=now))


@checks_api.route("/<id:check_id>")
class PageCheck(MethodView):
    @checks_api.response(200, PageCheckSchema())
    @access.staff(Permission.PAGES_READ)
    def get(self, check_id: int) -> CheckView:
        """Return one check; a page's id stands for its main one."""
        return service.get_check(access.current_staff(), check_id)

    @checks_api.arguments(PageCheckChangeSchema())
    @checks_api.response(200, PageCheckSchema())
    @access.staff(Permission.PAGES_READ)
    def put(self, sent: dict[str, Any], check_id: int) -> CheckView:
        """Set a check up anew; its kind stays."""
        by, now = access.current_staff(), clock.system_clock()
        version, draft = sent.pop("version"), draft_of(sent)
        return db.transaction(
            lambda: service.change_check(by, check_id, draft, _policy(), version=version, now=now)
        )


@checks_api.post("/<id:check_id>/removal")
@checks_api.arguments(PageCheckVersionSchema())
@checks_api.response(204)
@access.staff(Permission.PAGES_READ)
def remove(sent: dict[str, Any], check_id: int) -> None:
    """Remove a check that staff added."""
    by = access.current_staff()
    db.transaction(lambda: service.remove_check(by, check_id, version=sent["version"]))


@checks_api.post("/<id:check_id>/tries")
@checks_api.response(202, PageCheckSchema())
@access.staff(Permission.PAGES_READ)
def try_now(check_id: int) -> CheckView:
    """Look once now; ``tried`` tells what was found."""
    by, now = access.current_staff(), clock.system_clock()
    db.transaction(lambda: service.ask_try(by, check_id, now=now))
    return service.get_check(by, check_id)


def _policy() -> Policy:
    return mobile_access.outbound_guard(settings()).policy
