"""Waivers, versions of the access spec and people's decisions over HTTP, as far as the console can."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest

from app.core import clock
from app.mobile_access import service
from app.mobile_access.files import artifact_store
from app.mobile_access.judging import judged
from app.mobile_access.service import CheckKind, State
from config.access_spec.versions import load_versions
from tests.app.mobile_access.builders import a_page, a_png, the_run
from tests.app.mobile_access.judged import a_result, a_spec, an_online_page
from tests.app.mobile_access.test_rulings import GUIDED, NOT_RENDERED, UNDECIDED_MUST
from tests.builders import NOW, a_bearer, a_body, a_principal
from tests.mobile_pages.spec.builders import a_declaration, an_artifact

API = "/api/v1"
TODAY = clock.day_of(clock.system_clock())
ASKED = {"code": "MAS-LAY-03", "reason": "组件库下月升级", "until_on": str(TODAY + timedelta(days=30))}
VERSION = {
    "version": "2",
    "effective_on": str(TODAY),
    "grace_days": 20,
    "pinch_zoom": "allow",
    "changelog": "加一条",
}
YES = ["yes"] * len(GUIDED.questions)


@pytest.fixture
def body(given):
    return given(a_body)


@pytest.fixture
def operator(given, body):
    return given(lambda: a_bearer(a_principal("department_operator", body=body)))


@pytest.fixture
def reviewer(given):
    return given(lambda: a_bearer(a_principal("province_reviewer")))


@pytest.fixture
def waivers(given, body):
    page = given(a_page, body=body)
    return f"{API}/mobile-pages/{page.id}/waivers"


@pytest.fixture
def rulings(app, given, body):
    """The address of the rulings of a check in which a guided and a must-rule are open."""
    page = given(a_page, state=State.CHECKING, body=body)
    artifact = an_artifact(declaration=a_declaration(verify_files={}))
    digest = artifact_store(app.extensions["hall_settings"].var_dir).put(artifact.to_json().encode())
    result = judged(artifact, digest, a_spec(), NOT_RENDERED)
    given(lambda: service.record_check(the_run(page.id), result, now=NOW))
    return f"{API}/mobile-pages/{page.id}/checks/1/rulings"


def ask(client, waivers, operator):
    return client.post(waivers, json=ASKED, headers=operator).json


def test_a_department_asks_and_the_province_grants(client, waivers, operator, reviewer):
    asked = ask(client, waivers, operator)

    granted = client.post(f"{waivers}/{asked['id']}/grant", json={"opinion": "请抓紧"}, headers=reviewer).json
    listed = client.get(f"{API}/waivers?state=approved", headers=operator).json

    assert (asked["state"], granted["state"], granted["opinion"]) == ("requested", "approved", "请抓紧")
    assert listed == [granted] == client.get(waivers, headers=operator).json


def test_a_refusal_needs_its_reason(client, waivers, operator, reviewer):
    address = f"{waivers}/{ask(client, waivers, operator)['id']}/refusal"

    silent = client.post(address, json={}, headers=reviewer)
    told = client.post(address, json={"opinion": "理由不足"}, headers=reviewer)

    assert (silent.status_code, list(silent.json["errors"]["json"])) == (422, ["opinion"])
    assert (told.status_code, told.json["state"]) == (200, "declined")


@pytest.mark.parametrize("granted", [False, True], ids=["a request", "leave that was given"])
def test_a_department_takes_back_what_it_asked_for(client, waivers, operator, reviewer, granted):
    waiver = f"{waivers}/{ask(client, waivers, operator)['id']}"
    if granted:
        client.post(f"{waiver}/grant", json={}, headers=reviewer)

    first, second = (client.post(f"{waiver}/end", headers=operator) for _ in range(2))

    assert (first.status_code, first.json["state"]) == (200, "ended")
    assert (second.status_code, second.json["code"]) == (409, "waiver_decided")


def test_departments_grant_nothing_and_the_province_asks_for_nothing(client, waivers, operator, reviewer):
    waiver = f"{waivers}/{ask(client, waivers, operator)['id']}"

    answers = [
        client.post(f"{waiver}/grant", json={}, headers=operator),
        client.post(f"{waiver}/refusal", json={"opinion": "x"}, headers=operator),
        client.post(waivers, json=ASKED, headers=reviewer),
    ]

    assert [one.status_code for one in answers] == [403, 403, 403]


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        pytest.param({"code": "MAS-XXX-99"}, 422, "invalid", id="no such rule"),
        pytest.param({"until_on": str(TODAY)}, 422, "invalid", id="today"),
        pytest.param({"until_on": str(TODAY + timedelta(days=400))}, 422, "invalid", id="too far away"),
        pytest.param({"until_on": "2026-02-30"}, 422, "invalid", id="no day"),
        pytest.param({"reason": " "}, 422, "invalid", id="no reason"),
        pytest.param({}, 409, "waiver_open", id="asked for already"),
    ],
)
def test_what_cannot_be_asked_for_is_a_problem_with_its_code(
    client, waivers, operator, changed, status, code
):
    ask(client, waivers, operator)

    answer = client.post(waivers, json={**ASKED, **changed}, headers=operator)

    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"


def test_a_waiver_of_another_page_is_not_found(client, given, body, waivers, operator, reviewer):
    other = given(a_page, body=body)
    waiver = ask(client, waivers, operator)["id"]

    answer = client.post(f"{API}/mobile-pages/{other.id}/waivers/{waiver}/grant", json={}, headers=reviewer)

    assert answer.status_code == 404


def test_the_province_publishes_a_version_and_everybody_reads_it(client, given, operator, reviewer):
    given(service.import_versions, load_versions(), now=NOW)

    made = client.post(f"{API}/spec-versions", json=VERSION, headers=reviewer)
    again = client.post(f"{API}/spec-versions", json=VERSION, headers=reviewer)
    known = client.get(f"{API}/spec-versions", headers=operator).json

    assert (made.status_code, len(made.json["digest"])) == (201, 64)
    assert (again.status_code, again.json["code"]) == (409, "version_taken")
    assert known["in_force"] == "2"
    assert [one["version"] for one in known["versions"]] == ["2", "1"]


def test_departments_publish_no_version(client, operator):
    assert client.post(f"{API}/spec-versions", json=VERSION, headers=operator).status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"version": "zwei"}, id="no number"),
        pytest.param({"effective_on": str(TODAY - timedelta(days=1))}, id="yesterday"),
        pytest.param({"grace_days": 366}, id="more than a year"),
        pytest.param({"pinch_zoom": "sometimes"}, id="neither side"),
        pytest.param({"changelog": ""}, id="no word"),
    ],
)
def test_an_unsound_version_is_refused_by_field(client, reviewer, changed):
    answer = client.post(f"{API}/spec-versions", json={**VERSION, **changed}, headers=reviewer)

    assert answer.status_code == 422
    assert next(iter(changed)) in str(answer.json["errors"])


def test_the_pages_that_a_version_touched_are_listed_in_scope(app, client, given, body, operator, reviewer):
    page = an_online_page(app, given, body=body)
    given(service.import_versions, load_versions(), now=NOW)
    foreign = given(lambda: a_bearer(a_principal("department_operator", body=a_body("教育厅"))))
    given(lambda: record_under_two(app, page))
    client.post(f"{API}/spec-versions", json=VERSION, headers=reviewer)

    own = client.get(f"{API}/spec-versions/2/affected-pages", headers=operator).json

    assert [(one["page_id"], one["differences"]["must_broken"]) for one in own] == [
        (str(page.id), ["MAS-TRN-01"])
    ]
    assert client.get(f"{API}/spec-versions/2/affected-pages", headers=foreign).json == []
    assert client.get(f"{API}/spec-versions/9/affected-pages", headers=operator).status_code == 404


def record_under_two(app, page):
    run = service.ask_recheck(page.id, CheckKind.SPEC, occasion=None, because="", actor="system", now=NOW)
    service.record_check(run, replace(a_result(app, "MAS-TRN-01"), spec_version="2"), now=NOW)


def test_what_no_machine_decides_is_asked_and_answered(client, rulings, reviewer):
    asked = {one["code"]: one for one in client.get(rulings, headers=reviewer).json}

    said = {"code": GUIDED.code, "answers": YES, "note": "看过"}
    made = client.post(rulings, json=said, headers=reviewer)
    report = client.get(rulings.removesuffix("/rulings"), headers=reviewer).json["report"]

    assert asked[GUIDED.code]["questions"] == list(GUIDED.questions)
    assert (made.status_code, made.json["rulings"][0]["passed"]) == (201, True)
    verdicts = {one["code"]: one["verdict"] for one in report["rules"]}
    assert verdicts[GUIDED.code] == "pass"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        pytest.param({"code": GUIDED.code, "answers": YES[1:]}, 422, id="a question is left out"),
        pytest.param({"code": GUIDED.code, "answers": ["maybe"]}, 422, id="no answer of ours"),
        pytest.param({"code": UNDECIDED_MUST, "note": "看过"}, 422, id="neither pass nor fail"),
        pytest.param({"code": "MAS-LAY-01", "passed": True, "note": "x"}, 404, id="a machine decided it"),
        pytest.param({"code": "x" * 21}, 422, id="no code of ours"),
    ],
)
def test_a_ruling_that_says_too_little_is_a_problem(client, rulings, reviewer, said, status):
    answer = client.post(rulings, json=said, headers=reviewer)

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_a_department_settles_nothing_that_no_question_guides(client, rulings, operator):
    said = {"code": UNDECIDED_MUST, "passed": True, "note": "有"}

    assert client.post(rulings, json=said, headers=operator).status_code == 403


def send_proof(client, rulings, headers, content=None, code=GUIDED.code):
    file = (io.BytesIO(a_png(4, 4) if content is None else content), "截图.png")
    return client.post(f"{rulings}/{code}/evidence", data={"file": file}, headers=headers)


def test_a_ruling_is_proved_by_a_picture_that_can_be_fetched(client, rulings, operator):
    client.post(rulings, json={"code": GUIDED.code, "answers": YES}, headers=operator)

    proved = send_proof(client, rulings, operator)
    ruling = proved.json["rulings"][0]
    file = client.get(f"{rulings.removesuffix('/rulings')}/evidence/{ruling['evidence']}", headers=operator)

    assert (proved.status_code, ruling["evidence_type"], ruling["self_declared"]) == (201, "image/png", True)
    assert file.data.startswith(b"\x89PNG")
    assert "attachment" in file.headers["Content-Disposition"]


def test_a_proof_is_not_exchanged_for_another(client, rulings, operator):
    client.post(rulings, json={"code": GUIDED.code, "answers": YES}, headers=operator)
    send_proof(client, rulings, operator)

    again = send_proof(client, rulings, operator)

    assert (again.status_code, again.json["code"]) == (409, "evidence_there")


def test_nobody_proves_what_somebody_else_said(client, rulings, operator, reviewer):
    client.post(rulings, json={"code": GUIDED.code, "answers": YES}, headers=operator)

    assert send_proof(client, rulings, reviewer).status_code == 404


def test_a_proof_that_is_no_picture_is_refused_with_its_code(client, rulings, operator):
    client.post(rulings, json={"code": GUIDED.code, "answers": YES}, headers=operator)

    answer = send_proof(client, rulings, operator, b"<script>alert(1)</script>")

    assert (answer.status_code, answer.json["code"]) == (422, "evidence_refused")
