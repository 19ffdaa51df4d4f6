"""Signing in with a real browser on a phone's screen, through the sandbox's consent page."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from app import create_app
from app.core import db, migrate
from tests.app.identity.builders import SESSION
from tests.app.monitoring.test_wall_in_browser import CHROMIUM, a_server
from tests.builders import a_wechat_account, settings_for
from tests.processes import free_ports
from tests.sandbox.builders import raw_wechat
from tests.sandbox.servers import a_sandbox

AXE = Path("mobile_pages/gather/vendor/axe.min.js").read_text(encoding="utf-8")
PHONE = {"width": 360, "height": 780}
TARGET_PX = 44
pytestmark = pytest.mark.browser

SMALL = """min => [...document.querySelectorAll("main a, main button, main summary, main .choice")]
  .filter(one => one.offsetParent && one.getBoundingClientRect().height < min).map(one => one.outerHTML)"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    """Give the address of a hall of its own, with an account on a sandbox."""
    folder, port = tmp_path_factory.mktemp("hall"), free_ports(1)[0]
    base, url = f"http://127.0.0.1:{port}", f"sqlite:///{folder}/hall.sqlite"
    migrate.upgrade(url)
    app = create_app(settings_for(url, folder, HALL_BASE_URL=base))
    raw = raw_wechat(key="test-wechat", callback_url=f"{base}/callbacks/test-wechat")
    with a_sandbox(raw, hall_base=base) as sandbox, a_server(app, port):
        places = dict.fromkeys(("api_base", "login_base"), f"{sandbox.base}/wechat")
        known = {name: raw[name] for name in ("app_id", "app_secret", "token", "aes_key", "original_id")}
        with app.app_context():
            db.transaction(lambda: a_wechat_account(name="广东省网上办事大厅", **known, **places))
        yield base
    app.extensions["hall_db"].dispose()


@contextlib.contextmanager
def a_phone(**options):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser.new_context(viewport=PHONE, locale="zh-CN", **options).new_page()
        browser.close()


def sign_in(page, hall, return_to="/me"):
    page.goto(f"{hall}/me/sign-in?return_to={return_to}")
    page.click("text=用微信登录")
    page.click("text=同意")


def test_a_resident_signs_in_and_out_without_javascript(hall):
    with a_phone(java_script_enabled=False) as page:
        page.goto(f"{hall}/me")
        sign_in(page, hall)
        heading = page.inner_text("h1")
        held = {one["name"]: one for one in page.context.cookies(hall)}
        page.click("text=退出登录")

        assert (heading, page.inner_text("h1")) == ("我的", "登录")
        assert (held[SESSION]["secure"], held[SESSION]["httpOnly"]) == (True, True)
        assert SESSION not in {one["name"] for one in page.context.cookies(hall)}


def test_a_browser_that_did_not_begin_is_not_let_in(hall):
    with a_phone() as page:
        page.goto(f"{hall}/sign-in/test-wechat")
        page.context.clear_cookies()

        page.click("text=同意")

        assert page.inner_text("h1") == "登录不是从这个浏览器开始的"
        assert page.context.cookies(hall) == []


@pytest.mark.parametrize("edition", ["", "?style=elder"])
def test_no_page_has_barriers_small_targets_or_is_wider_than_a_phone(hall, edition):
    with a_phone() as page:
        faults = []
        for path in ("/me/sign-in", "/sign-in/return", "/me", "/me/close"):
            if path == "/me":
                sign_in(page, hall)
            page.goto(f"{hall}{path}{edition}")
            page.evaluate(AXE)
            found = page.evaluate("axe.run().then(found => found.violations)")
            faults += [f"{path} {one['id']}: {one['nodes'][0]['html'][:150]}" for one in found]
            faults += [f"{path} small: {one}" for one in page.evaluate(SMALL, TARGET_PX)]
            faults += [f"{path} is too wide"] if page.evaluate(WIDER) else []

        assert faults == []
