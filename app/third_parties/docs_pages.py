"""The open API's own OpenAPI document: only what third parties call, and how to sign."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from app.core import access, api_docs
from app.core.installation import settings
from app.third_parties.service import HOW_TO_SIGN

OPEN = "/api/v1/open/"
docs_pages = Blueprint("third_parties_docs", __name__)


@docs_pages.get("/api/open/openapi.json")
@access.public("the contract that third parties build on")
def document() -> dict[str, Any]:
    part = api_docs.part(OPEN)
    part["info"] = {
        "title": "广东省网上办事大厅开放接口",
        "version": part["info"]["version"],
        "description": HOW_TO_SIGN,
    }
    part["servers"] = [{"url": settings().base_url}]
    part["components"]["securitySchemes"] = {
        "signature": {
            "type": "apiKey",
            "in": "header",
            "name": "Signature",
            "description": "与 Signature-Input 一起发送，见开头的说明",
        }
    }
    part["security"] = [{"signature": []}]
    for item in part["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
    return part


@docs_pages.get("/api/open/docs")
@access.public("documentation of the open API")
def docs() -> str:
    return api_docs.page("third_parties_docs.document")
