"""A page is opened as residents' phones would, behind the guard, and measured."""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from mobile_pages.artifact import Client, Declaration, Rendering
from mobile_pages.gather.browser import Browser, BrowserMissing
from mobile_pages.gather.page import PageLimits
from mobile_pages.gather.rendered import Opening, gather_rendered, openings_for
from mobile_pages.guard import Guard, Policy
from tests.mobile_pages import servers
from tests.mobile_pages.servers import html, serving

pytestmark = pytest.mark.browser

QUICK = PageLimits(
    deadline_seconds=4, load_seconds=2, settle_seconds=0.5, quiet_seconds=0.1, watch_seconds=0.3
)
PLAIN = (Opening("plain-360"),)
HEAD = (
    "<!doctype html><html lang=zh-CN><meta name=viewport content='width=device-width'><title>社保查询</title>"
)
WORDS = "<p>参保职工和城乡居民可以在这里查询本人的参保状态、缴费记录和养老待遇,不收取任何费用。</p>"
CALM = HEAD + WORDS


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as one:
        yield one


def a_declaration(url: str, elder_url: str | None = None) -> Declaration:
    return Declaration(name="社保查询", url=url, body_name="省人力资源和社会保障厅", elder_url=elder_url)


def a_guard(*bases: str) -> Guard:
    """Return a guard that lets pass the servers at ``bases`` and nothing else on this machine."""
    ports = [urlsplit(base).port or 80 for base in bases]
    return Guard(Policy.allowing([("127.0.0.1/32", port) for port in ports], test_or_demo=True))


def rendered(
    browser: Browser, base: str, path: str = "/", openings: Sequence[Opening] = PLAIN, **more: PageLimits
) -> tuple[Rendering, ...]:
    return gather_rendered(
        a_declaration(base + path),
        browser,
        guard=a_guard(base),
        openings=openings,
        store_screenshot=lambda png: hashlib.sha256(png).hexdigest(),
        **{"limits": QUICK, **more},
    )


def one_rendering(browser: Browser, text: str) -> Rendering:
    with serving({"/": html(text)}) as base:
        return rendered(browser, base)[0]


def test_every_opening_gives_one_rendering_in_order(browser: Browser) -> None:
    with serving({"/": html(CALM)}) as base:
        declaration = a_declaration(f"{base}/", elder_url=f"{base}/?elder=1")
        openings = openings_for(declaration)

        got = rendered(browser, base, openings=openings)

    assert [one.label for one in got] == [one.label for one in openings if one.variant != "elder-pages"]
    assert [one.metrics["layout"]["client_width"] for one in got[:4]] == [360, 320, 414, 360]
    assert {one.client for one in got} == set(Client)
    assert all(one.trouble is None and one.title == "社保查询" for one in got)


def test_the_elder_edition_is_opened_only_when_it_is_registered() -> None:
    labels = [one.label for one in openings_for(a_declaration("http://a.gov.cn/"))]

    assert "elder-360" not in labels


def test_text_grows_with_the_clients_font_setting(browser: Browser) -> None:
    openings = (*PLAIN, Opening("zoom-360", text_zoom=1.5))

    with serving({"/": html(CALM)}) as base:
        plain, zoomed = rendered(browser, base, openings=openings)

    growth = zoomed.metrics["text"]["glyph_height"] / plain.metrics["text"]["glyph_height"]
    assert growth == pytest.approx(1.5, abs=0.1)


def test_the_screenshot_is_a_png_of_the_whole_page_up_to_a_cap(browser: Browser) -> None:
    shots: list[bytes] = []
    text = f"{HEAD}<div style='height: 9000px'>{WORDS}</div>"

    with serving({"/": html(text)}) as base:
        gather_rendered(
            a_declaration(f"{base}/"),
            browser,
            guard=a_guard(base),
            openings=PLAIN,
            store_screenshot=lambda png: shots.append(png) or "address",
            limits=QUICK,
        )

    assert struct.unpack(">II", shots[0][16:24]) == (360, 4000)


def pictured(browser: Browser, part: str) -> list[str]:
    """Return the labels of the openings that have a picture."""
    openings = (*PLAIN, Opening("plain-320", width=320), Opening("zoom-360", text_zoom=1.5))
    with serving({"/": html(CALM + part)}) as base:
        return [one.label for one in rendered(browser, base, openings=openings) if one.screenshot]


@pytest.mark.parametrize(
    ("part", "labels"),
    [
        pytest.param("", ["plain-360"], id="no fault"),
        pytest.param("<p style='width:340px'>表</p>", ["plain-360", "plain-320"], id="too wide for 320"),
        pytest.param(
            "<p style='height:24px;overflow:hidden'>办理进度</p>",
            ["plain-360", "zoom-360"],
            id="cut when the text grows",
        ),
    ],
)
def test_a_fault_of_another_size_has_a_picture_of_its_own(
    browser: Browser, part: str, labels: list[str]
) -> None:
    assert pictured(browser, part) == labels


def test_the_picture_of_another_width_is_as_wide_as_that_phone(browser: Browser) -> None:
    widths: list[int] = []

    def keep(png: bytes) -> str:
        widths.append(struct.unpack(">I", png[16:20])[0])
        return ""

    with serving({"/": html(CALM + "<p style='width:340px'>表</p>")}) as base:
        openings = (*PLAIN, Opening("plain-320", width=320))
        gather_rendered(
            a_declaration(base), browser, guard=a_guard(base), openings=openings, store_screenshot=keep
        )

    assert widths == [360, 320]


def test_parameters_nobody_asked_for_are_appended(browser: Browser) -> None:
    with serving({"/a": html(CALM)}) as base:
        got = rendered(browser, base, "/a?id=7#top", (Opening("extra-360", variant="extra"),))

    assert got[0].final_url == f"{base}/a?id=7&utm=1&ticketId=x&a=b%26c#top"


def test_personal_numbers_are_masked_in_everything_that_is_kept(browser: Browser) -> None:
    number = "13800000000"
    script = f"localStorage.k = '{number}'; alert('{number}'); throw new Error('手机 {number}')"

    got = one_rendering(browser, f"{HEAD}{WORDS}<h1>手机:{number}</h1><script>{script}</script>")

    assert number not in repr(got)
    assert got.metrics["personal"] == [["手机号", "138****0000"]]
    assert got.metrics["storage"] == [["localStorage", "k", [], ["手机号"]]]


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param("while (true) alert(1)", "dialog_loop", id="dialogs"),
        pytest.param("setTimeout(() => { while (true) {} }, 0)", "timeout", id="a script that never ends"),
        pytest.param("location.href = '/gone.zip'", "", id="a move to a lost page"),
        pytest.param("setInterval(() => location.reload(), 10)", "navigation_loop", id="reloads"),
    ],
)
def test_a_hostile_page_costs_its_own_rendering_only(browser: Browser, script: str, code: str) -> None:
    bad = f"{HEAD}{WORDS}<script>if (/AlipayClient/.test(navigator.userAgent)) {{ {script} }}</script>"
    openings = (Opening("alipay-360", client=Client.ALIPAY), *PLAIN)

    with serving({"/": html(bad)}) as base:
        hostile, calm = rendered(browser, base, openings=openings)

    assert (hostile.trouble.code if hostile.trouble else "") == code
    assert calm.trouble is None
    assert calm.metrics["text"]["length"] > 20


def test_a_page_that_turns_hostile_while_it_is_watched_is_caught(browser: Browser) -> None:
    watched = (Opening("plain-360", watched=True), Opening("plain-320", width=320))
    limits = replace(QUICK, watch_seconds=2)
    script = "setTimeout(() => { while (true) alert(1) }, 1600)"

    with serving({"/": html(f"{CALM}<script>{script}</script>")}) as base:
        got = rendered(browser, base, openings=watched, limits=limits)

    assert [one.trouble.code if one.trouble else "" for one in got] == ["dialog_loop", ""]
    assert got[0].metrics["text"]["length"] > 20


def test_a_page_that_moves_on_late_is_seen_moving(browser: Browser) -> None:
    watched = (Opening("plain-360", watched=True), Opening("plain-320", width=320))
    script = "setTimeout(() => { location.href = '/gone' }, 1600)"

    with serving({"/": html(f"{CALM}<script>{script}</script>")}) as base:
        got = rendered(browser, base, openings=watched, limits=replace(QUICK, watch_seconds=2.5))

    assert got[0].navigations == (f"{base}/", f"{base}/gone")
    assert got[0].title == "社保查询"


def test_all_widths_of_a_page_that_breaks_the_browser_carry_the_trouble(browser: Browser) -> None:
    openings = (*PLAIN, Opening("plain-320", width=320))

    with serving({"/": servers.silent}) as base:
        got = rendered(browser, base, openings=openings)

    assert [one.trouble.code if one.trouble else "" for one in got] == ["timeout", "timeout"]
    assert all(not one.metrics for one in got)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "file:///etc/passwd",
        "data:text/html,hi",
    ],
)
def test_an_address_that_the_guard_refuses_is_not_opened(browser: Browser, url: str) -> None:
    got = gather_rendered(
        a_declaration(url),
        browser,
        guard=Guard(Policy()),
        openings=PLAIN,
        store_screenshot=lambda png: "",
        limits=QUICK,
    )

    assert got[0].trouble
    assert got[0].trouble.code.startswith("guard_")


def test_a_page_cannot_reach_other_servers_of_this_machine(browser: Browser) -> None:
    reached: list[str] = []

    with servers.answering(lambda handler: reached.append(handler.path)) as inner:
        port = urlsplit(inner).port
        ways = f"""fetch('{inner}/fetch').catch(() => 0); new Image().src = '{inner}/image';
            try {{ new WebSocket('ws://127.0.0.1:{port}/socket') }} catch (error) {{}}
            fetch('http://localhost:{port}/name').catch(() => 0); navigator.sendBeacon('{inner}/beacon');
            fetch('https://127.0.0.1:{port}/tls').catch(() => 0); window.open('{inner}/window');"""
        text = f"{CALM}<iframe title=x src='{inner}/frame'></iframe><script>{ways}</script>"
        with serving({"/": html(text)}) as base:
            got = rendered(browser, base)[0]

    assert reached == []
    refused = {urlsplit(one.url).path: one.blocked_by for one in got.requests if one.blocked_by}
    assert {"/fetch", "/image", "/frame", "/tls"} <= set(refused)
    assert set(refused.values()) == {"private_address"}


STORE = "localStorage.elder = 1; sessionStorage.been = 1; document.cookie = 'elder=1'"
REMEMBER = f"<script>if (/elder=1/.test(location.search)) {{ {STORE} }}</script>"
TELL = (
    "<script>document.title = [localStorage.elder, document.cookie, sessionStorage.length].join(' ')</script>"
)
ELDER = (Opening("elder-360", variant="elder"), Opening("elder-page", variant="elder-pages"))


def test_pages_behind_the_elder_edition_are_opened_as_a_resident_reaches_them(browser: Browser) -> None:
    links = "".join(
        f"<a href='/{name}'>办理事项</a>" for name in ("a", "a#x", "b", "c.pdf", "d", "e", "f", "g")
    )
    pages = {f"/{name}": html(CALM + TELL) for name in "abdefg"}

    with serving({"/": html(CALM + links + REMEMBER), **pages}) as base:
        declaration = a_declaration(f"{base}/", elder_url=f"{base}/?elder=1")
        got = gather_rendered(
            declaration,
            browser,
            guard=a_guard(base),
            openings=ELDER,
            store_screenshot=lambda png: "",
            limits=QUICK,
        )

    assert [one.label for one in got] == ["elder-360", *(f"elder-page-{number}" for number in range(1, 6))]
    assert [urlsplit(one.final_url).path for one in got[1:]] == ["/a", "/b", "/d", "/e", "/f"]
    assert {one.title for one in got[1:]} == {"1 elder=1 1"}


def test_each_client_meets_the_page_as_if_for_the_first_time(browser: Browser) -> None:
    openings = [Opening(f"{client}-360", client=client) for client in (Client.WECHAT, Client.ALIPAY)]

    with serving({"/": html(f"{CALM}{TELL}<script>{STORE}</script>")}) as base:
        got = rendered(browser, base, openings=openings)

    assert [one.title for one in got] == ["0", "0"]
    assert [one.history_length for one in got] == [1, 1]
    assert [one.navigations for one in got] == [(f"{base}/",)] * 2


def test_the_watch_begins_again_when_another_opening_broke_the_browser(browser: Browser) -> None:
    script = (
        "if (/MicroMessenger/.test(navigator.userAgent)) { while (true) alert(1) }"
        "setTimeout(() => { location.href = '/gone' }, 900)"
    )
    openings = (replace(PLAIN[0], watched=True), Opening("wechat-360", client=Client.WECHAT))

    with serving({"/": html(f"{CALM}<script>{script}</script>")}) as base:
        plain, wechat = rendered(browser, base, openings=openings, limits=replace(QUICK, watch_seconds=1.5))

    assert plain.navigations == (f"{base}/", f"{base}/gone")
    assert plain.trouble is None
    assert wechat.trouble
    assert wechat.trouble.code == "dialog_loop"


def test_what_two_open_pages_do_is_not_mixed_up(browser: Browser) -> None:
    noise = "alert('普通'); new Image().src = '/plain.png'; location.href = '/file.zip'"
    script = f"if (!/MicroMessenger/.test(navigator.userAgent)) setTimeout(() => {{ {noise} }}, 300)"
    openings = (replace(PLAIN[0], watched=True), Opening("wechat-360", client=Client.WECHAT))

    with serving({"/": html(f"{CALM}<script>{script}</script>"), "/file.zip": servers.attachment}) as base:
        plain, wechat = rendered(browser, base, openings=openings, limits=replace(QUICK, watch_seconds=1))

    assert plain.dialogs == ("alert: 普通",)
    assert plain.downloads
    assert (wechat.dialogs, wechat.downloads) == ((), ())
    assert [urlsplit(one.url).path for one in wechat.requests] == ["/"]


def test_axe_core_is_asked_where_it_is_wanted(browser: Browser) -> None:
    patched = "<script>window.define = () => 0; define.amd = true; performance.now = null</script>"

    with serving({"/": html(f"{CALM}<h2></h2>{patched}")}) as base:
        got = rendered(
            browser, base, openings=(replace(PLAIN[0], second_opinion=True), Opening("wechat-360"))
        )

    assert [one["snippet"] for one in got[0].metrics["axe"]["rules"]["empty-heading"]["violations"]] == [
        "<h2></h2>"
    ]
    assert "axe" not in got[1].metrics


def test_parts_of_a_page_tell_how_they_travelled(browser: Browser) -> None:
    def part(handler: servers.BaseHTTPRequestHandler) -> None:
        body = gzip.compress(b"/* */" * 1000)
        more = {"Content_Encoding": "gzip", "Cache_Control": "public, max-age=2592000"}
        servers.send(handler, body, "text/javascript", **more)

    with serving({"/": html(f"{CALM}<script src=/a.js></script>"), "/a.js": part}) as base:
        script = rendered(browser, base)[0].requests[1]

    assert (script.decoded_bytes, script.encoding, script.cache_seconds) == (5000, "gzip", 2_592_000)
    assert script.bytes < 1000


def test_a_page_that_leads_to_a_closed_address_ends_in_the_guards_words(browser: Browser) -> None:
    with servers.answering(lambda handler: None) as inner:

        def lead(handler: servers.BaseHTTPRequestHandler) -> None:
            servers.send(handler, b"", "text/html", status=302, Location=f"{inner}/")

        with serving({"/": lead}) as base:
            got = rendered(browser, base)[0]

    assert got.trouble
    assert got.trouble.code == "guard_private_address"


def test_a_page_that_timed_out_once_gets_less_time_afterwards(browser: Browser) -> None:
    openings = (*PLAIN, Opening("wechat-360", client=Client.WECHAT))
    limits = replace(QUICK, deadline_seconds=8, load_seconds=5)

    with serving({"/": servers.silent}) as base:
        got = rendered(browser, base, openings=openings, limits=limits)

    details = [one.trouble.detail for one in got if one.trouble]
    assert details == ["服务器在 5 秒内没有返回页面。", "服务器在 4 秒内没有返回页面。"]


def test_no_browser_is_told_before_any_page_is_judged() -> None:
    with serving({"/": html(CALM)}) as base, pytest.raises(BrowserMissing) as caught:
        rendered(Browser(executable="/nowhere/browser"), base)

    assert caught.value.trouble.code == "browser_failed"


def test_scripts_of_the_page_cannot_bend_the_measure(browser: Browser) -> None:
    bend = (
        "Array.prototype.filter = () => []; Map.prototype.get = () => 0; window.define = () => 0;"
        "Element.prototype.getBoundingClientRect = () => ({}); window.getComputedStyle = () => ({});"
    )
    faint = "<p style='color: #bbb'>看不清的浅灰色说明文字</p>"

    got = one_rendering(browser, f"{HEAD}{WORDS}{faint}<script>{bend}</script>")

    assert [one["text"] for one in got.metrics["contrast"]["list"]] == ["看不清的浅灰色说明文字"]
