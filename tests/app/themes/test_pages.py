"""The resident's pages of themes, without JavaScript."""

import re

import pytest

from app.core.runner import Worker
from tests.app.applications.builders import a_resident
from tests.app.identity.builders import signed_in
from tests.app.themes import builders as build

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
FIRST = {key: value for key, value in build.good_answers().items() if key != "seats"}


@pytest.fixture
def browser(app, given):
    """A browser in which a resident is signed in."""
    return signed_in(app, given, given(a_resident))


@pytest.fixture
def theme(given):
    given(build.the_items)
    return given(build.a_theme)


def post(browser, page, path="", **fields):
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(page).text)[1]
    return browser.post(path or page, data={"csrf_token": token, **fields})


def send(browser, page, **answers):
    """Post the form as the browser would: every field it shows, the version it knows."""
    text = re.sub(r"<template.*?</template>", "", browser.get(page).text, flags=re.DOTALL)
    version = re.search(r'name="version" value="(\d+)"', text)[1]
    shown = re.findall(r'name="shown" value="(\w+)"', text)
    return post(browser, page, version=version, shown=shown, key="pressed-once", **answers)


def begun(browser, theme, **fields):
    return post(browser, f"/themes/{theme}", f"/themes/{theme}/apply", **fields).location


def test_a_visitor_reads_who_does_what_and_which_material_serves_whom(client, theme):
    listed, guide = client.get("/themes").text, client.get(f"/themes/{theme}").text

    assert "开餐饮店一件事" in listed
    assert "前面的办成后自动提交" in guide
    assert "用于：个体工商户登记、食品经营许可、税务登记" in guide
    assert "45 个工作日" in guide


@pytest.mark.parametrize(
    ("query", "found"), [("饭店", True), ("我想开餐馆", True), ("餐饮", True), ("离婚", False)]
)
def test_a_theme_is_found_by_everyday_words(client, given, query, found):
    given(build.the_items)
    given(build.a_theme, synonyms=["开饭店", "开餐馆"])

    assert ("开餐饮店一件事" in client.get(f"/themes?q={query}").text) is found


def test_a_theme_that_is_not_whole_in_a_place_says_what_is_missing_and_where_it_is(client, given):
    given(build.the_items, ("GS", "SP"), "广州市", "440100")
    given(build.the_items, ("SW",), "深圳市", "440300")
    given(build.the_items, ("GS",), "深圳市", "440300")
    given(build.the_items, ("SP",), "深圳市", "440300")
    theme = given(build.a_theme)

    text = client.get(f"/themes/{theme}?region=440100").text

    assert "在广州市不能一次办齐" in text
    assert "税务登记：本地还没有开通" in text
    assert "深圳市" in text


def test_one_applies_for_all_parts_without_javascript(browser, theme):
    page = begun(browser, theme)

    first = send(browser, page, **FIRST, **{"material-m2": "promise"})
    last = send(browser, page, **FIRST, seats="20", then="submit")
    text = browser.get(last.location).text

    assert (first.status_code, last.status_code) == (303, 303)
    assert "等前置事项办完后自动提交" in text
    assert text.count('href="/me/applications/') == 2


def test_the_page_of_progress_finds_a_theme_by_its_number(browser, client, theme):
    page = begun(browser, theme)
    send(browser, page, **FIRST, **{"material-m2": "promise"})
    text = browser.get(send(browser, page, **FIRST, seats="20", then="submit").location).text
    number, code = (one.replace(" ", "") for one in re.findall(r'<dd class="number">([\d ]+)', text)[:2])

    found = post(client, "/progress", number=number, query_code=code).text
    wrong = post(client, "/progress", number=number, query_code="00000000")

    assert "共 3 项" in found
    assert "测试一" not in found
    assert wrong.status_code == 422


def test_an_optional_item_may_be_left_out(browser, theme):
    page = begun(browser, theme, offered="SW")

    text = browser.get(page).text

    assert "税务登记" not in text
    assert 'value="tax_kind"' not in text


def test_what_is_wrong_is_told_in_the_words_of_the_merged_form(browser, theme):
    page = begun(browser, theme)

    answer = send(browser, page, **{**FIRST, "shop": "二十一个字长的店名" * 3}, then="submit")

    assert answer.status_code == 422
    assert "店名：不能超过 20 个字" in answer.text


def test_withdrawing_wants_a_tick_and_ends_all_parts(app, browser, theme):
    page = begun(browser, theme)
    send(browser, page, **FIRST, **{"material-m2": "promise"})
    case = send(browser, page, **FIRST, seats="20", then="submit").location
    version = re.search(r'name="version" value="(\d+)"', browser.get(case).text)[1]

    unsure = post(browser, case, f"{case}/withdraw", version=version)
    sure = post(browser, case, f"{case}/withdraw", version=version, sure="yes")
    Worker(app, app.extensions["hall_jobs"]).drain()

    assert (unsure.status_code, sure.status_code) == (422, 303)
    assert "已撤回" in browser.get(case).text


def test_somebody_elses_pages_do_not_exist(app, given, browser, theme):
    page = begun(browser, theme)
    stranger = signed_in(app, given, given(a_resident))

    assert stranger.get(page).status_code == 404
    assert stranger.get(page.removesuffix("/form")).status_code == 404


def test_an_unknown_place_is_refused(client, theme):
    assert client.get(f"/themes/{theme}?region=999999").status_code == 422


def test_a_draft_can_be_given_up(browser, theme):
    page = begun(browser, theme)

    answer = post(browser, page, page.removesuffix("form") + "discard")

    assert answer.status_code == 303
    assert "还没有一件事的申请" in browser.get("/me/themes").text
