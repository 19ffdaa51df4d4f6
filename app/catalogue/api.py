"""JSON API of items, open to everyone."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView

from app.catalogue import schemas, service
from app.catalogue.service import ItemView, RelatedItem
from app.core import access
from app.core.json_api import Blueprint, json_answer

items_api = Blueprint("items", __name__, url_prefix="/items", description="事项目录：查找、办事指南、表单")


@items_api.route("")
class Items(MethodView):
    @items_api.arguments(schemas.ServiceItemQuerySchema(), location="query")
    @items_api.response(200, schemas.ServiceItemListSchema())
    @access.public("residents look before they sign in")
    def get(self, query: dict[str, Any]) -> Response:
        """Find items by everyday words, pinyin or initials; without words list them by name"""
        after = None
        if query["q"]:
            found = service.search(query["q"], query["region"], limit=query["limit"])
        else:
            found, after = service.listing(query["region"], after=query["after"], limit=query["limit"])
        # Asked for most of all; a test holds it against the schema.
        return json_answer({"items": [service.line_to_json(one) for one in found], "next_after": after})


@items_api.route("/<id:item_id>")
class Item(MethodView):
    @items_api.response(200, schemas.ServiceItemSchema())
    @access.public("residents look before they sign in")
    def get(self, item_id: int) -> ItemView:
        """Get the guide of an item with its form"""
        return service.item(item_id)


@items_api.route("/<id:item_id>/relations")
class ItemRelations(MethodView):
    @items_api.arguments(schemas.ServiceItemRelationQuerySchema(), location="query")
    @items_api.response(200, schemas.ServiceItemRelatedSchema(many=True))
    @access.public("residents look before they sign in")
    def get(self, query: dict[str, Any], item_id: int) -> list[RelatedItem]:
        """List what to do first, what goes together or not, and where the result serves"""
        item = service.item(item_id)
        return service.related_items(
            item.directory_id, query["region"] or item.region_code, variant=query["variant"]
        )
