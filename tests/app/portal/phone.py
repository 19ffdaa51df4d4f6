"""A real browser that plays the phone: the apps' own objects are as their documents describe them.

Pages come from a department's host, the script and its configuration from the hall's; neither exists,
the browser is answered before it asks the network. The page's content policy is as strict as can be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import flask
from flask.typing import ResponseReturnValue
from playwright.sync_api import Browser, Page, Request, Route

from app.portal import bridge
from tests.sandbox.servers import served

PHONES = Path(__file__).parent / "phones"
SITE = "https://hz.example.cn"
HALL = "https://hall.example.cn"
POLICY = (
    f"default-src 'none'; img-src data:; script-src {HALL}; connect-src 'self' {HALL}; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
)
_ANDROID = "Mozilla/5.0 (Linux; Android 10; MI 9) AppleWebKit/537.36 Chrome/86.0 Mobile Safari/537.36"
AGENTS = {
    "wechat": f"{_ANDROID} MMWEBID/1 MicroMessenger/8.0.16.2040(0x28001056) WeChat/arm64",
    "wechat-mini": f"{_ANDROID} MicroMessenger/8.0.16.2040(0x28001056) WeChat/arm64 miniProgram/wx0123",
    "alipay": f"{_ANDROID} AliApp(AP/10.5.36.8100) AlipayClient/10.5.36.8100 Language/zh-Hans",
    "alipay-mini": f"{_ANDROID} AliApp(AP/10.5.36.8100) AlipayClient/10.5.36.8100 MiniProgram",
    "browser": _ANDROID,
}
HOSTS = tuple(AGENTS)
_CALL = """([name, options]) => new Promise((done) => {
  const plain = (value) => value && value.images
    ? { images: value.images.map((one) => ({ type: one.type, size: one.size })) } : value;
  HallBridge[name](options).then((value) => done({ value: plain(value) ?? null }),
    (error) => done({ code: error.code, message: error.message, isError: error instanceof Error }));
})"""


@dataclass
class Phone:
    """A page that has loaded the bridge. ``asked`` are requests to the hall's API and to the page's."""

    page: Page
    asked: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def call(self, name: str, options: Any = None) -> Any:
        """Return ``value`` of a function, or ``code`` and ``message`` of its refusal."""
        return self.page.evaluate(_CALL, [name, options])

    def again(self, plan: dict[str, Any]) -> Phone:
        """Forget what was called, and let the app answer by ``plan`` from now on."""
        self.complaints.clear()
        self.page.evaluate("plan => { window.plan = plan; window.calls = []; }", plan)
        return self

    def calls(self) -> list[Any]:
        """Return what was called of the app's own functions, in order."""
        found: list[Any] = self.page.evaluate("window.calls")
        return found

    def called(self, name: str) -> Any:
        """Return what a function of the app was last given."""
        return [given for one, given in self.calls() if one == name][-1]


@dataclass
class Department:
    """A department's real server. ``received``: case, kind, name and size of each file."""

    base: str = ""
    received: list[tuple[str, str, str, int]] = field(default_factory=list)

    def take(self) -> ResponseReturnValue:
        file = flask.request.files["photo"]
        case, kind = flask.request.headers["X-Case"], flask.request.form["kind"]
        self.received.append((case, kind, str(file.filename), len(file.read())))
        return flask.Response('{"id": 1}', 201)


@contextmanager
def a_department() -> Iterator[Department]:
    """Serve a page with the bridge, and take its files."""
    department = Department()
    app = flask.Flask("department")
    script = bridge.release(bridge.LATEST).body.decode()
    app.add_url_rule(
        "/", "page", lambda: '<script src="/hall-bridge.js"></script><link rel="icon" href="data:,">'
    )
    app.add_url_rule("/hall-bridge.js", "script", lambda: flask.Response(script, mimetype="text/javascript"))
    app.add_url_rule("/upload", "upload", department.take, methods=["POST"])
    with served(app) as base:
        department.base = base
        yield department


def a_config(**changed: Any) -> dict[str, Any]:
    signature = {"app_id": "wx01", "timestamp": 1414587457, "nonce": "n", "signature": "0f9de6"}
    sso_url = f"{HALL}/sso/17"
    return {"page_id": "17", "page_name": "户政", "sso_url": sso_url, "signature": signature, **changed}


@contextmanager
def a_phone(
    browser: Browser,
    host: str = "browser",
    *,
    plan: dict[str, Any] | None = None,
    path: str = "/m/",
    config: dict[str, Any] | None = None,
    without_app: bool = False,
    times: int = 1,
    agent: str = "",
    **options: Any,
) -> Iterator[Phone]:
    """Open a page of a department on a phone; nothing may stand in the console at the end."""
    context = browser.new_context(
        user_agent=agent or AGENTS[host],
        viewport={"width": 360, "height": 780},
        accept_downloads=True,
        **options,
    )
    context.set_default_timeout(5000)
    try:
        phone = Phone(context.new_page())
        phone.page.on("console", lambda line: phone.complaints.append(f"{line.type}: {line.text}"))
        phone.page.on("pageerror", lambda error: phone.complaints.append(str(error)))
        context.route("**/*", lambda route: _answer(phone, route, config, times))
        phone.page.add_init_script(_fakes(host, plan or {}, without_app))
        phone.page.goto(f"{SITE}{path}")
        yield phone
        assert phone.complaints == [], phone.complaints
    finally:
        context.close()


def _fakes(host: str, plan: dict[str, Any], without_app: bool) -> str:
    names = ["common"]
    if not without_app and host != "browser":
        names.append("wechat" if host.startswith("wechat") else host)
    script = "\n".join((PHONES / f"{name}.js").read_text(encoding="utf-8") for name in names)
    return script.replace("PLAN", json.dumps(plan)).replace("MINI", json.dumps(host.endswith("mini")))


def _answer(phone: Phone, route: Route, config: dict[str, Any] | None, times: int) -> None:
    request = route.request
    parts = urlsplit(request.url)
    if parts.path.endswith("hall-bridge.js"):
        route.fulfill(
            body=bridge.release(bridge.LATEST).body,
            content_type="text/javascript",
            headers={"Access-Control-Allow-Origin": "*"},
        )
    elif parts.path == "/api/v1/bridge/config":
        phone.asked.append(request)
        headers = {"Access-Control-Allow-Origin": SITE}
        route.fulfill(body=json.dumps(config or a_config()), headers=headers, content_type="application/json")
    elif parts.path.startswith("/upload"):
        phone.asked.append(request)
        status = int(parse_qs(parts.query).get("status", ["201"])[0])
        route.fulfill(status=status, body='{"id": 1}', content_type="application/json")
    elif parts.path.endswith(".pdf"):
        route.fulfill(body=b"%PDF-1.4", content_type="application/pdf")
    else:
        route.fulfill(
            body=_page(times), content_type="text/html", headers={"Content-Security-Policy": POLICY}
        )


def _page(times: int) -> str:
    release = bridge.release(bridge.LATEST)
    tag = (
        f'<script src="{HALL}/bridge/{release.version}/hall-bridge.js" integrity="{release.integrity}" '
        'crossorigin="anonymous"></script>'
    )
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>户政</title>'
        f'<link rel="icon" href="data:,">{tag * times}</head><body><button id="b">按钮</button></body></html>'
    )
