"""A department's real server and the hall's, on two origins, with a real browser between them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from app.core import clock
from app.identity import service as identity
from app.mobile_access.service import State
from app.portal import bridge
from tests.app.identity.builders import SESSION, a_resident, a_session
from tests.app.mobile_access.builders import a_page
from tests.sandbox.servers import served

CHROMIUM = "/usr/bin/chromium-headless-shell"
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("app", ["sqlite"], indirect=True)]


@contextmanager
def a_hall(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def a_site(hall):
    """Serve one page with the script, at whatever address and with its digest."""
    release = bridge.release(bridge.LATEST)
    source = f"{hall}/bridge/{release.version}/hall-bridge.js"
    tag = f'<script src="{source}" integrity="{release.integrity}" crossorigin="anonymous"></script>'
    site = Flask("site")
    site.add_url_rule("/", "page", lambda: f'<title>户政</title><link rel="icon" href="data:,">{tag}')
    return served(site)


@contextmanager
def a_browser(hall, token):
    """Open a tab in which the resident of ``token`` is signed in at the hall; yield it and its console."""
    cookie = f"{SESSION}={token}; Path=/; Secure; HttpOnly; SameSite=Lax"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        page, complaints = browser.new_page(), []
        page.on("console", lambda message: complaints.append(message.text))
        page.route(f"{hall}/healthz", lambda route: route.fulfill(headers={"Set-Cookie": cookie}))
        page.goto(f"{hall}/healthz")
        yield page, complaints
        browser.close()


def serve_under(app, hall, monkeypatch):
    """The server's port is known only once it runs; the settings were made before."""
    known = replace(app.extensions["hall_settings"], base_url=hall)
    monkeypatch.setattr("app.portal.api.settings", lambda: known)


def test_a_signed_in_resident_is_known_to_the_page_after_one_round(app, given, monkeypatch):
    resident_id = given(a_resident)
    token = given(a_session, resident_id).token
    with a_hall(app) as hall, a_site(hall) as site, a_browser(hall, token) as (page, complaints):
        serve_under(app, hall, monkeypatch)
        registered = given(a_page, state=State.ONLINE, url=f"{site}/")
        page.goto(f"{site}/?type=1")
        with page.expect_navigation(url=f"{site}/?type=1"):
            page.evaluate("() => { HallBridge.ssoTicket(); }")
        ticket = page.evaluate("HallBridge.ssoTicket()")

    audience = identity.body_audience(registered.body_id)
    assert given(identity.redeem_ticket, ticket, audience, now=clock.system_clock()) == resident_id
    assert complaints == []
