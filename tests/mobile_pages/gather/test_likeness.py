"""A page that is proved to be the same for another client is not opened again; any other page is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from itertools import count
from urllib.parse import urlsplit

import pytest

from mobile_pages.artifact import Client, Declaration, Rendering
from mobile_pages.gather.browser import Browser
from mobile_pages.gather.page import PageLimits
from mobile_pages.gather.rendered import Opening, gather_rendered
from mobile_pages.guard import Guard, Policy
from tests.mobile_pages import servers

pytestmark = pytest.mark.browser

QUICK = PageLimits(
    deadline_seconds=6, load_seconds=3, settle_seconds=0.5, quiet_seconds=0.1, watch_seconds=0.3
)
OPENINGS = (
    Opening("plain-360", watched=True),
    Opening("wechat-360", client=Client.WECHAT),
    Opening("alipay-360", client=Client.ALIPAY),
    Opening("extra-360", variant="extra"),
)
PAGE = (
    "<!doctype html><html lang=zh-CN><meta name=viewport content='width=device-width'><title>社保查询</title>"
    "<link rel=stylesheet href=/style.css><p>参保职工和城乡居民可以在这里查询本人的参保状态和缴费记录。</p>"
)
Answer = Callable[[BaseHTTPRequestHandler], str]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as one:
        yield one


def is_wechat(handler: BaseHTTPRequestHandler) -> bool:
    return "MicroMessenger" in handler.headers["User-Agent"]


def opened(
    browser: Browser, page: Answer, style: Answer = lambda handler: "p{margin:9px}"
) -> tuple[Rendering, ...]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        is_style = handler.path == "/style.css"
        text = style(handler) if is_style else page(handler)
        kind = "text/css" if is_style else "text/html; charset=utf-8"
        servers.send(handler, text.encode(), kind, status=403 if text == "forbidden" else 200)

    with servers.answering(answer) as base:
        guard = Guard(Policy.allowing([("127.0.0.1/32", urlsplit(base).port or 80)], test_or_demo=True))
        return gather_rendered(
            Declaration("社保查询", f"{base}/m", "某单位"),
            browser,
            guard=guard,
            openings=OPENINGS,
            store_screenshot=lambda png: "picture",
            limits=QUICK,
        )


def test_one_rendering_stands_for_all_clients_that_get_the_same_bytes(browser: Browser) -> None:
    asked = []

    def page(handler: BaseHTTPRequestHandler) -> str:
        asked.append((is_wechat(handler), handler.path))
        return PAGE

    plain, *others = opened(browser, page)

    assert [one.same_as for one in (plain, *others)] == ["", *["plain-360"] * 3]
    assert [one.client for one in others] == [Client.WECHAT, Client.ALIPAY, Client.PLAIN]
    assert {one.metrics["text"]["length"] for one in others} == {plain.metrics["text"]["length"]}
    assert [one.screenshot for one in others] == ["picture", "picture", None]
    assert (True, "/m") in asked


def test_a_copy_tells_the_address_it_stands_for(browser: Browser) -> None:
    plain, *_, extra = opened(browser, lambda handler: PAGE)

    documents = [one.url for one in extra.requests if one.kind == "document"]

    assert extra.final_url.endswith("/m?utm=1&ticketId=x&a=b%26c")
    assert documents == [extra.final_url]
    assert extra.first_text_ms is None
    assert plain.first_text_ms is not None


def numbered() -> Answer:
    numbers = count()
    return lambda handler: f"{PAGE}<input type=hidden name=token value={next(numbers)}>"


@pytest.mark.parametrize(
    ("page", "style", "copied"),
    [
        pytest.param(
            lambda one: PAGE + "<p>请在微信里打开</p>" * is_wechat(one),
            lambda one: "",
            ["alipay-360", "extra-360"],
            id="another page",
        ),
        pytest.param(
            lambda one: PAGE,
            lambda one: "p{display:none}" if is_wechat(one) else "",
            ["alipay-360", "extra-360"],
            id="another style sheet",
        ),
        pytest.param(
            lambda one: "forbidden" if is_wechat(one) else PAGE,
            lambda one: "",
            ["alipay-360", "extra-360"],
            id="no page at all",
        ),
        pytest.param(
            lambda one: PAGE + "<p>参数错误</p>" * ("utm" in one.path),
            lambda one: "",
            ["wechat-360", "alipay-360"],
            id="another page with parameters",
        ),
        pytest.param(lambda one: PAGE + "<script>1</script>", lambda one: "", [], id="a script"),
        pytest.param(numbered(), lambda one: "", [], id="a number for each visit"),
    ],
)
def test_what_is_not_proved_to_be_the_same_is_opened(
    browser: Browser, page: Answer, style: Answer, copied: list[str]
) -> None:
    renderings = opened(browser, page, style)

    assert [one.label for one in renderings] == [one.label for one in OPENINGS]
    assert [one.label for one in renderings if one.same_as] == copied


def test_what_another_client_is_refused_is_seen(browser: Browser) -> None:
    _, wechat, *_ = opened(browser, lambda one: "forbidden" if is_wechat(one) else PAGE)

    assert [one.status for one in wechat.requests if one.kind == "document"] == [403]
