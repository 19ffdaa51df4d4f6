"""Alipay: gateway requests in both charsets and signatures, notifications, calls, answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import registry
from channels.alipay.adapter import AlipayChannel
from channels.alipay.client import members
from channels.base import Article, ChannelError, InboundRequest, MenuEntry, Outcome, Rejected, Reply
from channels.registry import BadSettings
from tests.channels import platform_alipay as alipay
from tests.channels.builders import NOW, an_env
from tests.channels.server import Answer, Platform, Respond, a_platform

QUERY = "alipay.open.public.menu.query"
GBK_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"))


@contextmanager
def an_adapter(**settings: str) -> Iterator[AlipayChannel]:
    with an_env() as env:
        adapter = registry.build(alipay.config(**settings), env)
        assert isinstance(adapter, AlipayChannel)
        yield adapter


@contextmanager
def a_connected_adapter(
    respond: Respond, timeout_seconds: float = 4.0
) -> Iterator[tuple[AlipayChannel, Platform]]:
    with a_platform(respond) as server, an_env(timeout_seconds=timeout_seconds) as env:
        adapter = registry.build(alipay.config(server.base_url), env)
        assert isinstance(adapter, AlipayChannel)
        yield adapter, server


def reason(adapter: AlipayChannel, req: InboundRequest) -> tuple[str, int]:
    with pytest.raises(Rejected) as refused:
        adapter.parse(adapter.open(req))
    return refused.value.reason, refused.value.status


@pytest.mark.parametrize("sign_type", ["RSA", "RSA2"])
@pytest.mark.parametrize("charset", ["GBK", "UTF-8"])
def test_the_gateway_check_is_answered_signed(charset: str, sign_type: str) -> None:
    with an_adapter(sign_type=sign_type) as adapter:
        answer = adapter.handshake(alipay.handshake(charset, sign_type))

    assert answer is not None
    assert alipay.open_answer(answer, sign_type).startswith("<success>true</success>")


def test_a_forged_gateway_check_is_refused_in_a_signed_answer() -> None:
    req = alipay.handshake()
    forged = replace(req, body=req.body.replace(b"verifygw", b"verifygx"))

    with an_adapter() as adapter:
        with pytest.raises(Rejected) as refused:
            adapter.handshake(forged)
        answer = adapter.reject(forged, refused.value)

    inner = alipay.open_answer(answer)
    assert answer.status == 200
    assert inner.startswith("<success>false</success><error_code>VERIFY_FAILED</error_code><biz_content>")


def test_a_gateway_check_for_another_app_is_refused() -> None:
    xml = b"<XML><AppId>2021999999999999</AppId><EventType>verifygw</EventType></XML>"

    with an_adapter() as adapter, pytest.raises(Rejected) as refused:
        adapter.handshake(alipay.push(xml, "alipay.service.check"))

    assert refused.value.reason == "wrong_app_id"


@pytest.mark.parametrize("sign_type", ["RSA", "RSA2"])
@pytest.mark.parametrize("charset", ["GBK", "UTF-8"])
def test_text_is_read_in_its_charset(charset: str, sign_type: str) -> None:
    words = "<Text><Content>小虎 &amp; 公积金</Content></Text>"
    xml = alipay.message({"MsgType": "text", "MsgId": "1"}, words, charset=charset)

    with an_adapter(sign_type=sign_type) as adapter:
        event = adapter.parse(adapter.open(alipay.push(xml, charset=charset, sign_type=sign_type)))

    assert event.text == "小虎 & 公积金"


@pytest.mark.parametrize("charset", ["GBK", "UTF-8"])
def test_any_text_arrives_unchanged(charset: str) -> None:
    with an_adapter() as adapter:

        @given(content=GBK_TEXT)
        def arrives_unchanged(content: str) -> None:
            event = adapter.parse(adapter.open(alipay.text(content, charset=charset)))
            assert event.text == content

        arrives_unchanged()


def test_parameters_may_come_in_the_query() -> None:
    req = alipay.text("你好")
    moved = replace(req, query_string=req.body, body=b"")
    first, _, rest = req.body.partition(b"&")
    split = replace(req, query_string=first, body=rest)

    with an_adapter() as adapter:
        texts = [adapter.parse(adapter.open(each)).text for each in (moved, split)]

    assert texts == ["你好", "你好"]


def test_a_parameter_in_query_and_body_is_refused() -> None:
    req = alipay.text("你好")

    with an_adapter() as adapter:
        assert reason(adapter, replace(req, query_string=b"charset=GBK")) == ("duplicate_parameter", 400)


def test_gbk_is_the_charset_when_none_is_named() -> None:
    xml = alipay.message({"MsgType": "text", "MsgId": "1"}, "<Text><Content>你好</Content></Text>")
    body = alipay.signed_form({"service": alipay.NOTIFY.encode(), "biz_content": xml})

    with an_adapter() as adapter:
        event = adapter.parse(adapter.open(InboundRequest("POST", b"", {}, body)))

    assert event.text == "你好"


@pytest.mark.parametrize(
    ("charset", "expected"),
    [
        pytest.param("UTF-8", "bad_encoding", id="not the one it is in"),
        pytest.param("rot13", "unknown_charset", id="no charset"),
        pytest.param("utf-16", "unknown_charset", id="not one of theirs"),
        pytest.param("\xff", "unknown_charset", id="no ASCII"),
    ],
)
def test_a_wrong_charset_is_refused(charset: str, expected: str) -> None:
    xml = alipay.message({"MsgType": "text", "MsgId": "1"}, "<Text><Content>你好</Content></Text>")
    params = {"charset": charset.encode("latin-1"), "biz_content": xml}

    with an_adapter() as adapter:
        found = reason(adapter, InboundRequest("POST", b"", {}, alipay.signed_form(params)))

    assert found == (expected, 400)


def test_a_gateway_message_signed_like_a_notification_is_refused() -> None:
    params = {"charset": b"GBK", "biz_content": alipay.message({"MsgType": "text", "MsgId": "1"})}
    body = alipay.signed_form(params, left_out=("sign_type",))

    with an_adapter() as adapter:
        assert reason(adapter, InboundRequest("POST", b"", {}, body)) == ("bad_signature", 403)


@pytest.mark.parametrize("sign", ["", "junk", "%%%", "中", "QUJD"])
def test_a_junk_signature_is_refused(sign: str) -> None:
    xml = alipay.message({"MsgType": "text", "MsgId": "1"})
    body = alipay.form({"biz_content": xml, "sign_type": b"RSA2", "sign": sign.encode()})

    with an_adapter() as adapter:
        assert reason(adapter, InboundRequest("POST", b"", {}, body)) == ("bad_signature", 403)


def test_the_weaker_signature_is_refused_where_the_stronger_is_agreed() -> None:
    with an_adapter(sign_type="RSA2") as adapter:
        req = alipay.push(alipay.message({"MsgType": "text", "MsgId": "1"}), sign_type="RSA")

        assert reason(adapter, req) == ("bad_signature", 403)


def test_a_plus_sign_that_nobody_escaped_does_no_harm() -> None:
    req = alipay.text("你好")

    with an_adapter() as adapter:
        event = adapter.parse(adapter.open(replace(req, body=req.body.replace(b"%2B", b"+"))))

    assert event.text == "你好"


def test_a_message_for_another_app_is_refused() -> None:
    with an_adapter() as adapter:
        req = alipay.push(alipay.message({"MsgType": "text", "MsgId": "1"}, app_id="2021999999999999"))

        assert reason(adapter, req) == ("wrong_app_id", 403)


@pytest.mark.parametrize("missing", ["MsgType", "CreateTime", "FromAlipayUserId"])
def test_a_message_without_what_every_message_has_is_refused(missing: str) -> None:
    xml = alipay.message({"MsgType": "text", "MsgId": "1"}).replace(b"FromUserId", b"Other")

    with an_adapter() as adapter:
        assert reason(adapter, alipay.push(xml.replace(missing.encode(), b"Gone"))) == ("incomplete", 400)


def test_time_is_counted_in_milliseconds() -> None:
    at = NOW + timedelta(milliseconds=250)

    with an_adapter() as adapter:
        event = adapter.parse(adapter.open(alipay.event("follow", at=at)))

    assert event.occurred_at == at


def test_two_notices_of_one_unfollow_differ_by_their_card() -> None:
    fields = {"MsgType": "event", "EventType": "unfollow"}
    cards = [alipay.push(alipay.message({**fields, "AgreementId": card})) for card in ("1", "2")]

    with an_adapter() as adapter:
        keys = {adapter.dedup_key(adapter.parse(adapter.open(req))) for req in cards}

    assert len(keys) == 2


def test_another_spelling_of_one_signature_is_the_same_request() -> None:
    req = alipay.text("你好")
    head, _, sign = req.body.rpartition(b"&sign=")
    last = sign.removesuffix(b"%3D%3D")[-1:]
    respelled = sign.removesuffix(b"%3D%3D")[:-1] + bytes([last[0] + 1]) + b"%3D%3D"

    with an_adapter() as adapter:
        nonces = {
            adapter.open(replace(req, body=head + b"&sign=" + spelling)).freshness.nonce
            for spelling in (sign, respelled)
        }

    assert len(nonces) == 1


def test_a_notification_is_signed_without_the_signature_type() -> None:
    params = {
        "app_id": alipay.APP_ID.encode(),
        "notify_id": b"n1",
        "charset": b"utf-8",
        "subject": "费".encode(),
    }
    req = InboundRequest("POST", b"", {}, alipay.signed_form(params, left_out=("sign_type",)))

    with an_adapter() as adapter:
        notification = adapter.read_notification(req)

    assert notification.notify_id == "n1"
    assert notification.fields["subject"] == "费"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"app_id": b"2021999999999999"}, "wrong_app_id", id="another app"),
        pytest.param({"notify_id": b""}, "incomplete", id="no id"),
    ],
)
def test_a_notification_that_is_not_ours_is_refused(changed: dict[str, bytes], expected: str) -> None:
    params = {"app_id": alipay.APP_ID.encode(), "notify_id": b"n1", **changed}
    kept = {name: value for name, value in params.items() if value}
    req = InboundRequest("POST", b"", {}, alipay.signed_form(kept, left_out=("sign_type",)))

    with an_adapter() as adapter, pytest.raises(Rejected) as refused:
        adapter.read_notification(req)

    assert refused.value.reason == expected


@pytest.mark.parametrize("kind", ["PKCS1", "PKCS8"])
@pytest.mark.parametrize("form", ["pem", "bare"])
def test_every_form_of_key_is_taken(kind: str, form: str) -> None:
    private, public = alipay.private_pem(alipay.APP_KEY, kind), alipay.public_pem(alipay.PLATFORM_KEY)
    if form == "bare":
        private, public = alipay.bare(private), alipay.bare(public)
    config = alipay.config(alipay_public_key=public)

    with an_env() as env:
        adapter = registry.build(replace(config, secrets={"app_private_key": private}), env)
        answer = adapter.handshake(alipay.handshake())

    assert answer is not None
    assert alipay.accepts_handshake(answer)


@pytest.mark.parametrize(
    "key", ["", "junk", "QUJD", "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----"]
)
def test_what_is_no_key_is_refused_when_it_is_entered(key: str) -> None:
    config = replace(alipay.config(), secrets={"app_private_key": key})

    with an_env() as env, pytest.raises(BadSettings) as refused:
        registry.build(config, env)

    assert [problem.name for problem in refused.value.problems] == ["app_private_key"]


def test_requests_are_posted_with_what_is_said_in_the_body() -> None:
    api = alipay.Api()

    with a_connected_adapter(api) as (adapter, server):
        adapter.send(alipay.RECIPIENT, Reply("办件已受理"))

    (call,) = server.calls
    assert call.method == "POST"
    assert b"biz_content" in call.body
    assert "biz_content" not in call.target


def test_the_message_is_as_the_platform_wants_it() -> None:
    api = alipay.Api()
    article = Article("公积金", "查询", "https://a.cn/", "https://a.cn/p.png")

    with a_connected_adapter(api) as (adapter, _):
        adapter.send(alipay.RECIPIENT, Reply("你好]]>😀"))
        adapter.send(alipay.RECIPIENT, Reply(articles=(article,)))

    text, news = api.sent
    assert (text["to_user_id"], text["msg_type"]) == (alipay.RECIPIENT, "text")
    assert text["text"] == {"content": "你好]]>😀"}
    assert (news["msg_type"], news["articles"][0]["image_url"]) == ("image-text", "https://a.cn/p.png")


def test_the_menu_is_made_first_and_changed_afterwards() -> None:
    api = alipay.Api()

    with a_connected_adapter(api) as (adapter, _):
        adapter.publish_menu((MenuEntry("办事", key="a"),))
        adapter.publish_menu((MenuEntry("办事", key="b"),))

    assert [method.rpartition(".")[2] for method in api.methods] == ["query", "create", "query", "modify"]
    assert api.menu["button"] == [{"name": "办事", "action_type": "out", "action_param": "b"}]


@pytest.mark.parametrize("name", ["a}b", "a{b", 'a"}b', "a\\", "}}}{{{", "小{粤"])
def test_braces_inside_strings_do_not_spoil_a_good_answer(name: str) -> None:
    content = {"code": "10000", "msg": name, "menu_content": json.dumps({"button": []})}

    with a_connected_adapter(lambda _: alipay.signed_answer(QUERY, content)) as (adapter, _):
        assert adapter.read_menu() == ()


def test_an_answer_in_gbk_is_verified_in_gbk() -> None:
    content = {"code": "10000", "msg": "成功"}

    with a_connected_adapter(lambda _: alipay.signed_answer(QUERY, content, "gbk")) as (adapter, _):
        assert adapter.read_menu() == ()


def changed(old: bytes, new: bytes) -> Answer:
    answer = alipay.signed_answer(QUERY, {"code": "10000", "msg": "Success"})
    return Answer(answer.body.replace(old, new))


@pytest.mark.parametrize(
    ("answer", "code", "retryable"),
    [
        pytest.param(changed(b"Success", b"Succes2"), "bad_signature", False, id="tampered"),
        pytest.param(changed(b'"sign"', b'"sing"'), "bad_signature", False, id="unsigned"),
        pytest.param(changed(b'"sign":', b'"sign":1,"x":'), "garbage", True, id="signature is a number"),
        pytest.param(changed(b'{"alipay', b'{"sign":"","alipay'), "garbage", True, id="member twice"),
        pytest.param(Answer(b"<html>"), "garbage", True, id="no JSON"),
        pytest.param(Answer(b""), "garbage", True, id="empty"),
        pytest.param(Answer(b"[1]"), "garbage", True, id="list"),
        pytest.param(Answer(b"{}"), "garbage", True, id="empty object"),
        pytest.param(Answer(b'{"a":' * 50_000), "garbage", True, id="deep"),
        pytest.param(Answer(b"\xff\xff\xff"), "garbage", True, id="no charset"),
        pytest.param(Answer(b"", 503), "http_503", True, id="unavailable"),
        pytest.param(
            Answer(b'{"error_response":{"code":"20000","sub_code":"isp.unknow-error"}}'),
            "isp.unknow-error",
            True,
            id="busy, unsigned",
        ),
    ],
)
def test_odd_answers_are_errors_that_say_whether_to_retry(answer: Answer, code: str, retryable: bool) -> None:
    with a_connected_adapter(lambda _: answer) as (adapter, _), pytest.raises(ChannelError) as failed:
        adapter.read_menu()

    assert (failed.value.code, failed.value.retryable) == (code, retryable)


def test_a_platform_that_says_nothing_is_given_up() -> None:
    with a_connected_adapter(lambda _: None, timeout_seconds=0.3) as (adapter, _):
        result = adapter.send(alipay.RECIPIENT, Reply("你好"))

    assert (result.outcome, result.code) == (Outcome.RETRYABLE, "timeout")


@pytest.mark.parametrize(
    ("code", "sub_code", "outcome"),
    [
        ("40004", "USER_NOT_FOLLOW", Outcome.NOT_FOLLOWING),
        ("40004", "SYSTEM_ERROR", Outcome.RETRYABLE),
        ("40005", "isv.app-call-limited", Outcome.QUOTA),
        ("40002", "isv.invalid-signature", Outcome.AUTH),
        ("20000", "isp.unknow-error", Outcome.RETRYABLE),
        ("40004", "SOMETHING_NEW", Outcome.UNKNOWN),
    ],
)
def test_a_refused_message_has_an_outcome(code: str, sub_code: str, outcome: Outcome) -> None:
    method = "alipay.open.public.message.custom.send"
    refusal = alipay.signed_answer(method, {"code": code, "msg": "no", "sub_code": sub_code})

    with a_connected_adapter(lambda _: refusal) as (adapter, _):
        result = adapter.send(alipay.RECIPIENT, Reply("你好"))

    assert (result.outcome, result.code) == (outcome, sub_code)


@pytest.mark.parametrize(
    ("entry", "codes"),
    [
        pytest.param(MenuEntry("网上办事", key="k"), [], id="four characters"),
        pytest.param(MenuEntry("网上办事厅", key="k"), ["name_too_long"], id="five characters"),
        pytest.param(MenuEntry("办😀", key="k"), ["bad_characters"], id="emoji"),
        pytest.param(MenuEntry("a", url="https://a.cn/" + "x" * 255), ["url_too_long"], id="long address"),
        pytest.param(MenuEntry("a", url="tel:12345"), ["bad_url"], id="no web address"),
        pytest.param(
            MenuEntry("a", children=(MenuEntry("十二个字的名称十二个字的", key="k"),)),
            [],
            id="child of twelve",
        ),
        pytest.param(
            MenuEntry("a", children=tuple(MenuEntry("b", key=str(i)) for i in range(6))),
            ["entry_count"],
            id="six children",
        ),
    ],
)
def test_the_menus_limits_are_told(entry: MenuEntry, codes: list[str]) -> None:
    with an_adapter() as adapter:
        violations = adapter.check_menu([entry])

    assert [violation.code for violation in violations] == codes


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(content=st.dictionaries(st.text(), JSON, min_size=1, max_size=4), indent=st.none() | st.integers(0, 3))
def test_members_are_the_exact_text_and_the_value(content: dict[str, object], indent: int | None) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=indent)

    found = members(text)

    assert {name: value for name, (_, value) in found.items()} == content
    assert all(raw in text and json.loads(raw) == value for raw, value in found.values())


@given(text=st.text(st.sampled_from('{}[]":,ab1 \\'), max_size=30))
def test_members_take_nothing_that_json_does_not(text: str) -> None:
    try:
        found = members(text)
    except ValueError:
        return

    assert {name: value for name, (_, value) in found.items()} == json.loads(text)


@pytest.mark.parametrize(
    ("agent", "version", "mini"),
    [
        ("Mozilla/5.0 (iPhone) AliApp(AP/10.5.0.6000) AlipayClient/10.5.0.6000", "10.5.0.6000", False),
        ("Mozilla/5.0 (Linux; Android 14) AlipayClient/10.5 MiniProgram", "10.5", True),
    ],
)
def test_the_app_is_told_from_the_headers(agent: str, version: str, mini: bool) -> None:
    client = registry.detect({"User-Agent": agent})

    assert client is not None
    assert (client.channel, client.version, client.mini_program) == ("alipay", version, mini)
