"""The web application that serves the sample pages, well-made and faulty."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, abort, make_response, redirect, render_template, request

from sandbox.pages import faults
from sandbox.pages.catalogue import HERE, SamplePage, load_content, load_pages
from sandbox.pages.outage import Outage

SECTIONS = ("guide", "result")
OUTAGE_SLUG = "dianti"
SCRIPTS = ("bridge.js", "pretend.js")
PLACES = {
    "browser": "浏览器",
    "wechat": "微信",
    "wechat-mini": "微信小程序内",
    "alipay": "支付宝",
    "alipay-mini": "支付宝小程序内",
}
BRIDGE = {
    "version": "1.0.0",
    "integrity": "sha384-6i9k2Kj4nVuU46lVIDVoUQCeQX3dWaBf2uGscwQgMUo1JudBuPQhmgEei44dIcWH",
}
"""As the hall's guide for departments names it."""
COMPRESSED_FROM_BYTES = 860
LONG_CACHE = "public, max-age=31536000, immutable"
HEADERS = {
    "Strict-Transport-Security": "max-age=31536000",
    "Content-Security-Policy": "frame-ancestors 'self' http://127.0.0.1:* http://localhost:*",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}


@dataclass(slots=True)
class Site:
    """The routes of the pages port.

    Attributes:
        stopping: wakes the pages that hang.
        hall: where the page that tries hall-bridge.js loads it from; no slash at the end.
    """

    outage: Outage
    stopping: threading.Event
    hall: str = ""
    pages: Mapping[str, SamplePage] = field(default_factory=load_pages)
    content: Mapping[str, Mapping[str, Any]] = field(default_factory=load_content)
    css: bytes = field(default_factory=lambda: (HERE / "static" / "pages.css").read_bytes())

    @property
    def css_name(self) -> str:
        return f"pages.{hashlib.sha256(self.css).hexdigest()[:12]}.css"

    def add_to(self, app: Flask) -> None:
        app.add_url_rule("/", "index", lambda: render_template("pages/index.html", pages=self.pages.values()))
        app.add_url_rule("/catalogue.json", "catalogue", self._catalogue)
        app.add_url_rule("/assets/<name>", "asset", self._asset)
        app.add_url_rule("/favicon.ico", "favicon", lambda: redirect("/assets/mark-huzheng.svg"))
        app.add_url_rule("/qiao/", "bridge", self._bridge)
        app.add_url_rule("/qiao/upload", "upload", _uploaded, methods=["POST"])
        app.add_url_rule("/qiao/form.txt", "form", lambda: Response("申请表", mimetype="text/plain"))
        app.add_url_rule("/<slug>/", "page", self._page)
        app.add_url_rule("/<slug>/health", "health", self._health)
        app.add_url_rule("/<slug>/<section>", "section", self._page)
        app.context_processor(
            lambda: {"css_name": self.css_name, "elder": request.args.get("style") == "elder"}
        )

    def _catalogue(self) -> dict[str, Any]:
        return {"pages": [page.registration(request.host_url) for page in self.pages.values()]}

    def _page(self, slug: str, section: str = "") -> Any:
        page = self.pages.get(slug)
        if page is None or (section and section not in SECTIONS):
            abort(404)
        if slug == OUTAGE_SLUG and not self.outage.is_up():
            return self._suspended(page)
        if slug in self.content:
            content = self.content[slug]
            return render_template("pages/good.html", page=page, content=content, section=section)
        if section:
            abort(404)
        return faults.answer(page, self.stopping)

    def _bridge(self) -> Response:
        """Show a page that tries every function of hall-bridge.js under a strict content policy."""
        shown_in = request.args.get("as", "browser")
        page = render_template(
            "pages/bridge.html",
            hall=self.hall,
            release=BRIDGE,
            places=PLACES,
            shown_in=shown_in if shown_in in PLACES else "browser",
        )
        response = make_response(page)
        response.headers["Content-Security-Policy"] = (
            f"default-src 'self'; script-src 'self' {self.hall}; connect-src 'self' {self.hall}; "
            f"img-src 'self' data: blob:; {HEADERS['Content-Security-Policy']}"
        )
        return response

    def _suspended(self, page: SamplePage) -> tuple[str, int, dict[str, str]]:
        wait = self.outage.change_in_seconds()
        headers = {"Retry-After": str(int(wait if wait is not None else 300) + 1)}
        return render_template("pages/suspended.html", page=page), 503, headers

    def _health(self, slug: str) -> tuple[dict[str, str], int]:
        if slug not in self.pages:
            abort(404)
        up = slug != OUTAGE_SLUG or self.outage.is_up()
        return ({"status": "ok"}, 200) if up else ({"status": "down"}, 503)

    def _asset(self, name: str) -> Response:
        if name == self.css_name:
            response = Response(self.css, mimetype="text/css")
        elif name in SCRIPTS:
            body = (HERE / "static" / name).read_bytes()
            return Response(body, mimetype="text/javascript")
        elif name.startswith("mark-") and (content := self.content.get(name[5:].removesuffix(".svg"))):
            response = make_response(render_template("pages/mark.svg", content=content))
            response.mimetype = "image/svg+xml"
        else:
            abort(404)
        response.headers["Cache-Control"] = LONG_CACHE
        return response


def _uploaded() -> dict[str, int]:
    return {"bytes": sum(len(file.read()) for file in request.files.values())}


def create_pages(outage: Outage, stopping: threading.Event, hall: str = "") -> Flask:
    """Return the application of the pages port."""
    app = Flask(__name__, static_folder=None)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    Site(outage, stopping, hall).add_to(app)
    app.after_request(_finish)
    return app


def _finish(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-cache")
    if response.is_streamed or "Content-Encoding" in response.headers:
        return response
    response.headers.add("Vary", "Accept-Encoding")
    body = response.get_data()
    if len(body) >= COMPRESSED_FROM_BYTES and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.set_data(gzip.compress(body, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
