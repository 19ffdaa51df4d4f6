"""A visit to an online page, asked for by a program."""

import pytest

from app.mobile_access.service import State
from tests.app.mobile_access.builders import a_page, finish_check
from tests.builders import NOW, a_bearer, a_body, a_principal, sign_in, submit

KEY = {"Idempotency-Key": "look-again-1"}


@pytest.fixture
def body(given):
    return given(a_body)


@pytest.fixture
def operator(given, body):
    return given(lambda: a_bearer(a_principal("department_operator", body=body)))


def address(page):
    return f"/api/v1/mobile-pages/{page.id}/look-again"


def test_the_page_stays_online_while_it_is_looked_at(client, given, body, operator):
    page = given(a_page, body=body, state=State.ONLINE)

    answer = client.post(address(page), headers=operator)

    assert (answer.status_code, answer.json["kind"], answer.json["number"]) == (202, "asked", 2)
    assert client.get(f"/api/v1/mobile-pages/{page.id}", headers=operator).json["state"] == "online"


def test_the_same_request_repeated_is_one_visit(client, given, body, operator):
    page = given(a_page, body=body, state=State.ONLINE)

    answers = [client.post(address(page), headers={**operator, **KEY}) for _ in range(9)]

    assert {(one.status_code, one.data) for one in answers} == {(202, answers[0].data)}
    checks = client.get(f"/api/v1/mobile-pages/{page.id}/checks", headers=operator).json
    assert len(checks) == 2


def test_one_key_does_not_serve_for_two_pages(client, given, body, operator):
    first, second = (given(a_page, body=body, state=State.ONLINE) for _ in range(2))

    answers = [client.post(address(page), headers={**operator, **KEY}) for page in (first, second)]

    assert [one.status_code for one in answers] == [202, 409]
    assert answers[1].json["code"] == "idempotency_key_reused"


def test_a_second_visit_waits_for_the_first(client, given, body, operator):
    page = given(a_page, body=body, state=State.ONLINE)

    answers = [client.post(address(page), headers=operator).status_code for _ in range(2)]

    assert answers == [202, 409]


def test_a_page_is_asked_for_six_times_an_hour_by_programs_and_people_together(client, given, body, operator):
    page = given(a_page, body=body, state=State.ONLINE)
    for _ in range(6):
        assert client.post(address(page), headers=operator).status_code == 202
        given(finish_check, page.id, now=NOW)

    refused = client.post(address(page), headers=operator)
    sign_in(client, given, given(a_principal, "department_operator", body=body))
    detail = f"/console/pages/{page.id}"
    told = submit(client, detail, f"{detail}/look-again", version="1")

    assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    assert "频繁" in client.get(told.location).text


@pytest.mark.parametrize("state", [State.REGISTERED, State.SUSPENDED, State.DEGRADED, State.RETIRED])
def test_only_an_online_page_is_looked_at_again(client, given, body, operator, state):
    page = given(a_page, body=body, state=state)

    assert client.post(address(page), headers=operator).status_code == 409


def test_a_page_of_another_body_is_not_there_and_uses_up_nothing(client, given, body, operator):
    page = given(a_page, body=body, state=State.ONLINE)
    stranger = given(lambda: a_bearer(a_principal("department_operator", body=a_body("民政厅"))))

    answers = {client.post(address(page), headers=stranger).status_code for _ in range(8)}

    assert answers == {404}
    assert client.post(address(page), headers=operator).status_code == 202
