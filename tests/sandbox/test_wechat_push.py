"""Messages reach the hall as the platform sends them, and its answers are judged as there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sandbox.wechat import crypto, messages
from sandbox.wechat.delivery import OUT_OF_ORDER
from tests.sandbox import builders, wechat_hall
from tests.sandbox.servers import FakeHall, Received, Sandbox, a_hall, a_sandbox

KEY = "gd-wechat"


@contextmanager
def a_pair(deadline: float = 5.0, **account: Any) -> Iterator[tuple[FakeHall, Sandbox]]:
    """Start a hall and a sandbox with one followed official account."""
    with a_hall() as hall:
        raw = builders.raw_wechat(callback_url=hall.url + "/callbacks/x", **account)
        with a_sandbox(raw, hall_base=hall.url, answer_deadline_seconds=deadline) as sandbox:
            sandbox.act(KEY, "follow")
            hall.received.clear()
            yield hall, sandbox


def last_entry(sandbox: Sandbox) -> dict[str, Any]:
    entry: dict[str, Any] = sandbox.get(f"/control/chats/{KEY}")["entries"][-1]
    return entry


def test_a_text_arrives_encrypted_and_the_encrypted_answer_is_shown() -> None:
    with a_pair() as (hall, sandbox):
        hall.reply = wechat_hall.answering(wechat_hall.text("请选择：户政办理"))

        outcomes = sandbox.act(KEY, "text", "户籍 😀 ]]> 办理")

        assert outcomes == ["answered"]
        assert wechat_hall.opened(hall.received[0]).findtext("Content") == "户籍 😀 ]]> 办理"
        assert last_entry(sandbox)["text"] == "请选择：户政办理"


def test_in_plain_mode_the_message_is_readable_and_signed() -> None:
    with a_pair(mode="plain", aes_key="") as (hall, sandbox):
        sandbox.act(KEY, "text", "你好")

        args = hall.received[0].args
        assert messages.parse_xml(hall.received[0].body).findtext("Content") == "你好"
        assert args["signature"] == crypto.signature("AAAAA", args["timestamp"], args["nonce"])
        assert "encrypt_type" not in args


def test_in_compat_mode_both_forms_travel_together() -> None:
    with a_pair(mode="compat") as (hall, sandbox):
        sandbox.act(KEY, "text", "你好")

        root = messages.parse_xml(hall.received[0].body)
        assert root.findtext("Content") == "你好"
        assert wechat_hall.opened(hall.received[0]).findtext("Content") == "你好"


@pytest.mark.parametrize("body", ["", "success"])
def test_the_bare_acknowledgement_shows_nothing(body: str) -> None:
    with a_pair() as (hall, sandbox):
        hall.reply = lambda _received: body

        assert sandbox.act(KEY, "text", "你好") == ["no_answer"]
        assert last_entry(sandbox)["author"] == "resident"


def odd_replies() -> list[Any]:
    good = wechat_hall.text("好")
    make, seal = wechat_hall.reply_xml, wechat_hall.sealed
    return [
        pytest.param(lambda m: ("boom", 500), id="server error"),
        pytest.param(lambda m: "ok", id="not XML"),
        pytest.param(lambda m: "<a/>", id="another root"),
        pytest.param(lambda m: make(m, good), id="plain in secure mode"),
        pytest.param(lambda m: seal(make(m, good), token="other"), id="wrong signature"),
        pytest.param(lambda m: seal(make(m, good), app_id="wx0"), id="another app id"),
        pytest.param(lambda m: seal(make(m, good, ToUserName="x")), id="wrong addressee"),
        pytest.param(lambda m: seal(make(m, good, CreateTime="now")), id="time in words"),
        pytest.param(lambda m: seal(make(m, "<MsgType>poem</MsgType>")), id="unknown type"),
        pytest.param(lambda m: seal(make(m, good + "<MsgType>text</MsgType>")), id="type twice"),
        pytest.param(lambda m: seal(make(m, wechat_hall.text("长" * 700))), id="over 2048 bytes"),
        pytest.param(lambda m: seal(make(m, wechat_hall.text(""))), id="empty text"),
        pytest.param(lambda m: seal(make(m, wechat_hall.news(*"123456789"))), id="nine cards"),
        pytest.param(lambda m: seal('<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>'), id="entities"),
    ]


@pytest.mark.parametrize("reply", odd_replies())
def test_an_odd_answer_puts_the_account_out_of_order(reply: Any) -> None:
    with a_pair() as (hall, sandbox):
        hall.reply = lambda received: reply(wechat_hall.opened(received))

        assert sandbox.act(KEY, "text", "你好") == ["odd"]
        assert last_entry(sandbox)["text"] == OUT_OF_ORDER
        assert last_entry(sandbox)["author"] == "notice"


def slow(_received: Received) -> str:
    time.sleep(0.5)
    return "success"


def test_silence_is_asked_three_times_with_the_same_request() -> None:
    with a_pair(deadline=0.2) as (hall, sandbox):
        hall.reply = slow

        outcomes = sandbox.act(KEY, "text", "你好")

        assert outcomes == ["timeout"] * 3
        assert len({(r.body, r.args["nonce"]) for r in hall.received}) == 1
        assert last_entry(sandbox)["text"] == OUT_OF_ORDER


def test_a_late_hall_is_saved_by_the_second_try() -> None:
    with a_pair(deadline=0.3) as (hall, sandbox):
        answer = wechat_hall.answering(wechat_hall.text("来了"))

        def slow_once(received: Received) -> str:
            if len(hall.received) == 1:
                time.sleep(0.6)
            return answer(received)

        hall.reply = slow_once

        assert sandbox.act(KEY, "text", "你好") == ["timeout", "answered"]
        assert last_entry(sandbox)["text"] == "来了"


def test_a_hall_that_is_not_there_is_tried_three_times() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        assert sandbox.act(KEY, "follow") == ["unreachable"] * 3


def test_only_the_first_card_answers_a_message() -> None:
    with a_pair() as (hall, sandbox):
        hall.reply = wechat_hall.answering(wechat_hall.news("a", "b"))

        sandbox.act(KEY, "text", "你好")

        assert [card["title"] for card in last_entry(sandbox)["articles"]] == ["a"]


def test_the_resident_may_write_only_after_following() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        body = {"account": KEY, "kind": "text", "value": "你好"}

        response = sandbox.call("POST", "/control/messages", json=body)

        assert (response.status_code, response.json()["error"]) == (409, "请先关注")


def test_following_and_leaving_are_events_with_the_same_person() -> None:
    with a_pair() as (hall, sandbox):
        sandbox.act(KEY, "unfollow")
        sandbox.act(KEY, "follow")

        seen = [wechat_hall.opened(received) for received in hall.received]
        assert [m.findtext("Event") for m in seen] == ["unsubscribe", "subscribe"]
        assert len({m.findtext("FromUserName") for m in seen}) == 1


def test_a_duplicate_is_byte_for_byte_the_same() -> None:
    with a_pair() as (hall, sandbox):
        sandbox.post("/control/switches", {"account": KEY, "duplicate": 1})

        sandbox.act(KEY, "text", "你好")
        sandbox.act(KEY, "text", "再见")

        assert len(hall.received) == 3
        assert hall.received[0] == hall.received[1]


def test_a_reordered_message_comes_after_the_next() -> None:
    with a_pair() as (hall, sandbox):
        sandbox.post("/control/switches", {"account": KEY, "reorder": 1})

        assert sandbox.act(KEY, "text", "第一") == ["held"]
        sandbox.act(KEY, "text", "第二")

        assert [wechat_hall.opened(r).findtext("Content") for r in hall.received] == ["第二", "第一"]


def test_a_replay_keeps_the_signature_and_changes_the_body() -> None:
    with a_pair() as (hall, sandbox):
        sandbox.post("/control/switches", {"account": KEY, "replay_other_body": 1})

        sandbox.act(KEY, "text", "你好")

        genuine, forged = hall.received
        assert genuine.args == forged.args
        assert genuine.body != forged.body


def test_an_unsigned_message_carries_no_signature() -> None:
    with a_pair() as (hall, sandbox):
        sandbox.post("/control/switches", {"account": KEY, "unsigned": 1})

        sandbox.act(KEY, "text", "你好")

        assert set(hall.received[0].args) == {"timestamp", "nonce", "openid"}


def test_garbage_is_not_a_message() -> None:
    with a_pair() as (hall, sandbox):
        sandbox.post("/control/switches", {"account": KEY, "garbage": 1})

        sandbox.act(KEY, "text", "你好")

        with pytest.raises(messages.OddAnswer):
            messages.parse_xml(hall.received[0].body)


@pytest.mark.parametrize(("echo", "passed"), [(True, True), (False, False)])
def test_the_address_check_wants_its_own_word_back(echo: bool, passed: bool) -> None:
    with a_pair() as (hall, sandbox):
        hall.reply = lambda received: received.args["echostr"] if echo else "hello"

        assert sandbox.post(f"/control/accounts/{KEY}/handshake", {})["ok"] is passed
        args = hall.received[-1].args
        assert args["signature"] == crypto.signature("AAAAA", args["timestamp"], args["nonce"])
