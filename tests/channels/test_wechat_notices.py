"""WeChat's template messages and subscription notices: what is sent, refused and told later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import (
    ChannelError,
    Consent,
    EventKind,
    InboundRequest,
    MiniPage,
    Notification,
    NotificationKind,
    Outcome,
    SendResult,
)
from channels.wechat.notices import fitted
from tests.channels import platform_wechat as wechat
from tests.channels.builders import an_adapter
from tests.channels.server import a_platform

PAGE = "https://hall.example.cn/cases/1"
NOTICE = Notification("TPL-1", {"thing1": "户口迁移", "time2": "2026年11月20日 12:00"}, PAGE)
MINI = MiniPage("wxmini", "pages/case?id=1")


def notify(notification: Notification, api: wechat.Api, **settings: str) -> SendResult:
    with a_platform(api) as server, an_adapter(wechat, server.base_url, **settings) as adapter:
        return adapter.send_notification(wechat.RECIPIENT, notification)


def test_a_template_message_is_sent_as_the_platform_wants_it() -> None:
    api = wechat.Api()

    result = notify(replace(NOTICE, mini_page=MINI), api)

    assert result == SendResult(Outcome.ACCEPTED, "200228332")
    assert api.sent == [
        {
            "touser": wechat.RECIPIENT,
            "template_id": "TPL-1",
            "url": PAGE,
            "miniprogram": {"appid": "wxmini", "pagepath": "pages/case?id=1"},
            "data": {"thing1": {"value": "户口迁移"}, "time2": {"value": "2026年11月20日 12:00"}},
        }
    ]


def test_a_subscription_notice_names_its_page_otherwise() -> None:
    api = wechat.Api()

    notify(replace(NOTICE, kind=NotificationKind.SUBSCRIBE, dedup_id="case-1"), api)

    assert api.sent[0]["page"] == PAGE
    assert "url" not in api.sent[0]
    assert "client_msg_id" not in api.sent[0]


def test_repeats_carry_one_id_that_tells_nothing() -> None:
    api = wechat.Api()

    for dedup_id in ("case-1/accepted", "case-1/accepted", "case-1/decided"):
        notify(replace(NOTICE, dedup_id=dedup_id), api)

    first, again, other = (body["client_msg_id"] for body in api.sent)
    assert first == again != other
    assert len(first) == 32
    assert "case" not in first


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        pytest.param("thing1", "办" * 20, "办" * 20, id="as long as may be"),
        pytest.param("thing1", "办" * 21, "办" * 19 + "…", id="shortened"),
        pytest.param("thing1", "一\n二\t三 ", "一 二 三", id="one line"),
        pytest.param("thing1", "好\x00的😀", "好的😀", id="unwritable"),
        pytest.param("phrase2", "审批已经通过", "审批已经…", id="phrase"),
        pytest.param("name3", "广州市越秀区行政服务中心", "广州市越秀区行政服…", id="Chinese name"),
        pytest.param("name3", "GuangzhouServiceHall", "GuangzhouServiceHall", id="Latin name"),
        pytest.param("character_string4", "GD-2026-0001", "GD-2026-0001", id="number of a case"),
        pytest.param("amount5", "￥12.50元", "￥12.50元", id="amount"),
        pytest.param("phone_number6", "020-12345", "020-12345", id="hotline"),
        pytest.param("keyword1", "旧模板", "旧模板", id="older template"),
        pytest.param("thing1.DATA", "好", "好", id="with suffix"),
    ],
)
def test_values_fit_their_type(key: str, value: str, shown: str) -> None:
    assert fitted(key, value) == shown


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("thing1", ""),
        ("thing1", " \n"),
        ("number1", "十二"),
        ("number1", "1" * 33),
        ("letter1", "abc1"),
        ("character_string1", "编号1"),
        ("character_string1", "x" * 33),
        ("amount1", "十元"),
        ("phone_number1", "请拨打电话"),
        ("date1", "明天"),
        ("time1", "x" * 60),
        ("car_number1", "粤A123456789"),
        ("1thing", "x"),
        ("thing 1", "x"),
        ("", "x"),
    ],
)
def test_a_value_of_the_wrong_form_is_not_sent(key: str, value: str) -> None:
    api = wechat.Api()

    result = notify(replace(NOTICE, data={key: value}), api)

    assert result == SendResult(Outcome.BAD_TEMPLATE, code="bad_data")
    assert api.sent == []


@given(
    value=st.text(min_size=1, max_size=60),
    kind=st.sampled_from(["thing", "phrase", "name", "const", "remark"]),
)
def test_no_words_are_too_long_or_of_several_lines(value: str, kind: str) -> None:
    try:
        shown = fitted(f"{kind}1", value)
    except ChannelError as error:
        shown = error.code

    most = {"thing": 20, "phrase": 5, "name": 20, "const": 20, "remark": 200}[kind]
    assert shown == "bad_data" or (0 < len(shown) <= most and "\n" not in shown)


@pytest.mark.parametrize(
    ("errcode", "outcome"),
    [
        (43101, Outcome.NEEDS_CONSENT),
        (43004, Outcome.NOT_FOLLOWING),
        (40003, Outcome.NOT_FOLLOWING),
        (40037, Outcome.BAD_TEMPLATE),
        (47003, Outcome.BAD_TEMPLATE),
        (40165, Outcome.BAD_TEMPLATE),
        (45009, Outcome.QUOTA),
        (48001, Outcome.AUTH),
        (-1, Outcome.RETRYABLE),
    ],
)
@pytest.mark.parametrize("kind", list(NotificationKind))
def test_a_refused_notice_has_an_outcome(kind: NotificationKind, errcode: int, outcome: Outcome) -> None:
    refusal = {"errcode": errcode, "errmsg": "x"}
    refusals: Mapping[str, Any] = {"message/template/send": refusal, "message/subscribe/bizsend": refusal}

    result = notify(replace(NOTICE, kind=kind), wechat.Api(refusals))

    assert result == SendResult(outcome, code=str(errcode))


def test_a_dropped_token_loses_no_notice() -> None:
    api = wechat.Api()

    with a_platform(api) as server, an_adapter(wechat, server.base_url) as adapter:
        adapter.send_notification(wechat.RECIPIENT, NOTICE)
        api.drop_token()
        adapter.send_notification(wechat.RECIPIENT, NOTICE)

    assert (len(api.sent), api.issued) == (2, 2)


def test_a_subscription_account_has_no_template_messages_but_notices() -> None:
    api = wechat.Api()

    result = notify(replace(NOTICE, kind=NotificationKind.SUBSCRIBE), api, account_type="subscription")
    with pytest.raises(ChannelError) as refused:
        notify(NOTICE, api, account_type="subscription")

    assert result.outcome is Outcome.ACCEPTED
    assert refused.value.code == "unsupported"


def receipt_of(req: InboundRequest) -> tuple[str, Outcome, str]:
    with an_adapter(wechat, mode="compat") as adapter:
        receipt = adapter.parse_receipt(adapter.parse(adapter.open(req)))
    assert receipt is not None
    return receipt.platform_id, receipt.outcome, receipt.code


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("success", Outcome.ACCEPTED),
        ("failed:user block", Outcome.NEEDS_CONSENT),
        ("failed: system failed", Outcome.RETRYABLE),
        ("failed:system failed", Outcome.RETRYABLE),
        ("from the future", Outcome.UNKNOWN),
    ],
)
def test_the_result_of_a_template_message_is_told(status: str, outcome: Outcome) -> None:
    body = wechat.message(MsgType="event", Event="TEMPLATESENDJOBFINISH", MsgID="200163836", Status=status)

    assert receipt_of(wechat.sealed(body)) == ("200163836", outcome, status)


@pytest.mark.parametrize(
    ("code", "outcome"), [("0", Outcome.ACCEPTED), ("43101", Outcome.NEEDS_CONSENT), ("x", Outcome.UNKNOWN)]
)
def test_the_result_of_a_subscription_notice_is_told(code: str, outcome: Outcome) -> None:
    entry = f"<List><TemplateId>T</TemplateId><MsgID>1700827</MsgID><ErrorCode>{code}</ErrorCode></List>"
    fields = {"Event": "subscribe_msg_sent_event", "SubscribeMsgSentEvent": entry}

    assert receipt_of(wechat.sealed(wechat.message(MsgType="event", **fields))) == ("1700827", outcome, code)


def in_json(**fields: Any) -> InboundRequest:
    head = {"ToUserName": wechat.ORIGINAL_ID, "FromUserName": wechat.RECIPIENT, "CreateTime": 1714037059}
    return wechat.plain(json.dumps({**head, "MsgType": "event", **fields}))


@pytest.mark.parametrize("as_list", [True, False])
def test_the_result_is_read_from_json_too(as_list: bool) -> None:
    entry = {"TemplateId": "T", "MsgID": 1700827, "ErrorCode": 0, "ErrorStatus": "success"}

    req = in_json(Event="subscribe_msg_sent_event", List=[entry] if as_list else entry)

    assert receipt_of(req) == ("1700827", Outcome.ACCEPTED, "0")


def test_consents_are_read_from_json_too() -> None:
    entries = [
        {"TemplateId": "A", "SubscribeStatusString": "accept", "PopupScene": "0"},
        {"TemplateId": "B", "SubscribeStatusString": "reject"},
    ]

    with an_adapter(wechat, mode="compat") as adapter:
        event = adapter.parse(adapter.open(in_json(Event="subscribe_msg_change_event", List=entries)))

    assert event.kind is EventKind.CONSENT
    assert event.consents == (Consent("A", True), Consent("B", False))


def test_only_a_consent_event_gives_consent() -> None:
    entry = [{"TemplateId": "A", "SubscribeStatusString": "accept"}]

    with an_adapter(wechat, mode="compat") as adapter:
        event = adapter.parse(adapter.open(in_json(Event="CLICK", EventKey="k", List=entry)))

    assert event.consents == ()
