"""Whatever a page does to the checker, it is a finding, and the next page is checked as if nothing had been.

Here the whole check meets them; servers, guard, proxy and browser meet more of them one by one under
``tests/mobile_pages``.
"""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import pytest

from app.mobile_access.batch import Plan, check
from config.access_spec.versions import load_versions
from config.settings import Settings
from mobile_pages.artifact import Declaration
from mobile_pages.gather.browser import BrowserPool
from mobile_pages.guard import Guard, Policy
from mobile_pages.report.document import StoredReport
from mobile_pages.spec.base import Profile, Verdict
from tests.builders import an_environment
from tests.mobile_pages import servers
from tests.mobile_pages.servers import Answer, html, send, serving

pytestmark = pytest.mark.browser

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HEAD = (
    "<!doctype html><html lang=zh-CN><meta charset=utf-8>"
    "<meta name=viewport content='width=device-width,initial-scale=1'><title>社保查询</title>"
)
WORDS = "<h1>社保查询</h1><p>参保职工和城乡居民可以在这里查询本人的参保状态、缴费记录和养老待遇。</p>"
CALM = HEAD + WORDS
MANY_MB = 200


def scripted(script: str) -> Answer:
    return html(f"{CALM}<script>{script}</script>")


def vast(handler: BaseHTTPRequestHandler) -> None:
    """Send a page of 200 MB."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html; charset=utf-8")
    handler.send_header("Content-Length", str(MANY_MB << 20))
    handler.end_headers()
    with contextlib.suppress(OSError):
        handler.wfile.write(CALM.encode())
        for _ in range(MANY_MB):
            handler.wfile.write(b"<p>0123456789 " * (1 << 16))


def bomb(handler: BaseHTTPRequestHandler) -> None:
    """Send a page that unpacks to 200 MB."""
    packed = gzip.compress(CALM.encode() + b" " * (MANY_MB << 20), compresslevel=1)
    send(handler, packed, "text/html; charset=utf-8", Content_Encoding="gzip")


def picture(handler: BaseHTTPRequestHandler) -> None:
    send(handler, b"\x89PNG\r\n\x1a\n" + bytes(64), "image/png")


def garbled(handler: BaseHTTPRequestHandler) -> None:
    send(handler, CALM.encode("gbk"), "text/html; charset=utf-8")


BROKEN = (
    f'{HEAD}<div><p><table><tr><b><a href=x"><i></div></p>{WORDS}</table><svg><p></svg><select><div>'
    "<template><script><!--<script></script></template>&#xD800;&nosuch;<p style='width:expression(1)'"
)
TRAP = "for (let i = 0; i < 9; i++) history.pushState(i, ''); onpopstate = () => history.pushState(0, '')"
# Once: a page that loads itself anew for ever is a bad one, and may well be seen blank.
TAKEN_OVER = (
    "sessionStorage.taken || navigator.serviceWorker.register('/sw.js')"
    ".then(() => { sessionStorage.taken = 1; location.reload() }, () => 0)"
)
PATCHED = (
    "window.define = () => { throw new Error('x') }; define.amd = {};"
    "performance.now = () => 0; Array.prototype.map = Array.prototype.filter = () => { throw 1 };"
    "Element.prototype.getBoundingClientRect = () => ({width: 99, height: 99});"
    "JSON.stringify = document.querySelectorAll = window.getComputedStyle = () => { throw 2 }"
)
BAD: dict[str, tuple[Answer, str]] = {
    "no page but a picture": (picture, "MAS-ENT-01"),
    "a page of 200 MB": (vast, "MAS-ENT-01"),
    "a page that unpacks to 200 MB": (bomb, "MAS-ENT-01"),
    "a page without end": (servers.endless, "MAS-ENT-01"),
    "a wrong charset": (garbled, "MAS-ENT-01"),
    "a file to download": (servers.attachment, "MAS-ENT-01"),
    "a page that leads to itself": (servers.to_itself, "MAS-TRN-07"),
    "a refresh every second": (html(f"{CALM}<meta http-equiv=refresh content=1>"), "MAS-A11-05"),
    "a history trap": (scripted(TRAP), "MAS-CHN-06"),
    "dialogs without end": (scripted("while (true) alert('请下载')"), "MAS-A11-10"),
    "a script without end": (scripted("while (true) {}"), "MAS-PRF-02"),
    "a script that eats memory": (
        scripted("const a = []; while (true) a.push(new Array(1e5).fill(1.5))"),
        "MAS-PRF-02",
    ),
}
HARMLESS: dict[str, Answer] = {
    "broken markup": html(BROKEN),
    "patched globals": scripted(PATCHED),
    "a service worker": scripted(TAKEN_OVER),
    "a way to a file of this machine": scripted("location.href = 'file:///etc/passwd'"),
    "a way to the browser's own pages": scripted("location.href = 'chrome://settings'"),
    "a way to a page in its own address": scripted("location.href = 'data:text/html,<h1>x'"),
}


class Checker:
    """Checks pages of one server with one browser, as the command does."""

    def __init__(self, base: str, pool: BrowserPool) -> None:
        self._base = base
        self._pool = pool
        guard = Guard(Policy.allowing([("127.0.0.1/32", urlsplit(base).port or 80)], test_or_demo=True))
        settings = Settings.from_env(an_environment(HALL_CHECK_DEADLINE_SECONDS="5"))
        self._plan = Plan(
            settings=settings,
            guard=guard,
            spec=load_versions()[-1],
            profile=Profile.STANDARD,
            clients=frozenset(),
            static_only=False,
            keep_picture=lambda png: "",
        )

    def check(self, path: str) -> StoredReport:
        return self.check_address(f"{self._base}{path}")

    def check_address(self, url: str) -> StoredReport:
        declaration = Declaration(name="社保查询", url=url, body_name="某单位")
        return check(declaration, self._plan, self._pool, now=NOW)

    def verdicts(self, path: str) -> Mapping[str, Verdict]:
        return {one.code: one.verdict for one in self.check(path).report.results}


def served(names: Mapping[str, object]) -> dict[str, str]:
    return {name: f"/{number}/" for number, name in enumerate(names)}


PATHS = served(BAD | HARMLESS)


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    answers = {PATHS[name]: answer for name, (answer, _) in BAD.items()}
    answers |= {PATHS[name]: answer for name, answer in HARMLESS.items()}
    with serving({**answers, "/calm/": html(CALM), "/sw.js": servers.worker}) as base, BrowserPool() as pool:
        yield Checker(base, pool)


@pytest.fixture(scope="module")
def calm(checker: Checker) -> Mapping[str, Verdict]:
    """What the rules say of the calm page before anything bad was opened."""
    return checker.verdicts("/calm/")


@pytest.mark.parametrize("name", BAD)
def test_a_bad_page_fails_with_a_finding_and_the_next_one_is_as_before(
    checker: Checker, calm: Mapping[str, Verdict], name: str
) -> None:
    result = checker.check(PATHS[name]).report.result(BAD[name][1])

    assert result is not None
    assert result.verdict is Verdict.FAIL, (result.measured, result.reason)
    assert all(one.where and one.advice for one in result.findings)
    assert checker.verdicts("/calm/") == calm


@pytest.mark.parametrize("name", HARMLESS)
def test_what_a_page_tries_in_vain_leaves_it_measured_and_the_next_one_as_before(
    checker: Checker, calm: Mapping[str, Verdict], name: str
) -> None:
    report = checker.check(PATHS[name])

    assert report.refusal is None
    assert report.report.result("MAS-PRF-02").verdict is Verdict.PASS  # type: ignore[union-attr]
    assert report.report.result("MAS-LAY-02").verdict is Verdict.PASS  # type: ignore[union-attr]
    assert checker.verdicts("/calm/") == calm


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "guard_scheme"),
        ("data:text/html,<h1>x", "guard_scheme"),
        ("chrome://settings", "guard_scheme"),
        ("http://2130706433/", "guard_private_address"),
        ("http://0x7f.1/", "guard_private_address"),
        ("http://[::ffff:127.0.0.1]/", "guard_private_address"),
        ("http://[fd00::1]/", "guard_private_address"),
    ],
)
def test_an_address_that_may_not_be_visited_is_refused_with_the_reason(
    checker: Checker, url: str, reason: str
) -> None:
    refusal = checker.check_address(url).refusal

    assert refusal is not None
    assert (refusal.code, bool(refusal.detail)) == (reason, True)
