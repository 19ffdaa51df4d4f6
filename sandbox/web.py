"""Put the platforms, the phone and the control together into one web application."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask, Response, abort, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from sandbox.actions import Actions
from sandbox.alipay.api import AlipayApi
from sandbox.alipay_control import AlipayControl
from sandbox.control import Control
from sandbox.pages.outage import Outage
from sandbox.phone.views import Phone
from sandbox.real_name import RealNameApi
from sandbox.wechat.api import WechatApi
from sandbox.wechat_mini.api import MiniApi
from sandbox.world import World

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
LOOPBACK_SOURCES = "http://127.0.0.1:* http://localhost:*"
BODY_BYTES = 1_000_000


def create_app(world: World, outage: Outage) -> Flask:
    """Return the application: platforms, provider of real-name checks, phone and control."""
    app = Flask(__name__, static_folder="phone/static", static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    actions = Actions(world)
    wechat = WechatApi(world, actions.wechat)
    mini = MiniApi(wechat)
    app.register_blueprint(wechat.blueprint(), url_prefix="/wechat")
    app.register_blueprint(mini.blueprint(), url_prefix="/wechat")
    alipay = AlipayApi(world)
    app.register_blueprint(alipay.blueprint(), url_prefix="/alipay")
    app.register_blueprint(alipay.media.blueprint(), url_prefix="/alipay")
    app.register_blueprint(AlipayControl(alipay, actions).blueprint(), url_prefix="/control/alipay")
    app.register_blueprint(Phone(world, actions).blueprint(), url_prefix="/phone")
    app.register_blueprint(Control(world, actions, wechat, mini, outage).blueprint(), url_prefix="/control")
    if world.config.verification is not None:
        real_name = RealNameApi(world, world.config.verification)
        app.register_blueprint(real_name.blueprint(), url_prefix="/real-name")
    app.add_url_rule("/", "home", lambda: redirect("/phone/"))
    app.before_request(_only_from_here)
    app.after_request(_policy(world))
    app.register_error_handler(HTTPException, _error)
    return app


def _only_from_here() -> None:
    """Refuse other host names (DNS rebinding) and forms sent from other sites."""
    host = urlsplit(request.host_url)
    if request.host.rsplit(":", 1)[0] not in LOOPBACK:
        abort(400, "沙箱只答应本机地址")
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin is not None and origin != f"{host.scheme}://{host.netloc}":
        abort(403, "请求来自别的网站")


def _policy(world: World) -> Callable[[Response], Response]:
    hall = {
        urlsplit(url) for url in (world.config.hall_base, *(a.callback_url for a in world.config.accounts))
    }
    origins = " ".join(sorted({f"{parts.scheme}://{parts.netloc}" for parts in hall}))
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "img-src 'self' http: https:",
            "frame-src http: https:",
            f"form-action 'self' {LOOPBACK_SOURCES} {origins}",
            f"frame-ancestors 'self' {LOOPBACK_SOURCES}",
            "base-uri 'none'",
        )
    )

    def add_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return add_headers


def _error(error: HTTPException) -> BaseResponse | tuple[dict[str, str], int]:
    if error.response is not None:
        return error.get_response()
    return {"error": error.description or error.name}, error.code or 500
