"""Signing in and administering accounts as a browser does it."""

import re

import pyotp
import pytest

from app import create_app
from app.core import clock
from app.organisations import service
from tests.app.organisations.builders import PASSWORD, a_link, an_account
from tests.builders import a_bearer, a_principal, settings_for, sign_in, submit

HTML = {"Accept": "text/html"}


def first_step(client, **changed):
    return submit(client, "/staff/sign-in", **{"username": "zhang.san", "password": PASSWORD, **changed})


def test_a_person_signs_in_with_password_and_code_and_lands_where_they_wanted(client, given):
    account = given(an_account)
    page = client.get("/staff/sign-in?next=/staff/tokens").text
    kept = re.search(r'name="next" value="([^"]+)"', page)[1]

    first = first_step(client, next=kept)
    second = submit(client, first.location, code=account.code())

    assert second.location == "/staff/tokens"
    assert client.get("/staff/").status_code == 200


def test_a_replayed_code_is_refused(client, app, given):
    account = given(an_account)
    code = account.code()
    first_step(client)
    submit(client, "/staff/sign-in/code", code=code)

    thief = app.test_client()
    first_step(thief)
    again = submit(thief, "/staff/sign-in/code", code=code)

    assert again.status_code == 422
    assert thief.get("/staff/", headers=HTML).status_code == 302


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"password": "wrong password 1"}, id="wrong password"),
        pytest.param({"username": "nobody"}, id="unknown name"),
        pytest.param({"username": "", "password": ""}, id="nothing"),
        pytest.param({"username": "x" * 5000, "password": "\x00" * 5000}, id="rubbish"),
        pytest.param({"username": "' OR 1=1 --"}, id="somebody who tries"),
    ],
)
def test_every_failure_reads_the_same(client, given, changed):
    given(an_account)

    answer = first_step(client, **changed)

    assert answer.status_code == 422
    assert "用户名、密码或验证码不对" in answer.text


def test_a_locked_account_reads_like_a_wrong_password(client, given):
    given(an_account)
    for _ in range(5):
        wrong = first_step(client, password="wrong password 1")

    locked = first_step(client)

    flash = re.compile(r'role="alert">([^<]+)<')
    assert locked.status_code == wrong.status_code == 422
    assert flash.search(locked.text)[1] == flash.search(wrong.text)[1]


def test_one_address_may_not_try_for_ever(client, given):
    for _ in range(60):
        submit(client, "/staff/sign-in", "/staff/link/guessed")

    answer = first_step(client)

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "evil",
        "javascript:x",
        "",
    ],
)
def test_sign_in_never_leads_to_another_site(client, given, target):
    account = given(an_account)
    first_step(client, next=target)

    answer = submit(client, "/staff/sign-in/code", code=account.code())

    assert answer.location == "/staff/"


def test_signing_out_ends_the_session_on_the_server_too(client, given):
    sign_in(client, given, given(a_principal))
    before = secret_of(client)
    submit(client, "/staff/tokens", "/staff/sign-out")

    assert before
    with client.session_transaction() as cookie:
        cookie["staff_session"] = before
    assert client.get("/staff/", headers=HTML).status_code == 302


def secret_of(client):
    with client.session_transaction() as cookie:
        return cookie.get("staff_session")


def test_signing_in_again_ends_the_session_before(client, app, given):
    who = given(a_principal)
    sign_in(client, given, who)
    before = secret_of(client)
    link = given(a_link, who.staff_id, "sign_in")

    submit(client, f"/staff/link/{link}")

    assert secret_of(client) != before
    with app.app_context():
        assert service.session_principal(before, now=clock.system_clock()) is None


def test_cookies_are_kept_from_scripts_and_other_sites(client, given):
    given(an_account)

    cookie = client.get("/staff/sign-in").headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_preview_of_a_link_does_not_use_it_up(client, given):
    link = given(a_link, given(a_principal).staff_id, "sign_in")

    for _ in range(3):
        client.get(f"/staff/link/{link}")
    answer = submit(client, f"/staff/link/{link}")

    assert answer.location == "/staff/"
    assert client.get("/staff/").status_code == 200


def test_a_link_works_once(client, app, given):
    link = given(a_link, given(a_principal).staff_id, "sign_in")
    other = app.test_client()
    submit(client, f"/staff/link/{link}")

    answer = submit(other, "/staff/sign-in", f"/staff/link/{link}")

    assert answer.status_code == 404
    assert other.get(f"/staff/link/{link}").status_code == 404


def test_a_link_of_one_kind_does_not_serve_as_the_other(client, given):
    link = given(a_link, given(a_principal).staff_id, "set_up")

    assert client.get(f"/staff/link/{link}").status_code == 404
    assert client.get("/staff/link/nonsense").status_code == 404


def test_a_new_person_sets_up_password_and_codes_and_is_signed_in(client, given):
    path = f"/staff/setup/{given(a_link, given(a_principal).staff_id)}"
    shown = submit(client, path).text
    key = re.search(r"<code>([A-Z2-7]{32})</code>", shown)[1]

    again = submit(client, path).text
    code = pyotp.TOTP(key).at(clock.system_clock())
    answer = submit(client, path, f"{path}/finish", password=PASSWORD, password_again=PASSWORD, code=code)

    assert key in again
    assert "data:image/svg+xml" in shown
    assert answer.location == "/staff/"
    assert client.get("/staff/").status_code == 200
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({"code": "000000"}, "动态验证码不对", id="wrong code"),
        pytest.param({"password_again": "another one 123"}, "不一样", id="two passwords"),
        pytest.param({"password": "short", "password_again": "short"}, "12", id="too short"),
    ],
)
def test_a_set_up_that_fails_may_be_tried_again(client, given, changed, said):
    path = f"/staff/setup/{given(a_link, given(a_principal).staff_id)}"
    shown = submit(client, path).text
    code = pyotp.TOTP(re.search(r"<code>([A-Z2-7]{32})</code>", shown)[1]).at(clock.system_clock())
    fields = {"password": PASSWORD, "password_again": PASSWORD, "code": code}

    answer = submit(client, path, f"{path}/finish", **{**fields, **changed})

    assert answer.status_code == 422
    assert said in re.search(r'role="alert">([^<]+)<', answer.text)[1]
    assert submit(client, path, f"{path}/finish", **fields).status_code == 302


@pytest.mark.parametrize(
    ("role", "shown", "hidden"),
    [
        pytest.param("province_reviewer", {"/wall", "/console/pages"}, {"/console/staff"}, id="reviewer"),
        pytest.param("system_administrator", {"/console/staff"}, {"/console/pages", "/wall"}, id="system"),
        pytest.param("auditor", {"/console/audit"}, {"/console/pages", "/console/staff"}, id="auditor"),
    ],
)
def test_the_landing_page_shows_what_the_role_may(client, given, role, shown, hidden):
    sign_in(client, given, given(a_principal, role))

    page = client.get("/staff/").text

    assert all(f'href="{path}"' in page for path in shown)
    assert not any(f'href="{path}"' in page for path in hidden)


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("province_reviewer", "/console/staff"),
        ("province_reviewer", "/console/audit"),
        ("auditor", "/console/staff"),
        ("system_administrator", "/console/audit"),
    ],
)
def test_administrators_reviewers_and_auditors_are_separate(client, given, role, path):
    sign_in(client, given, given(a_principal, role))

    assert client.get(path).status_code == 403


def test_who_posts_after_the_session_ended_is_not_sent_back_to_what_knows_post_alone(client, given):
    sign_in(client, given, given(a_principal, "system_administrator"))
    client.get("/console/staff")
    with client.session_transaction() as cookie:
        cookie["staff_session"] = "over"
    client.environ_base["HTTP_ACCEPT"] = "text/html"

    answer = submit(client, "/staff/sign-in", "/console/staff/1/disable")

    assert answer.location == "/staff/sign-in"


def test_a_visitor_is_sent_to_sign_in_with_the_way_back(client):
    answer = client.get("/console/staff", headers=HTML)

    assert answer.location == "/staff/sign-in?next=/console/staff"


def test_an_api_token_does_not_open_pages(client, given):
    bearer = given(a_bearer, given(a_principal))

    assert client.get("/staff/tokens", headers=bearer).status_code == 401


def test_over_https_the_cookie_travels_encrypted_only(tmp_path):
    settings = settings_for(f"sqlite:///{tmp_path}/x", tmp_path, HALL_BASE_URL="https://hall.example")

    answer = create_app(settings).test_client().get("/staff/sign-in", base_url="https://hall.example")

    assert "Secure" in answer.headers["Set-Cookie"]


def test_secrets_are_never_stored_by_browsers_nor_told_to_other_sites(client, given):
    link = given(a_link, given(a_principal).staff_id)

    answer = submit(client, f"/staff/setup/{link}")

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
