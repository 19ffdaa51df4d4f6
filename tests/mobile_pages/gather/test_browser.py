"""The browser opens hostile pages and always comes back."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobile_pages.artifact import Client
from mobile_pages.gather.browser import Browser, BrowserMissing
from mobile_pages.gather.page import Device, Page, PageLimits, PageTrouble
from tests.mobile_pages import servers
from tests.mobile_pages.servers import html, serving

pytestmark = pytest.mark.browser

QUICK = PageLimits(deadline_seconds=4, load_seconds=2, settle_seconds=1, quiet_seconds=0.2)
# Straight to the servers of these tests; the filtering proxy is tested with what it guards.
DIRECT = "direct://"
CALM = "<!doctype html><meta name=viewport content='width=device-width'><title>平静</title><p>一切正常</p>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as one:
        yield one


def title_at(browser: Browser, url: str) -> str:
    with browser.open_page(Device(), proxy=DIRECT, limits=QUICK) as page:
        page.go(url)
        return str(page.evaluate("document.title"))


def trouble_of(browser: Browser, answer: servers.Answer) -> str:
    """Open a page that ``answer`` serves, then a calm one; return the code of the first one's trouble."""
    with serving({"/": answer, "/calm": html(CALM)}) as base:
        code = _code(browser, base)
        assert title_at(browser, f"{base}/calm") == "平静"
    return code


def _code(browser: Browser, base: str) -> str:
    try:
        with browser.open_page(Device(), proxy=DIRECT, limits=QUICK) as page:
            trouble = page.go(f"{base}/")
            page.evaluate("document.title")
            trouble = trouble or page.interruption
            return trouble.code if trouble else ""
    except PageTrouble as error:
        return error.trouble.code


def stay_on(browser: Browser, url: str, limits: PageLimits) -> None:
    with browser.open_page(Device(), proxy=DIRECT, limits=limits) as page:
        page.go(url)
        page.watch(limits.deadline_seconds)


def processes_with(text: str) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def opened(browser: Browser, script: str) -> Page:
    """Open a page with ``script``, watch it a moment and return it, closed, with what it was seen to do."""
    text = f"<!doctype html><title>页面</title><p>内容</p><script>{script}</script>"
    answers = {"/": html(text), "/file": servers.attachment, "/other": html(CALM), "/sw.js": servers.worker}
    with serving(answers) as base, browser.open_page(Device(), proxy=DIRECT, limits=QUICK) as page:
        page.go(f"{base}/")
        page.watch(0.5)
        return page


def test_a_page_is_shown_as_a_phone_of_the_asked_width_and_client(browser: Browser) -> None:
    with (
        serving({"/": html(CALM)}) as base,
        browser.open_page(Device(Client.WECHAT, width=320), proxy=DIRECT, limits=QUICK) as page,
    ):
        page.go(f"{base}/")

        seen = page.evaluate("[innerWidth, devicePixelRatio, navigator.userAgent, 'ontouchstart' in window]")

    assert seen[:2] == [320, 2]
    assert "MicroMessenger" in seen[2]
    assert seen[3] is True


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param("while (true) {}", "timeout", id="a script without end"),
        pytest.param("while (true) alert('请下载')", "dialog_loop", id="dialogs without end"),
        pytest.param("setTimeout(() => { while (true) {} }, 0)", "timeout", id="a script without end later"),
        pytest.param("setInterval(() => location.reload(), 10)", "navigation_loop", id="reloads without end"),
    ],
)
def test_a_page_that_never_rests_ends_in_a_trouble_and_the_next_is_fine(
    browser: Browser, script: str, code: str
) -> None:
    text = f"<!doctype html><title>坏</title><p>内容</p><script>{script}</script>"

    got = trouble_of(browser, html(text))

    assert got == code


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(servers.endless, "timeout", id="a body without end"),
        pytest.param(servers.silent, "timeout", id="no answer at all"),
        pytest.param(servers.to_itself, "unreachable", id="redirects without end"),
        pytest.param(servers.attachment, "download", id="a file instead of a page"),
    ],
)
def test_an_answer_that_is_no_page_ends_in_a_trouble_and_the_next_is_fine(
    browser: Browser, answer: servers.Answer, code: str
) -> None:
    got = trouble_of(browser, answer)

    assert got == code


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(
            "const a = []; while (true) a.push(new Array(1e5).fill(1.5))", id="in the script's heap"
        ),
        pytest.param(
            "const a = []; setInterval(() => a.push(new Uint8Array(5e7).fill(1)), 5)", id="outside of it"
        ),
    ],
)
def test_a_page_that_eats_memory_is_ended_and_the_next_is_fine(browser: Browser, script: str) -> None:
    limits = PageLimits(deadline_seconds=8, load_seconds=6, memory_bytes=400 * 1024 * 1024)
    text = f"<!doctype html><title>坏</title><p>内容</p><script>{script}</script>"

    with serving({"/": html(text), "/calm": html(CALM)}) as base:
        with pytest.raises(PageTrouble) as caught:
            stay_on(browser, f"{base}/", limits)

        assert caught.value.trouble.code in {"memory", "crashed"}
        assert title_at(browser, f"{base}/calm") == "平静"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "data:text/html,hi", "javascript:1", "chrome://version", ""]
)
def test_only_http_addresses_are_opened(browser: Browser, url: str) -> None:
    with (
        pytest.raises(PageTrouble) as caught,
        browser.open_page(Device(), proxy=DIRECT, limits=QUICK) as page,
    ):
        page.go(url)

    assert caught.value.trouble.code == "scheme_refused"


def test_dialogs_are_dismissed_and_kept(browser: Browser) -> None:
    page = opened(browser, "alert('欢迎'); window.answer = confirm('下载客户端?'); prompt('姓名')")

    assert page.observed.dialogs == ["alert: 欢迎", "confirm: 下载客户端?", "prompt: 姓名"]


def test_downloads_are_denied_and_kept(browser: Browser) -> None:
    page = opened(browser, "location.href = '/file'")

    assert [one.rpartition("/")[2] for one in page.observed.downloads] == ["file form.zip"]


def test_new_windows_are_closed_and_kept(browser: Browser) -> None:
    page = opened(browser, "window.open('/other')")

    assert [one.rpartition("/")[2] for one in page.observed.windows] == ["other"]


def test_a_page_that_moves_on_by_itself_is_seen_moving(browser: Browser) -> None:
    page = opened(browser, "setTimeout(() => { location.href = '/other' }, 50)")

    assert [one.rpartition("/")[2] for one in page.observed.navigations] == ["", "other"]


def test_exceptions_and_failed_requests_are_kept(browser: Browser) -> None:
    page = opened(browser, "fetch('/gone'); throw new Error('坏了')")

    assert page.observed.exceptions[0].startswith("Error: 坏了")
    assert [(one.url.rpartition("/")[2], one.status) for one in page.requests] == [("", 200), ("gone", 404)]


def test_pushed_history_entries_are_counted(browser: Browser) -> None:
    script = "history.pushState(1, ''); history.pushState(2, '')"

    with (
        serving({"/": html(f"{CALM}<script>{script}</script>")}) as base,
        browser.open_page(Device(), proxy=DIRECT, limits=QUICK) as page,
    ):
        page.go(f"{base}/")

        assert page.history_length() == 3


def test_a_page_cannot_change_what_measures_it(browser: Browser) -> None:
    script = (
        "Array.prototype.map = () => ['假']; JSON.stringify = () => '假'; window.define = () => 1;"
        "performance.now = () => NaN; Object.defineProperty(document, 'title', { get: () => '假' })"
    )

    with (
        serving({"/": html(f"<!doctype html><title>真</title><p>内容</p><script>{script}</script>")}) as base,
        browser.open_page(Device(), proxy=DIRECT, limits=QUICK) as page,
    ):
        page.go(f"{base}/")

        assert page.evaluate("[document.title, [1].map((one) => one)[0], JSON.stringify(1)]") == [
            "真",
            1,
            "1",
        ]


def test_one_page_leaves_nothing_behind_for_the_next(browser: Browser) -> None:
    leave = "localStorage.k = 'v'; document.cookie = 'c=1'; navigator.serviceWorker.register('/sw.js')"
    text = f"{CALM}<script>{leave}</script>"
    workers = "navigator.serviceWorker.getRegistrations()"
    look = f"{workers}.then((all) => [localStorage.length, document.cookie, all.length])"

    with serving({"/": html(text), "/calm": html(CALM), "/sw.js": servers.worker}) as base:
        title_at(browser, f"{base}/")
        with browser.open_page(Device(), proxy=DIRECT, limits=QUICK) as page:
            page.go(f"{base}/calm")

            assert page.evaluate(look) == [0, "", 0]


def test_permissions_are_denied(browser: Browser) -> None:
    names = "['geolocation', 'notifications', 'camera', 'microphone']"
    state = "navigator.permissions.query({ name }).then((one) => one.state)"
    ask = f"Promise.all({names}.map((name) => {state}))"

    with serving({"/": html(CALM)}) as base, browser.open_page(Device(), proxy=DIRECT, limits=QUICK) as page:
        page.go(f"{base}/")

        assert page.evaluate(ask) == ["denied"] * 4


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_the_browser_runs_without_rights_and_in_its_sandbox() -> None:
    with Browser() as browser, serving({"/": html(CALM)}) as base:
        title_at(browser, f"{base}/")
        status = Path(f"/proc/{browser.pid}/status").read_text()
        command = Path(f"/proc/{browser.pid}/cmdline").read_text()

    assert "Uid:\t65534\t65534\t65534\t65534" in status
    assert "Groups:\t \n" in status
    assert "no-sandbox" not in command


def test_closing_leaves_no_process_and_no_folder() -> None:
    with Browser() as browser, serving({"/": html(CALM)}) as base:
        title_at(browser, f"{base}/")
        command = Path(f"/proc/{browser.pid}/cmdline").read_bytes().split(b"\0")
        profile = next(one.decode() for one in command if one.startswith(b"--user-data-dir=")).partition("=")[
            2
        ]
        assert processes_with(profile)

    assert not processes_with(profile)
    assert not Path(profile).exists()


def test_a_browser_that_was_killed_is_started_again() -> None:
    with Browser() as browser, serving({"/": html(CALM)}) as base:
        title_at(browser, f"{base}/")
        assert browser.pid
        os.kill(browser.pid, signal.SIGKILL)

        assert title_at(browser, f"{base}/") == "平静"


def test_a_browser_that_cannot_start_is_told_with_a_code() -> None:
    browser = Browser(executable="/nowhere/browser")

    with pytest.raises(BrowserMissing) as caught:
        title_at(browser, "http://127.0.0.1/")

    assert caught.value.trouble.code == "browser_failed"


def test_no_installed_browser_is_told_with_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(BrowserMissing) as caught:
        title_at(Browser(), "http://127.0.0.1/")

    assert caught.value.trouble.code == "browser_missing"
