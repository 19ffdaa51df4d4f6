"""What staff see and set: rules, who is with a person, menus."""

from __future__ import annotations

import pytest

from app.channel_accounts import service as channel_accounts
from app.conversations import service
from app.conversations.rules import Action, Duty, Route, Rules, Trigger
from app.core import clock
from channels.base import MenuEntry, MenuRule
from tests.app.conversations.senders import an_account, deliver, now, save_rules
from tests.builders import a_principal, sign_in, submit
from tests.channels import platform_alipay, platform_wechat, platform_wechat_mini
from tests.channels.server import a_platform

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
FORM = {
    "seen": "0",
    "matches": "5",
    "fresh_minutes": "10",
    "hotline": "12345",
    "duty": "daily",
    "opens": "08:30",
    "closes": "24:00",
    "handover_words": "人工，转人工",
    "switches": ["search", "handover"],
    "greeting": "您好\r\n欢迎",
}
ROUTE = {"name": "社保", "trigger": "contains", "words": "社保、医保", "action": "say", "said": "到这里查"}


def a_form(*routes, **changed):
    columns = {
        f"route_{name}": [{**ROUTE, "priority": "50", "active": "on", **route}[name] for route in routes]
        for name in (*ROUTE, "priority", "active")
    }
    return {**FORM, **columns, **changed}


@pytest.fixture
def account(given):
    return given(an_account, "wechat", platform_wechat.config())


@pytest.fixture
def staff(client, given):
    """A client that a system administrator is signed in on."""
    sign_in(client, given, given(a_principal, "system_administrator"))
    return client


def here(account, more=""):
    return f"/console/conversations/{account.id}{more}"


def saved(app, account):
    with app.app_context():
        return service.current_rules(account.id)


def test_what_staff_write_is_what_holds(app, staff, account):
    answer = submit(staff, here(account), **a_form({}))

    expected = Rules(
        greeting="您好\n欢迎",
        handover=True,
        handover_words=("人工", "转人工"),
        duty=Duty.DAILY,
        opens=510,
        closes=1440,
        routes=(Route("社保", Trigger.CONTAINS, ("社保", "医保"), Action.SAY, "到这里查", 50),),
    )
    assert answer.status_code == 302
    assert saved(app, account).rules == expected


def test_what_is_shown_can_be_saved_as_it_is(app, staff, account):
    submit(staff, here(account), **a_form({}, {"name": "b", "action": "help", "said": "", "active": "off"}))
    before = saved(app, account)

    page = staff.get(here(account)).text

    assert 'value="社保、医保"' in page
    assert 'value="24:00"' in page
    assert before.rules.routes[1].active is False


def test_an_emptied_line_takes_its_route_out(app, staff, account):
    submit(staff, here(account), **a_form({}))

    submit(staff, here(account), **a_form({"name": "", "words": "", "said": ""}, seen="1"))

    assert saved(app, account).rules.routes == ()


def test_mistakes_are_told_beside_their_fields_and_nothing_is_saved(app, staff, account):
    answer = submit(staff, here(account), **a_form({"words": ""}, matches="x", opens="25:00"))

    assert answer.status_code == 422
    assert "1 至 8 条" in answer.text
    assert "开始时间要早于结束时间" in answer.text
    assert "1 至 30 个" in answer.text
    assert saved(app, account).number == 0


def test_who_edited_an_old_version_is_told_so(staff, account):
    submit(staff, here(account), **a_form())

    assert submit(staff, here(account), **a_form()).status_code == 409


def test_an_old_version_can_be_looked_at(staff, account):
    submit(staff, here(account), **a_form(greeting="第一版的话"))
    submit(staff, here(account), **a_form(greeting="第二版的话", seen="1"))

    page = staff.get(here(account, "?version=1")).text

    assert "第一版的话" in page
    assert 'name="seen" value="2"' in page
    assert staff.get(here(account, "?version=9")).status_code == 404


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        pytest.param("say=醫保怎麼查", "社保", "到这里查", id="a route"),
        pytest.param("say=人工", "转人工", "转给人工客服", id="a person"),
        pytest.param("say=火星签证", "搜索", "没有找到", id="search"),
        pytest.param("say=help&way=menu", "内置：怎样使用", "全部服务", id="a menu key"),
        pytest.param("way=follow", "关注欢迎语", "您好", id="following"),
        pytest.param("say=desk&way=scan", "没有规则回答", "", id="nothing"),
    ],
)
def test_staff_can_try_which_rule_answers(staff, account, query, name, words):
    always = {"duty": "always"}
    submit(staff, here(account), **a_form({}, **always))

    page = staff.get(here(account, f"?{query}")).text

    assert name in page
    assert words in page
    assert "Macro" not in page


def test_talks_are_seen_and_ended_without_names(staff, account, given):
    given(save_rules, account, rules=Rules(handover=True, duty=Duty.ALWAYS))
    deliver(staff, "wechat", platform_wechat.text("人工", at=now()))
    page = staff.get(here(account, "/talks")).text
    path = page.split('action="')[2].split('"')[0]

    submit(staff, here(account, "/talks"), path)

    assert "等待接待" in page
    assert platform_wechat.RECIPIENT not in page
    assert "现在没有人在等客服" in staff.get(here(account, "/talks")).text


def test_menus_of_some_are_checked_kept_compared_and_published(app, staff, given):
    api = platform_wechat.api()
    with a_platform(api) as platform:
        account = given(an_account, "wechat", platform_wechat.config(platform.base_url))
        wanted = {"version": "0", "tag": ["7"], "system": ["ios"], "menu": ["苹果 | https://hall.example/"]}
        answer = submit(staff, here(account, "/menu"), **wanted)
        differs = staff.get(here(account, "/menu?compare=1")).text
        submit(staff, here(account, "/menu"), here(account, "/menu/publish"))
        alike = staff.get(here(account, "/menu?compare=1")).text

    assert answer.status_code == 302
    assert "不一致" in differs
    assert "标签 7、苹果" in differs
    assert [rule["matchrule"]["tag_id"] for rule in api.rules] == ["7"]
    assert "平台上的菜单和这里的一样" in alike


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({"menu": ["办事"]}, "第 1 行", id="unreadable"),
        pytest.param({"tag": [""], "system": [""]}, "要填写标签编号或选择手机系统", id="for nobody"),
        pytest.param(
            {"menu": [f"{'长' * 9} | https://hall.example/"]}, "名称最多", id="the platform's limits"
        ),
        pytest.param({"tag": ["七"]}, "标签编号", id="no tag"),
    ],
)
def test_a_menu_the_platform_would_refuse_is_not_kept(app, staff, account, changed, said):
    wanted = {"version": "0", "tag": ["7"], "system": ["ios"], "menu": ["首页 | https://hall.example/"]}

    answer = submit(staff, here(account, "/menu"), **{**wanted, **changed})

    assert answer.status_code == 422
    assert said in answer.text
    with app.app_context():
        assert channel_accounts.menu_rules(account.id).rules == ()


def test_a_platform_that_is_away_is_named_and_nothing_breaks(staff, account):
    compared = staff.get(here(account, "/menu?compare=1"))
    published = submit(staff, here(account, "/menu"), here(account, "/menu/publish"))

    assert (compared.status_code, published.status_code) == (200, 302)
    assert "读不到平台上的菜单" in compared.text
    assert "平台没有接受" in staff.get(here(account, "/menu")).text


def test_a_platform_without_such_menus_says_so(staff, given):
    account = given(an_account, "alipay", platform_alipay.config())

    assert "这个平台没有个性化菜单" in staff.get(here(account, "/menu")).text
    assert "这个平台不能转人工" in staff.get(here(account)).text


def test_an_account_without_any_menu_says_so_and_keeps_none(staff, given):
    account = given(an_account, "wechat_mini", platform_wechat_mini.config())
    wanted = {"version": "0", "tag": ["7"], "system": ["ios"], "menu": ["首页 | https://hall.example/"]}

    page, answer = staff.get(here(account, "/menu")), staff.post(here(account, "/menu"), data=wanted)

    assert "这个账号没有菜单" in page.text
    assert answer.status_code in (400, 403, 422)


def test_menu_rules_that_somebody_else_changed_are_not_overwritten(staff, account, given):
    tree = (MenuEntry("a", key="k"),)
    given(
        channel_accounts.save_menu_rules,
        account.id,
        0,
        [MenuRule(tree, "1")],
        actor="s",
        now=clock.system_clock(),
    )

    wanted = {"version": "0", "tag": ["7"], "system": ["ios"], "menu": ["首页 | https://hall.example/"]}

    assert submit(staff, here(account, "/menu"), **wanted).status_code == 409


@pytest.mark.parametrize("more", ["", "/talks", "/menu"])
def test_only_who_manages_channels_may_look(client, given, account, more):
    sign_in(client, given, given(a_principal, "auditor"))

    assert client.get(here(account, more)).status_code == 403
