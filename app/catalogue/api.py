"""JSON API of items, open to everyone."""

from __future__ import annotations

import json
from typing import Any

from flask import Response
from flask.views import MethodView

from app.catalogue import schemas, service
from app.catalogue.service import ItemView, RelatedItem
from app.core import access
from app.core.json_api import Blueprint, json_answer
from app.core.lately import Few

items_api = Blueprint("items", __name__, url_prefix="/items", description="事项目录：查找、办事指南、表单")


_LONG = ("content", "form")
GUIDES_KEPT = 1000
_guides: Few[int, str] = Few(GUIDES_KEPT)


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
    def get(self, item_id: int) -> Response:
        """Get the guide of an item with its form"""
        item = service.item(item_id)
        return Response(_guide(item), content_type="application/json")


_head = schemas.ServiceItemSchema(exclude=_LONG)
_body = schemas.ServiceItemSchema(only=_LONG)


def _guide(item: ItemView) -> str:
    """Return the guide as JSON; what a version in force says is put into words once."""
    body = _guides.get(item.version_id)
    if body is None:
        body = json.dumps(_body.dump(item), ensure_ascii=False)
        _guides.put(item.version_id, body)
    # Both are objects: the head's end and the body's beginning meet.
    return f"{json.dumps(_head.dump(item), ensure_ascii=False)[:-1]}, {body[1:]}"


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
