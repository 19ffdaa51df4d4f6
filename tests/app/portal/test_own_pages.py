"""The hall's own pages hold what the hall asks of everybody's: the access spec, WCAG 2.2 AA, 60 KB.

All pages in both editions are judged by ``make soak``; here every page once by axe-core and its bytes,
a few by the whole spec.
"""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from mobile_pages.spec.base import Profile
from tests.app.portal.own_check import a_checker, faults
from tests.app.portal.own_pages import HOST, a_hall, routes
from tests.processes import BROWSER

AXE = Path("mobile_pages/gather/vendor/axe.min.js").read_text(encoding="utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGE_BYTES_MAX = 60_000
PHONE = {"width": 360, "height": 780}
TARGETS = """min => [...document.querySelectorAll("a, button, summary, select, .choice,"
    + "input:not([type=hidden], [type=radio], [type=checkbox]), textarea")]
  .filter(one => one.checkVisibility() && !one.closest(".skip-link, .visually-hidden"))
  .filter(one => getComputedStyle(one).display !== "inline")
  .map(one => [one.getBoundingClientRect(), one.outerHTML])
  .filter(([box]) => box.height && (box.height < min || box.width < min))
  .map(([box, html]) => `${box.width}x${box.height} ${html.slice(0, 150)}`)"""
SMALL_TEXT = """min => [...document.querySelectorAll("body *")]
  .filter(one => [...one.childNodes].some(each => each.nodeType === 3 && each.data.trim()))
  .filter(one => one.checkVisibility() && !one.closest(".visually-hidden, .skip-link"))
  .filter(one => parseFloat(getComputedStyle(one).fontSize) < min)
  .map(one => `${getComputedStyle(one).fontSize} ${one.outerHTML.slice(0, 150)}`)"""


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    with a_hall(tmp_path_factory.mktemp("hall")) as hall:
        yield hall


@pytest.fixture(scope="module")
def phone(hall):
    """Give a browser that finds the hall by its name."""
    flags = [f"--host-resolver-rules=MAP {HOST}:443 127.0.0.1:{hall.port}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=f"/usr/bin/{BROWSER}", args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def checker(hall):
    with a_checker(hall) as checker:
        yield checker


def opened(phone, edition="standard", **options):
    context = phone.new_context(viewport=PHONE, locale="zh-CN", ignore_https_errors=True, **options)
    context.add_cookies([{"name": "hall_view", "value": f"style={edition}", "url": f"https://{HOST}"}])
    return context


def test_every_page_for_residents_has_an_example(hall):
    assert sorted(routes(hall.app)) == sorted(hall.pages)


def test_every_example_is_a_page_in_the_common_frame(hall):
    for route, path in hall.pages.items():
        assert '<html lang="zh-Hans" class="phone-page">' in hall.page(path), route


@pytest.mark.browser
@pytest.mark.parametrize(
    ("edition", "target", "text", "light"),
    [("standard", 48, 14, "light"), ("elder", 60, 18, "dark")],
    ids=["standard by day", "elder in the dark"],
)
def test_every_page_passes_axe_and_can_be_read_and_hit(hall, phone, edition, target, text, light):
    found = []
    with opened(phone, edition, color_scheme=light) as context:
        page = context.new_page()
        for route, path in sorted(hall.pages.items()):
            page.set_viewport_size(PHONE)
            page.goto(f"https://{HOST}{path}")
            # Whole in sight, so that the bar at the bottom covers nothing that could be scrolled into view.
            page.set_viewport_size({**PHONE, "height": page.evaluate("document.body.scrollHeight")})
            page.evaluate(f"() => {{ {AXE} }}")
            run = page.evaluate("tags => axe.run(document, {runOnly: tags})", WCAG)
            found += [f"{route}: {one['id']} {one['nodes'][0]['html'][:200]}" for one in run["violations"]]
            found += [f"{route}: {one}" for one in page.evaluate(TARGETS, target)]
            found += [f"{route}: {one}" for one in page.evaluate(SMALL_TEXT, text)]
            if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
                found.append(f"{route}: wider than the phone")

    assert not found, "\n".join(found)


def test_every_page_with_all_it_loads_is_small(hall):
    weights = {}
    client = hall.app.test_client()
    for path in hall.pages.values():
        page = hall.page(path)
        files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
        answers = [
            client.get(one.replace("&amp;", "&"), headers={"Accept-Encoding": "gzip"}) for one in files
        ]
        weights[path] = len(gzip.compress(page.encode())) + sum(len(one.data) for one in answers)

    assert {path: bytes_ for path, bytes_ in weights.items() if bytes_ > PAGE_BYTES_MAX} == {}


@pytest.mark.browser
def test_the_first_page_takes_sixty_kilobytes_over_the_wire_at_most(hall, phone):
    with opened(phone) as context:
        page = context.new_page()
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        taken = []
        wire.on("Network.loadingFinished", lambda event: taken.append(event["encodedDataLength"]))
        page.goto(f"https://{HOST}/", wait_until="networkidle")

        assert len(taken) >= 3
        assert sum(taken) <= PAGE_BYTES_MAX


@pytest.mark.browser
@pytest.mark.parametrize(
    ("route", "profile"),
    [
        ("/", Profile.STANDARD),
        ("/", Profile.ELDER),
        ("/me/applications/<id:application_id>/form", Profile.ELDER),
    ],
)
def test_a_page_passes_the_access_spec_without_a_waiver(hall, checker, route, profile):
    assert faults(checker.check(hall.pages[route], profile, quick=True)) == []


@pytest.mark.browser
def test_the_main_path_works_without_javascript(hall, phone):
    with opened(phone, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"https://{HOST}/")
        page.click("text=办事的地方")
        page.click("summary:has-text('广州市')")
        page.click("text=全广州市")
        page.fill("#q", "暂住证")
        page.click("text=查找")
        page.click(".service:has-text('居住证申领')")
        page.click("text=在线申请")
        page.click("text=接着上次填")
        page.click("text=提交申请")
        told = page.inner_text(".flash")
        page.click("nav.weui-tabbar >> text=办件")

        assert "已提交" in told
        assert "已提交，等待受理" in page.inner_text(".services")


FOCUSED = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect();
  const bar = document.querySelector(".weui-tabbar");
  const x = box.left + Math.min(box.width, 40) / 2, y = box.top + box.height / 2;
  return { tag: one.outerHTML.slice(0, 120), outline: getComputedStyle(one).outlineStyle,
           covered: !bar.contains(one) && box.bottom > bar.getBoundingClientRect().top + 1, at: [x, y] };
}"""


@pytest.mark.browser
@pytest.mark.parametrize("route", ["/", "/items/<id:item_id>", "/me/settings"])
def test_the_keyboard_reaches_everything_and_its_place_is_seen(hall, phone, route):
    with opened(phone) as context:
        page = context.new_page()
        page.goto(f"https://{HOST}{hall.pages[route]}")
        hidden, seen = [], []
        for _ in range(80):
            page.keyboard.press("Tab")
            focused = page.evaluate(FOCUSED)
            if focused["tag"].startswith("<body") or (seen and focused["tag"] == seen[0]):
                break
            seen.append(focused["tag"])
            hidden += [focused] if focused["outline"] == "none" or focused["covered"] else []

        assert hidden == []
        assert "skip-link" in seen[0]
        assert sum("weui-tabbar__item" in one for one in seen) == 4


@pytest.mark.browser
def test_a_refused_form_says_so_to_those_who_listen(hall, phone):
    with opened(phone, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"https://{HOST}/progress")
        page.fill("#number", "1")
        page.click("main button")

        assert page.get_by_role("alert").count() == 1
        assert page.get_attribute("#number", "aria-invalid") == "true"
        assert page.get_attribute("#number", "aria-describedby") == page.get_by_role("alert").get_attribute(
            "id"
        )


@pytest.mark.browser
def test_search_answers_while_one_types(hall, phone):
    with opened(phone) as context:
        page = context.new_page()
        page.goto(f"https://{HOST}/")
        page.locator("#q").press_sequentially("暂住证", delay=20)
        page.wait_for_selector("#found .service:has-text('居住证申领')")

        assert page.url == f"https://{HOST}/"
        assert page.input_value("#q") == "暂住证"
