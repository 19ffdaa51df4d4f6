"""The OpenAPI document and its page, served from local files under the strict CSP."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, Response, g, render_template, send_from_directory

from app.core import access

SWAGGER_UI = Path(__file__).parents[2] / "node_modules" / "swagger-ui-dist"
SWAGGER_FILES = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})


def init_app(app: Flask) -> None:
    pages = Blueprint("api_docs_page", __name__)

    @pages.get("/api/docs")
    @access.public("documentation of the public API")
    def docs() -> str:
        # swagger-ui sets style attributes and inline pictures; scripts stay local files only.
        g.docs = True
        return render_template("core/api_docs.html")

    @pages.get("/api/docs/<name>")
    @access.public("files of the documentation page")
    def files(name: str) -> Response:
        return send_from_directory(SWAGGER_UI, name if name in SWAGGER_FILES else "missing")

    app.register_blueprint(pages)
    access.open_endpoint(app, "api-docs.openapi_json", "the API's contract")
