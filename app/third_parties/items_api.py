"""The open API's items: guides for third parties, the same as residents read."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from app.catalogue import service as catalogue
from app.core import access
from app.core.json_api import Blueprint
from app.third_parties import schemas
from app.third_parties.authenticator import tell_what_is_left
from app.third_parties.service import Scope

open_items = Blueprint(
    "open_items", __name__, url_prefix="/open/items", description="第三方应用：办事事项和指南"
)
open_items.after_request(tell_what_is_left)


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
