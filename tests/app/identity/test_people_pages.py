"""The pages of who one is: step up and come back, accounts, enterprises, delegations; staff's of mergers."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from app.catalogue.models import ItemDirectory
from app.core import clock, db
from app.core.installation import item_names
from app.identity import service
from tests.api.walk import HTML
from tests.app.catalogue.builders import an_item as a_catalogued_item
from tests.app.identity.builders import a_resident, a_session, an_account, signed_in
from tests.app.identity.people_builders import (
    AWAY,
    CHEN,
    COMPANY,
    LI,
    NUMBERS,
    UNKNOWN,
    a_person,
    a_register,
    an_offer,
    set_up,
)
from tests.app.identity.test_pages import post
from tests.builders import a_principal, sign_in

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


def in_hall(hall, work):
    with hall.app_context():
        return work()


def newcomer(hall, given):
    return signed_in(hall, given, given(a_resident, given(an_account)))


def known(hall, given, register, person=CHEN):
    """Return a browser of somebody whose name is proved, and their account."""
    resident_id = in_hall(hall, lambda: a_person(register.provider(), person))
    return signed_in(hall, given, resident_id), resident_id


def verify(browser, person, return_to="/me", **more):
    kind, number, name = person
    fields = {"kind": kind.value, "number": number, "name": name, "return_to": return_to, **more}
    return post(browser, "/me/verify", page="/me/verify", **fields)


def test_a_page_for_verified_people_leads_to_the_step_up_and_back(hall, given):
    browser = newcomer(hall, given)

    sent = browser.get("/me/delegations?x=1", headers=HTML)
    there = urlsplit(sent.location)

    assert (sent.status_code, there.path) == (303, "/me/verify")
    assert parse_qs(there.query) == {"level": ["2"], "return_to": ["/me/delegations?x=1"]}
    assert 'value="/me/delegations?x=1"' in browser.get(sent.location, headers=HTML).text
    done = verify(browser, CHEN, "/me/delegations?x=1")
    assert (done.status_code, done.location) == (303, "/me/delegations?x=1")
    assert browser.get(done.location, headers=HTML).status_code == 200


def test_a_form_that_needs_more_leads_back_to_its_page(hall, given):
    browser = newcomer(hall, given)

    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/me", headers=HTML).text)[1]
    headers = {**HTML, "Referer": "http://localhost/me/enterprises?y=2"}
    sent = browser.post("/me/enterprises", data={"csrf_token": token}, headers=headers)

    assert parse_qs(urlsplit(sent.location).query)["return_to"] == ["/me/enterprises?y=2"]


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_way_back_is_never_to_elsewhere(hall, given, elsewhere):
    assert verify(newcomer(hall, given), CHEN, elsewhere).location == "/me"


@pytest.mark.parametrize(
    ("person", "status", "words"),
    [
        pytest.param((*CHEN[:2], "李演示"), 422, "姓名与证件号码不一致", id="another's name"),
        pytest.param(UNKNOWN, 422, "没有查到", id="unknown"),
        pytest.param(AWAY, 503, "暂时没有应答", id="away"),
        pytest.param((CHEN[0], "445399196203150011", CHEN[2]), 422, "校验码", id="check digit"),
    ],
)
def test_what_is_refused_is_told_in_words_and_above_the_form(hall, given, person, status, words):
    page = verify(newcomer(hall, given), person)

    assert page.status_code == status
    assert words in page.text
    assert 'role="alert"' in page.text
    assert '<form class="stack"' in page.text


def test_a_mistyped_number_stands_by_its_field_and_a_refused_one_does_not_come_back(hall, given):
    browser = newcomer(hall, given)

    mistyped = verify(browser, (CHEN[0], "4453991962031500", CHEN[2])).text
    refused = verify(browser, (*CHEN[:2], "李演示")).text

    assert 'aria-describedby="number-error number-hint"' in mistyped
    assert 'value="4453991962031500"' in mistyped
    assert CHEN[1] not in refused


def test_ones_own_page_shows_masks_only(hall, given, register):
    browser, _ = known(hall, given, register)

    pages = "".join(browser.get(path, headers=HTML).text for path in ("/me", "/me/verify", "/me/delegations"))

    assert "445*************1X" in pages
    assert [one for one in (CHEN[2], *NUMBERS) if one in pages] == []


def test_without_a_provider_the_page_says_where_to_go(app, given):
    page = newcomer(app, given).get("/me/verify", headers=HTML).text

    assert "还没有开通实名认证" in page


def test_a_face_check_raises_the_session_and_comes_back(hall, given, register):
    browser, _ = known(hall, given, register)
    page = post(browser, "/me/verify/face", page="/me/verify?level=3", level="3", return_to="/me/enterprises")
    url = re.search(r'class="button" href="([^"]+)"', page.text)[1]
    register.show_face(url)
    back = urlsplit(list(register.api.faces.values())[-1].return_url)

    answer = browser.get(f"{back.path}?{back.query}", headers=HTML)

    assert (answer.status_code, answer.location) == (302, "/me/enterprises")
    assert "人脸核验" in browser.get("/me/verify?level=3", headers=HTML).text
    assert browser.get(f"{back.path}?{back.query}", headers=HTML).location == "/me/enterprises"


@pytest.mark.parametrize("state", ["", "x" * 43, "<script>"])
def test_a_return_that_nobody_began_is_refused_in_words(hall, client, state):
    answer = client.get("/me/verify/return", query_string={"state": state}, headers=HTML)

    assert (answer.status_code, "已经失效" in answer.text) == (422, True)


def test_two_accounts_are_brought_together_by_their_buttons(hall, given, register):
    (first, first_id), (second, second_id) = (known(hall, given, register) for _ in range(2))
    link_id = in_hall(hall, lambda: service.links(first_id)[0].id)

    answers = [post(one, f"/me/links/{link_id}/prove", page="/me/verify") for one in (first, second)]
    in_hall(hall, lambda: db.transaction(lambda: service.merge_proved(NOW())))

    assert [one.status_code for one in answers] == [303, 303]
    assert "已归并" in first.get("/me/verify", headers=HTML).text
    assert in_hall(hall, lambda: service.accounts_of(second_id)) == (second_id, first_id)


def test_somebody_elses_proposal_is_not_found(hall, given, register):
    known(hall, given, register)
    _, mine = known(hall, given, register)
    stranger, _ = known(hall, given, register, LI)
    link_id = in_hall(hall, lambda: service.links(mine)[0].id)

    assert post(stranger, f"/me/links/{link_id}/prove", page="/me").status_code == 404


def test_an_enterprise_is_added_and_sends_a_clerk(hall, given, register):
    browser, resident_id = known(hall, given, register)

    wrong = post(
        browser, "/me/enterprises", page="/me/enterprises", uscc="91445399MA05AMPL7W", name=COMPANY[1]
    )
    right = post(browser, "/me/enterprises", page="/me/enterprises", uscc=COMPANY[0], name=COMPANY[1])
    enterprise_id = in_hall(hall, lambda: service.enterprises_of(resident_id)[0].id)
    form = browser.get(f"/me/delegations/new?enterprise={enterprise_id}", headers=HTML).text

    assert (wrong.status_code, "校验码" in wrong.text, right.status_code) == (422, True, 303)
    assert f'<option value="{enterprise_id}" translate="no" selected>' in form


def offered(browser, agent=LI, **changes):
    kind, number, name = agent
    days = {"starts_on": "2099-01-01", "ends_on": "2099-06-01"}
    fields = {"kind": "agent", "agent_kind": kind.value, "agent_number": number, "agent_name": name}
    given_fields = {**days, **fields, "enterprise_id": "", **changes}
    return post(browser, "/me/delegations", page="/me/delegations/new", **given_fields)


def test_a_delegation_is_given_taken_and_ended_on_pages(hall, given, register):
    principal, _ = known(hall, given, register)
    agent, agent_id = known(hall, given, register, LI)

    assert offered(principal).status_code == 303
    one = in_hall(hall, lambda: service.delegations(agent_id)[0].id)
    assert CHEN[2] in agent.get("/me/delegations", headers=HTML).text
    assert post(agent, f"/me/delegations/{one}/accept", page="/me/delegations").status_code == 303
    assert "还没有到开始日期" in principal.get("/me/delegations", headers=HTML).text
    assert post(principal, f"/me/delegations/{one}/end", page="/me/delegations").status_code == 303
    assert "已终止" in agent.get("/me/delegations", headers=HTML).text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"agent_number": "1"}, "agent_number", id="number"),
        pytest.param({"agent_name": ""}, "agent_name", id="name"),
        pytest.param({"ends_on": "soon"}, "ends_on", id="no date"),
        pytest.param({"starts_on": "2016-01-01"}, "starts_on", id="long ago"),
        pytest.param({"kind": "legal"}, "kind", id="by law"),
        pytest.param({"agent_kind": "9"}, "agent_kind", id="a passport"),
    ],
)
def test_an_offer_that_will_not_do_is_shown_by_its_field(hall, given, register, changes, field):
    browser, _ = known(hall, given, register)

    page = offered(browser, **changes)

    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
    assert f'href="#{field}"' in page.text


@pytest.mark.parametrize("enterprise", ["7", "x", "9" * 30])
def test_nobody_gives_in_the_name_of_anothers_enterprise(hall, given, register, enterprise):
    browser, _ = known(hall, given, register)

    assert offered(browser, enterprise_id=enterprise).status_code == 404


def test_anothers_delegation_is_not_found(hall, given, register):
    principal, principal_id = known(hall, given, register)
    stranger, _ = known(hall, given, register, LI)
    gave = an_offer((*LI[:2], "王演示"))
    one = in_hall(
        hall, lambda: db.transaction(lambda: service.give_delegation(principal_id, gave, now=NOW()))
    )

    for verb in ("accept", "decline", "end"):
        assert post(stranger, f"/me/delegations/{one}/{verb}", page="/me").status_code == 404


def a_console(hall, given, role):
    """Return a browser of a member of staff."""
    browser = hall.test_client()
    sign_in(browser, given, given(a_principal, role=role))
    return browser


def merged_pair(hall, register):
    def work():
        by = register.provider()
        pair = [a_person(by), a_person(by)]
        link_id = service.links(pair[0])[0].id
        for one in pair:
            db.transaction(lambda one=one: service.prove_link(one, 2, link_id, now=NOW()))
        db.transaction(lambda: service.merge_proved(NOW()))
        return link_id, pair

    return in_hall(hall, work)


def test_provincial_staff_part_a_merger_with_a_reason(hall, given, register):
    link_id, pair = merged_pair(hall, register)
    staff = a_console(hall, given, role="province_reviewer")
    page = f"/console/merged-accounts/{link_id}"
    version = re.search(r'name="version" value="(\d+)"', staff.get(page, headers=HTML).text)[1]

    unreasoned = post(staff, f"{page}/undo", page=page, version=version, release="", reason=" ")
    done = post(staff, f"{page}/undo", page=page, version=version, release=str(pair[1]), reason="弄错了")

    assert (unreasoned.status_code, "请写明撤销的理由" in unreasoned.text) == (422, True)
    assert done.status_code == 303
    assert "弄错了" in staff.get(page, headers=HTML).text
    for asked, shown in (("", True), (str(pair[0]), True), ("7", False), ("x", False)):
        listed = staff.get("/console/merged-accounts", query_string={"account": asked}, headers=HTML).text
        assert (page in listed) == shown
    assert in_hall(hall, lambda: service.person_of(pair[1])) is None


@pytest.mark.parametrize("role", ["department_operator", "auditor", "system_administrator"])
def test_other_staff_see_no_mergers(hall, given, role):
    staff = a_console(hall, given, role=role)

    assert staff.get("/console/merged-accounts", headers=HTML).status_code == 403


def test_a_merger_that_is_none_is_not_found(hall, given):
    staff = a_console(hall, given, role="province_reviewer")

    assert staff.get("/console/merged-accounts/5", headers=HTML).status_code == 404


def test_sessions_of_the_other_account_are_listed_after_the_merger(hall, given, register):
    _, pair = merged_pair(hall, register)
    given(a_session, pair[1], client=service.Client.ALIPAY)

    assert "支付宝" in signed_in(hall, given, pair[0]).get("/me", headers=HTML).text


def an_item():
    """Add an item in force; return the id of its directory."""
    a_catalogued_item(name="居住证申领")
    return next(iter(item_names("", [row.id for row in db.writing().query(ItemDirectory)])))


def test_a_delegation_is_for_the_items_that_were_looked_for_and_ticked(hall, given, register):
    browser, resident_id = known(hall, given, register)
    item = given(an_item)

    looked = offered(browser, then="find", find="居住证")
    sent = offered(browser, then="give", scope=str(item))

    assert (looked.status_code, sent.status_code) == (200, 303)
    assert f'name="scope" value="{item}"' in looked.text
    assert "居住证申领" in browser.get("/me/delegations", headers=HTML).text
    assert in_hall(hall, lambda: service.delegations(resident_id)[0].scope) == (item,)


def test_an_item_that_is_none_is_no_scope(hall, given, register):
    browser, _ = known(hall, given, register)

    assert [offered(browser, scope=one).status_code for one in ("77", "all")] == [404, 404]
