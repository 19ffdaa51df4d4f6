"""Signing in by way of the platform's page: once, from this browser, back to a page of ours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import requests
from sqlalchemy import update

from app.channel_accounts import service as channel_accounts
from app.core import clock, db
from app.core.errors import Invalid
from app.identity import residents, service
from app.identity.models import Resident, ResidentBinding, ResidentSession, SignInAttempt
from channels.base import LoginScope
from config.settings import Environment
from tests.api.test_boundaries import ELSEWHERE
from tests.api.walk import HTML, wrong_with
from tests.app.identity.builders import (
    ATTEMPT,
    OPENID,
    SESSION,
    UNION,
    a_code,
    a_mini_program,
    a_platform,
    a_resident,
    a_session,
    an_account,
    an_alipay_account,
    begin,
    come_back,
    rows,
    signed_in,
)
from tests.sandbox.builders import raw_alipay
from tests.sandbox.servers import a_sandbox

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def platform():
    with a_platform() as running:
        yield running


@pytest.fixture
def account(given, platform):
    return given(an_account, platform)


@pytest.fixture
def race(monkeypatch):
    """Let something else be done, once, in another thread right after a step of ``residents``."""

    def arrange(step, other):
        real, waiting = getattr(residents, step), [other]

        def stepped(*args):
            found = real(*args)
            if waiting:
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(waiting.pop()).result()
            return found

        monkeypatch.setattr(residents, step, stepped)

    return arrange


def test_a_resident_signs_in_and_is_where_they_wanted_to_be(client, account, app):
    state = begin(client, "/?theme=household")

    back = come_back(client, state)

    assert (back.status_code, back.location) == (302, "/?theme=household")
    assert client.get("/me", headers=HTML).status_code == 200
    with app.app_context():
        assert service.resident_for(account.id, OPENID) is not None


@on_sqlite
def test_coming_again_is_the_same_resident_and_ends_the_session_before(client, account, app):
    come_back(client, begin(client))
    first = client.get_cookie(SESSION).value

    come_back(client, begin(client))

    assert client.get_cookie(SESSION).value != first
    with app.app_context():
        assert (rows(Resident), rows(ResidentSession)) == (1, 1)


@on_sqlite
def test_the_cookies_are_bound_to_this_host_and_out_of_reach_of_scripts(client, account):
    start = client.get("/sign-in/test-wechat", headers=HTML)
    state = start.location.split("state=")[1].split("#")[0]
    set_by = [start.headers["Set-Cookie"], come_back(client, state).headers.getlist("Set-Cookie")[0]]

    for name, cookie in zip((ATTEMPT, SESSION), set_by, strict=True):
        assert cookie.startswith(f"{name}=")
        for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
            assert part in cookie
        assert "Domain" not in cookie


@on_sqlite
def test_no_answer_of_a_sign_in_is_stored_by_any_cache(client, account):
    start = client.get("/sign-in/test-wechat", headers=HTML)
    end = come_back(client, begin(client))

    assert {one.headers["Cache-Control"] for one in (start, end)} == {"no-store"}


def test_a_return_counts_once(client, account, app):
    state = begin(client)
    come_back(client, state)
    client.delete_cookie(SESSION)

    again = come_back(client, state, code=a_code("oSomebodyElse"))

    assert (again.status_code, "sign_in_used" in again.text) == (409, True)
    with app.app_context():
        assert rows(Resident) == 1


@on_sqlite
def test_a_second_return_of_somebody_signed_in_does_no_harm(client, account):
    state = begin(client)
    come_back(client, state)

    again = come_back(client, state)

    assert (again.status_code, again.location) == (302, "/me")


def test_ten_returns_at_once_let_one_in(app, client, account):
    state, cookie = begin(client), client.get_cookie(ATTEMPT).value

    def once(number):
        browser = app.test_client()
        browser.set_cookie(ATTEMPT, cookie)
        return come_back(browser, state, code=a_code()).status_code

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(once, range(10)))

    assert sorted(statuses) == [302] + [409] * 9


@pytest.mark.parametrize("app", ["mariadb"], indirect=True)  # SQLite lets one write at a time
def test_who_loses_the_race_for_a_new_account_gets_the_winners(app, client, account, given, platform, race):
    mini = given(a_mini_program, platform)
    race("_owner_of", lambda: given(a_resident, account, union=UNION))

    said = {"account": mini.key, "code": a_code("oInMini", UNION)}
    answer = client.post("/api/v1/sign-in/mini", json=said)

    assert answer.status_code == 201
    with app.app_context():
        assert [rows(one) for one in (Resident, ResidentBinding)] == [1, 2]


@pytest.mark.parametrize("app", ["mariadb"], indirect=True)
def test_nobody_is_bound_to_an_account_that_closes_in_this_moment(
    app, client, account, given, platform, race
):
    mini, first = given(a_mini_program, platform), given(a_resident, account, union=UNION)
    race("_owner_of", lambda: given(service.close, first, now=clock.system_clock()))

    said = {"account": mini.key, "code": a_code("oInMini", UNION)}
    token = client.post("/api/v1/sign-in/mini", json=said).json["token"]

    mine = client.get("/api/v1/my", headers={"Authorization": f"Bearer {token}"})
    assert mine.status_code == 200


def test_one_new_person_who_comes_in_by_several_ways_at_once_is_one_resident(app, account, given, platform):
    mini = given(a_mini_program, platform)

    def enter(number):
        browser = app.test_client()
        if number % 2:
            said = {"account": mini.key, "code": a_code("oInMini", UNION)}
            return browser.post("/api/v1/sign-in/mini", json=said).status_code
        return come_back(browser, begin(browser), a_code(union=UNION)).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(enter, range(6)))

    assert sorted(statuses) == [201] * 3 + [302] * 3
    with app.app_context():
        assert [rows(one) for one in (Resident, ResidentBinding, ResidentSession)] == [1, 2, 6]


@on_sqlite
def test_a_return_from_another_browser_is_refused(app, client, account):
    state = begin(client)
    other = app.test_client()
    begin(other)

    answer = come_back(other, state)

    assert (answer.status_code, "sign_in_foreign" in answer.text) == (403, True)
    assert other.get_cookie(SESSION) is None
    assert come_back(client, state).status_code == 302


@on_sqlite
@pytest.mark.parametrize("cookie", ["", "x", "a" * 43, "é" * 43, "\x00", "a" * 5000])
def test_a_return_without_the_right_cookie_is_refused(app, client, account, cookie):
    state = begin(client)
    headers = {**HTML, "Cookie": f"{ATTEMPT}={cookie}".encode().decode("latin-1")}

    answer = app.test_client(use_cookies=False).get(
        "/sign-in/return", query_string={"state": state, "code": "good.o"}, headers=headers
    )

    assert wrong_with(answer) == []
    assert (answer.status_code, "sign_in_foreign" in answer.text) == (403, True)


@on_sqlite
def test_a_return_after_ten_minutes_is_too_late_and_says_how_to_go_on(app, client, account):
    state = begin(client, "/?theme=household")
    with app.app_context():
        early = clock.system_clock() - timedelta(seconds=1)
        db.transaction(lambda: db.writing().execute(update(SignInAttempt).values(expires_at=early)))

    answer = come_back(client, state)

    assert (answer.status_code, "sign_in_expired" in answer.text) == (422, True)
    assert '/me/sign-in?return_to=/?theme%3Dhousehold">重新登录' in answer.text


BAD_STATES = ["", "x", "a" * 43, "a" * 44, "\x00" * 43, "状态", "a" * 6000, "%ff", "' OR 1=1 --"]


@on_sqlite
@pytest.mark.parametrize("state", BAD_STATES)
def test_a_state_that_nobody_began_is_refused(client, account, state):
    begin(client)

    answer = client.get("/sign-in/return", query_string={"state": state, "code": "x"}, headers=HTML)

    assert wrong_with(answer) == []
    assert (answer.status_code, "sign_in_expired" in answer.text) == (422, True)


@on_sqlite
@pytest.mark.parametrize(
    "query", ["state=%00", "state=%ed%a0%80&code=%ed%a0%80", "state[]=1", "state=a&state=b", "&&="]
)
def test_a_hand_made_query_is_no_server_error(client, account, query):
    answer = client.get(f"/sign-in/return?{query}", headers=HTML)

    assert wrong_with(answer) == []
    assert answer.status_code == 422


CODES = [
    pytest.param("", "sign_in_refused", 422, id="the resident said no"),
    pytest.param("bad", "sign_in_code_refused", 422, id="made up"),
    pytest.param("x" * 5000, "sign_in_code_refused", 422, id="oversized"),
    pytest.param("a\x00b", "sign_in_code_refused", 422, id="with a NUL"),
    pytest.param("码", "sign_in_code_refused", 422, id="not ASCII"),
    pytest.param("good." + "o" * 200, "sign_in_code_refused", 422, id="for a user id of 200 letters"),
    pytest.param("preview", "sign_in_refused", 422, id="from a preview"),
    pytest.param("away", "platform_away", 503, id="while the platform is away"),
]


@on_sqlite
@pytest.mark.parametrize(("code", "word", "status"), CODES)
def test_a_code_that_is_not_taken_is_told_in_words_with_a_way_on(client, account, code, word, status):
    answer = come_back(client, begin(client, "/x"), code=code)

    assert wrong_with(answer) == []
    assert (answer.status_code, word in answer.text) == (status, True)
    assert 'return_to=/x">重新登录' in answer.text
    assert client.get_cookie(SESSION) is None


@on_sqlite
def test_a_platform_that_is_away_is_told_with_a_time_to_come_again(client, account):
    answer = come_back(client, begin(client), code="away")

    assert int(answer.headers["Retry-After"]) > 0


@on_sqlite
def test_a_code_of_another_state_signs_in_nobody_twice(app, client, account):
    code = a_code()
    come_back(client, begin(client), code=code)
    other = app.test_client()

    answer = come_back(other, begin(other), code=code)

    assert (answer.status_code, "sign_in_code_refused" in answer.text) == (422, True)


TARGETS = [*ELSEWHERE, "/%2fevil.example", "/%5Cevil.example", "/a b", "/\u2028", "/x\x00", "/" + "a" * 600]


@on_sqlite
@pytest.mark.parametrize("target", TARGETS)
def test_signing_in_leads_to_pages_of_ours_only(client, account, target):
    come_back(client, begin(client, target))

    asked = client.get("/me/sign-in", query_string={"return_to": target}, headers=HTML)

    assert (asked.status_code, asked.location) == (302, "/me")


@on_sqlite
def test_the_service_refuses_another_host_as_well(context, platform):
    db.transaction(lambda: an_account(platform))

    with pytest.raises(Invalid):
        service.start_sign_in("test-wechat", "//evil.example", now=clock.system_clock())


@on_sqlite
@pytest.mark.parametrize("key", ["nobody", "x" * 300, "%00", "..", "test-mini"])
def test_an_account_that_cannot_sign_in_says_so(client, account, given, platform, key):
    given(a_mini_program, platform)

    answer = client.get(f"/sign-in/{key}", headers=HTML)

    assert wrong_with(answer) == []
    assert answer.status_code in (404, 422)


@on_sqlite
def test_an_account_that_was_switched_off_meanwhile_lets_nobody_in(client, account, given, app):
    state = begin(client)
    off = {"version": account.version, "name": account.name, "values": account.settings, "active": False}
    given(channel_accounts.update_account, account.id, **off, actor="system")

    back = come_back(client, state)

    assert (back.status_code, "sign_in_impossible" in back.text) == (422, True)
    with app.app_context():
        assert rows(ResidentSession) == 0


@on_sqlite
def test_more_may_be_asked_of_the_resident(client, account, app):
    asked = client.get("/sign-in/test-wechat", query_string={"scope": "profile"}, headers=HTML)
    come_back(client, asked.location.split("state=")[1].split("#")[0])

    assert "scope=snsapi_userinfo" in asked.location
    with app.app_context():
        assert rows(SignInAttempt, scope=LoginScope.PROFILE.value) == 1


@on_sqlite
def test_a_way_of_signing_in_is_added_to_the_account_that_is_signed_in(app, client, account, given, platform):
    resident_id = given(a_resident, account)
    other = given(an_account, platform, key="other-wechat")
    browser = signed_in(app, given, resident_id)
    start = browser.get("/me/bindings/add/other-wechat", headers=HTML)

    back = come_back(browser, start.location.split("state=")[1].split("#")[0], code=a_code("oOther"))

    assert back.location == "/me"
    with app.app_context():
        assert service.resident_for(other.id, "oOther") == resident_id


@on_sqlite
def test_a_way_of_signing_in_that_is_somebody_elses_is_not_taken(app, client, account, given, platform):
    mine, theirs = given(a_resident, account), given(an_account, platform, key="other-wechat")
    somebody = given(a_resident, theirs, subject="oOther")
    browser = signed_in(app, given, mine)
    start = browser.get("/me/bindings/add/other-wechat", headers=HTML)

    back = come_back(browser, start.location.split("state=")[1].split("#")[0], code=a_code("oOther"))

    assert (back.status_code, "binding_taken" in back.text) == (409, True)
    with app.app_context():
        assert service.resident_for(theirs.id, "oOther") == somebody


@on_sqlite
def test_who_was_signed_out_meanwhile_adds_no_way_of_signing_in(app, client, account, given, platform):
    resident_id, other = given(a_resident, account), given(an_account, platform, key="other-wechat")
    browser = signed_in(app, given, resident_id)
    start = browser.get("/me/bindings/add/other-wechat", headers=HTML)
    given(service.end_all_sessions, resident_id)

    back = come_back(browser, start.location.split("state=")[1].split("#")[0], code=a_code("oThief"))

    assert (back.status_code, "sign_in_foreign" in back.text) == (403, True)
    with app.app_context():
        assert service.resident_for(other.id, "oThief") is None


@on_sqlite
def test_who_signs_in_after_somebody_else_does_not_end_up_in_their_account(
    app, client, account, given, platform
):
    first, second = given(a_resident, account), given(a_resident, account, subject="oSecond")
    other = given(an_account, platform, key="other-wechat")
    browser = signed_in(app, given, first)
    start = browser.get("/me/bindings/add/other-wechat", headers=HTML)
    browser.set_cookie(SESSION, given(a_session, second).token)

    come_back(browser, start.location.split("state=")[1].split("#")[0], code=a_code("oOfSecond"))

    with app.app_context():
        assert service.resident_for(other.id, "oOfSecond") is None


@on_sqlite
def test_alipay_leads_back_with_a_code_of_another_name(client, given, app):
    with a_sandbox(raw_alipay(), hall_base="http://127.0.0.1:8000") as sandbox:
        sandbox.clock.now = clock.system_clock().timestamp()
        account = given(an_alipay_account, sandbox)
        start = client.get("/sign-in/gd-alipay?return_to=/x", headers=HTML)
        agreed = requests.post(start.location, allow_redirects=False, timeout=10).headers["Location"]

        back = client.get(agreed.removeprefix("http://127.0.0.1:8000"), headers=HTML)

    assert ("auth_code=" in agreed, back.status_code, back.location) == (True, 302, "/x")
    with app.app_context():
        assert rows(ResidentBinding, account_id=account.id) == 1


BASES = [
    pytest.param("https://hall.example.cn", "__Host-sign-in=", True, id="over TLS"),
    pytest.param("http://127.0.0.1:8000", "__Host-sign-in=", True, id="on this machine"),
    pytest.param("http://localhost:8000", "__Host-sign-in=", True, id="on this machine by name"),
    pytest.param("http://192.0.2.7:8000", "sign-in=", False, id="a demo in the house"),
    pytest.param("http://hall.test", "sign-in=", False, id="a demo by name"),
]


@on_sqlite
@pytest.mark.parametrize(("base", "begins", "secure"), BASES)
def test_cookies_are_bound_to_the_host_wherever_browsers_let_them(
    client, account, app, monkeypatch, base, begins, secure
):
    monkeypatch.setitem(
        app.extensions, "hall_settings", replace(app.extensions["hall_settings"], base_url=base)
    )

    cookie = client.get("/sign-in/test-wechat", headers=HTML).headers["Set-Cookie"]

    assert (cookie.startswith(begins), "Secure" in cookie) == (True, secure)


@on_sqlite
@pytest.mark.parametrize(
    ("base", "status"), [("https://hall.example.cn", 302), ("http://hall.example.cn", 422)]
)
def test_in_production_nobody_signs_in_in_the_clear(client, account, app, monkeypatch, base, status):
    real = replace(app.extensions["hall_settings"], base_url=base, environment=Environment.PRODUCTION)
    monkeypatch.setitem(app.extensions, "hall_settings", real)

    assert client.get("/sign-in/test-wechat", headers=HTML).status_code == status
