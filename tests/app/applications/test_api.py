"""The applicant's way and the desk's over HTTP, good and bad."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.applications import service
from app.applications.models import Application
from app.applications.service import Event, State
from app.core import audit, db, vault
from app.core.idempotency import IdempotentAnswer
from app.identity import service as identity
from tests.app.applications.builders import (
    a_case,
    a_draft,
    a_resident,
    an_open_item,
    owner_of,
    take_step,
    version_of,
)
from tests.app.catalogue.builders import a_version, good_answers, valid_id_number
from tests.app.identity.builders import a_bearer
from tests.app.organisations.builders import with_codes
from tests.builders import NOW, a_body, a_principal
from tests.builders import a_bearer as a_staff_bearer

NOW_LATER = NOW + timedelta(hours=2)
MINE = "/api/v1/my/applications"
on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
"""For rules that hang on no SQL."""


@pytest.fixture
def me(given):
    """The resident's id and the header that carries a token of theirs."""
    resident_id = given(a_resident)
    return resident_id, given(a_bearer, resident_id)


def begun(client, bearer, item_id):
    return client.post(MINE, json={"item_id": str(item_id)}, headers=bearer).get_json()["id"]


@on_sqlite
def test_a_draft_is_saved_field_by_field_and_gone_on_with(given, client, me):
    _, bearer = me
    item_id = given(an_open_item)
    path = f"{MINE}/{begun(client, bearer, item_id)}"

    first = client.patch(path, json={"version": 1, "answers": {"name": "测试一"}}, headers=bearer).get_json()
    # Mini programs cannot send PATCH.
    client.post(
        f"{path}/answers", json={"version": 2, "answers": {"id_number": valid_id_number()}}, headers=bearer
    )
    again = client.post(MINE, json={"item_id": str(item_id)}, headers=bearer).get_json()
    seen = client.get(f"{MINE}/{again['id']}", headers=bearer).get_json()

    assert first["problems"]["since"] == ["请填写这一项"]
    assert again["continued"] is True
    assert seen["answers"] == {"name": "测试一", "id_number": "4****************" + valid_id_number()[-1]}


@on_sqlite
def test_numbers_and_names_lie_in_the_vault_only(given, client, app, me):
    draft_id = given(a_draft, resident_id=me[0])

    with app.app_context():
        row = db.session().get_one(Application, draft_id)
        assert set(row.sealed) == {"name", "id_number"}
        assert "测试一" not in str(row.answers)
        assert vault.find("application.id_number", valid_id_number()) == [row.sealed["id_number"]]


def test_two_devices_do_not_write_over_each_other(given, client, me):
    path = f"{MINE}/{given(a_draft, resident_id=me[0])}"
    sent = {"version": 2, "answers": {"employer": "甲"}}

    answers = [client.patch(path, json=sent, headers=me[1]) for _ in range(2)]

    assert [one.status_code for one in answers] == [200, 409]
    assert answers[1].get_json()["code"] == "stale"


@on_sqlite
def test_what_is_not_asked_for_any_more_is_cleared_and_cannot_be_sent(given, client, me):
    path = f"{MINE}/{given(a_draft, resident_id=me[0])}"

    moved = client.patch(path, json={"version": 2, "answers": {"ground": "home"}}, headers=me[1])
    refused = client.patch(path, json={"version": 3, "answers": {"employer": "藏着"}}, headers=me[1])

    assert moved.get_json()["cleared"] == ["employer"]
    assert refused.status_code == 422
    assert refused.get_json()["errors"] == {"employer": ["这一项不需要填写"]}


@on_sqlite
@pytest.mark.parametrize(
    "answers",
    [
        {"no_such_field": "x"},
        {"employer": "长" * 31},
        {"employer": {"deep": {"er": 1}}},
        {"rooms": 2**60},
        {"since": ["2015-01-01"]},
        {"x" * 41: "y"},
        {"employer": "\u0000"},
    ],
)
def test_what_cannot_be_an_answer_is_refused(given, client, me, answers):
    path = f"{MINE}/{given(a_draft, resident_id=me[0])}"

    answer = client.patch(path, json={"version": 2, "answers": answers}, headers=me[1])

    assert answer.status_code == 422
    assert client.get(path, headers=me[1]).get_json()["version"] == 2


@on_sqlite
def test_a_draft_with_faults_is_not_submitted(given, client, me):
    wrong = valid_id_number()[:-1] + ("0" if valid_id_number()[-1] != "0" else "1")
    draft_id = given(a_draft, resident_id=me[0], id_number=wrong, since="2090-01-01")

    answer = client.post(f"{MINE}/{draft_id}/submit", json={"version": 2}, headers=me[1])

    assert answer.status_code == 422
    assert set(answer.get_json()["errors"]) == {"id_number", "since"}


def test_ten_submissions_at_once_make_one_application(given, app, me):
    draft_id = given(a_draft, resident_id=me[0])
    headers = {**me[1], "Idempotency-Key": "phone-pressed-often"}

    def press(_):
        return app.test_client().post(f"{MINE}/{draft_id}/submit", json={"version": 2}, headers=headers)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(press, range(10)))

    assert {one.status_code for one in answers} == {200}
    assert len({one.get_json()["number"] for one in answers}) == 1
    with app.app_context():
        assert len(service.my_case(me[0], draft_id).events) == 1
        assert "测试一" not in db.session().scalars(select(IdempotentAnswer.body)).one()


@on_sqlite
def test_another_persons_case_does_not_exist(given, client):
    case_id, stranger = given(a_case), given(a_bearer, given(a_resident))
    path = f"{MINE}/{case_id}"

    tries = [
        client.get(path, headers=stranger),
        client.patch(path, json={"version": 2, "answers": {}}, headers=stranger),
        client.delete(path, headers=stranger),
        client.post(f"{path}/submit", json={"version": 2}, headers=stranger),
        client.post(f"{path}/withdraw", json={"version": 3}, headers=stranger),
        client.post(f"{path}/supplements", json={"version": 3}, headers=stranger),
    ]

    assert {one.status_code for one in tries} == {404}
    assert client.get(MINE, headers=stranger).get_json()["items"] == []


@on_sqlite
def test_a_draft_follows_the_item_before_it_is_submitted(given, client, me):
    item_id = given(an_open_item)
    draft_id = given(a_draft, item_id, me[0])
    given(a_version, item_id, promised_days=5)
    path = f"{MINE}/{draft_id}"

    refused = client.post(f"{path}/submit", json={"version": 2}, headers=me[1])
    saved = client.patch(path, json={"version": 2, "materials": {"m2": "paper"}}, headers=me[1]).get_json()
    taken = client.post(f"{path}/submit", json={"version": saved["version"]}, headers=me[1])

    assert (refused.status_code, refused.get_json()["code"]) == (409, "item_changed")
    assert saved["item_changed"] is True
    assert taken.status_code == 200


@on_sqlite
def test_a_case_keeps_the_form_it_was_made_with(given, client, me, app):
    item_id = given(an_open_item)
    case_id = given(a_case, item_id=item_id, resident_id=me[0])
    given(a_version, item_id, promised_days=5)

    seen = client.get(f"{MINE}/{case_id}", headers=me[1]).get_json()

    assert seen["answers"]["employer"] == good_answers()["employer"]
    with app.app_context():
        assert service.my_case(me[0], case_id).item.version_number == 1


def test_the_list_goes_on_page_by_page(given, client, me):
    item_id = given(an_open_item)
    made = [given(a_case, item_id=item_id, resident_id=me[0]) for _ in range(3)]

    first = client.get(f"{MINE}?limit=2", headers=me[1]).get_json()
    rest = client.get(f"{MINE}?limit=2&cursor={first['next_cursor']}", headers=me[1]).get_json()

    assert {int(one["id"]) for one in first["items"] + rest["items"]} == set(made)
    assert rest["next_cursor"] is None


@on_sqlite
def test_what_was_asked_for_is_supplied_and_nothing_else(given, client, me):
    case_id = given(a_case, State.SUPPLEMENT_DUE, resident_id=me[0])
    path = f"{MINE}/{case_id}"
    version = client.get(path, headers=me[1]).get_json()["version"]

    def send(answers):
        body = {"version": version, "answers": answers}
        return client.post(f"{path}/supplements", json=body, headers=me[1])

    nothing, other = send({}), send({"employer": "甲厂", "name": "另一人"})
    taken = send({"employer": "示例工厂有限公司"})

    assert nothing.get_json()["errors"] == {"employer": ["请填写这一项"]}
    assert list(other.get_json()["errors"]) == ["name"]
    assert taken.get_json()["state"] == "submitted"


def test_progress_shows_steps_to_who_has_the_code_and_nothing_personal(given, client, app):
    case_id = given(a_case, State.ACCEPTED)
    with app.app_context():
        case = service.my_case(owner_of(case_id), case_id)

    found = client.get(f"/api/v1/progress?number={case.number}&query_code={case.query_code}")
    wrong = [
        client.get(f"/api/v1/progress?number={case.number}&query_code=00000000"),
        client.get(f"/api/v1/progress?number={'1' * 21}&query_code={case.query_code}"),
    ]

    assert [one["label"] for one in found.get_json()["steps"]] == ["提交申请", "受理"]
    assert "测试" not in found.text
    assert {one.get_json()["code"] for one in wrong} == {"progress_unknown"}


@on_sqlite
def test_the_code_cannot_be_tried_out(client):
    tries = [client.get(f"/api/v1/progress?number={'1' * 21}&query_code={n:08}") for n in range(21)]

    assert tries[-1].status_code == 429


def test_the_desk_brings_a_case_to_its_end(given, client, app):
    case_id = given(a_case, item_id=given(an_open_item, case_type="2", promised_days=8))
    bearer = a_staff_bearer_of(given, "city_operator", region_code="440100")
    path = f"/api/v1/cases/{case_id}"

    def step(event, **said):
        version = client.get(path, headers=bearer).get_json()["version"]
        answer = client.post(
            f"{path}/steps", json={"event": event, "version": version, **said}, headers=bearer
        )
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    first = client.get("/api/v1/cases", headers=bearer).get_json()["items"][0]
    for event in ("accept", "begin", "step_pass"):
        step(event)
    step("decide", granted=True)
    step("complete", result={"name": "居住证", "number": "T-1"})
    last = step("deliver", delivery="post")

    assert int(first["case"]["id"]) == case_id
    assert last["state"] == "delivered"
    assert client.get("/api/v1/cases", headers=bearer).get_json()["items"] == []


def a_staff_bearer_of(given, role, **scope):
    return given(lambda: a_staff_bearer(a_principal(role, **scope)))


@on_sqlite
def test_the_desk_sees_stars_and_reading_more_is_written_down(given, client, app):
    case_id = given(a_case)
    who = given(a_principal, "city_operator", region_code="440100")
    bearer, codes = given(a_staff_bearer, who), given(with_codes, who)

    seen = client.get(f"/api/v1/cases/{case_id}", headers=bearer).get_json()["answers"]
    path = f"/api/v1/cases/{case_id}/personal"
    without = client.post(path, json={"reason": "核对身份"}, headers=bearer)
    wrong = client.post(path, json={"reason": "核对身份", "code": "000000"}, headers=bearer)
    said = {"reason": "核对身份", "code": codes.now()}
    clear = client.post(path, json=said, headers=bearer).get_json()["answers"]
    again = client.post(path, json=said, headers=bearer)

    assert seen["name"] == "测*一"
    assert {one.get_json()["code"] for one in (without, wrong, again)} == {"code_needed"}
    assert clear["id_number"] == valid_id_number()
    with app.app_context():
        assert audit.history("application", case_id)[0].action == "application.personal_read"
        used = identity.uses(owner_of(case_id))
        assert [(one.by, one.purpose) for one in used] == [("广州市人民政府", "核对身份")]


@on_sqlite
@pytest.mark.parametrize(
    ("role", "scope"), [("city_operator", {"region_code": "440300"}), ("department_operator", {})]
)
def test_cases_of_other_bodies_do_not_exist(given, client, role, scope):
    case_id = given(a_case)
    given(a_body, "教育厅")
    bearer = a_staff_bearer_of(given, role, **scope)

    answers = [
        client.get(f"/api/v1/cases/{case_id}", headers=bearer),
        client.put(f"/api/v1/cases/{case_id}/handler", json={"version": 3}, headers=bearer),
        client.post(f"/api/v1/cases/{case_id}/steps", json={"event": "accept", "version": 3}, headers=bearer),
        client.post(f"/api/v1/cases/{case_id}/personal", json={"reason": "看看"}, headers=bearer),
    ]

    assert {one.status_code for one in answers} == {404}
    assert client.get("/api/v1/cases", headers=bearer).get_json()["items"] == []


def test_two_people_cannot_decide_the_same_case(given, client, app):
    case_id = given(a_case, State.HANDLING)
    people = [a_staff_bearer_of(given, "city_operator", region_code="440100") for _ in range(2)]
    with app.app_context():
        version = version_of(case_id)

    def decide(bearer):
        said = {"event": "decide", "version": version, "granted": True}
        return app.test_client().post(f"/api/v1/cases/{case_id}/steps", json=said, headers=bearer)

    with ThreadPoolExecutor(2) as pool:
        won, lost = sorted(pool.map(decide, people), key=lambda answer: answer.status_code)

    assert (won.status_code, lost.status_code) == (200, 409)
    assert "测试人员" in lost.get_json()["detail"]
    assert "“作出决定”" in lost.get_json()["detail"]


@on_sqlite
def test_residents_are_told_of_each_step(given, client, me):
    case_id = given(a_case, State.COMPLETED, resident_id=me[0])

    told = client.get("/api/v1/my/messages", headers=me[1]).get_json()["items"]

    assert {one["title"] for one in told} == {"居住证申领已提交", "居住证申领已受理", "居住证申领已办结"}
    assert {one["link"] for one in told} == {f"/me/applications/{case_id}"}


@on_sqlite
def test_a_second_notice_of_what_is_missing_is_a_supervisors_to_give(given, app):
    case_id = given(a_case, State.SUPPLEMENT_DUE)
    with app.app_context():
        owner, version = owner_of(case_id), version_of(case_id)
    given(service.supply, owner, case_id, {"employer": "乙厂"}, {}, "", version=version, now=NOW_LATER)

    with pytest.raises(Exception, match="一次告知"):
        given(take_step, case_id, Event.ASK_SUPPLEMENT, now=NOW_LATER)


@on_sqlite
def test_drafts_given_up_leave_nothing_behind(given, client, me, app):
    draft_id = given(a_draft, resident_id=me[0])

    gone = client.delete(f"{MINE}/{draft_id}", headers=me[1])

    assert gone.status_code == 204
    with app.app_context():
        row = db.session().get_one(Application, draft_id)
        assert (row.answers, row.sealed, row.state) == ({}, {}, State.WITHDRAWN)
        assert vault.find("application.id_number", valid_id_number()) == []
        assert db.session().scalar(select(func.count()).select_from(Application)) == 1
