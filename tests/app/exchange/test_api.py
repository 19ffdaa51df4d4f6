"""The exchange over HTTP: addresses, receipts, batches, and what is sent by hand."""

from __future__ import annotations

import hashlib
import json

import pytest

from app.exchange.service import Kind, SystemState
from app.third_parties.service import Scope, Stage
from tests.app.exchange.builders import PATH, a_body_of, a_system, without_quota
from tests.app.third_parties.builders import a_key

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture
def docked(given):
    made = given(a_system)
    given(without_quota, made, Stage.PRODUCTION)
    return made


def address(docked, sptype=0, seq=1, query="?version=1", number="GZ-1"):
    return f"{PATH}/cases/{docked.code}/{number}/messages/{sptype}/{seq}{query}"


def sha(said):
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_receipt_can_be_reckoned_by_the_sender(client, docked):
    body = a_body_of(Kind.SB, docked.item_code, "GZ-1")

    receipt = docked.put(client, "GZ-1", Kind.SB, 1, body).json

    names = ("digest", "received_at", "sblsh", "seq", "sptype", "state")
    said = {**{name: receipt[name] for name in names}, "data_version": receipt["version"]}
    assert (receipt["digest"], receipt["hash"]) == (sha(body), sha(said))


def test_faults_come_with_code_name_and_what_to_do(client, docked):
    answer = docked.put(client, "GZ-1", Kind.SL, 2, SLZTDM="9")

    assert (answer.status_code, answer.json["code"]) == (422, "message_invalid")
    (fault,) = answer.json["errors"]["SLZTDM"]
    assert (fault["code"], fault["name"]) == ("unknown_code", "受理状态代码")
    assert fault["text"] == "代码只能是：1 受理、2 不受理"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param('{"SXMC": "居住证"}'.encode("gbk"), 400, id="not UTF-8"),
        pytest.param(b"{", 400, id="no JSON"),
        pytest.param(b'{"SXBM": "1", "SXBM": "2"}', 400, id="a name twice"),
        pytest.param(rb'{"SXMC": "\ud800"}', 400, id="half a letter"),
        pytest.param(b"[" * 9000, 400, id="too deep"),
        pytest.param(b"[]", 422, id="a list"),
        pytest.param(b'"text"', 422, id="a text"),
        pytest.param(b"{}", 422, id="nothing"),
        pytest.param(b'{"SXMC": {"a": [1, null]}}', 422, id="things inside things"),
        pytest.param(b'{"BZ": "' + b"a" * 70_000 + b'"}', 422, id="above 64 KB"),
        pytest.param(b'{"BZ": "' + b"a" * 300_000 + b'"}', 413, id="above what the hall reads"),
    ],
)
def test_bodies_made_by_hand_are_refused(client, docked, body, status):
    answer = docked.call(client, "PUT", address(docked), body)

    assert answer.status_code == status
    assert answer.json["code"]


@pytest.mark.parametrize(
    ("where", "status"),
    [
        pytest.param({"sptype": 10}, 404, id="an eleventh message"),
        pytest.param({"seq": 0}, 404, id="place 0"),
        pytest.param({"seq": 10_000}, 404, id="a place too far"),
        pytest.param({"query": ""}, 422, id="no version"),
        pytest.param({"query": "?version=0"}, 422, id="version 0"),
        pytest.param({"query": "?version=99999999999999999999"}, 422, id="an enormous version"),
        pytest.param({"number": "a" * 51}, 404, id="a number too long"),
        pytest.param({"number": "-1"}, 404, id="a number that begins with a sign"),
    ],
)
def test_addresses_that_cannot_be_are_refused(client, docked, where, status):
    said = a_body_of(Kind.SB, docked.item_code, "GZ-1")

    assert docked.call(client, "PUT", address(docked, **where), said).status_code == status


def test_a_batch_answers_for_each_message(client, docked):
    def one(number, kind, seq, **changed):
        body = a_body_of(kind, docked.item_code, number, **changed)
        return {"sblsh": number, "sptype": int(kind), "seq": seq, "version": 1, "body": body}

    messages = [
        one("GZ-1", Kind.BJ, 3),
        one("GZ-1", Kind.SB, 1),
        one("GZ-1", Kind.SL, 2),
        one("GZ-2", Kind.SB, 1, SQRMC=None),
        one("440100260302300000015", Kind.SL, 1),
    ]
    answer = docked.call(client, "POST", f"/cases/{docked.code}/messages", {"messages": messages})

    results = answer.json["results"]
    assert [one["status"] for one in results[:4]] == [202, 201, 201, 422]
    assert results[4]["status"] in (202, 404)
    assert "SQRMC" in results[3]["problem"]["errors"]
    assert docked.call(client, "GET", f"/cases/{docked.code}/GZ-1").json["state"] == "completed"


def test_a_batch_too_long_is_refused_whole(client, docked):
    one = {"sblsh": "GZ-1", "sptype": 0, "seq": 1, "version": 1, "body": {}}

    answer = docked.call(client, "POST", f"/cases/{docked.code}/messages", {"messages": [one] * 51})

    assert answer.status_code == 422


def test_the_state_of_a_held_message_can_be_asked_for(client, docked):
    docked.put(client, "GZ-1", Kind.BJ, 3)

    found = docked.call(client, "GET", address(docked, 4, 3, ""))
    none = docked.call(client, "GET", address(docked, 4, 4, ""))

    assert (found.json["state"], found.json["findings"][0]["text"]) == ("quarantined", "缺少第 1 号报文")
    assert none.status_code == 404


def test_the_test_environment_moves_no_real_case(client, given):
    docked = given(a_system, state=SystemState.TESTING, stage=Stage.SANDBOX)

    answer = docked.put(client, "T-1", Kind.SB, 1)

    assert answer.status_code == 201
    assert docked.call(client, "GET", f"/cases/{docked.code}/T-1").json["state"] == "submitted"


def test_a_suspended_system_is_told_so(client, given):
    docked = given(a_system, state=SystemState.SUSPENDED)

    answer = docked.put(client, "GZ-1", Kind.SB, 1)

    assert (answer.status_code, answer.json["code"]) == (403, "system_not_live")


def test_an_application_without_the_scope_stays_outside(client, given, docked):
    key = given(a_key, None, Stage.PRODUCTION, scopes=(Scope.SSO,))
    url = f"{PATH}/systems/{docked.code}"

    answer = client.get(url, headers=key.headers("GET", url))

    assert (answer.status_code, answer.json["detail"]) == (403, "没有开通 exchange")


def test_answers_say_what_is_left_of_the_quota(client, docked):
    answer = docked.call(client, "GET", f"/systems/{docked.code}")

    assert answer.json["state"] == "live"
    assert 'minute";r=' in answer.headers["RateLimit"]
