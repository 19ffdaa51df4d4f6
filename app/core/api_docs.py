"""The OpenAPI document and its page, served from local files under the strict CSP."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template

from app.core import access


def init_app(app: Flask) -> None:
    pages = Blueprint("api_docs_page", __name__)

    @pages.get("/api/docs")
    @access.public("documentation of the public API")
    def docs() -> str:
        return render_template("core/api_docs.html")

    app.register_blueprint(pages)
    access.open_endpoint(app, "api-docs.openapi_json", "the API's contract")
