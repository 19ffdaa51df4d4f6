"""The JSON API of residents, as a mini program uses it."""

from __future__ import annotations

import pytest

from app.core import clock
from app.identity import service
from app.identity.domain import CODE_MAX
from app.identity.models import Resident, ResidentSession
from tests.api.walk import wrong_with
from tests.app.identity.builders import (
    OPENID,
    UNION,
    a_bearer,
    a_code,
    a_mini_program,
    a_platform,
    a_resident,
    an_account,
    rows,
)

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
MINI = "/api/v1/sign-in/mini"


@pytest.fixture(scope="module")
def platform():
    with a_platform() as running:
        yield running


@pytest.fixture
def mini(given, platform):
    return given(a_mini_program, platform)


def enter(client, code, account="test-mini"):
    return client.post(MINI, json={"account": account, "code": code})


def bearer_of(answer):
    return {"Authorization": f"Bearer {answer.json['token']}"}


def test_a_mini_program_signs_in_with_a_code(client, mini, app):
    answer = enter(client, a_code(union=UNION))
    mine = client.get("/api/v1/my", headers=bearer_of(answer))

    assert (answer.status_code, answer.json["token"][:2], "Set-Cookie" in answer.headers) == (
        201,
        "r_",
        False,
    )
    assert (mine.json["level"], mine.json["phone"]) == (1, "")
    assert [one["kind"] for one in mine.json["bindings"]] == ["wechat_mini"]
    assert mine.headers["Cache-Control"] == "no-store"


@on_sqlite
def test_page_and_mini_program_of_one_platform_are_one_account(client, mini, given, app):
    by_page = given(a_resident, given(an_account), union=UNION)

    enter(client, a_code("oInMini", UNION))

    with app.app_context():
        assert service.resident_for(mini.id, "oInMini") == by_page


@on_sqlite
def test_a_code_is_worth_one_sign_in(client, mini, app):
    code = a_code()
    enter(client, code)

    again = enter(client, code)

    assert (again.status_code, again.json["code"]) == (422, "sign_in_code_refused")
    with app.app_context():
        assert rows(ResidentSession) == 1


REFUSED = [
    pytest.param({"account": "test-mini", "code": "bad"}, 422, "sign_in_code_refused", id="made up"),
    pytest.param({"account": "test-mini", "code": "away"}, 503, "platform_away", id="platform away"),
    pytest.param({"account": "nobody", "code": "x"}, 404, "not_found", id="no such account"),
    pytest.param({"account": "test-wechat", "code": "x"}, 422, "sign_in_impossible", id="no mini program"),
    pytest.param({"account": "test-mini", "code": "x" * (CODE_MAX + 1)}, 422, "invalid", id="oversized"),
    pytest.param({"account": "test-mini", "code": "a\x00"}, 422, "invalid", id="NUL"),
    pytest.param({"account": "test-mini", "code": "码"}, 422, "sign_in_code_refused", id="not ASCII"),
    pytest.param({"account": "test-mini", "code": ""}, 422, "invalid", id="empty"),
    pytest.param({"account": "test-mini"}, 422, "invalid", id="without code"),
    pytest.param({"account": ["test-mini"], "code": {}}, 422, "invalid", id="of other types"),
    pytest.param([], 422, "invalid", id="no object"),
]


@on_sqlite
@pytest.mark.parametrize(("body", "status", "code"), REFUSED)
def test_what_is_no_sign_in_is_refused_with_its_code(client, mini, given, app, body, status, code):
    given(an_account)

    answer = client.post(MINI, json=body)

    assert wrong_with(answer) == []
    assert (answer.status_code, answer.json["code"]) == (status, code)
    with app.app_context():
        assert rows(Resident) == 0


@on_sqlite
def test_half_a_character_is_refused(client, mini):
    body = b'{"account": "test-mini", "code": "\\ud800"}'

    answer = client.post(MINI, data=body, content_type="application/json")

    assert (answer.status_code, wrong_with(answer)) == (400, [])


@on_sqlite
def test_a_phone_number_is_taken_from_the_platform_and_shown_masked(client, mini):
    bearer = bearer_of(enter(client, a_code()))

    kept = client.post("/api/v1/my/phone", json={"code": "phone"}, headers=bearer)
    forgotten = client.delete("/api/v1/my/phone", headers=bearer)

    assert (kept.status_code, kept.json["phone"]) == (200, "0******5")
    assert (forgotten.status_code, client.get("/api/v1/my", headers=bearer).json["phone"]) == (204, "")


@on_sqlite
def test_a_phone_number_that_the_platform_does_not_give_is_none(client, mini):
    bearer = bearer_of(enter(client, a_code()))

    answer = client.post("/api/v1/my/phone", json={"code": "other"}, headers=bearer)

    assert (answer.status_code, answer.json["code"]) == (422, "phone_refused")


@on_sqlite
def test_an_official_account_gives_no_phone_numbers(client, given):
    bearer = given(a_bearer, given(a_resident))

    answer = client.post("/api/v1/my/phone", json={"code": "phone"}, headers=bearer)

    assert (answer.status_code, answer.json["code"]) == (422, "sign_in_impossible")


@on_sqlite
def test_a_binding_is_taken_away_but_not_the_last_one(client, mini, given):
    resident_id = given(a_resident, given(an_account), union=UNION)
    bearer = bearer_of(enter(client, a_code("oInMini", UNION)))
    first, last = (one["id"] for one in client.get("/api/v1/my/bindings", headers=bearer).json)

    gone = client.delete(f"/api/v1/my/bindings/{first}", headers=bearer)
    kept = client.delete(f"/api/v1/my/bindings/{last}", headers=bearer)

    assert resident_id
    assert (gone.status_code, kept.status_code, kept.json["code"]) == (204, 409, "last_binding")


@on_sqlite
def test_nothing_of_another_resident_can_be_touched(app, client, given):
    account = given(an_account)
    stranger, bearer = given(a_resident, account), given(a_bearer, given(a_resident, account, subject="oMe"))
    with app.app_context():
        binding = service.bindings(stranger)[0].id
    given(a_bearer, stranger)
    with app.app_context():
        session = service.sessions(stranger, now=clock.system_clock())[0].id

    answers = [
        client.delete(f"/api/v1/my/{kind}/{key}", headers=bearer)
        for kind, key in (("bindings", binding), ("sessions", session), ("bindings", 2**63 - 1))
    ]

    assert [one.status_code for one in answers] == [404, 404, 404]


@on_sqlite
def test_closing_the_account_ends_everything(client, mini, app):
    bearer = bearer_of(enter(client, a_code()))

    closed = client.delete("/api/v1/my", headers=bearer)

    assert (closed.status_code, client.get("/api/v1/my", headers=bearer).status_code) == (204, 401)
    with app.app_context():
        assert service.resident_for(mini.id, OPENID) is None
