"""The wall in a real browser: it refreshes itself, owns up when cut off, and fits a phone."""

import contextlib
import threading

import pytest
from playwright.sync_api import expect, sync_playwright
from werkzeug.serving import make_server

from app.core import clock
from tests.app.monitoring.test_wall import seen_lately
from tests.builders import a_principal, sign_in

CHROMIUM = "/usr/bin/chromium-headless-shell"
pytestmark = pytest.mark.browser


@contextlib.contextmanager
def a_server(app, port=0):
    server = make_server("127.0.0.1", port, app, threaded=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def a_wall(app, client, given, server, width=1280):
    """Give the wall as somebody of the province sees it, and what the browser complained about."""
    sign_in(client, given, given(a_principal, "province_watch"))
    base = f"http://localhost:{server.server_port}"
    cookie = {"name": "session", "value": client.get_cookie("session").value, "url": base}
    complaints = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        context = browser.new_context(viewport={"width": width, "height": 780})
        context.add_cookies([cookie])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{base}/wall")
        yield page, complaints
        browser.close()


def test_an_incident_appears_without_anybody_reloading(app, client, given):
    with a_server(app) as server, a_wall(app, client, given, server) as (page, complaints):
        expect(page.locator(".wall-news")).to_contain_text("没有事件")

        given(seen_lately, "UDDD", clock.system_clock(), name="户政服务")

        expect(page.locator(".news-open")).to_contain_text("户政服务", timeout=20_000)
        assert complaints == []


def test_a_wall_cut_off_from_its_server_says_so(app, client, given):
    with a_server(app) as server, a_wall(app, client, given, server) as (page, _):
        expect(page.locator(".wall-away")).to_be_hidden()

        page.route("**/wall/live", lambda route: route.abort())

        expect(page.locator(".wall-away")).to_be_visible(timeout=20_000)


def test_the_end_of_the_session_leads_to_the_sign_in_page(app, client, given):
    with a_server(app) as server, a_wall(app, client, given, server) as (page, _):
        page.context.clear_cookies()

        page.wait_for_url("**/staff/sign-in**", timeout=20_000)


def test_the_wall_fits_a_phone(app, client, given):
    given(seen_lately, "UDDD", clock.system_clock())

    with a_server(app) as server, a_wall(app, client, given, server, width=320) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth") == 320
