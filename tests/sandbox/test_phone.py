"""The phone shows accounts, chats, menus and pages, with and without script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from sandbox.world import MenuItem
from tests.sandbox import builders, wechat_hall
from tests.sandbox.servers import Sandbox, a_hall, a_sandbox, sample_pages

KEY = "gd-wechat"
CHROMIUM = "/usr/bin/chromium-headless-shell"


@contextmanager
def a_phone(inner: str = "") -> Iterator[Sandbox]:
    """Start a sandbox with both accounts before a hall that answers with ``inner``."""
    with a_hall() as hall:
        if inner:
            hall.reply = wechat_hall.answering(inner)
        wechat = builders.raw_wechat(callback_url=hall.url + "/callbacks/w")
        alipay = builders.raw_alipay(callback_url=hall.url + "/callbacks/a")
        with a_sandbox(wechat, alipay, hall_base=hall.url) as sandbox:
            yield sandbox


def form(sandbox: Sandbox, where: str, **fields: str) -> int:
    return sandbox.call("POST", f"/phone/chat/{where}", data=fields, allow_redirects=False).status_code


def test_the_first_screen_lists_the_accounts_by_name() -> None:
    with a_phone() as sandbox:
        text = sandbox.call("GET", "/phone/").text

        assert "广东省网上办事大厅" in text
        assert "广东政务服务窗" in text


def test_following_and_writing_work_without_script() -> None:
    with a_phone(wechat_hall.text('<a href="http://127.0.0.1/x?a=1&b=2">户政</a>\n<b>第二行</b>')) as sandbox:
        assert form(sandbox, f"{KEY}/follow") == 303
        assert form(sandbox, f"{KEY}/text", text="户籍") == 303

        text = sandbox.call("GET", f"/phone/chat/{KEY}").text
        assert "url=http://127.0.0.1/x?a%3D1%26b%3D2" in text
        assert "&lt;b&gt;第二行" in text


def test_answers_are_unread_until_the_chat_is_opened() -> None:
    with a_phone(wechat_hall.text("欢迎")) as sandbox:
        form(sandbox, f"{KEY}/follow")

        assert "未读" in sandbox.call("GET", "/phone/accounts").text
        sandbox.call("GET", f"/phone/chat/{KEY}")
        assert "未读" not in sandbox.call("GET", "/phone/accounts").text


def test_a_tap_on_a_link_opens_the_web_view() -> None:
    with a_phone() as sandbox:
        form(sandbox, f"{KEY}/follow")
        sandbox.world.menus[KEY] = (MenuItem("首页", "link", "http://127.0.0.1:1/?a=1&b=2"),)

        response = sandbox.call("POST", f"/phone/chat/{KEY}/tap", data={"path": "0"})

        assert 'src="http://127.0.0.1:1/?a=1&amp;b=2"' in response.text


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        pytest.param(f"{KEY}/text", {"text": ""}, 422, id="empty message"),
        pytest.param(f"{KEY}/text", {"text": "长" * 601}, 422, id="long message"),
        pytest.param(f"{KEY}/text", {"text": "你好"}, 409, id="not following"),
        pytest.param(f"{KEY}/tap", {"path": "9-9"}, 409, id="no such entry"),
        pytest.param(f"{KEY}/tap", {}, 409, id="no path"),
        pytest.param("nobody/text", {"text": "你好"}, 404, id="unknown account"),
    ],
)
def test_a_wrong_form_is_answered_with_words(path: str, fields: dict[str, str], status: int) -> None:
    with a_phone() as sandbox:
        assert form(sandbox, path, **fields) == status


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "file:///etc/passwd", "http://[x", "data:text/html,x"]
)
def test_only_web_addresses_are_opened(url: str) -> None:
    with a_phone() as sandbox:
        statuses = {
            sandbox.call("GET", f"/phone/{page}", params={"url": url}).status_code
            for page in ("view", "open")
        }

        assert statuses == {400}


def test_other_sites_and_other_host_names_are_refused() -> None:
    with a_phone() as sandbox:
        foreign = {"Origin": "http://evil.example"}
        rebound = {"Host": "evil.example"}

        assert sandbox.call("POST", f"/phone/chat/{KEY}/follow", headers=foreign).status_code == 403
        assert sandbox.call("GET", "/phone/", headers=rebound).status_code == 400


def test_pages_run_no_inline_script() -> None:
    with a_phone() as sandbox:
        response = sandbox.call("GET", f"/phone/chat/{KEY}")

        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=\"", response.text)


@contextmanager
def a_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        try:
            yield browser
        finally:
            browser.close()


def opened(browser: Browser, url: str, width: int = 360) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 780})
    page.goto(url)
    return page


@pytest.mark.browser
def test_a_resident_follows_writes_and_reads_the_answer_from_the_keyboard() -> None:
    with a_phone(wechat_hall.news("户政办理")) as sandbox, a_browser() as browser:
        page = opened(browser, sandbox.base + f"/phone/chat/{KEY}")
        page.locator(".follow button").press("Enter")
        page.locator("#text").fill("户籍")

        page.locator("#text").press("Enter")

        expect(page.locator(".resident .bubble")).to_contain_text("户籍")
        expect(page.locator(".card-title").nth(1)).to_have_text("户政办理")


@pytest.mark.browser
def test_the_menu_leads_to_a_department_page_in_the_frame() -> None:
    with a_phone() as sandbox, sample_pages() as (pages, _outage, _clock), a_browser() as browser:
        form(sandbox, f"{KEY}/follow")
        child = MenuItem("户政办理", "link", pages + "/huzheng/")
        sandbox.world.menus[KEY] = (MenuItem("办事", "group", children=(child,)),)
        page = opened(browser, sandbox.base + f"/phone/chat/{KEY}", width=1100)

        page.click("summary")
        page.click("text=户政办理")

        expect(page.frame_locator("iframe").locator("h1")).to_have_text("户政办理")


MEASURE = """() => {
  const targets = [...document.querySelectorAll('a, button, summary, input:not([type=hidden])')]
    .map((element) => element.getBoundingClientRect()).filter((box) => box.width > 0);
  const texts = [...document.querySelectorAll('.screen *')].filter((element) => element.innerText)
    .map((element) => parseFloat(getComputedStyle(element).fontSize));
  return [Math.min(...targets.map((box) => Math.min(box.width, box.height))), Math.min(...texts),
          document.documentElement.scrollWidth - innerWidth];
}"""


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/phone/", f"/phone/chat/{KEY}", "/phone/open?url=http://127.0.0.1/"])
@pytest.mark.parametrize("width", [320, 360])
def test_the_phone_has_big_targets_large_type_and_no_sideways_scroll(path: str, width: int) -> None:
    with a_phone(wechat_hall.text("请看 http://127.0.0.1/x")) as sandbox, a_browser() as browser:
        form(sandbox, f"{KEY}/follow")
        sandbox.world.menus[KEY] = tuple(MenuItem("办事", "event", "A") for _ in range(4))

        target, text, overflow = opened(browser, sandbox.base + path, width).evaluate(MEASURE)

        assert target >= 44
        assert text >= 16
        assert overflow <= 0
