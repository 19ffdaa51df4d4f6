"""What the platform does wrong loses no notice, doubles none and is told by its name."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from channels.base import (
    Channel,
    ChannelError,
    Media,
    MediaKind,
    MenuEntry,
    MenuRule,
    Notification,
    Outcome,
    Reply,
)
from sandbox.world import RESIDENT, open_id
from tests.sandbox.servers import Sandbox
from tests.sandbox.test_adapters import MENU, a_meeting
from tests.sandbox.test_wechat_notices import NOTICE, TEMPLATES

OPEN_ID = open_id("wxba5fad812f8e6fb9", RESIDENT)
RULE = MenuRule((MenuEntry("苹果", key="IOS"),), system="ios")
PNG = Media(MediaKind.IMAGE, "a.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 9)
ONCE: Notification = replace(NOTICE, dedup_id="case-1/accepted")

CALLS: list[Any] = [
    pytest.param(lambda it: it.publish_menu(MENU, [RULE]), id="menus"),
    pytest.param(lambda it: it.read_menu_rules(), id="reading menus"),
    pytest.param(lambda it: it.make_qr("desk-7", 60), id="code"),
    pytest.param(lambda it: it.upload(PNG), id="upload"),
    pytest.param(lambda it: it.page_config("http://127.0.0.1/p", []), id="page"),
]
SENDS: list[Any] = [
    pytest.param(lambda it: it.send(OPEN_ID, Reply("您的件已办结")), id="message"),
    pytest.param(lambda it: it.send_notification(OPEN_ID, NOTICE), id="notice"),
]


def spoil(sandbox: Sandbox, key: str, **switches: Any) -> None:
    sandbox.post("/control/switches", {"account": key, **switches})


def shown(sandbox: Sandbox, key: str) -> int:
    """Return how often the notice stands in the chat."""
    entries = sandbox.get(f"/control/chats/{key}")["entries"]
    return sum("办件进度通知" in entry["text"] for entry in entries)


@pytest.mark.parametrize("call", [*CALLS, *SENDS])
def test_a_dropped_token_is_noticed_by_nobody(call: Callable[[Channel], Any]) -> None:
    with a_meeting("wechat-secure", templates=TEMPLATES) as (hall, sandbox, key):
        sandbox.act(key, "follow")
        hall.channel.publish_menu(MENU)
        spoil(sandbox, key, drop_token=True)

        result = call(hall.channel)

        assert getattr(result, "outcome", Outcome.ACCEPTED) is Outcome.ACCEPTED


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("switch", "code", "retryable"),
    [("quota_45009", "45009", False), ("api_busy", "-1", True), ("api_garbage", "http_502", True)],
)
def test_a_disturbed_call_says_whether_to_try_again(
    call: Callable[[Channel], Any], switch: str, code: str, retryable: bool
) -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, key):
        hall.channel.publish_menu(MENU)
        spoil(sandbox, key, **{switch: 1})

        with pytest.raises(ChannelError) as failed:
            call(hall.channel)

        assert (failed.value.code, failed.value.retryable) == (code, retryable)


@pytest.mark.parametrize("send", SENDS)
@pytest.mark.parametrize(
    ("switch", "outcome"),
    [("quota_45009", Outcome.QUOTA), ("api_busy", Outcome.RETRYABLE), ("api_garbage", Outcome.RETRYABLE)],
)
def test_a_disturbed_send_has_an_outcome_and_the_next_goes_well(
    send: Callable[[Channel], Any], switch: str, outcome: Outcome
) -> None:
    with a_meeting("wechat-secure", templates=TEMPLATES) as (hall, sandbox, key):
        sandbox.act(key, "follow")
        hall.channel.read_menu()
        spoil(sandbox, key, **{switch: 1})

        outcomes = (send(hall.channel).outcome, send(hall.channel).outcome)

        assert outcomes == (outcome, Outcome.ACCEPTED)


def test_a_notice_whose_answer_came_too_late_is_shown_once_all_the_same() -> None:
    with a_meeting("wechat-secure", timeout_seconds=0.3, templates=TEMPLATES) as (hall, sandbox, key):
        sandbox.act(key, "follow")
        hall.channel.read_menu()
        spoil(sandbox, key, api_delay_ms=900)
        late = hall.channel.send_notification(OPEN_ID, ONCE)
        spoil(sandbox, key, api_delay_ms=0)
        while not shown(sandbox, key):
            time.sleep(0.05)

        again = hall.channel.send_notification(OPEN_ID, ONCE)

        assert (late.outcome, late.code, again.outcome) == (Outcome.RETRYABLE, "timeout", Outcome.ACCEPTED)
        assert shown(sandbox, key) == 1


def test_a_lost_result_leaves_no_receipt_and_the_next_has_one() -> None:
    with a_meeting("wechat-secure", templates=TEMPLATES) as (hall, sandbox, key):
        sandbox.act(key, "follow")
        spoil(sandbox, key, lose_receipts=1)
        lost = hall.channel.send_notification(OPEN_ID, NOTICE).platform_id
        told = hall.channel.send_notification(OPEN_ID, NOTICE).platform_id
        while len(hall.events) < 2:
            time.sleep(0.02)

        receipt = hall.channel.parse_receipt(hall.events[1])

        assert receipt is not None
        assert receipt.platform_id == told != lost


@pytest.mark.parametrize("kind", ["wechat-plain", "wechat-secure"])
def test_a_doubled_message_has_one_key_and_a_reordered_one_its_own(kind: str) -> None:
    with a_meeting(kind) as (hall, sandbox, key):
        sandbox.act(key, "follow")
        spoil(sandbox, key, duplicate=1)
        sandbox.act(key, "text", "一")
        spoil(sandbox, key, reorder=1)
        sandbox.act(key, "text", "二")
        sandbox.act(key, "text", "三")

        words = [event.text for event in hall.events[1:]]
        assert words == ["一", "一", "三", "二"]
        assert len({hall.channel.dedup_key(event) for event in hall.events[1:]}) == 3


def test_a_message_with_another_body_under_an_old_signature_is_refused() -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, key):
        sandbox.act(key, "follow")
        spoil(sandbox, key, replay_other_body=1)

        sandbox.act(key, "text", "真的")

        assert [event.text for event in hall.events[1:]] == ["真的"]
        assert hall.refused == ["bad_signature"]
