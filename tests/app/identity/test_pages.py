"""“我的” and the choice of how to sign in, as HTML."""

from __future__ import annotations

import re

import pytest

from app.identity import service
from tests.api.walk import HTML
from tests.app.identity.builders import UNION, a_mini_program, a_resident, a_session, an_account, signed_in
from tests.builders import a_wechat_account

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
pytestmark = on_sqlite
IN_WECHAT = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Mobile MicroMessenger/8.0.40"
IN_ALIPAY = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 AliApp(AP/10.5.0) AlipayClient/10.5.0"


def post(browser, path, page="/me", **fields):
    """Press a button of a page."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(page, headers=HTML).text)
    return browser.post(path, data={"csrf_token": token[1], **fields}, headers=HTML)


def test_the_choice_names_the_accounts_and_keeps_the_way_back(client, given):
    given(an_account)

    page = client.get("/me/sign-in", query_string={"return_to": "/x?a=1&b=2"}, headers=HTML).text

    assert '/sign-in/test-wechat?return_to=/x?a%3D1%26b%3D2"' in page.replace("&amp;", "&")
    assert "用微信登录" in page


@pytest.mark.parametrize(("agent", "offered"), [(IN_WECHAT, True), (IN_ALIPAY, False), ("Mozilla/5.0", True)])
def test_inside_a_platforms_app_only_its_own_way_is_offered(client, given, agent, offered):
    given(an_account)

    page = client.get("/me/sign-in", headers={**HTML, "User-Agent": agent}).text

    assert ("/sign-in/test-wechat" in page) == offered


def test_without_any_way_the_page_says_what_works_all_the_same(client, given):
    given(a_mini_program)

    page = client.get("/me/sign-in", headers=HTML).text

    assert "还不能登录" in page
    assert "/sign-in/test-mini" not in page


def test_somebody_signed_in_is_not_asked_again(app, given):
    browser = signed_in(app, given, given(a_resident))

    assert browser.get("/me/sign-in?return_to=/me/close", headers=HTML).location == "/me/close"


def test_ones_page_shows_bindings_and_sessions_and_no_user_id(app, given):
    resident_id = given(a_resident, given(an_account), subject="oSecretOpenid")
    given(a_session, resident_id, client=service.Client.ALIPAY)

    page = signed_in(app, given, resident_id).get("/me", headers=HTML)

    for words in ("测试公众号", "支付宝", "就是这里", "未实名", "在所有地方退出"):
        assert words in page.text
    assert "oSecretOpenid" not in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_another_session_is_ended_by_its_button(app, given):
    resident_id = given(a_resident)
    other = given(a_session, resident_id, client=service.Client.ALIPAY)
    browser = signed_in(app, given, resident_id)

    answer = post(browser, f"/me/sessions/{other.id}/end")

    assert answer.status_code == 303
    assert "那一处已退出登录" in (page := browser.get("/me", headers=HTML).text)
    assert "<b>支付宝</b>" not in page


def test_signing_out_everywhere_leads_to_the_choice(app, given):
    browser = signed_in(app, given, given(a_resident))

    answer = post(browser, "/me/sessions/end-all")

    assert answer.location == "/me/sign-in"
    assert "已在所有地方退出登录" in browser.get("/me/sign-in", headers=HTML).text


def test_a_binding_is_removed_by_its_button_and_the_last_has_none(app, given):
    resident_id = given(a_resident, given(an_account), union=UNION)
    given(a_resident, given(a_mini_program), subject="oInMini", union=UNION)
    browser = signed_in(app, given, resident_id)
    with app.app_context():
        mini = service.bindings(resident_id)[1]

    post(browser, f"/me/bindings/{mini.id}/remove")
    page = browser.get("/me", headers=HTML).text

    assert "测试小程序" not in page
    assert "/remove" not in page


def test_a_way_that_is_not_bound_yet_can_be_added(app, given):
    browser = signed_in(app, given, given(a_resident))
    given(a_wechat_account, key="second-wechat", name="第二公众号")

    assert "/me/bindings/add/second-wechat" in browser.get("/me", headers=HTML).text


def test_closing_asks_to_be_sure(app, given):
    resident_id = given(a_resident)
    browser = signed_in(app, given, resident_id)

    unsure = post(browser, "/me/close", page="/me/close")
    sure = post(browser, "/me/close", page="/me/close", sure="yes")

    assert (unsure.status_code, "请先勾选" in unsure.text) == (422, True)
    assert (sure.status_code, sure.location) == (303, "/me/sign-in")
    assert browser.get("/me", headers=HTML).status_code == 302


def test_nothing_of_another_resident_can_be_touched(app, given):
    account = given(an_account)
    stranger = given(a_resident, account)
    theirs = given(a_session, stranger)
    browser = signed_in(app, given, given(a_resident, account, subject="oMe"))
    with app.app_context():
        binding = service.bindings(stranger)[0].id

    answers = [
        post(browser, f"/me/sessions/{theirs.id}/end"),
        post(browser, f"/me/bindings/{binding}/remove"),
    ]

    assert [one.status_code for one in answers] == [404, 404]


def test_ones_page_leads_to_what_other_parts_of_the_hall_keep_for_oneself(app, given):
    browser = signed_in(app, given, given(a_resident))

    page = browser.get("/me", headers=HTML).text
    links = re.findall(r'class="weui-cell" href="([^"]+)"', page)

    assert links != []
    # Some are for who has proved their name: those lead to where one does.
    answers = {browser.get(link, headers=HTML, follow_redirects=True).status_code for link in links}
    assert answers == {200}
