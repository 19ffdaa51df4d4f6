"""The sandbox's provider of real-name checks: what it answers, and what it does not answer at all."""

from __future__ import annotations

import hmac
import json
import secrets
import time
from hashlib import sha256

import pytest
import requests
from flask import Flask

from sandbox import config, register
from sandbox.config import SandboxConfig, Verification
from sandbox.pages.outage import Outage
from sandbox.web import create_app
from sandbox.world import World
from tests.sandbox.builders import raw_config
from tests.sandbox.servers import served

HALL = "http://127.0.0.1:8000"
TOLD = Verification("hall-test", "s" * 40)
CHEN = {"kind": "1", "number": "44539919620315001X", "name": "陈样例"}


@pytest.fixture(scope="module")
def base():
    world = World(SandboxConfig(HALL, (), verification=TOLD), time.time)
    with served(create_app(world, Outage(world.config.outage, time.time))) as address:
        yield f"{address}/real-name"
        world.stopping.set()


def signed(path, body, *, secret=TOLD.secret, **changes):
    args = {"app": TOLD.app, "time": str(int(time.time())), "nonce": secrets.token_hex(8), **changes}
    said = "\n".join(("POST", path, args["app"], args["time"], args["nonce"], sha256(body).hexdigest()))
    return {**args, "sign": hmac.new(secret.encode(), said.encode(), sha256).hexdigest()}


def ask(base, path, asked, **changes):
    body = json.dumps(asked).encode()
    return requests.post(base + path, params=signed(path, body, **changes), data=body, timeout=5)


def told(answer):
    return json.loads(answer.json()["answer"])


@pytest.mark.parametrize(
    ("asked", "result"),
    [
        pytest.param(CHEN, "match", id="as in the register"),
        pytest.param({**CHEN, "name": "李演示"}, "mismatch", id="another's name"),
        pytest.param({**CHEN, "kind": "2"}, "not_found", id="another kind of card"),
        pytest.param({}, "not_found", id="nothing"),
    ],
)
def test_it_answers_as_its_register_stands(base, asked, result):
    assert told(ask(base, "/v1/person", asked)) == {"result": result}


def test_the_answer_is_signed_for_the_question(base):
    body = json.dumps(CHEN).encode()
    params = signed("/v1/person", body)

    answer = requests.post(f"{base}/v1/person", params=params, data=body, timeout=5).json()

    said = f"{params['nonce']}\n{answer['answer']}"
    assert answer["sign"] == hmac.new(TOLD.secret.encode(), said.encode(), sha256).hexdigest()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"secret": "x" * 40}, id="another secret"),
        pytest.param({"app": "another"}, id="another app"),
        pytest.param({"time": "1"}, id="long ago"),
        pytest.param({"time": "soon"}, id="no time"),
    ],
)
def test_a_question_of_others_is_not_answered(base, changes):
    assert ask(base, "/v1/person", CHEN, **changes).status_code == 401


def test_a_question_is_answered_once(base):
    body = json.dumps(CHEN).encode()
    params = signed("/v1/person", body)

    answers = [requests.post(f"{base}/v1/person", params=params, data=body, timeout=5) for _ in range(2)]

    assert [one.status_code for one in answers] == [200, 401]


def test_a_face_check_goes_to_its_page_and_back_to_the_hall(base):
    begun = told(ask(base, "/v1/face", {**CHEN, "return_url": f"{HALL}/back?state=s"}))
    asked = {"reference": begun["reference"]}

    assert told(ask(base, "/v1/face/result", asked)) == {"result": "pending"}
    page = requests.post(begun["url"], data={"face": "own"}, timeout=5)

    assert f'href="{HALL}/back?state=s"' in page.text
    assert told(ask(base, "/v1/face/result", asked)) == {"result": "passed"}
    assert CHEN["number"] not in begun["url"] + page.text


def test_a_face_check_leads_back_to_the_hall_only(base):
    answer = ask(base, "/v1/face", {**CHEN, "return_url": "http://127.0.0.1:8000.evil.example/"})

    assert answer.status_code == 422


def test_a_provider_that_is_away_says_so(base):
    away = next(one for one in register.CITIZENS if one.trait == register.AWAY)

    assert ask(base, "/v1/person", {"kind": "1", "number": away.number, "name": away.name}).status_code == 503


def test_enterprises_are_their_representatives(base):
    mine = {"uscc": "91445399MA05AMPL7U", "name": "广东样例科技有限公司", "legal_number": CHEN["number"]}

    assert told(ask(base, "/v1/enterprise", mine)) == {"result": "match"}
    assert told(ask(base, "/v1/enterprise", {**mine, "legal_number": "1"})) == {"result": "mismatch"}


def test_without_an_agreement_there_is_no_provider():
    world = World(SandboxConfig(HALL, ()), time.time)
    app: Flask = create_app(world, Outage(world.config.outage, time.time))

    assert app.test_client().post("/real-name/v1/person").status_code == 404


@pytest.mark.parametrize("raw", ["x", {}, {"app": "a"}, {"app": "a", "secret": " "}])
def test_an_agreement_that_is_none_is_told(raw):
    with pytest.raises(config.ConfigError) as caught:
        config.parse(raw_config([], verification=raw))

    assert "verification" in str(caught.value)
