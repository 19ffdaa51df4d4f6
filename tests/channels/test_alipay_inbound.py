"""What comes in from Alipay besides words: its own messages, scanned codes; every shape, and bad input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from alipay import AliPay
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import registry
from channels.alipay.adapter import AlipayChannel
from channels.alipay.inbound import read_parameters
from channels.base import EventKind, InboundRequest, Rejected
from tests.channels import platform_alipay as alipay
from tests.channels.builders import NOW, an_env

WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=60
)


@contextmanager
def an_adapter(**given_: str) -> Iterator[AlipayChannel]:
    with an_env() as env:
        adapter = registry.build(alipay.config(**given_), env)
        assert isinstance(adapter, AlipayChannel)
        yield adapter


def ant(
    method: str, told: object, left_out: tuple[str, ...] = ("sign_type",), **changes: str
) -> InboundRequest:
    """Return a message of the platform itself (From 蚂蚁)."""
    params = {
        "app_id": alipay.APP_ID,
        "charset": "UTF-8",
        "version": "1.1",
        "msg_method": method,
        "notify_id": "2026112000222120000000000000000001",
        "utc_timestamp": str(round(NOW.timestamp() * 1000)),
        "biz_content": told if isinstance(told, str) else json.dumps(told, ensure_ascii=False),
        **changes,
    }
    kept = {name: value.encode() for name, value in params.items() if value}
    return InboundRequest("POST", b"", {}, alipay.signed_form(kept, left_out=left_out))


CANCELLED = "alipay.open.auth.userauth.cancelled"


@pytest.mark.parametrize("left_out", [("sign_type",), ()])
def test_the_platforms_own_message_is_read_however_it_signs(left_out: tuple[str, ...]) -> None:
    with an_adapter() as adapter:
        event = adapter.parse(adapter.open(ant(CANCELLED, {"user_id": alipay.RECIPIENT}, left_out)))

    assert (event.kind, event.sender) == (EventKind.CONSENT, alipay.RECIPIENT)
    assert (event.event_id, event.occurred_at) == ("2026112000222120000000000000000001", NOW)


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("alipay.open.mini.version.audit.passed", EventKind.ACCOUNT),
        ("alipay.open.from.the.future", EventKind.UNKNOWN),
    ],
)
def test_a_message_about_the_app_has_the_app_for_a_sender(method: str, kind: EventKind) -> None:
    with an_adapter() as adapter:
        event = adapter.parse(adapter.open(ant(method, {"mini_app_version": "0.0.1", "n": 1, "l": [1]})))

    assert (event.kind, event.sender, event.raw_type) == (kind, alipay.APP_ID, f"ant:{method}")


def test_a_repeat_of_the_platforms_own_message_has_the_same_key() -> None:
    with an_adapter() as adapter:
        keys = {
            adapter.dedup_key(adapter.parse(adapter.open(ant(CANCELLED, {"user_id": "1"})))) for _ in range(2)
        }

    assert len(keys) == 1


@pytest.mark.parametrize(
    ("req", "expected"),
    [
        pytest.param(ant(CANCELLED, {}, app_id="2021999999999999"), "wrong_app_id", id="another app"),
        pytest.param(ant(CANCELLED, {}, notify_id=""), "incomplete", id="no id"),
        pytest.param(ant(CANCELLED, {}, utc_timestamp=""), "incomplete", id="no time"),
        pytest.param(ant(CANCELLED, {}, utc_timestamp="soon"), "incomplete", id="no number for a time"),
        pytest.param(ant(CANCELLED, {}, utc_timestamp="9" * 18), "malformed", id="beyond all time"),
        pytest.param(ant(CANCELLED, "[]"), "malformed", id="a list"),
        pytest.param(ant(CANCELLED, "{"), "malformed", id="no JSON"),
        pytest.param(ant(CANCELLED, "[" * 5000), "malformed", id="deep"),
        pytest.param(ant(CANCELLED, {str(n): n for n in range(200)}), "malformed", id="too much"),
        pytest.param(ant(CANCELLED, {}, ("version",)), "bad_signature", id="signed otherwise"),
        pytest.param(ant(CANCELLED, '{"user_id":"\\ud800"}'), "bad_encoding", id="half a letter"),
    ],
)
def test_a_message_that_is_not_the_platforms_is_refused(req: InboundRequest, expected: str) -> None:
    with an_adapter() as adapter, pytest.raises(Rejected) as refused:
        adapter.parse(adapter.open(req))

    assert refused.value.reason == expected


SCENE = json.dumps({"scene": {"sceneId": "desk-7"}})


@pytest.mark.parametrize(
    ("name", "action", "kind", "expected"),
    [
        ("enter", SCENE, EventKind.SCAN, "desk-7"),
        ("follow", SCENE, EventKind.FOLLOW, "desk-7"),
        ("enter", "", EventKind.ENTER, ""),
        ("enter", "{", EventKind.ENTER, "{"),
        ("enter", '{"scene":[]}', EventKind.ENTER, '{"scene":[]}'),
        ("enter", "[" * 2000, EventKind.ENTER, "[" * 2000),
        ("click", SCENE, EventKind.MENU, SCENE),
    ],
)
def test_a_scanned_code_tells_its_scene(name: str, action: str, kind: EventKind, expected: str) -> None:
    with an_adapter() as adapter:
        event = adapter.parse(adapter.open(alipay.event(name, action)))

    assert (event.kind, event.action) == (kind, expected)


def test_a_picture_is_named_for_later() -> None:
    more = "<Image><MediaId>m-1</MediaId><Format>jpg</Format></Image>"
    xml = alipay.message({"MsgType": "image", "MsgId": "5"}, more)

    with an_adapter() as adapter:
        event = adapter.parse(adapter.open(alipay.push(xml)))

    (attached,) = event.attachments
    assert (event.kind, attached.media_id, attached.format) == (EventKind.IMAGE, "m-1", "jpg")


@pytest.mark.parametrize("sign_type", ["RSA", "RSA2"])
def test_words_arrive_in_every_charset_and_wherever_parameters_stand(sign_type: str) -> None:
    with an_adapter(sign_type=sign_type) as adapter:

        @settings(max_examples=40)
        @given(words=WORDS, charset=st.sampled_from(["GBK", "UTF-8"]), split=st.integers(0, 5))
        def arrive(words: str, charset: str, split: int) -> None:
            more = f"<Text><Content><![CDATA[{words.replace(']]>', '')}]]></Content></Text>"
            xml = alipay.message({"MsgType": "text", "MsgId": "1"}, more, charset=charset)
            req = alipay.push(xml, charset=charset, sign_type=sign_type)
            parts = req.body.split(b"&")
            moved = replace(req, query_string=b"&".join(parts[:split]), body=b"&".join(parts[split:]))

            event = adapter.parse(adapter.open(moved))

            assert event.text == words.replace("]]>", "")

        arrive()


GOOD = alipay.text("你好")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(GOOD.body[:-40], id="cut off"),
        pytest.param(GOOD.body.replace(b"sign=", b"sign=%25%25"), id="junk base64"),
        pytest.param(GOOD.body + b"&sign=QUJD", id="signed twice"),
        pytest.param(GOOD.body.replace(b"charset=GBK", b"charset=UTF-8"), id="another charset than signed"),
        pytest.param(GOOD.body.replace(b"sign_type=RSA2", b"sign_type=NONE"), id="another kind of signature"),
        pytest.param(GOOD.body + b"x" * 70_000, id="huge"),
        pytest.param(b"&".join(b"p%d=1" % n for n in range(500)), id="too many"),
        pytest.param(b"\xff\xfe=1&biz_content=<", id="a name that is no ASCII"),
    ],
)
def test_bad_requests_are_refused_and_answered_in_one_word(body: bytes) -> None:
    req = InboundRequest("POST", b"", {}, body)

    with an_adapter() as adapter:
        with pytest.raises(Rejected) as refused:
            adapter.open(req)
        answer = adapter.reject(req, refused.value)

    assert 400 <= answer.status < 500
    assert answer.body.decode() == refused.value.reason


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        pytest.param(b" ", "malformed", id="nothing"),
        pytest.param(b"<XML><AppId>1", "malformed", id="cut off"),
        pytest.param(b"<!DOCTYPE x [<!ENTITY a 'b'>]><XML><A>&a;</A></XML>", "malformed", id="entities"),
        pytest.param(b"<XML>" + b"<a>" * 50 + b"</a>" * 50 + b"</XML>", "too_deep", id="deep"),
        pytest.param(b"<XML><AppId>1</AppId><AppId>2</AppId></XML>", "duplicate_element", id="twice"),
        pytest.param(
            b"<XML>%s</XML>" % b"".join(b"<e%d/>" % n for n in range(400)), "too_many_elements", id="many"
        ),
        pytest.param(b"<XML><AppId>2021999999999999</AppId></XML>", "wrong_app_id", id="another app"),
    ],
)
def test_bad_messages_are_refused_though_they_are_signed(xml: bytes, expected: str) -> None:
    with an_adapter() as adapter, pytest.raises(Rejected) as refused:
        adapter.open(alipay.push(xml))

    assert refused.value.reason == expected


def test_no_noise_is_taken_for_a_notification() -> None:
    with an_adapter() as adapter:

        @settings(max_examples=50)
        @given(noise=st.binary(max_size=200))
        def is_refused(noise: bytes) -> None:
            with pytest.raises(Rejected):
                adapter.read_payment(InboundRequest("POST", b"", {}, noise))

        is_refused()


def test_a_notification_is_believed_where_the_sdk_believes_it() -> None:
    fields = {
        "notify_id": "n1",
        "out_trade_no": "1",
        "trade_no": "2",
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "1.00",
        "seller_id": alipay.SELLER,
        "subject": "证明 & 补发",
    }
    body = alipay.notification(**fields)
    sdk = AliPay(
        appid=alipay.APP_ID,
        app_private_key_string=alipay.private_pem(alipay.APP_KEY),
        alipay_public_key_string=alipay.public_pem(alipay.PLATFORM_KEY),
    )
    told = {name: values[0] for name, values in alipay.parse_qs(body.decode()).items()}

    with an_adapter() as adapter:
        notice = adapter.read_payment(InboundRequest("POST", b"", {}, body))

    assert notice.report.amount_fen == 100
    assert sdk.verify({k: v for k, v in told.items() if k != "sign"}, told["sign"])


def test_the_time_of_a_payment_is_beijings() -> None:
    body = alipay.notification(
        notify_id="n1",
        out_trade_no="1",
        trade_no="2",
        trade_status="TRADE_SUCCESS",
        total_amount="1.00",
        seller_id=alipay.SELLER,
        gmt_payment="2026-11-20 12:00:00",
    )

    with an_adapter() as adapter:
        notice = adapter.read_payment(InboundRequest("POST", b"", {}, body))

    assert notice.report.paid_at == NOW
    assert notice.report.paid_at.utcoffset() == timedelta(0)


FORM = b"b=2&a=%D0%A1&empty=&sign_type=RSA2&charset=GBK&sign=QUJD"


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        pytest.param((), b"a=\xd0\xa1&b=2&charset=GBK&sign_type=RSA2", id="gateway"),
        pytest.param(("sign_type",), b"a=\xd0\xa1&b=2&charset=GBK", id="notification"),
    ],
)
def test_what_is_signed_is_sorted_raw_and_leaves_out_what_is_empty(
    left_out: tuple[str, ...], expected: bytes
) -> None:
    params = read_parameters(InboundRequest("POST", b"", {}, FORM))

    assert params.signed(left_out=left_out) == expected
