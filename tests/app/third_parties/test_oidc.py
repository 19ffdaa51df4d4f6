"""Departments' systems sign people in with the hall, as any OpenID Connect library does it."""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from authlib.oauth2.auth import encode_client_secret_basic
from joserfc import jwt
from joserfc.jwk import KeySet

from app.core import clock, db
from app.identity import service as identity
from app.identity.models import Resident
from app.third_parties import oidc, service
from app.third_parties.service import Stage
from tests.app.identity.builders import SESSION, a_resident, a_session, an_account, an_identity, signed_in
from tests.app.identity.people_builders import CHEN
from tests.app.third_parties.builders import CALLBACK, a_key
from tests.builders import submit

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
AUTHORIZE, TOKEN, USERINFO = "/oidc/authorize", "/oidc/token", "/oidc/userinfo"
VERIFIER = "v" * 64
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def key(given):
    """A production key of an approved application."""
    return given(a_key, stage=Stage.PRODUCTION)


@pytest.fixture
def me(given):
    return given(a_resident)


@pytest.fixture
def browser(app, given, me):
    return signed_in(app, given, me)


def a_named_person() -> int:
    """Return somebody whose name and number the hall knows, and who can sign in."""
    now = clock.system_clock()
    resident_id = identity.applicant_for(*CHEN, now=now)
    account = an_account()
    identity.bind(resident_id, account, an_identity(account, "o-chen"), now=now)
    db.writing().get_one(Resident, resident_id).level = 2
    return resident_id


def a_request(key, **changed) -> str:
    asked = {
        "client_id": key.key_id,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "s-1",
        "nonce": secrets.token_hex(8),
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changed,
    }
    return f"{AUTHORIZE}?{urlencode({name: value for name, value in asked.items() if value})}"


def back(answer) -> dict[str, str]:
    """Return what came back to the application's address."""
    assert answer.status_code == 302, answer.text
    assert answer.location.startswith(CALLBACK), answer.location
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}


def led_back(answer) -> dict[str, str]:
    """Return what the link on the page after the resident's answer carries to the application."""
    assert answer.status_code == 200, answer.text
    found = re.search(rf'href="({re.escape(CALLBACK)}[^"]*)"', answer.text)
    assert found, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(unescape(found[1])).query).items()}


def exchange(client, key, code, **changed):
    told = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        **changed,
    }
    secret = told.pop("secret", key.secret)
    headers = {"Authorization": basic(key.key_id, secret)}
    return client.post(TOKEN, data=told, headers=headers)


def basic(name, secret) -> str:
    _, headers, _ = encode_client_secret_basic(_Named(name, secret), "POST", TOKEN, {}, "")
    return headers["Authorization"]


class _Named:
    def __init__(self, client_id, client_secret):
        self.client_id, self.client_secret = client_id, client_secret


def id_token(client, tokens):
    published = KeySet.import_key_set(client.get("/oidc/jwks.json").json)
    return jwt.decode(tokens["id_token"], published, algorithms=["RS256"]).claims


def test_a_resident_signs_in_to_a_department_with_the_hall(client, browser, key, given, me):
    asked = a_request(key, nonce="n-0001")

    came = back(browser.get(asked))
    tokens = exchange(client, key, came["code"]).json
    claims = id_token(client, tokens)

    known_as = given(identity.subject_for, me, identity.body_audience(key.app.body_id))
    assert came["state"] == "s-1"
    assert (claims["sub"], claims["aud"], claims["nonce"]) == (known_as, [key.key_id], "n-0001")
    assert claims["iss"] == client.get("/.well-known/openid-configuration").json["issuer"]
    assert claims["acr"] == "urn:gd-hall:level:1"
    assert "name" not in claims


def test_who_is_not_signed_in_is_asked_to_and_comes_back(client, key):
    asked = a_request(key)

    answer = client.get(asked)

    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer.location).query)["return_to"] == [asked]


def test_a_code_is_good_for_one_exchange_and_its_token_dies_when_it_comes_again(client, browser, key):
    code = back(browser.get(a_request(key)))["code"]
    bearer = {"Authorization": f"Bearer {exchange(client, key, code).json['access_token']}"}
    before = client.get(USERINFO, headers=bearer).status_code

    again = exchange(client, key, code)

    assert (again.status_code, again.json["error"]) == (400, "invalid_grant")
    assert (before, client.get(USERINFO, headers=bearer).status_code) == (200, 401)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        pytest.param({"code_verifier": "w" * 64}, "invalid_grant", id="another verifier"),
        pytest.param({"code_verifier": ""}, "invalid_request", id="no verifier"),
        pytest.param({"redirect_uri": "https://app.example.gov.cn/other"}, "invalid_grant", id="address"),
        pytest.param({"secret": "wrong"}, "invalid_client", id="secret"),
        pytest.param({"grant_type": "password"}, "unsupported_grant_type", id="grant"),
    ],
)
def test_a_code_is_exchanged_only_by_whom_it_was_given_to(client, browser, key, changed, error):
    code = back(browser.get(a_request(key)))["code"]

    answer = exchange(client, key, code, **changed)

    assert answer.status_code in (400, 401)
    assert answer.json["error"] == error


def test_another_application_cannot_exchange_a_code(client, browser, given, key):
    other = given(a_key, stage=Stage.PRODUCTION, name="另一个应用")
    code = back(browser.get(a_request(key)))["code"]

    assert exchange(client, other, code).json["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"redirect_uri": "https://evil.example.com/back"}, id="address of somebody else"),
        pytest.param({"redirect_uri": f"{CALLBACK}/deeper"}, id="address below"),
        pytest.param({"client_id": "gdp_unknown"}, id="application"),
        pytest.param({"client_id": ""}, id="no application"),
    ],
)
def test_nobody_is_sent_to_an_address_that_was_not_registered(browser, key, changed):
    answer = browser.get(a_request(key, **changed))

    assert answer.status_code == 422
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        pytest.param({"code_challenge": ""}, "invalid_request", id="no challenge"),
        pytest.param({"code_challenge_method": "plain"}, "invalid_request", id="challenge in clear"),
        pytest.param({"response_type": "token"}, "unsupported_response_type", id="token in the address"),
        pytest.param({"scope": "wages"}, "invalid_scope", id="scope"),
        pytest.param({"nonce": ""}, "invalid_request", id="no nonce"),
    ],
)
def test_an_application_is_told_what_its_request_lacks(browser, key, changed, error):
    answer = browser.get(a_request(key, **changed))

    told = back(answer)["error"] if answer.status_code == 302 else answer.text
    assert error in told


@pytest.mark.parametrize("name", ["response_type", "redirect_uri"])
@pytest.mark.parametrize("given_value", ["\x00", "²", "a\nb"])
def test_characters_that_no_answer_may_hold_are_refused_in_words(browser, key, name, given_value):
    answer = browser.get(a_request(key, **{name: given_value}))

    assert answer.status_code == 422


def test_a_nonce_is_taken_once(browser, key):
    asked = a_request(key, nonce="n-twice-1")
    back(browser.get(asked))

    again = browser.get(asked)

    assert again.status_code == 422 or "error" in back(again)


def test_without_asking_is_possible_only_where_nothing_has_to_be_asked(client, browser, key):
    stranger = client.get(a_request(key, prompt="none"))
    known = browser.get(a_request(key, prompt="none"))

    assert back(stranger)["error"] == "login_required"
    assert "code" in back(known)


def test_a_higher_level_is_proved_first(browser, key):
    answer = browser.get(a_request(key, acr_values="urn:gd-hall:level:2"))

    assert answer.status_code == 302
    assert urlsplit(answer.location).path == "/me/verify"
    assert "level=2" in answer.location


def test_name_and_number_are_read_after_consent_and_until_it_ends(app, client, given, key):
    me = given(a_named_person)
    browser = signed_in(app, given, me)
    asked = a_request(key, scope="openid profile")
    question = browser.get(asked)

    answer = submit(browser, asked, answer="yes", purpose_version="1")
    tokens = exchange(client, key, led_back(answer)["code"]).json
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    told = client.get(USERINFO, headers=bearer).json
    (consent,) = given(service.consents_of, me, now=clock.system_clock())
    given(service.end_consent, me, consent.id, now=clock.system_clock())

    real = given(identity.real_name, me)
    assert "登录时读取您的姓名和证件号码" in question.text
    assert (told["name"], told["id_number"]) == (real.name, real.number)
    assert [one.what for one in given(identity.uses, me)] == [oidc.NUMBER_USE]
    assert set(client.get(USERINFO, headers=bearer).json) == {"sub", "acr"}


def test_who_says_no_goes_back_with_that_answer(app, given, key):
    browser = signed_in(app, given, given(a_named_person))

    answer = submit(browser, a_request(key, scope="openid profile"), answer="no")

    assert led_back(answer)["error"] == "access_denied"


@pytest.mark.parametrize("read", ["7", "", "eins", "9" * 40])
def test_words_that_changed_meanwhile_are_not_agreed_to(app, given, key, read):
    browser = signed_in(app, given, given(a_named_person))

    answer = submit(browser, a_request(key, scope="openid profile"), answer="yes", purpose_version=read)

    assert answer.status_code == 409


def test_the_sandbox_signs_in_people_who_do_not_exist(client, given):
    key = given(a_key)
    asked = a_request(key)

    choice = client.get(asked)
    came = back(client.get(f"{asked}&hall_sample=2"))
    claims = id_token(client, exchange(client, key, came["code"]).json)

    assert "测试用户 2" in choice.text
    assert claims["acr"] == "urn:gd-hall:level:1"


def test_keys_are_changed_in_time_and_old_ones_stay_as_long_as_needed(app, given):
    at = clock.system_clock()
    first = given(oidc.signing_key, now=at)
    second = given(oidc.signing_key, now=at + oidc.KEY_LIFE * 1.01)

    both = given(oidc.public_keys, now=at + oidc.KEY_LIFE * 1.01)
    given(oidc.forget_over, now=at + oidc.KEY_KEPT * 1.01)
    left = given(oidc.public_keys, now=at + oidc.KEY_KEPT * 1.01)

    assert [one["kid"] for one in both] == [second.kid, first.kid]
    assert [one["kid"] for one in left] == [second.kid]


def test_an_application_learns_when_its_resident_signed_in(app, client, given, key, me):
    then = clock.system_clock() - timedelta(hours=1)
    browser = app.test_client()
    browser.set_cookie(SESSION, given(a_session, me, now=then).token)

    tokens = exchange(client, key, back(browser.get(a_request(key)))["code"]).json

    assert id_token(client, tokens)["auth_time"] == int(then.timestamp())


@pytest.mark.parametrize("asked", [{"max_age": "600"}, {"prompt": "login"}])
def test_who_signed_in_too_long_ago_signs_in_again(app, given, key, me, asked):
    then = clock.system_clock() - timedelta(minutes=11)
    browser = app.test_client()
    browser.set_cookie(SESSION, given(a_session, me, now=then).token)

    answer = browser.get(a_request(key, **asked))

    assert urlsplit(answer.location).path == "/me/sign-in"
    assert browser.get(answer.location).status_code == 200
    assert "code" in back(signed_in(app, given, me).get(a_request(key, **asked)))


def test_an_application_that_may_not_ask_is_told_that_its_resident_must_sign_in_again(app, given, key, me):
    then = clock.system_clock() - timedelta(minutes=11)
    browser = app.test_client()
    browser.set_cookie(SESSION, given(a_session, me, now=then).token)

    assert back(browser.get(a_request(key, prompt="none", max_age="600")))["error"] == "login_required"


def test_a_code_of_a_closed_account_is_worth_nothing(client, browser, given, key, me):
    code = back(browser.get(a_request(key)))["code"]

    given(identity.close, me, now=clock.system_clock())

    assert exchange(client, key, code).json["error"] == "invalid_grant"


@pytest.mark.parametrize("told", ["Basic /////w==", "Basic", "Basic %%%", "Basic Z2Rw", "Bearer x"])
def test_a_secret_that_cannot_be_read_is_refused(client, key, told):
    answer = client.post(TOKEN, data={"grant_type": "authorization_code"}, headers={"Authorization": told})

    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


def test_a_scope_that_is_asked_for_many_times_is_given_once(client, browser, key):
    came = back(browser.get(a_request(key, scope="openid " * 16)))

    assert exchange(client, key, came["code"]).json["scope"] == "openid"


def test_the_sandbox_offers_its_people_whatever_the_address_holds(client, given):
    asked = a_request(given(a_key)).partition("?")[2]

    answer = client.get(AUTHORIZE, environ_overrides={"QUERY_STRING": f"{asked}&hall_sample=x&more=\xff"})
    way = unescape(re.search(r'href="(\?[^"]*hall_sample=1)"', answer.text)[1])

    assert "code" in back(client.get(f"{AUTHORIZE}{way}"))


def test_a_request_that_is_too_long_is_too_long_for_everybody(client, browser, key):
    asked = a_request(key, state="s" * 500)

    assert [one.get(asked).status_code for one in (client, browser)] == [422, 422]
