"""Every page of the watch on a phone and the wall on a television: no barrier, nothing cut off."""

import contextlib
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from app.core import clock
from app.monitoring import service
from app.monitoring.history_models import Scope
from app.organisations import service as organisations
from config import notice
from tests.app.monitoring.builders import a_beat
from tests.app.monitoring.test_charts import GUANGZHOU, a_bucket, a_group_day
from tests.app.monitoring.test_public import maintenance_of
from tests.app.monitoring.test_views import facts_known
from tests.app.monitoring.test_wall import seen_lately
from tests.app.monitoring.test_wall_in_browser import CHROMIUM, a_server
from tests.builders import a_principal, sign_in

AXE = Path("mobile_pages/gather/vendor/axe.min.js").read_text(encoding="utf-8")
PHONE, TELEVISION, LARGE = (360, 780), (1920, 1080), (3840, 2160)
pytestmark = pytest.mark.browser


@contextlib.contextmanager
def a_browser(client, server, size):
    """Give a page of a browser that is signed in as ``client`` is, and the hall's address."""
    base = f"http://localhost:{server.server_port}"
    held = client.get_cookie("session")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="zh-CN")
        if held is not None:
            context.add_cookies([{"name": "session", "value": held.value, "url": base}])
        yield context.new_page(), base
        browser.close()


def a_province_in_trouble():
    """Bring pages online, one of them down, with days, a certificate and maintenance behind them."""
    organisations.import_notice(notice.load(), lambda _done, _total: None)
    now = clock.system_clock()
    down = seen_lately("UUDDDD", now, body=organisations.find_body("广州市"), name="户政服务")
    seen_lately("UUSSS", now, body=organisations.find_body("公安厅"), name="出入境预约")
    facts_known(down.id, 9)
    maintenance_of(down)
    for scope, ref in ((Scope.CITY, GUANGZHOU), (Scope.BODY, str(down.body_id))):
        a_group_day(scope, ref, a_bucket(8640))
    a_beat(now)
    return down


def a_full_province():
    """Give each city and each provincial body a page; as many are down as the screen has room for."""
    organisations.import_notice(notice.load(), lambda _done, _total: None)
    now = clock.system_clock()
    bodies = [one for one in organisations.bodies() if one.level in ("province", "city")]
    for number, body in enumerate(bodies):
        seen_lately("UDDD" if number % 7 == 0 else "U", now, body=body)
        a_group_day(Scope.BODY, str(body.id), a_bucket(number))
        if body.level == "city":
            a_group_day(Scope.CITY, body.region_code, a_bucket(number))
    a_beat(now)


def barriers(page):
    """Return what axe-core finds, and how far the page is wider than the screen."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run().then(found => found.violations)")
    told = [f"{one['id']}: {node['html'][:150]}" for one in found for node in one["nodes"]]
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return told, wider


def test_no_page_of_the_watch_has_barriers_or_is_wider_than_a_phone(app, client, given):
    down = given(a_province_in_trouble)
    sign_in(client, given, given(a_principal, "province_watch"))
    city, body = f"/wall/city/{GUANGZHOU}", f"/wall/body/{down.body_id}"
    more = ("heat", "budgets", "schedule", "reports", "incidents", "maintenance", "policies")
    paths = [
        "/wall",
        f"/wall/page/{down.id}",
        city,
        body,
        *(f"/wall/{one}" for one in more),
        "/status",
        "/tv",
    ]
    found = {}

    with a_server(app) as server, a_browser(client, server, PHONE) as (page, base):
        for path in paths:
            assert page.goto(base + path).status == 200
            found[path] = barriers(page)

    assert found == dict.fromkeys(paths, ([], 0))


def test_the_latency_is_drawn_and_its_table_opens_from_the_keyboard(app, client, given):
    down = given(a_province_in_trouble)
    sign_in(client, given, given(a_principal, "province_watch"))

    with a_server(app) as server, a_browser(client, server, PHONE) as (page, base):
        page.goto(f"{base}/wall/page/{down.id}")
        expect(page.locator("#latency canvas")).to_be_visible()
        page.locator(".latency-table summary").focus()
        page.keyboard.press("Enter")

        expect(page.locator(".latency-table table")).to_be_visible()


def test_a_full_wall_fits_a_television(app, client, given):
    given(a_full_province)
    sign_in(client, given, given(a_principal, "province_watch"))
    sizes = {}

    with a_server(app) as server, a_browser(client, server, TELEVISION) as (page, base):
        for size in (TELEVISION, LARGE):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.goto(f"{base}/tv")
            sizes[size] = page.evaluate(
                "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
            )

    assert sizes == {TELEVISION: list(TELEVISION), LARGE: list(LARGE)}


def test_a_screen_without_a_session_outlives_a_restart_of_the_hall(app, client, given):
    by = given(a_principal, "province_watch")
    secret = given(lambda: service.create_display(by, "大厅", "", days=9, now=clock.system_clock())[1])

    with contextlib.ExitStack() as life:
        with a_server(app) as server:
            page, base = life.enter_context(a_browser(client, server, TELEVISION))
            page.goto(f"{base}/tv/enter/{secret}")
            expect(page.locator(".wall-away")).to_be_hidden()
        expect(page.locator(".wall-away")).to_be_visible(timeout=20_000)

        with a_server(app, server.server_port):
            expect(page.locator(".wall-away")).to_be_hidden(timeout=20_000)
