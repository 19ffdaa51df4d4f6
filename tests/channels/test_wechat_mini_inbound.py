"""Messages and events of mini programs in JSON: published vectors, keys, modes, and what is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import registry
from channels.base import (
    AccountConfig,
    Channel,
    Consent,
    EventKind,
    InboundEvent,
    InboundRequest,
    Outcome,
    Rejected,
    Reply,
)
from channels.wechat.crypto import Sealer, decode_key
from tests.channels import platform_wechat as official
from tests.channels import platform_wechat_mini as mini
from tests.channels.builders import an_adapter, an_env
from tests.channels.test_wechat_inbound import DOC_APP, DOC_CIPHER, DOC_KEY, DOC_PLAIN_QUERY, DOC_QUERY

LEAVES = st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.none())
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner)
)


@contextmanager
def the_documents_account(mode: str = "secure", **secrets: str) -> Iterator[Channel]:
    kept = {"app_secret": "s", "token": "AAAAA", "aes_key": DOC_KEY, **secrets}
    config = AccountConfig("wechat_mini", "doc", {"app_id": DOC_APP, "mode": mode}, kept)
    with an_env() as env:
        yield registry.build(config, env)


def the_documents_message() -> InboundRequest:
    body = json.dumps({"ToUserName": "gh_97417a04a28d", "Encrypt": DOC_CIPHER}).encode()
    return InboundRequest("POST", DOC_QUERY, {}, body)


def told(req: InboundRequest, **more: str) -> InboundEvent:
    with an_adapter(mini, **more) as adapter:
        return adapter.parse(adapter.open(req))


def an_event(name: str, **fields: Any) -> InboundRequest:
    return mini.sealed(mini.message(MsgType="event", Event=name, **fields))


def test_the_documents_sealed_message_is_opened_and_of_this_kind() -> None:
    with the_documents_account() as adapter:
        envelope = adapter.open(the_documents_message())
        event = adapter.parse(envelope)

    assert (envelope.fields["debug_str"], envelope.wire) == ("hello world", "json")
    assert (event.channel, event.kind) == ("wechat_mini", EventKind.UNKNOWN)


def test_the_documents_handshake_and_plain_message_are_taken() -> None:
    query = (
        b"signature=f464b24fc39322e44b38aa78f5edd27bd1441696&echostr=4375120948345356249"
        b"&timestamp=1714036504&nonce=1514711492"
    )
    body = {"ToUserName": "gh_97417a04a28d", "FromUserName": "o9AgO5", "CreateTime": 1714037059}
    body |= {"MsgType": "event", "Event": "debug_demo", "debug_str": "hello world"}

    with the_documents_account("plain") as adapter:
        answer = adapter.handshake(InboundRequest("GET", query))
        envelope = adapter.open(InboundRequest("POST", DOC_PLAIN_QUERY, {}, json.dumps(body).encode()))

    assert answer is not None
    assert answer.body == b"4375120948345356249"
    assert (envelope.fields["debug_str"], envelope.wire) == ("hello world", "json")


def test_a_message_under_the_previous_key_is_answered_under_it() -> None:
    with the_documents_account(aes_key=official.KEY, previous_aes_key=DOC_KEY) as adapter:
        envelope = adapter.open(the_documents_message())
        answer = json.loads(adapter.seal(envelope, Reply(handover=True)).body)

    opened, _ = Sealer(DOC_APP, (("doc", decode_key(DOC_KEY)),)).open(answer["Encrypt"])
    assert envelope.key_id == "previous"
    assert json.loads(opened)["MsgType"] == "transfer_customer_service"


def test_secure_mode_takes_no_plain_body() -> None:
    with an_adapter(mini) as adapter, pytest.raises(Rejected) as refused:
        adapter.open(mini.plain(mini.message(MsgType="text", Content="你好", MsgId=1)))

    assert (refused.value.reason, refused.value.status) == ("plain_body", 403)


@pytest.mark.parametrize("mode", ["plain", "compat"])
def test_a_plain_body_is_taken_where_the_account_says_so(mode: str) -> None:
    req = mini.plain(mini.message(MsgType="text", Content="你好", MsgId=1))

    with an_adapter(mini, mode=mode) as adapter:
        envelope = adapter.open(req)
        answer = adapter.seal(envelope, Reply(handover=True))

    assert not envelope.freshness.binds_body
    assert json.loads(answer.body)["MsgType"] == "transfer_customer_service"


def test_a_message_in_xml_is_handed_over_in_xml() -> None:
    with an_adapter(mini) as adapter:
        answer = adapter.seal(adapter.open(official.text("转人工")), Reply(handover=True))

    assert official.hands_over(answer)


def test_words_are_never_in_the_answer_to_a_message() -> None:
    with an_adapter(mini) as adapter:
        answer = adapter.seal(adapter.open(mini.text("你好")), Reply("您好"))

    assert (answer.status, answer.body) == (200, b"success")


def test_a_message_for_another_account_is_refused() -> None:
    with an_adapter(mini, original_id="gh_another") as adapter, pytest.raises(Rejected) as refused:
        adapter.open(mini.text("你好"))

    assert refused.value.reason == "wrong_account"


MESSAGES = [
    pytest.param({"MsgType": "image", "PicUrl": "http://p/1", "MediaId": "m1"}, EventKind.IMAGE, id="image"),
    pytest.param(
        {"MsgType": "miniprogrampage", "Title": "进度", "AppId": "wx1", "PagePath": "pages/a/a?b=1"},
        EventKind.LINK,
        id="card",
    ),
    pytest.param(
        {"MsgType": "event", "Event": "user_enter_tempsession", "SessionFrom": "item-7"},
        EventKind.ENTER,
        id="customer service opened",
    ),
    pytest.param(
        {"MsgType": "event", "Event": "kf_create_session", "KfAccount": "desk@gd"}, EventKind.SERVICE, id="kf"
    ),
    pytest.param(
        {"MsgType": "event", "Event": "wxa_media_check", "trace_id": "t", "result": {"suggest": "risky"}},
        EventKind.ACCOUNT,
        id="media check",
    ),
    pytest.param(
        {"MsgType": "event", "Event": "weapp_audit_fail", "FailTime": 1, "Reason": "截图"},
        EventKind.ACCOUNT,
        id="audit",
    ),
    pytest.param({"MsgType": "event", "Event": "of_tomorrow"}, EventKind.UNKNOWN, id="unknown event"),
    pytest.param({"MsgType": "hologram"}, EventKind.UNKNOWN, id="unknown message"),
]


@pytest.mark.parametrize(("fields", "kind"), MESSAGES)
def test_messages_and_events_have_their_kind(fields: dict[str, Any], kind: EventKind) -> None:
    assert told(mini.sealed(mini.message(**fields))).kind is kind


def test_what_goes_with_an_event_is_kept() -> None:
    entered = told(an_event("user_enter_tempsession", SessionFrom="item-7"))
    card = told(
        mini.sealed(mini.message(MsgType="miniprogrampage", MsgId=9, PagePath="pages/a/a", Title="进度"))
    )
    checked = told(an_event("wxa_media_check", trace_id="t1", result={"suggest": "risky", "label": 20001}))

    assert entered.extras["session_from"] == "item-7"
    assert (card.extras["page"], card.extras["title"]) == ("pages/a/a", "进度")
    assert (checked.extras["trace_id"], checked.extras["suggestion"]) == ("t1", "risky")


@pytest.mark.parametrize("name", ["subscribe_msg_popup_event", "subscribe_msg_change_event"])
@pytest.mark.parametrize("listed", [True, False], ids=["array", "object"])
def test_consents_come_in_a_list_or_alone(name: str, listed: bool) -> None:
    entry = {"TemplateId": "T1", "SubscribeStatusString": "reject"}

    event = told(an_event(name, List=[entry] if listed else entry))

    assert event.consents == (Consent("T1", False),)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [("0", Outcome.ACCEPTED), ("43101", Outcome.NEEDS_CONSENT), ("-1", Outcome.RETRYABLE)],
)
@pytest.mark.parametrize("listed", [True, False], ids=["array", "object"])
def test_a_result_says_how_a_message_ended(code: str, outcome: Outcome, listed: bool) -> None:
    entry = {"TemplateId": "T1", "MsgID": "77", "ErrorCode": code, "ErrorStatus": "x"}
    req = an_event("subscribe_msg_sent_event", List=[entry] if listed else entry)

    with an_adapter(mini) as adapter:
        receipt = adapter.parse_receipt(adapter.parse(adapter.open(req)))

    assert receipt is not None
    assert (receipt.platform_id, receipt.outcome, receipt.code) == ("77", outcome, code)


def test_numbers_and_texts_make_no_difference_to_what_is_a_repeat() -> None:
    as_number = mini.message(MsgType="text", Content="a", MsgId=24)
    as_text = as_number.replace('"MsgId": 24', '"MsgId": "24"')

    with an_adapter(mini) as adapter:
        keys = {adapter.dedup_key(told(mini.sealed(body))) for body in (as_number, as_text)}

    assert as_number != as_text
    assert len(keys) == 1


@settings(max_examples=50)
@given(
    body=st.dictionaries(st.sampled_from(["MsgType", "Event", "List", "FromUserName", "CreateTime"]), JSON)
)
def test_no_authentic_json_brings_the_adapter_down(body: dict[str, Any]) -> None:
    req = mini.signed(json.dumps(body).encode())

    with an_adapter(mini) as adapter:
        try:
            status = bool(adapter.parse(adapter.open(req)).sender) * 200
        except Rejected as refused:
            status = refused.status

    assert status == 200 or 400 <= status <= 499


def test_a_signature_of_another_token_is_refused() -> None:
    req = mini.text("你好")
    forged = replace(req, query_string=req.query_string.replace(b"msg_signature=", b"msg_signature=0"))

    with an_adapter(mini) as adapter, pytest.raises(Rejected) as refused:
        adapter.open(forged)

    assert refused.value.reason == "bad_signature"
