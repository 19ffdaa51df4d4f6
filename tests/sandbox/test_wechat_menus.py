"""Menus of some residents, and codes with parameters, on a platform written without the hall's adapter."""

from __future__ import annotations

from typing import Any

import pytest

from channels.base import EventKind, MenuEntry, MenuRule
from tests.sandbox import builders
from tests.sandbox.servers import Sandbox, a_sandbox
from tests.sandbox.test_adapters import MENU, a_meeting
from tests.sandbox.test_wechat_api import send

KEY = "gd-wechat"
IOS = MenuRule((MenuEntry("苹果", key="IOS"),), system="ios")
OLD = MenuRule((MenuEntry("老人", key="OLD"),), tag="101")
BUTTON = {"type": "click", "name": "办事", "key": "K"}


def shown(sandbox: Sandbox, key: str, system: str, *tags: str) -> str:
    sandbox.post(f"/control/accounts/{key}/resident", {"system": system, "tags": list(tags)})
    return str(sandbox.get(f"/control/chats/{key}")["menu"][0]["name"])


def test_each_resident_sees_the_first_menu_that_fits() -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, key):
        hall.channel.publish_menu(MENU, [OLD, IOS])

        seen = [
            shown(sandbox, key, *who)
            for who in (("ios",), ("ios", "101"), ("android", "101"), ("other", "7"))
        ]

        assert seen == ["苹果", "老人", "老人", "办事"]
        assert hall.channel.read_menu_rules() == (OLD, IOS)


def test_menus_of_some_residents_go_with_the_next_publication() -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, key):
        hall.channel.publish_menu(MENU, [OLD, IOS])
        hall.channel.publish_menu(MENU)

        assert shown(sandbox, key, "ios", "101") == "办事"
        assert hall.channel.read_menu_rules() == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"matchrule": {}}, 65304, id="no condition"),
        pytest.param({"matchrule": {"sex": "1"}}, 65320, id="private condition"),
        pytest.param({"matchrule": {"moon": "1"}}, 65317, id="unknown condition"),
        pytest.param({"matchrule": {"client_platform_type": 1}}, 65317, id="number for a system"),
        pytest.param({"matchrule": {"tag_id": "old"}}, 65317, id="tag in words"),
        pytest.param({"button": []}, 40016, id="no buttons"),
        pytest.param(
            {
                "button": [
                    {
                        "name": "a",
                        "sub_button": [
                            {"type": "view", "name": "b", "url": f"http://h{n}/"} for n in range(4)
                        ],
                    }
                ]
            },
            65316,
            id="four domains",
        ),
    ],
)
def test_a_rule_is_refused_for_its_fault(change: dict[str, Any], code: int) -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        send(sandbox, "menu/create", {"button": [BUTTON]})
        rule = {"button": [BUTTON], "matchrule": {"tag_id": "1"}, **change}

        assert send(sandbox, "menu/addconditional", rule)["errcode"] == code


def test_a_rule_needs_a_menu_for_everybody_and_goes_with_it() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        rule = {"button": [BUTTON], "matchrule": {"tag_id": "1"}}
        before = send(sandbox, "menu/addconditional", rule)["errcode"]
        send(sandbox, "menu/create", {"button": [BUTTON]})
        made = send(sandbox, "menu/addconditional", rule)["menuid"]
        send(sandbox, "menu/delete", {})

        assert before == 65303
        assert send(sandbox, "menu/delconditional", {"menuid": str(made)})["errcode"] == 65301


def test_a_scanned_code_brings_its_scene_to_a_follower_and_to_a_stranger() -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, key):
        code = hall.channel.make_qr("desk-7", 600)

        sandbox.act(key, "scan", code.content)
        sandbox.act(key, "scan", code.content)

        assert [(event.kind, event.action) for event in hall.events] == [
            (EventKind.FOLLOW, "desk-7"),
            (EventKind.SCAN, "desk-7"),
        ]


@pytest.mark.parametrize(("seconds", "status"), [(600, 409), (None, 200)])
def test_a_code_ends_when_it_was_said_to(seconds: int | None, status: int) -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, key):
        code = hall.channel.make_qr("desk-7", seconds)
        sandbox.clock.now += 601

        body = {"account": key, "kind": "scan", "value": code.content}
        assert sandbox.call("POST", "/control/messages", json=body).status_code == status


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"action_name": "QR_FLY"}, 40052),
        ({"action_name": "QR_STR_SCENE"}, 40053),
        ({"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": ""}}}, 40053),
        ({"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": True}}}, 40053),
        (
            {"action_name": "QR_SCENE", "expire_seconds": "1", "action_info": {"scene": {"scene_id": 1}}},
            40097,
        ),
    ],
)
def test_a_code_is_refused_for_its_fault(body: dict[str, Any], code: int) -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        assert send(sandbox, "qrcode/create", body)["errcode"] == code


@pytest.mark.parametrize("body", [{"system": "symbian"}, {"tags": "101"}])
def test_a_resident_that_cannot_be_is_refused(body: dict[str, Any]) -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        assert sandbox.call("POST", f"/control/accounts/{KEY}/resident", json=body).status_code == 422
