"""Menus of some residents (个性化菜单) and codes with parameters, as the platform wants them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from channels.base import ChannelError, MenuEntry, MenuRule
from channels.wechat.menu import rules_from_wire
from tests.channels import platform_wechat as wechat
from tests.channels.builders import NOW, an_adapter
from tests.channels.server import Answer, Call, a_platform

MENU = (MenuEntry("首页", url="https://hall.example.cn/"),)
IOS = MenuRule((MenuEntry("苹果", key="ios"),), system="ios")
TAGGED = MenuRule((MenuEntry("老人", key="tag"),), tag="101", system="android")


def test_a_rule_is_sent_as_the_platform_wants_it() -> None:
    api = wechat.Api()

    with a_platform(api) as server, an_adapter(wechat, server.base_url) as adapter:
        adapter.publish_menu(MENU, [TAGGED])

    assert api.rules == [
        {
            "button": [{"type": "click", "name": "老人", "key": "tag"}],
            "matchrule": {"tag_id": "101", "client_platform_type": "2"},
            "menuid": 401,
        }
    ]


def test_the_first_rule_is_published_last_because_the_newest_is_tried_first() -> None:
    api = wechat.Api()

    with a_platform(api) as server, an_adapter(wechat, server.base_url) as adapter:
        adapter.publish_menu(MENU, [IOS, TAGGED])

    assert [rule["button"][0]["key"] for rule in api.rules] == ["tag", "ios"]


def test_old_rules_go_only_when_the_new_ones_are_there() -> None:
    api = wechat.Api()
    counts: list[int] = []

    def watching(call: Call) -> Answer:
        answer = api(call)
        counts.append(len(api.rules))
        return answer

    with a_platform(watching) as server, an_adapter(wechat, server.base_url) as adapter:
        adapter.publish_menu(MENU, [IOS])
        seen = len(counts)
        adapter.publish_menu(MENU, [TAGGED])

    assert min(counts[seen:]) == 1
    assert [rule["button"][0]["key"] for rule in api.rules] == ["tag"]


def test_a_publication_that_broke_off_is_put_right_by_the_next() -> None:
    api = wechat.Api()

    with a_platform(api) as server, an_adapter(wechat, server.base_url) as adapter:
        adapter.publish_menu(MENU, [IOS])
        api.answers["menu/delconditional"] = {"errcode": 45009, "errmsg": "quota"}
        with pytest.raises(ChannelError):
            adapter.publish_menu(MENU, [TAGGED])
        del api.answers["menu/delconditional"]
        adapter.publish_menu(MENU, [TAGGED])

        assert adapter.read_menu_rules() == (TAGGED,)


@pytest.mark.parametrize(
    ("rules", "code", "rule"),
    [
        pytest.param([replace(IOS, system="symbian")], "bad_condition", 0, id="unknown system"),
        pytest.param([IOS, replace(TAGGED, tag="old people")], "bad_condition", 1, id="tag in words"),
        pytest.param([replace(IOS, tree=())], "entry_count", 0, id="no entries"),
        pytest.param(
            [replace(IOS, tree=(MenuEntry("a", url=f"https://h{n}.example.cn/"),)) for n in range(4)],
            "too_many_hosts",
            None,
            id="four domains",
        ),
    ],
)
def test_the_limits_of_rules_are_told(rules: list[MenuRule], code: str, rule: int | None) -> None:
    with an_adapter(wechat) as adapter:
        found = adapter.check_menu(MENU, rules)

    assert [(violation.code, violation.rule) for violation in found] == [(code, rule)]


@pytest.mark.parametrize(
    ("menu", "known"),
    [
        pytest.param({"matchrule": {"group_id": 7}}, MenuRule(MENU, tag="7"), id="older name of a tag"),
        pytest.param(
            {"matchrule": {"tag_id": "7", "sex": ""}}, MenuRule(MENU, tag="7"), id="empty condition"
        ),
        pytest.param({"matchrule": {"sex": "1"}}, None, id="condition we do not know"),
        pytest.param({"matchrule": {"client_platform_type": "9"}}, None, id="unknown system"),
        pytest.param({"matchrule": []}, None, id="list for conditions"),
        pytest.param({"matchrule": {"tag_id": "7"}, "button": "x"}, None, id="no buttons"),
    ],
)
def test_rules_of_others_are_read_as_far_as_we_know_them(
    menu: dict[str, Any], known: MenuRule | None
) -> None:
    buttons = [{"type": "view", "name": "首页", "url": "https://hall.example.cn/"}]

    standing = rules_from_wire({"conditionalmenu": [{"button": buttons, "menuid": 5, **menu}]})

    assert [(one.menu_id, one.rule) for one in standing] == [("5", known)]


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"conditionalmenu": 1}, {"conditionalmenu": [1, {}, {"menuid": "x"}]}]
)
def test_no_rules_are_read_from_odd_answers(answer: Any) -> None:
    assert rules_from_wire(answer) == ()


@pytest.mark.parametrize(
    ("scene", "seconds", "sent"),
    [
        ("desk-7", None, {"action_name": "QR_LIMIT_STR_SCENE"}),
        ("窗口七", 600, {"action_name": "QR_STR_SCENE", "expire_seconds": 600}),
        ("x" * 64, 2_592_000, {"action_name": "QR_STR_SCENE", "expire_seconds": 2_592_000}),
    ],
)
def test_a_code_is_asked_for_as_the_platform_wants_it(scene: str, seconds: int | None, sent: Any) -> None:
    api = wechat.Api()

    with a_platform(api) as server, an_adapter(wechat, server.base_url) as adapter:
        code = adapter.make_qr(scene, seconds)

    assert api.codes == [{**sent, "action_info": {"scene": {"scene_str": scene}}}]
    assert code.content == "http://weixin.qq.com/q/kZgfwMTm72WWPkovabbI"


@pytest.mark.parametrize(
    ("scene", "seconds", "code"),
    [
        ("x" * 65, None, "bad_scene"),
        ("号" * 22, None, "bad_scene"),
        ("a\nb", None, "bad_scene"),
        ("desk", 2_592_001, "bad_seconds"),
    ],
)
def test_a_code_beyond_the_limits_is_not_asked_for(scene: str, seconds: int | None, code: str) -> None:
    with an_adapter(wechat) as adapter, pytest.raises(ChannelError) as refused:
        adapter.make_qr(scene, seconds)

    assert refused.value.code == code


def test_a_shorter_life_than_asked_for_is_believed() -> None:
    answer = {"url": "http://weixin.qq.com/q/1", "expire_seconds": 60}

    with (
        a_platform(wechat.Api({"qrcode/create": answer})) as server,
        an_adapter(wechat, server.base_url) as adapter,
    ):
        code = adapter.make_qr("desk", 600)

    assert code.expires_at is not None
    assert (code.expires_at - NOW).total_seconds() == 60


@pytest.mark.parametrize("answer", [{}, {"url": ""}, {"url": 7}])
def test_an_answer_without_a_code_is_an_error(answer: dict[str, Any]) -> None:
    with (
        a_platform(wechat.Api({"qrcode/create": answer})) as server,
        an_adapter(wechat, server.base_url) as adapter,
        pytest.raises(ChannelError) as failed,
    ):
        adapter.make_qr("desk")

    assert failed.value.code == "garbage"
