"""The open API's items and cases: guides as residents read them, progress of those who agreed."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from app.applications import service as applications
from app.catalogue import service as catalogue
from app.core import access, clock, db
from app.core.json_api import Blueprint
from app.third_parties import schemas, service
from app.third_parties.service import Caller, Scope, Stage

open_items = Blueprint(
    "open_items", __name__, url_prefix="/open/items", description="第三方应用：办事事项和指南"
)
open_cases = Blueprint(
    "open_cases", __name__, url_prefix="/open/applications", description="第三方应用：同意的群众的办件进度"
)
BLUEPRINTS = (open_items, open_cases)


@open_items.route("")
class Items(MethodView):
    @open_items.arguments(schemas.OpenItemQuerySchema(), location="query")
    @open_items.response(200, schemas.OpenItemListSchema())
    @access.partner(Scope.ITEMS_READ)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Search items by everyday words"""
        return {"items": catalogue.search(query["q"], query["region_code"], limit=query["limit"])}


@open_items.route("/<id:item_id>")
class Item(MethodView):
    @open_items.response(200, schemas.OpenGuideSchema())
    @access.partner(Scope.ITEMS_READ)
    def get(self, item_id: int) -> catalogue.ItemView:
        """Get the guide of an item"""
        return catalogue.item(item_id)


@open_cases.route("")
class Cases(MethodView):
    @open_cases.arguments(schemas.OpenCaseQuerySchema(), location="query")
    @open_cases.response(200, schemas.OpenCaseListSchema())
    @open_cases.alt_response(404, "NOT_FOUND")
    @access.partner(Scope.APPLICATIONS_READ)
    @db.transactional
    def get(self, query: dict[str, Any]) -> applications.CaseList:
        """List the cases of a resident who agreed, at one's own body, newest first"""
        found: Any = access.current_partner()
        caller: Caller = found
        now = clock.system_clock()
        resident_id = service.use(caller, query["subject"], Scope.APPLICATIONS_READ, "办件进度", now=now)
        if caller.stage is Stage.SANDBOX:
            return applications.CaseList([], None)
        return applications.mine(
            resident_id, cursor=query["cursor"], limit=query["limit"], body_id=caller.body_id
        )
