"""What every HTTP answer shares: request ids, logs, security headers, health, metrics."""

from __future__ import annotations

import os
import re
import secrets
import string
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import quote

import structlog
from flask import Blueprint, Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix

from app.core import access, db, outbox
from app.core.errors import Forbidden
from app.core.later import load
from config.settings import Settings

MAX_UPLOAD_BYTES = 6 * 1024 * 1024
MAX_BODY_BYTES = 256 * 1024
"""Of everything but uploads: what is parsed whole grows a hundredfold in memory."""
MAX_FORM_PARTS = 500
# Callers may invent others; as labels they would grow without end.
KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

log = structlog.get_logger(__name__)
_requests = Counter("hall_requests_total", "HTTP answers", ["endpoint", "method", "status"])
_seconds = Histogram(
    "hall_request_seconds",
    "Time to answer",
    ["endpoint"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

Environ = dict[str, Any]
View = TypeVar("View", bound=Callable[..., Any])
_UPLOAD_BYTES = "__hall_upload_bytes__"


def takes_uploads(most_bytes: int) -> Callable[[View], View]:
    """Mark a view as one that takes files of up to ``most_bytes`` together; others keep the usual bound."""

    def decorate(view: View) -> View:
        setattr(view, _UPLOAD_BYTES, most_bytes)
        return view

    return decorate


def _upload_bytes() -> int:
    view = current_app.view_functions.get(request.endpoint or "")
    view_class = getattr(view, "view_class", None)
    target = getattr(view_class, request.method.lower(), None) if view_class else view
    return int(getattr(target, _UPLOAD_BYTES, MAX_UPLOAD_BYTES))


class RequestIds:
    """Give every request an id before anything else sees it."""

    def __init__(self, wsgi: Callable[..., Iterable[bytes]]) -> None:
        self._wsgi = wsgi

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked = environ.get("HTTP_X_REQUEST_ID", "")
        environ["hall.request_id"] = asked if REQUEST_ID.fullmatch(asked) else secrets.token_hex(8)
        environ["QUERY_STRING"] = _readable(environ.get("QUERY_STRING", ""))
        return self._wsgi(environ, start_response)


def _readable(query: str) -> str:
    """Return a query string as it came; one whose bytes are no text gets them escaped.

    Whoever asks Werkzeug for the parameters of such a one gets an error instead.
    """
    if query.isascii():
        return query
    raw = query.encode("latin-1", "replace")
    try:
        raw.decode()
    except UnicodeDecodeError:
        return quote(raw, safe=string.punctuation)
    return query


def init_app(app: Flask, settings: Settings) -> None:
    app.wsgi_app = RequestIds(app.wsgi_app)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_UPLOAD_BYTES,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https:"),
        SEND_FILE_MAX_AGE_DEFAULT=86400,
    )
    app.before_request(_begin)
    app.after_request(_headers)
    app.after_request(_log_answer)
    if not settings.has_secrets:
        app.wsgi_app = _refusing(settings)  # type: ignore[method-assign]
    app.register_blueprint(_operations(settings))


def _refusing(settings: Settings) -> Callable[..., Iterable[bytes]]:
    """Return what stands in for the hall while it has no secrets: nobody can be served without them."""

    def refuse(_environ: Environ, _start_response: Callable[..., Any]) -> Iterable[bytes]:
        settings.demand_secrets()
        return []

    return refuse


def _begin() -> None:
    g.started = time.perf_counter()
    upload = request.mimetype == "multipart/form-data"
    # Before anything is read: what is longer is refused by its stated length.
    request.max_content_length = _upload_bytes() if upload else MAX_BODY_BYTES
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request.environ["hall.request_id"])


def _headers(answer: Response) -> Response:
    answer.headers["X-Request-Id"] = request.environ["hall.request_id"]
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    answer.headers.setdefault("Referrer-Policy", "same-origin")
    answer.headers.setdefault("Permissions-Policy", "geolocation=(), camera=(), microphone=()")
    answer.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        f"form-action 'self'; frame-ancestors {g.get('frame_ancestors', chr(39) + 'none' + chr(39))}",
    )
    if request.is_secure:
        answer.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if access.is_personal():
        answer.headers.setdefault("Cache-Control", "no-store")
    return answer


def _log_answer(answer: Response) -> Response:
    endpoint = request.endpoint or "none"
    elapsed = time.perf_counter() - g.get("started", time.perf_counter())
    method = request.method if request.method in KNOWN_METHODS else "other"
    _requests.labels(endpoint, method, answer.status_code).inc()
    _seconds.labels(endpoint).observe(elapsed)
    # The route's pattern, not the address: an address may carry what a person typed.
    log.info(
        "request",
        method=request.method,
        route=str(request.url_rule or "-"),
        status=answer.status_code,
        ms=round(elapsed * 1000, 1),
    )
    return answer


def allow_framing(origins: str) -> None:
    """Let the current answer be framed by ``origins`` (CSP sources), e.g. the sandbox's phone."""
    g.frame_ancestors = origins


def _operations(settings: Settings) -> Blueprint:
    pages = Blueprint("operations", __name__)

    @pages.get("/healthz")
    @access.public("liveness for the process supervisor")
    def healthz() -> ResponseReturnValue:
        return {"status": "ok"}

    @pages.get("/readyz")
    @access.public("readiness for the load balancer")
    def readyz() -> ResponseReturnValue:
        db.session().execute(text("SELECT 1"))
        return {"status": "ready"}

    @pages.get("/metrics")
    @access.public("Prometheus; loopback or a token of its own")
    def metrics() -> ResponseReturnValue:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        by_token = settings.metrics_token and secrets.compare_digest(
            given.encode(), settings.metrics_token.encode()
        )
        # Behind a reverse proxy every request comes from loopback, so there only the token counts.
        local = request.remote_addr == "127.0.0.1" and "X-Forwarded-For" not in request.headers
        if not (by_token or (local and not settings.metrics_token)):
            raise Forbidden
        body = generate_latest(_counters()) + generate_latest(_Standing())
        return Response(body, content_type=CONTENT_TYPE_LATEST)

    return pages


class _Standing(Collector):
    """What no process counts by itself: how things stand, asked of the database at each reading."""

    def collect(self) -> Iterable[Metric]:
        jobs = GaugeMetricFamily("hall_jobs", "Jobs by state; dead ones need staff", labels=["state"])
        for state, count in outbox.counts().items():
            jobs.add_metric([state], count)
        yield jobs
        for reference in current_app.extensions["hall_gauges"]:
            yield from load(reference)()


def _counters() -> CollectorRegistry:
    if not _many_processes():
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _many_processes() -> bool:
    """Tell whether Prometheus figures are shared between worker processes."""
    return bool(os.environ.get("PROMETHEUS_MULTIPROC_DIR"))
