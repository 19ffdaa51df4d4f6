"""The pages, without JavaScript: apply, mend, follow, and the desk."""

import re

import pytest

from app.applications import service
from app.applications.service import Event, State
from tests.app.applications.builders import a_case, a_resident, an_open_item, owner_of, take_step
from tests.app.catalogue.builders import good_answers
from tests.app.identity.builders import signed_in
from tests.app.organisations.builders import with_codes
from tests.builders import a_principal, sign_in

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
FIRST = {key: value for key, value in good_answers().items() if key not in {"employer", "truthful"}}


@pytest.fixture
def browser(app, given):
    """A browser in which a resident is signed in."""
    return signed_in(app, given, given(a_resident))


def post(browser, page, path="", **fields):
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(page).text)[1]
    return browser.post(path or page, data={"csrf_token": token, **fields})


def send(browser, page, **answers):
    """Post the form as the browser would: every field it shows, the version it knows."""
    text = browser.get(page).text
    version = re.search(r'name="version" value="(\d+)"', text)[1]
    shown = re.findall(r'name="shown" value="(\w+)"', text)
    return post(browser, page, version=version, shown=shown, key="pressed-once", **answers)


def begun(browser, given):
    item_id = given(an_open_item)
    return post(browser, f"/apply/{item_id}").location


def test_a_visitor_is_led_to_sign_in_first(client, given):
    answer = client.get(f"/apply/{given(an_open_item)}", headers={"Accept": "text/html"})

    assert answer.status_code == 302
    assert answer.location.startswith("/me/sign-in?")


def test_one_applies_without_javascript(browser, given):
    page = begun(browser, given)

    first = send(browser, page, **FIRST, **{"material-m2": "promise"})
    text = browser.get(page).text
    last = send(browser, page, employer="示例工厂", truthful="yes", then="submit", **FIRST)

    assert first.status_code == 303
    assert 'name="shown" value="employer"' in text
    assert last.status_code == 303
    assert "已提交，等待受理" in browser.get(last.location).text


def test_numbers_are_shown_with_stars_and_stay_when_left_empty(browser, given):
    page = begun(browser, given)
    send(browser, page, **FIRST)

    text = browser.get(page).text
    send(browser, page, **{**FIRST, "id_number": "", "name": "改了名"})
    again = browser.get(page).text

    assert FIRST["id_number"] not in text
    assert "已填" in again
    assert "改了名" in again


def test_what_is_wrong_is_told_beside_the_field_and_at_the_top(browser, given):
    page = begun(browser, given)

    answer = send(browser, page, **{**FIRST, "since": "2090-01-01"}, then="submit")

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'id="error-since"' in answer.text
    assert 'href="#since"' in answer.text


def test_what_cannot_be_kept_is_not_lost(browser, given):
    page = begun(browser, given)

    answer = send(browser, page, **{**FIRST, "name": "长" * 41})

    assert answer.status_code == 422
    assert "长" * 41 in answer.text


def test_an_old_draft_is_offered_and_a_fresh_start_too(browser, given):
    item_id = given(an_open_item)
    first = post(browser, f"/apply/{item_id}").location

    offer = browser.get(f"/apply/{item_id}").text
    fresh = post(browser, f"/apply/{item_id}", fresh="1").location

    assert first in offer
    assert "重新填写" in offer
    assert fresh != first


def test_a_supplement_is_handed_in_on_the_page(app, given):
    resident_id = given(a_resident)
    case_id = given(a_case, State.SUPPLEMENT_DUE, resident_id=resident_id)
    browser = signed_in(app, given, resident_id)
    page = f"/me/applications/{case_id}"

    text = browser.get(page).text
    version = re.search(r'name="version" value="(\d+)"', text)[1]
    told = {"version": version, "shown": ["employer"]}
    refused = post(browser, page, f"{page}/supplement", employer="", **told)
    taken = post(browser, page, f"{page}/supplement", employer="乙厂", **told)

    assert "请写单位全称" in text
    assert refused.status_code == 422
    assert taken.status_code == 303


def test_the_page_asks_for_what_a_supplied_answer_makes_necessary(app, given):
    resident_id = given(a_resident)
    case_id = given(a_case, resident_id=resident_id, ground="home", employer=None)
    given(take_step, case_id, Event.ASK_SUPPLEMENT, items=[{"field": "ground", "text": "请核对理由"}])
    browser = signed_in(app, given, resident_id)
    page = f"/me/applications/{case_id}"
    version = re.search(r'name="version" value="(\d+)"', browser.get(page).text)[1]

    told = {"version": version, "ground": "work"}
    refused = post(browser, page, f"{page}/supplement", shown=["ground"], **told)
    shown = re.findall(r'name="shown" value="(\w+)"', refused.text)
    taken = post(browser, page, f"{page}/supplement", shown=shown, employer="乙厂", **told)

    assert (refused.status_code, shown) == (422, ["ground", "employer"])
    assert taken.status_code == 303


def test_withdrawing_needs_a_tick(app, given):
    resident_id = given(a_resident)
    case_id = given(a_case, resident_id=resident_id)
    browser = signed_in(app, given, resident_id)
    page = f"/me/applications/{case_id}"

    unsure = post(browser, page, f"{page}/withdraw", version=3)
    sure = post(browser, page, f"{page}/withdraw", version=3, sure="yes")

    assert unsure.status_code == 422
    assert sure.status_code == 303
    assert "已撤回" in browser.get(page).text


def test_progress_is_shown_to_who_knows_number_and_code(client, given, app):
    case_id = given(a_case, State.ACCEPTED)
    with app.app_context():
        case = service.my_case(owner_of(case_id), case_id)
    number = f"{case.number[:6]} {case.number[6:]}"

    found = post(client, "/progress", number=number, query_code=case.query_code)
    wrong = post(client, "/progress", number=number, query_code="12345678")

    assert "已受理" in found.text
    assert "测试" not in found.text
    assert wrong.status_code == 422


def test_the_desk_handles_a_case_by_its_pages(client, given, app):
    case_id = given(a_case)
    sign_in(client, given, given(a_principal, "city_operator", region_code="440100"))
    page = f"/desk/cases/{case_id}"

    listed = client.get("/desk/cases").text
    post(client, page, f"{page}/handler", version=3)
    asked = post(
        client,
        page,
        f"{page}/step",
        event="ask_supplement",
        version=4,
        item_field="employer",
        item_material="m2",
        item_texts="请写明工作起止时间\n",
    )
    shown = client.get(page).text

    assert f"/desk/cases/{case_id}" in listed
    assert asked.status_code == 303
    assert all(words in shown for words in ("“住所证明”：没有提交，请补交", "请写明工作起止时间", "待补正"))


def test_the_desk_is_told_what_a_step_lacks(client, given):
    case_id = given(a_case)
    sign_in(client, given, given(a_principal, "city_operator", region_code="440100"))
    page = f"/desk/cases/{case_id}"

    lacking = post(client, page, f"{page}/step", event="refuse", version=3)
    unknown = post(client, page, f"{page}/step", event="bribe", version=3)
    stale = post(client, page, f"{page}/step", event="accept", version=2)

    assert lacking.status_code == 422
    assert "请告知申请人可以怎样救济" in lacking.text
    assert unknown.status_code == 404
    assert "请刷新后再办" in client.get(stale.location).text


def test_the_desk_reads_names_only_with_a_reason(client, given):
    case_id = given(a_case)
    who = given(a_principal, "city_operator", region_code="440100")
    codes = given(with_codes, who)
    sign_in(client, given, who)
    page = f"/desk/cases/{case_id}"

    refused = [
        post(client, page, f"{page}/personal", why="", code=codes.at(0)),
        post(client, page, f"{page}/personal", why="核对身份"),
        post(client, page, f"{page}/personal", why="核对身份", code="123456"),
    ]
    reason = post(client, page, f"{page}/personal", why="核对身份", code=codes.now())
    soon_again = post(client, page, f"{page}/personal", why="再次核对")

    assert {one.status_code for one in refused} == {422}
    assert not any("测试一" in one.text for one in refused)
    assert "测试一" in reason.text
    assert "测试一" in soon_again.text


def test_a_decided_case_tells_the_applicant_what_came_out(app, given):
    resident_id = given(a_resident)
    case_id = given(a_case, State.HANDLING, resident_id=resident_id)
    given(take_step, case_id, Event.DECIDE, granted=False, reason="不在本地居住", remedy="六十日内可申请复议")

    text = signed_in(app, given, resident_id).get(f"/me/applications/{case_id}").text

    assert all(words in text for words in ("已作出决定", "不在本地居住", "六十日内可申请复议"))


def test_the_elder_edition_stays_from_page_to_page(browser, given):
    item_id = given(an_open_item)

    started = post(browser, f"/apply/{item_id}?style=elder", fresh="1").location

    assert started.endswith("?style=elder")
    assert 'class="phone elder"' in browser.get(started).text
