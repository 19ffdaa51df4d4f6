"""The OpenAPI document and its page, served from local files under the strict CSP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Flask, current_app, render_template

from app.core import access


def init_app(app: Flask) -> None:
    pages = Blueprint("api_docs_page", __name__)

    @pages.get("/api/docs")
    @access.public("documentation of the public API")
    def docs() -> str:
        return page("api-docs.openapi_json")

    app.register_blueprint(pages)
    access.open_endpoint(app, "api-docs.openapi_json", "the API's contract")


def page(endpoint: str) -> str:
    """Return the page that shows the document which ``endpoint`` gives out."""
    return render_template("core/api_docs.html", contract=endpoint)


def part(prefix: str) -> dict[str, Any]:
    """Return the document of the addresses below ``prefix`` only, with what they refer to."""
    api = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    whole = json.loads(json.dumps(api.spec.to_dict()))
    paths = {path: item for path, item in whole["paths"].items() if path.startswith(prefix)}
    kept: dict[str, dict[str, Any]] = {}
    waiting = list(_references(paths))
    while waiting:
        kind, name = waiting.pop()
        if name not in kept.setdefault(kind, {}):
            kept[kind][name] = whole["components"][kind][name]
            waiting += _references(kept[kind][name])
    tags = {tag for item in paths.values() for one in item.values() for tag in _tags(one)}
    return {
        **whole,
        "paths": paths,
        "components": kept,
        "tags": [tag for tag in whole["tags"] if tag["name"] in tags],
    }


def _tags(operation: Any) -> list[str]:
    found: list[str] = operation.get("tags", []) if isinstance(operation, dict) else []
    return found


def _references(node: Any) -> Iterator[tuple[str, str]]:
    """Yield kind and name of every component that ``node`` refers to."""
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            _, _, kind, name = reference.split("/")
            yield kind, name
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
