"""Signed calls over HTTP: who is let in, how often, and what a refusal says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core import clock, db
from app.third_parties import admitting, service
from app.third_parties.models import Nonce, Usage
from app.third_parties.service import AppEvent, Quota, Scope, Stage
from tests.app.third_parties.builders import OPEN, a_key, an_app
from tests.builders import a_principal

LITE = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def code(answer):
    return answer.status_code, answer.json["code"]


@LITE
def test_a_signed_call_says_who_one_is_and_what_is_left(client, given):
    key = given(a_key)

    answer = key.call(client, "GET", "/self")

    assert (answer.json["name"], answer.json["stage"]) == ("居住证助手", "sandbox")
    assert answer.headers["RateLimit-Policy"] == '"minute";q=60;w=60, "day";q=5000;w=86400'
    assert answer.headers["RateLimit"].startswith('"minute";r=59;t=')
    assert '"day";r=4999;t=' in answer.headers["RateLimit"]


@LITE
def test_whoever_does_not_sign_is_told_how(client, app):
    answer = client.get(f"{OPEN}/self")

    assert code(answer) == (401, "signature_missing")
    assert answer.headers["WWW-Authenticate"] == 'Signature realm="hall"'


@LITE
def test_no_token_of_staff_opens_it(client, given):
    staff = given(a_principal, "system_administrator")

    answer = client.get(f"{OPEN}/self", headers={"Authorization": f"Bearer {staff.actor}"})

    assert code(answer) == (401, "signature_missing")


@LITE
def test_another_secret_another_clock_and_another_body_are_told_apart(client, given):
    key, late = given(a_key), clock.system_clock() - timedelta(seconds=130)
    body = b'{"sample": 1}'
    headers = key.headers("POST", f"{OPEN}/sandbox/tickets", body)

    wrong = key.call(client, "GET", "/self", secret="another")
    old = key.call(client, "GET", "/self", at=late)
    other = client.post(f"{OPEN}/sandbox/tickets", data=b'{"sample": 2}', headers=headers)

    assert [code(one) for one in (wrong, old, other)] == [
        (401, "signature_wrong"),
        (401, "clock_skew"),
        (401, "digest_wrong"),
    ]
    assert "慢 13" in old.json["detail"]


@LITE
def test_the_query_is_signed_as_it_was_sent(client, given):
    key = given(a_key)
    url = f"{OPEN}/pages?query=%E6%88%B7%E5%8F%A3&limit=5"

    good = client.get(url, headers=key.headers("GET", url))
    moved = client.get(f"{OPEN}/pages?limit=5", headers=key.headers("GET", url))

    assert good.json["items"] == []
    assert code(moved) == (401, "signature_wrong")


@LITE
def test_bytes_that_are_no_address_do_not_pass_for_the_letter_that_was_signed(client, given):
    key = given(a_key)
    headers = key.headers("GET", f"{OPEN}/pages?query=%C3%A4")

    other = client.get(f"{OPEN}/pages", headers=headers, environ_overrides={"QUERY_STRING": "query=\xe4"})

    assert code(other) == (401, "signature_wrong")


@LITE
def test_the_same_request_twice_is_refused_the_second_time(client, given):
    key = given(a_key)
    headers = key.headers("GET", f"{OPEN}/self")

    first = client.get(f"{OPEN}/self", headers=headers)
    again = client.get(f"{OPEN}/self", headers=headers)

    assert first.status_code == 200
    assert code(again) == (401, "nonce_reused")


@LITE
def test_who_sends_a_request_of_another_again_uses_no_quota_up(client, given):
    key, boss = given(a_key), given(a_principal, "system_administrator")
    given(service.set_quota, boss, key.app.id, Stage.SANDBOX, Quota(3, 100))
    headers = key.headers("GET", f"{OPEN}/self")

    for _ in range(10):
        client.get(f"{OPEN}/self", headers=headers)

    assert key.call(client, "GET", "/self").headers["RateLimit"].startswith('"minute";r=1;')


def test_of_ten_equal_requests_at_once_one_is_let_in(app, given, tables):
    key = given(a_key)
    headers = key.headers("GET", f"{OPEN}/self")

    def send(_number):
        return app.test_client().get(f"{OPEN}/self", headers=headers).status_code

    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(send, range(10)))

    assert sorted(found) == [200] + [401] * 9
    with app.app_context():
        assert db.session().scalars(select(Usage.count)).all() == [1]


@LITE
def test_another_key_may_use_the_same_nonce(client, given):
    one, other = given(a_key), given(a_key, name="另一个")

    found = [key.call(client, "GET", "/self", nonce="same-nonce").status_code for key in (one, other)]

    assert found == [200, 200]


@LITE
def test_a_revoked_key_ends_at_once_and_the_other_goes_on(client, given):
    old = given(a_key)
    new, boss = given(a_key, old.app), given(a_principal, "system_administrator")
    given(service.revoke_key, boss, old.app.id, old.key, now=clock.system_clock())

    found = [key.call(client, "GET", "/self").status_code for key in (old, new)]

    assert found == [401, 200]


@LITE
def test_keys_overlap_while_programs_change_over(client, given):
    old, boss = given(a_key), given(a_principal, "system_administrator")
    now = clock.system_clock()
    given(service.rotate_keys, boss, old.app.id, Stage.SANDBOX, now=now)

    with client.application.app_context():
        ends = {key.key_id: key.not_after for key in service.keys_of(old.app.id, now=now)}

    assert old.call(client, "GET", "/self").status_code == 200
    assert ends.pop(old.key_id) == now + timedelta(days=7)
    assert list(ends.values()) == [now + timedelta(days=365)]


@LITE
def test_a_key_outside_its_time_is_unknown(client, given):
    key, boss = given(a_key), given(a_principal, "system_administrator")
    now = clock.system_clock()
    short = given(service.issue_key, boss, key.app.id, Stage.SANDBOX, now=now, life=timedelta(0))

    answer = type(key)(key.app, short.view.id, short.view.key_id, short.secret).call(client, "GET", "/self")

    assert code(answer) == (401, "key_unknown")


@LITE
def test_what_was_not_granted_is_forbidden_in_production_and_tried_out_in_the_sandbox(client, given):
    app = given(an_app, approved=True, scopes=(Scope.SSO, Scope.PAGES_READ))
    sandbox, real = given(a_key, app), given(a_key, app, Stage.PRODUCTION)
    boss = given(a_principal, "system_administrator")
    given(service.ask_scopes, boss, app.id, [Scope.WEBHOOKS], now=clock.system_clock())

    found = [key.call(client, "GET", "/webhooks").status_code for key in (sandbox, real)]
    given(service.decide_scope, boss, app.id, Scope.WEBHOOKS, grant=True, now=clock.system_clock())
    after = real.call(client, "GET", "/webhooks").status_code
    given(service.decide_scope, boss, app.id, Scope.WEBHOOKS, grant=False, now=clock.system_clock())

    assert (found, after) == ([200, 403], 200)
    assert real.call(client, "GET", "/webhooks").status_code == 403


@LITE
def test_a_suspended_application_is_out_at_once_and_in_again_when_resumed(client, given):
    app = given(an_app, approved=True)
    key, boss = given(a_key, app, Stage.PRODUCTION), given(a_principal, "system_administrator")

    def move(event, version):
        now = clock.system_clock()
        return given(service.advance, boss, app.id, event, version=version, now=now, reason="调用异常")

    version = move(AppEvent.SUSPEND, app.version).version
    out = key.call(client, "GET", "/self")
    move(AppEvent.RESUME, version)

    assert code(out) == (403, "app_not_open")
    assert key.call(client, "GET", "/self").status_code == 200


@LITE
def test_the_minute_is_limited_and_the_answer_says_when_to_come_back(client, given):
    key, boss = given(a_key), given(a_principal, "system_administrator")
    given(service.set_quota, boss, key.app.id, Stage.SANDBOX, Quota(2, 100))

    found = [key.call(client, "GET", "/self") for _ in range(3)]

    assert [one.status_code for one in found] == [200, 200, 429]
    assert code(found[2]) == (429, "quota_used_up")
    assert 1 <= int(found[2].headers["Retry-After"]) <= 60
    assert found[2].headers["RateLimit"].startswith('"minute";r=0;t=')


def test_the_day_is_counted_exactly_also_by_many_at_once(app, given, tables):
    key, boss = given(a_key), given(a_principal, "system_administrator")
    given(service.set_quota, boss, key.app.id, Stage.SANDBOX, Quota(100, 7))

    def send(_number):
        return key.call(app.test_client(), "GET", "/self").status_code

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(send, range(12)))

    assert (found.count(200), found.count(429)) == (7, 5)
    with app.app_context():
        today = service.usage(key.app.id, Stage.SANDBOX, today=clock.day_of(clock.system_clock()))[-1]
        assert (today.count, today.refused) == (7, 5)


@LITE
def test_nonces_are_forgotten_when_their_time_has_passed(client, given):
    key = given(a_key)
    key.call(client, "GET", "/self")
    later = clock.system_clock() + timedelta(minutes=6)

    def nonces():
        with client.application.app_context():
            return len(db.session().scalars(select(Nonce.digest)).all())

    before = nonces()
    given(admitting.forget_old, now=later)

    assert (before, nonces()) == (1, 0)


BODIES = [b"", b"{", b"null", b"[]", b"\xff", b'{"sample": "1"}', b'{"sample": 0}', b'{"sample": 1, "x": 1}']


@LITE
@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_does_not_fit_is_refused_after_its_signature_was_right(client, given, body):
    key = given(a_key)
    url = f"{OPEN}/sandbox/tickets"

    answer = client.post(url, data=body, headers=key.headers("POST", url, body))

    assert answer.status_code in (400, 415, 422)
    assert answer.mimetype == "application/problem+json"
