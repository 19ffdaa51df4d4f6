"""A page that can do nothing more by itself is told from one that still may."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import pytest

from mobile_pages.artifact import Client
from mobile_pages.gather.browser import Browser
from mobile_pages.gather.page import Device, PageLimits
from mobile_pages.guard import Guard, Policy
from mobile_pages.proxy import FilteringProxy
from tests.mobile_pages import servers

pytestmark = pytest.mark.browser

QUICK = PageLimits(deadline_seconds=6, load_seconds=3, settle_seconds=0.5, quiet_seconds=0.1)
HEAD = (
    "<!doctype html><html lang=zh-CN><meta name=viewport content='width=device-width'><title>社保查询</title>"
)
CALM = HEAD + "<p title=on>在这里查询参保状态</p><form><input name=id><button>查询</button></form>"
STIRRING = {
    "a script": "<script>document.title += '。'</script>",
    "a script that removes itself": "<script>document.currentScript.remove()</script>",
    "a handler": "<p ontouchstart='history.back()'>返回</p>",
    "a refresh": "<meta http-equiv=Refresh content='9;url=/other'>",
    "a frame": "<iframe src='/frame'></iframe>",
    "an animation": "<style>@keyframes a{to{margin-top:90px}}p{animation:a 1s 2s}</style>",
    "a drawing that moves": "<svg><rect width=9><animate attributeName=x to=9 dur=9s /></rect></svg>",
    "moving text": "<marquee>通知</marquee>",
    "a film": "<video src='/film' autoplay></video>",
    "an open shadow tree": "<p><template shadowrootmode=open><b onclick=1>详情</b></template></p>",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as one:
        yield one


def is_inert(browser: Browser, text: str, **headers: str) -> bool:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        servers.send(handler, text.encode(), "text/html; charset=utf-8", **headers)

    with (
        servers.serving({"/": answer}) as base,
        FilteringProxy(a_guard(base)) as proxy,
        browser.open_page(Device(), proxy=proxy.address, limits=QUICK) as page,
    ):
        page.go(f"{base}/")
        return page.inert


def a_guard(base: str) -> Guard:
    return Guard(Policy.allowing([("127.0.0.1/32", urlsplit(base).port or 80)], test_or_demo=True))


def test_a_page_of_text_and_forms_can_do_nothing_more(browser: Browser) -> None:
    assert is_inert(browser, CALM)


@pytest.mark.parametrize("part", [pytest.param(html, id=name) for name, html in STIRRING.items()])
def test_a_page_that_may_still_stir_is_not_called_inert(browser: Browser, part: str) -> None:
    assert not is_inert(browser, CALM + part)


def test_a_refresh_among_the_headers_counts_like_one_in_the_page(browser: Browser) -> None:
    assert not is_inert(browser, CALM, Refresh="9; url=/other")


def test_scripts_of_an_earlier_page_and_our_own_do_not_count(browser: Browser) -> None:
    pages = {"/busy": servers.html(CALM + STIRRING["a script"]), "/calm": servers.html(CALM)}

    told = []
    with (
        servers.serving(pages) as base,
        FilteringProxy(a_guard(base)) as proxy,
        browser.open_page(Device(), proxy=proxy.address, limits=QUICK) as page,
    ):
        for path in ("/calm", "/busy", "/calm"):
            page.go(base + path)
            page.resize(320)
            told.append(page.inert)
            page.start_over(Client.WECHAT, QUICK)

    assert told == [True, False, True]
