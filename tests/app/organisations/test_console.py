"""Accounts in the console, API tokens, the public lists and the commands."""

import re
from functools import partial

import pytest
from sqlalchemy import select

from app.core import access, audit, clock, db, outbox
from app.core.errors import Forbidden, NotFound
from app.organisations import service
from app.organisations.service import Role
from config import notice
from config.settings import Environment
from tests.builders import NOW, a_bearer, a_body, a_principal, sign_in, submit


@pytest.fixture
def administrator(client, given):
    who = given(a_principal, "system_administrator")
    sign_in(client, given, who)
    return who


def create(client, **changed):
    fields = {"username": "li.si", "name": "李四", "role": "department_operator", "scope": "省公安厅"}
    return submit(client, "/console/staff", **{**fields, **changed})


def test_an_administrator_creates_an_account_and_gets_a_set_up_link(client, app, given, administrator):
    given(a_body)

    page = create(client).text

    link = re.search(r"http://[^<\s]+/staff/setup/[\w-]{43}", page)[0]
    assert client.get(link.partition(":8000")[2]).status_code == 200
    with app.app_context():
        person = service.find_staff("li.si")
        assert person.state == "invited"
        actions = [line.action for line in audit.history("staff", person.id)]
    assert sorted(actions) == ["grant-given", "link-issued", "staff-created"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({"username": "Li Si"}, "小写字母", id="odd name"),
        pytest.param({"name": " "}, "个字", id="no name"),
        pytest.param({"role": "king"}, "没有这个角色", id="no such role"),
        pytest.param({"scope": "不存在厅"}, "没有这个单位", id="no such body"),
        pytest.param({"role": "auditor"}, "不用填", id="scope for a provincial role"),
        pytest.param({"role": "city_operator"}, "没有这个地区", id="a department is no city"),
    ],
)
def test_a_wrong_account_is_refused_with_words(client, given, administrator, changed, said):
    given(a_body)

    answer = create(client, **changed)

    assert answer.status_code == 422
    assert said in re.search(r'role="alert">([^<]+)<', answer.text)[1]


def test_a_username_is_given_once(client, given, administrator):
    given(a_body)
    create(client)

    assert create(client).status_code == 422


def test_roles_are_added_and_taken_away(client, app, given, administrator):
    who = given(a_principal)
    given(a_body, "教育厅")
    path = f"/console/staff/{who.staff_id}"

    submit(client, path, f"{path}/grants", role="department_operator", scope="教育厅")
    old = who.grants[0]
    submit(client, path, f"{path}/grants/remove", role=old.role.value, scope_ref=old.scope_ref)

    with app.app_context():
        left = service.get_staff(who.staff_id).grants
        assert left == (service.resolve_grant(Role.DEPARTMENT_OPERATOR, "教育厅"),)


@pytest.mark.parametrize("role", ["auditor", "system_administrator"])
def test_an_operator_does_not_become_an_administrator_besides(client, given, administrator, role):
    path = f"/console/staff/{given(a_principal).staff_id}"

    answer = submit(client, path, f"{path}/grants", role=role)

    assert answer.status_code == 422
    assert "不能兼任" in answer.text


def test_nobody_changes_their_own_account(given):
    who = given(a_principal, "system_administrator")

    with pytest.raises(Forbidden):
        given(service.disable_staff, who.staff_id, by=who.actor)
    with pytest.raises(Forbidden):
        given(service.add_grant, who.staff_id, service.grant_for(Role.AUDITOR), by=who.actor)


def test_a_person_that_does_not_exist_is_not_found(client, administrator):
    for path in ("", "/link", "/disable", "/grants", "/grants/remove"):
        answer = submit(client, "/console/staff", f"/console/staff/1{path}", role="auditor")

        assert answer.status_code in {404, 405}


def test_the_auditor_reads_the_trail(client, given):
    who = given(a_principal)
    sign_in(client, given, given(a_principal, "auditor"))

    page = client.get("/console/audit").text

    assert f"staff {who.staff_id}" in page
    assert "staff-created" in page


def test_a_token_is_shown_once_works_and_is_revoked(client, app, given):
    sign_in(client, given, given(a_principal))

    page = submit(client, "/staff/tokens", name="省公安厅系统", days="30").text
    secret = re.search(r"hall_[\w-]{43}", page)[0]

    assert secret not in client.get("/staff/tokens").text
    assert token_owner(app, secret) is not None
    revoke = re.search(r"/staff/tokens/\d+/revoke", page)[0]
    assert submit(client, "/staff/tokens", revoke).status_code == 302
    assert token_owner(app, secret) is None


def token_owner(app, secret):
    with app.app_context():
        return service.token_principal(secret, now=clock.system_clock())


@pytest.mark.parametrize(
    ("name", "days"), [("", "1"), ("x", "366"), ("x", "0"), ("x", "²"), ("x", "9" * 5000)]
)
def test_a_wrong_token_is_refused(client, given, name, days):
    sign_in(client, given, given(a_principal))

    assert submit(client, "/staff/tokens", name=name, days=days).status_code == 422


def test_a_token_of_somebody_else_is_not_found(client, app, given):
    owner = given(a_principal)
    given(a_bearer, owner)
    with app.app_context():
        token_id = service.api_tokens(owner.staff_id)[0].id
    sign_in(client, given, given(a_principal))

    assert submit(client, "/staff/tokens", f"/staff/tokens/{token_id}/revoke").status_code == 404


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("bodies", 190),
        ("bodies?level=province", 44),
        ("regions", 147),
        ("schedule", 20),
        ("schedule?annex=3", 4),
    ],
)
def test_the_public_lists_are_whole_and_cached(client, given, path, count):
    given(service.import_notice, notice.load(), lambda _done, _total: None)

    first = client.get(f"/api/v1/{path}")
    again = client.get(f"/api/v1/{path}", headers={"If-None-Match": first.headers["ETag"]})

    assert len(first.json) == count
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("query", ["bodies?level=moon", "schedule?annex=7", "schedule?annex=x"])
def test_a_wrong_question_is_a_422(client, query):
    answer = client.get(f"/api/v1/{query}")

    assert (answer.status_code, answer.json["code"]) == (422, "invalid")


def test_keys_are_text_in_json(client, given):
    body = given(a_body)

    assert client.get("/api/v1/bodies").json[0]["id"] == str(body.id)


def test_the_command_creates_an_account_and_prints_its_link(app, client, given):
    given(a_body)
    person = ["--username", "wang.wu", "--name", "王五", "--role", "department_operator"]
    arguments = ["staff", "create", *person, "--scope", "公安厅"]

    done = app.test_cli_runner().invoke(args=arguments)
    refused = app.test_cli_runner().invoke(args=arguments)

    assert re.fullmatch(r"http://127\.0\.0\.1:8000/staff/setup/[\w-]{43}\n", done.output)
    assert refused.exit_code == 1
    assert "已经有人用了" in refused.output


def test_the_command_issues_a_token(app, client, given):
    given(a_principal, username="zhao.liu")

    done = app.test_cli_runner().invoke(args=["staff", "token", "--username", "zhao.liu"])

    assert token_owner(app, done.output.strip()).may(access.Permission.PAGES_REGISTER)


def test_demo_links_sign_in_one_account_per_role_again_and_again(app, client, given):
    given(service.import_notice, notice.load(), lambda _done, _total: None)

    app.test_cli_runner().invoke(args=["staff", "demo-links"])
    lines = app.test_cli_runner().invoke(args=["staff", "demo-links"]).output.splitlines()

    assert [line.partition(": ")[0] for line in lines] == list(service.ROLE_LABELS.values())
    for line in lines:
        browser = app.test_client()
        assert submit(browser, line.partition(":8000")[2]).location == "/staff/"
    with app.app_context():
        assert len(service.staff_list()) == len(Role)


def test_a_demo_account_is_told_codes_that_hold_and_nobody_else_is(app, client, given):
    given(service.import_notice, notice.load(), lambda _done, _total: None)
    given(service.demo_links, environment=Environment.DEMO, now=NOW)
    person = given(lambda: service.principal_of(service.find_staff("demo-department-head").id))
    own = given(a_principal, username="demo-like").staff_id
    told = partial(service.demo_code, environment=Environment.DEMO, now=NOW)

    codes = [given(told, person.staff_id)]
    held = [given(service.confirm, person, codes[0], now=NOW)]
    codes.append(given(told, person.staff_id))
    held += [given(service.confirm, person, code, now=NOW) for code in codes]

    assert held == [True, False, True]
    for staff_id, environment in ((own, Environment.DEMO), (person.staff_id, Environment.PRODUCTION)):
        with pytest.raises(NotFound):
            given(service.demo_code, staff_id, environment=environment, now=NOW)


def test_demo_links_need_the_notices_tables(app, client):
    done = app.test_cli_runner().invoke(args=["staff", "demo-links"])

    assert done.exit_code == 1
    assert "hall prepare" in done.output


def test_production_knows_no_demo_accounts_and_no_sign_in_links(app, given):
    terms = {"environment": Environment.PRODUCTION, "now": clock.system_clock()}
    sign_in_link = (given(a_principal).staff_id, service.LinkPurpose.SIGN_IN)

    with pytest.raises(Forbidden):
        given(service.demo_links, **terms)
    with pytest.raises(Forbidden):
        given(service.one_time_link, *sign_in_link, by="system", **terms)
    with pytest.raises(Forbidden):
        given(service.sign_in_by_link, "any", **terms)


def test_the_administrator_sees_work_that_failed_for_good_and_lets_it_be_tried_again(
    client, app, given, administrator
):
    given(outbox.enqueue, "test.note", {"name": "户政"})
    job_id = given(a_dead_letter)

    page = client.get("/console/jobs").text
    submit(client, "/console/jobs", f"/console/jobs/{job_id}/revive")

    assert "test.note" in page
    assert "户政" not in page  # a payload may name persons
    with app.app_context():
        assert outbox.counts() == {"pending": 1}


def test_work_that_is_not_put_aside_cannot_be_given_up(client, administrator):
    assert submit(client, "/console/jobs", "/console/jobs/1/give-up").status_code == 404


def a_dead_letter():
    row = db.writing().scalar(select(outbox.JobRow))
    row.state = outbox.JobState.DEAD
    return row.id
