"""The same over JSON: idempotent, versioned, nobody else's; personal answers in the vault alone."""

import json

import pytest
from sqlalchemy import text

from app.core import db
from app.core.idempotency import IdempotentAnswer
from tests.app.applications.builders import a_resident
from tests.app.identity.builders import a_bearer
from tests.app.themes import builders as build
from tests.builders import a_bearer as a_staff_bearer
from tests.builders import a_principal

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
MINE = "/api/v1/my/themes"


@pytest.fixture
def me(given):
    return given(a_bearer, given(a_resident))


@pytest.fixture
def theme(given):
    given(build.the_items)
    return given(build.a_theme)


def begun(client, bearer, theme, **sent):
    return client.post(MINE, json={"theme_id": str(theme), **sent}, headers=bearer).get_json()["id"]


def ready(client, bearer, theme):
    """Return the address of a draft that may be submitted, at version 2."""
    path = f"{MINE}/{begun(client, bearer, theme)}"
    sent = {"version": 1, "answers": build.good_answers(), "materials": {"m2": "promise"}}
    assert client.patch(path, json=sent, headers=bearer).get_json()["problems"] == {}
    return path


def test_a_guide_says_which_item_each_question_is_for(client, theme):
    told = client.get(f"/api/v1/themes/{theme}").get_json()

    assert told["uses"]["shop"] == {"GS": "shop", "SP": "shop_name", "SW": "shop"}
    assert told["steps"] == [["GS", "SW"], ["SP"]]
    assert told["form"]["schema"]["properties"]["shop"]["maxLength"] == 20


def test_a_submission_sent_again_is_answered_with_the_same(client, me, theme):
    path, header = ready(client, me, theme), {**me, "Idempotency-Key": "pressed-twice"}

    first = client.post(f"{path}/submit", json={"version": 2}, headers=header)
    again = client.post(f"{path}/submit", json={"version": 2}, headers=header)

    assert first.status_code == 200
    assert again.data == first.data
    assert len(client.get("/api/v1/my/applications", headers=me).get_json()["items"]) == 2


def test_an_old_version_writes_nothing(client, me, theme):
    path = ready(client, me, theme)

    late = client.patch(path, json={"version": 1, "answers": {"shop": "另一家"}}, headers=me)

    assert (late.status_code, late.get_json()["code"]) == (409, "stale")


@pytest.mark.parametrize(
    ("answers", "materials", "place"),
    [
        pytest.param({"colour": "red"}, {}, "colour", id="no such question"),
        pytest.param({"kind": "shop", "seats": 5}, {}, "seats", id="a hidden question"),
        pytest.param({"shop": "x" * 21}, {}, "shop", id="longer than the strictest item allows"),
        pytest.param({"seats": "many"}, {}, "seats", id="the wrong kind"),
        pytest.param({}, {"card": "paper"}, "materials.card", id="a way that not all items take"),
        pytest.param({}, {"m77": "paper"}, "materials.m77", id="no such material"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_place(client, me, theme, answers, materials, place):
    path = f"{MINE}/{begun(client, me, theme)}"

    refused = client.patch(path, json={"version": 1, "answers": answers, "materials": materials}, headers=me)

    assert refused.status_code == 422
    assert place in refused.get_json()["errors"]


def test_what_is_missing_keeps_it_from_being_submitted(client, me, theme):
    path = f"{MINE}/{begun(client, me, theme)}"

    refused = client.post(f"{path}/submit", json={"version": 1}, headers=me)

    assert refused.get_json()["code"] == "answers_refused"
    assert {"name", "shop", "materials.m2"} <= set(refused.get_json()["errors"])


def test_nobody_elses_application_is_there(client, given, me, theme):
    path, stranger = ready(client, me, theme), given(a_bearer, given(a_resident))

    answers = [
        client.get(path, headers=stranger),
        client.patch(path, json={"version": 2, "answers": {}}, headers=stranger),
        client.post(f"{path}/submit", json={"version": 2}, headers=stranger),
        client.delete(path, headers=stranger),
    ]

    assert {one.status_code for one in answers} == {404}


def test_progress_is_told_by_number_and_code_with_its_parts(client, me, theme):
    path = ready(client, me, theme)
    number = client.post(f"{path}/submit", json={"version": 2}, headers=me).get_json()["number"]
    code = client.get(path, headers=me).get_json()["query_code"]

    found = client.get(f"/api/v1/progress?number={number}&query_code={code}").get_json()
    wrong = client.get(f"/api/v1/progress?number={number}&query_code=00000000")

    assert [one["item_name"] for one in found["parts"]] == ["个体工商户登记", "食品经营许可", "税务登记"]
    assert found["state_label"] == "并联办理中"
    assert wrong.get_json()["code"] == "progress_unknown"


def test_personal_answers_stand_nowhere_but_in_the_vault(app, client, me, theme):
    path, header = ready(client, me, theme), {**me, "Idempotency-Key": "kept-answers"}
    client.post(f"{path}/submit", json={"version": 2}, headers=header)

    with app.app_context():
        rows = db.session().execute(text("SELECT answers, sealed, materials FROM theme_application")).all()
        kept = [one.body for one in db.session().query(IdempotentAnswer)]
        jobs = db.session().execute(text("SELECT payload FROM job")).all()
        trail = db.session().execute(text("SELECT detail FROM audit_line")).all()

    assert "测试一" not in json.dumps(
        [*map(str, rows), *kept, *map(str, jobs), *map(str, trail)], ensure_ascii=False
    )


def test_staff_write_check_and_publish_over_the_api(client, given):
    given(build.the_items)
    bearer = given(a_staff_bearer, given(a_principal, "province_reviewer"))
    versions = "/api/v1/theme-versions"

    made = client.post(versions, json={"definition": dict(build.DEFINITION)}, headers=bearer).get_json()
    checked = client.get(f"{versions}/{made['id']}/check", headers=bearer).get_json()
    out = client.post(f"{versions}/{made['id']}/publish", json={"version": 1}, headers=bearer).get_json()

    assert checked == {"findings": [], "stale": False, "changes": []}
    assert out["state"] == "published"
