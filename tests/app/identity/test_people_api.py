"""The JSON API of who one is, as a mini program calls it."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from app.core import clock, db
from app.identity import service
from tests.app.identity.builders import a_bearer, a_resident, an_account
from tests.app.identity.people_builders import (
    AWAY,
    CHEN,
    COMPANY,
    LI,
    NUMBERS,
    UNKNOWN,
    a_person,
    a_register,
    set_up,
)

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
NOW = clock.system_clock


@pytest.fixture(scope="module")
def register():
    with a_register() as running:
        yield running


@pytest.fixture
def hall(app, register, tables):
    with set_up(app, register):
        yield app


class Program:
    """A mini program that somebody is signed in to."""

    def __init__(self, hall, given, resident_id):
        self._client, self.id = hall.test_client(), resident_id
        self._headers = given(a_bearer, resident_id)

    def get(self, path):
        return self._client.get(f"/api/v1/my{path}", headers=self._headers)

    def post(self, path, sent=None, **headers):
        return self._client.post(f"/api/v1/my{path}", json=sent, headers={**self._headers, **headers})


def a_newcomer(hall, given):
    return Program(hall, given, given(a_resident, given(an_account)))


def a_known(hall, given, register, person=CHEN):
    with hall.app_context():
        resident_id = a_person(register.provider(), person)
    return Program(hall, given, resident_id)


def asked(person):
    kind, number, name = person
    return {"kind": kind.value, "number": number, "name": name}


def test_a_name_is_proved_and_the_answer_holds_masks(hall, given):
    program = a_newcomer(hall, given)

    before = program.get("/verification").json
    after = program.post("/verification", asked(CHEN)).json

    assert (before["level"], before["offered"], before["person"]) == (1, True, None)
    assert (after["level"], after["person"]["number_masked"]) == (2, "445*************1X")


def test_a_level_too_low_says_which_is_needed_and_where_to_get_it(hall, given):
    answer = a_newcomer(hall, given).get("/delegations")

    assert (answer.status_code, answer.json["code"]) == (403, "level_too_low")
    assert (answer.json["level_needed"], answer.json["step_up"]) == (2, "/me/verify?level=2")


@pytest.mark.parametrize(
    ("person", "status", "code"),
    [
        pytest.param((*CHEN[:2], "李演示"), 422, "name_refused", id="another's name"),
        pytest.param(UNKNOWN, 422, "person_unknown", id="unknown"),
        pytest.param(AWAY, 503, "verification_away", id="away"),
        pytest.param((CHEN[0], "12", CHEN[2]), 422, "invalid", id="no number"),
    ],
)
def test_each_refusal_has_its_code(hall, given, person, status, code):
    answer = a_newcomer(hall, given).post("/verification", asked(person))

    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_too_many_tries_are_told_when_to_come_back(hall, given):
    program = a_newcomer(hall, given)
    for _ in range(5):
        program.post("/verification", asked(UNKNOWN))

    answer = program.post("/verification", asked(UNKNOWN))

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 3600


@pytest.mark.parametrize("sent", [{}, {"kind": "3"}, {"kind": "1", "number": 5, "name": "x"}, [], "x"])
def test_what_is_no_request_is_refused(hall, given, sent):
    assert a_newcomer(hall, given).post("/verification", sent).status_code == 422


def test_a_face_check_ends_with_six_digits(hall, given, register, client):
    program = a_known(hall, given, register)
    task = program.post("/verification/faces").json
    register.show_face(task["url"])
    back = list(register.api.faces.values())[-1].return_url.removeprefix("http://127.0.0.1:8000")

    page = client.get(back).text
    code = page.partition('translate="no"><b>')[2][:6]
    wrong = program.post(f"/verification/faces/{task['id']}", {"code": f"{(int(code) + 1) % 10**6:06}"})
    right = program.post(f"/verification/faces/{task['id']}", {"code": code})

    assert (wrong.status_code, right.status_code, right.json["level"]) == (422, 200, 3)


def test_anothers_face_check_is_gone(hall, given, register):
    task = a_known(hall, given, register).post("/verification/faces").json
    stranger = a_known(hall, given, register, LI)

    answer = stranger.post(f"/verification/faces/{task['id']}", {"code": "123456"})

    assert (answer.status_code, answer.json["code"]) == (422, "check_gone")


def test_two_accounts_agree_and_others_find_nothing(hall, given, register):
    first, second = a_known(hall, given, register), a_known(hall, given, register)
    stranger = a_known(hall, given, register, LI)
    link = first.get("/links").json[0]

    assert stranger.post(f"/links/{link['id']}/proof").status_code == 404
    assert first.post(f"/links/{link['id']}/proof").json["state"] == "proposed"
    assert second.post(f"/links/{link['id']}/proof").json["state"] == "proved"
    assert second.post(f"/links/{link['id']}/proof").status_code == 409


def test_an_enterprise_is_registered_and_may_be_acted_for(hall, given, register):
    program = a_known(hall, given, register)

    made = program.post("/enterprises", {"uscc": COMPANY[0].lower(), "name": COMPANY[1]})
    again = program.post("/enterprises", {"uscc": COMPANY[0], "name": COMPANY[1]})

    assert (made.status_code, made.json, again.json) == (201, program.get("/enterprises").json[0], made.json)
    principal = program.get("/principals").json
    assert [(one["kind"], one["id"]) for one in principal] == [("enterprise", made.json["id"])]


def an_offer(agent=LI, **changes):
    kind, number, name = agent
    made = {"kind": "agent", "agent_kind": kind.value, "agent_number": number, "agent_name": name}
    return {**made, "starts_on": "2099-01-01", "ends_on": "2099-06-01", **changes}


def test_a_delegation_is_given_once_however_often_it_is_sent(hall, given, register):
    program = a_known(hall, given, register)
    key = {"Idempotency-Key": "delegation-0001"}

    made = [program.post("/delegations", an_offer(), **key) for _ in range(2)]

    assert [one.status_code for one in made] == [201, 201]
    assert made[0].json == made[1].json == program.get("/delegations").json[0]
    assert made[0].json["agent_name"] == "**示"


def test_an_item_that_is_none_is_no_scope(hall, given, register):
    answer = a_known(hall, given, register).post("/delegations", an_offer(scope=["41"]))

    assert (answer.status_code, list(answer.json["errors"])) == (422, ["scope"])


def test_a_delegation_is_taken_and_ended(hall, given, register):
    program, agent = a_known(hall, given, register), a_known(hall, given, register, LI)
    one = program.post("/delegations", an_offer()).json["id"]

    assert agent.post(f"/delegations/{one}/accept").json["state"] == "active"
    assert agent.get(f"/delegations/{one}").json["principal_name"] == CHEN[2]
    assert program.post(f"/delegations/{one}/end").status_code == 204
    assert agent.post(f"/delegations/{one}/end").status_code == 409


@pytest.mark.parametrize("verb", ["accept", "decline", "end"])
def test_anothers_delegation_is_not_there(hall, given, register, verb):
    one = a_known(hall, given, register).post("/delegations", an_offer((*LI[:2], "王演示"))).json["id"]
    stranger = a_known(hall, given, register, LI)

    assert stranger.post(f"/delegations/{one}/{verb}").status_code == 404
    assert stranger.get(f"/delegations/{one}").status_code == 404


def test_no_number_is_in_a_log_or_an_answer(hall, given, register):
    with capture_logs() as lines:
        program = a_newcomer(hall, given)
        answers = [program.post("/verification", asked(one)) for one in (UNKNOWN, AWAY, CHEN, LI)]
        answers += [program.post("/delegations", an_offer()), program.get("/delegations")]

    told = "".join(one.text for one in answers) + str(lines)
    assert [number for number in NUMBERS if number in told] == []
    assert len(lines) >= 6


def test_merged_accounts_share_what_was_given(hall, given, register):
    program = a_known(hall, given, register)
    one = program.post("/delegations", an_offer()).json["id"]
    second = a_known(hall, given, register)
    link = second.get("/links").json[0]["id"]
    for each in (program, second):
        each.post(f"/links/{link}/proof")
    with hall.app_context():
        db.transaction(lambda: service.merge_proved(NOW()))

    assert [found["id"] for found in second.get("/delegations").json] == [one]
