"""hall-bridge.js on the server's side: the script, the signature of a page, the way to sign in and back."""

from __future__ import annotations

import gzip
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from app.channel_accounts import service as channel_accounts
from app.core import clock
from app.identity import service as identity
from app.mobile_access import service as mobile_access
from app.mobile_access.service import State
from app.portal import api, bridge
from channels.wechat.pages import sign
from config.settings import Environment
from tests.app.identity.builders import a_bearer, a_resident, signed_in
from tests.app.mobile_access.builders import a_page
from tests.builders import NOW, a_body
from tests.channels import platform_wechat
from tests.channels.server import a_platform

CONFIG = "/api/v1/bridge/config"
PAGE = "https://hz.example.cn/m/"
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture
def page(given):
    return given(a_page, state=State.ONLINE, name="户政服务", url=PAGE)


@contextmanager
def a_signing_platform(given):
    """Add an official account whose platform runs on this machine; yield that platform."""
    with a_platform(platform_wechat.api()) as platform:
        config = platform_wechat.config(platform.base_url)
        values = {**config.settings, **config.secrets}
        given(
            channel_accounts.create_account,
            kind="wechat",
            key="wechat",
            name="测试公众号",
            values=values,
            actor="system",
            now=NOW,
        )
        yield platform


def ask(client, url=PAGE, shown_in="wechat"):
    return client.get(CONFIG, query_string={"url": url, "client": shown_in})


def test_the_script_is_what_its_address_and_digest_promise(client):
    answer = client.get(f"/bridge/{bridge.LATEST}/hall-bridge.js")

    assert answer.content_type == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert bridge.integrity_of(answer.data) == bridge.RELEASES[bridge.LATEST]
    assert f'version:"{bridge.LATEST}"'.encode() in answer.data


def test_the_script_is_sent_compressed_within_six_kilobytes(client):
    answer = client.get(f"/bridge/{bridge.LATEST}/hall-bridge.js", headers={"Accept-Encoding": "gzip"})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.data) <= 6 * 1024
    assert bridge.integrity_of(gzip.decompress(answer.data)) == bridge.RELEASES[bridge.LATEST]


@pytest.mark.parametrize("version", sorted(bridge.RELEASES))
def test_no_version_that_was_given_out_ever_changes(app, version):
    assert bridge.release(version).integrity == bridge.RELEASES[version]


@pytest.mark.parametrize("version", ["0.0.0", "..", "1.0.0.min", "%2e%2e"])
def test_a_version_that_never_was_is_not_found(client, version):
    assert client.get(f"/bridge/{version}/hall-bridge.js").status_code == 404


def test_the_guide_names_the_script_with_its_digest(client):
    guide = client.get("/bridge").text

    assert f"/bridge/{bridge.LATEST}/hall-bridge.js" in guide
    assert bridge.RELEASES[bridge.LATEST] in guide


def test_a_page_in_wechat_is_given_a_signature_of_exactly_its_address(client, given, page):
    url = f"{PAGE}form?type=1&name=%E7%B2%A4"
    with a_signing_platform(given):
        found = ask(client, url).json

    signed = found["signature"]
    expected = sign(platform_wechat.TICKET, signed["nonce"], signed["timestamp"], url)
    assert (signed["signature"], signed["app_id"]) == (expected, platform_wechat.APP_ID)
    assert (found["page_id"], found["page_name"]) == (str(page.id), "户政服务")
    assert found["sso_url"].endswith(f"/sso/{page.id}")


def test_only_the_pages_own_host_may_read_the_answer(client, page):
    answer = client.get(CONFIG, query_string={"url": PAGE}, headers={"Origin": "https://evil.example.cn"})

    assert answer.headers["Access-Control-Allow-Origin"] == "https://hz.example.cn"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_one_address_is_signed_once_for_many_who_open_it(client, given, page):
    with a_signing_platform(given) as platform:
        first, again, other = ask(client), ask(client), ask(client, f"{PAGE}other")

    assert first.json["signature"] == again.json["signature"] != other.json["signature"]
    assert len(platform.targets("/cgi-bin/ticket/getticket")) == 1


@pytest.mark.parametrize("shown_in", ["alipay", "alipay-mini", "browser"])
def test_elsewhere_nothing_is_signed(client, given, page, shown_in):
    with a_signing_platform(given):
        assert ask(client, shown_in=shown_in).json["signature"] is None


def test_while_the_platform_is_away_the_page_is_told_to_go_without(client, given, page):
    with a_platform(lambda _: None) as platform:
        platform_away = platform.base_url
    config = platform_wechat.config(platform_away)
    values = {**config.settings, **config.secrets}
    given(
        channel_accounts.create_account,
        kind="wechat",
        key="away",
        name="测试公众号",
        values=values,
        actor="system",
        now=NOW,
    )

    answer = ask(client)

    assert (answer.status_code, answer.json["signature"]) == (200, None)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://elsewhere.example.cn/m/", id="another host"),
        pytest.param("https://hz.example.cn.evil.cn/m/", id="a host that begins alike"),
        pytest.param("https://hz.example.cn:8443/m/", id="another port"),
        pytest.param("http://hz.example.cn/m/", id="without TLS"),
        pytest.param("https://user@hz.example.cn/m/", id="with a name in it"),
        pytest.param("https://evil.cn/https://hz.example.cn/m/", id="ours inside another"),
        pytest.param(f"{PAGE}#part", id="with a fragment"),
        pytest.param("javascript:alert(1)", id="no web address"),
        pytest.param("https://hz.example.cn%2e.evil.cn/", id="escaped dot"),
    ],
)
def test_an_address_of_no_published_page_is_told_nothing(client, page, url):
    answer = ask(client, url)

    assert answer.status_code == 404
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("state", [State.REGISTERED, State.PASSED, State.SUSPENDED, State.RETIRED])
def test_a_page_that_is_not_published_is_told_nothing(client, given, state):
    given(a_page, state=state, url=PAGE)

    assert ask(client).status_code == 404


def test_a_page_that_is_down_for_others_still_works_for_whom_it_opens(client, given):
    page = given(a_page, state=State.DEGRADED, url=PAGE)
    given(mobile_access.hide_entry, page.id, NOW, now=NOW)

    assert ask(client, shown_in="browser").status_code == 200


@pytest.mark.parametrize(
    "query", [{}, {"url": ""}, {"url": f"{PAGE}{'a' * 2000}"}, {"url": PAGE, "client": "fax"}]
)
def test_what_is_asked_badly_is_refused(client, page, query):
    assert client.get(CONFIG, query_string=query).status_code == 422


def test_a_page_without_tls_is_refused_outside_demos(app, given):
    given(a_page, state=State.ONLINE, url="http://hz.example.cn/m/")

    with app.app_context(), pytest.raises(bridge.NotOverTls):
        bridge.page_of("http://hz.example.cn/m/", plain_http=False)


def test_who_asks_without_end_is_told_to_wait_so_that_the_page_can_read_it(client, page, monkeypatch):
    monkeypatch.setattr(api, "PER_PAGE", "2/minute")  # six thousand calls would take too long

    answers = [ask(client, shown_in="browser") for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"]
    assert answers[2].headers["Access-Control-Allow-Origin"] == "https://hz.example.cn"


def test_of_several_pages_on_one_host_the_nearest_is_meant(client, given, page):
    other = given(a_page, state=State.ONLINE, name="居住证", url="https://hz.example.cn/jzz/index.html")

    assert ask(client, "https://hz.example.cn/jzz/apply?x=1").json["page_id"] == str(other.id)
    assert ask(client, f"{PAGE}a/b").json["page_id"] == str(page.id)


def test_who_is_signed_in_comes_back_with_a_ticket_for_that_body(app, given, page):
    resident_id = given(a_resident)
    back = f"{PAGE}form?type=1"

    answer = signed_in(app, given, resident_id).get(f"/sso/{page.id}?return_to={quote(back, safe='')}")

    target = urlsplit(answer.location)
    query = parse_qs(target.query)
    assert answer.location.startswith(f"{PAGE}form?type=1&")
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    audience = identity.body_audience(page.body_id)
    redeem = identity.redeem_ticket
    assert given(redeem, query["hall_ticket"][0], audience, now=clock.system_clock()) == resident_id


def test_who_is_not_signed_in_signs_in_first_and_returns_here(client, page):
    answer = client.get(f"/sso/{page.id}?return_to={quote(PAGE, safe='')}")

    assert answer.status_code == 302
    target = urlsplit(answer.location)
    assert target.path == "/me/sign-in"
    assert parse_qs(target.query)["return_to"][0].startswith(f"/sso/{page.id}?return_to=")


def test_a_way_back_that_is_too_long_is_shortened_to_the_pages_entrance(client, page):
    answer = client.get(f"/sso/{page.id}?return_to={quote(PAGE + 'a' * 600, safe='')}")

    assert parse_qs(urlsplit(answer.location).query)["return_to"] == [f"/sso/{page.id}"]


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example.cn/",
        "//evil.example.cn/",
        "javascript:alert(1)",
        "/m/",
        "https://x@hz.example.cn/",
    ],
)
def test_nobody_is_sent_elsewhere_with_a_ticket(app, given, page, back):
    browser = signed_in(app, given, given(a_resident))

    answer = browser.get(f"/sso/{page.id}?return_to={quote(back, safe='')}")

    assert answer.status_code == 404
    assert "Location" not in answer.headers


@pytest.mark.parametrize("back", ["https://hz.example.cn\\[", "https://hz.example.cn\\\uff1a"])
def test_a_way_back_is_written_as_browsers_read_it(app, given, page, back):
    browser = signed_in(app, given, given(a_resident))

    answer = browser.get(f"/sso/{page.id}?return_to={quote(back, safe='')}")

    assert answer.status_code == 302
    assert answer.location.startswith("https://hz.example.cn/")


@pytest.mark.parametrize("back", ["https://./", "https://\u3002/"])
def test_an_address_without_a_host_is_refused_everywhere(app, client, given, page, back):
    browser = signed_in(app, given, given(a_resident))

    answer = browser.get(f"/sso/{page.id}?return_to={quote(back, safe='')}")

    assert (answer.status_code, ask(client, back).status_code) == (404, 404)


def test_no_ticket_travels_in_the_clear_outside_demos(app, client, given, monkeypatch):
    page = given(a_page, state=State.ONLINE, url="http://hz.example.cn/m/")
    headers = given(lambda: a_bearer(a_resident()))
    real = replace(app.extensions["hall_settings"], environment=Environment.PRODUCTION)
    monkeypatch.setitem(app.extensions, "hall_settings", real)

    answer = client.post("/api/v1/my/sso-tickets", json={"page_id": str(page.id)}, headers=headers)

    assert (answer.status_code, answer.json["code"]) == (422, "not_over_tls")


def test_a_ticket_for_one_body_is_not_shown_to_another(app, given, page):
    other = given(lambda: a_page(state=State.ONLINE, url="https://jt.example.cn/", body=a_body("民政厅")))
    browser = signed_in(app, given, given(a_resident))

    answer = browser.get(f"/sso/{page.id}?return_to={quote('https://jt.example.cn/', safe='')}")

    assert other.body_id != page.body_id
    assert answer.status_code == 404


def test_a_mini_program_gets_the_address_with_a_ticket(app, client, given, page):
    headers = given(lambda: a_bearer(a_resident()))

    answer = client.post("/api/v1/my/sso-tickets", json={"page_id": str(page.id)}, headers=headers)

    assert answer.status_code == 201
    assert answer.json["url"].startswith(f"{PAGE}?hall_ticket=")
    assert answer.json["expires_in"] == 60


def test_a_page_that_is_down_is_not_opened_with_a_ticket(client, given):
    page = given(a_page, state=State.DEGRADED, url=PAGE)
    given(mobile_access.hide_entry, page.id, NOW, now=NOW)
    headers = given(lambda: a_bearer(a_resident()))

    answer = client.post("/api/v1/my/sso-tickets", json={"page_id": str(page.id)}, headers=headers)

    assert answer.status_code == 404


def test_a_resident_does_not_get_tickets_without_end(app, given, page, monkeypatch):
    monkeypatch.setattr(bridge, "TICKETS_PER_RESIDENT", "2/minute")
    browser = signed_in(app, given, given(a_resident))

    answers = [browser.get(f"/sso/{page.id}").status_code for _ in range(3)]

    assert answers == [302, 302, 429]
