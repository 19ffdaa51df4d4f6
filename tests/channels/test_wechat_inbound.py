"""WeChat callbacks: published vectors, the three modes, keys, events, replies."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto.cryptography import WeChatCipher

from channels import registry
from channels.base import (
    AccountConfig,
    Article,
    Channel,
    EventKind,
    InboundRequest,
    Rejected,
    Reply,
)
from channels.registry import BadSettings
from channels.wechat.crypto import Sealer, decode_key, signature
from tests.channels import platform_wechat as wechat
from tests.channels.builders import an_env

# The vectors of the platform's message-push document.
DOC_KEY = "A" * 43
DOC_APP = "wxba5fad812f8e6fb9"
DOC_CIPHER = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsX"
    "UnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajA"
    "sjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
DOC_QUERY = (
    b"signature=6c5c811b55cc85e0e1b54100749188c20beb3f5d&timestamp=1714112445&nonce=415670741"
    b"&openid=o9AgO5Kd5ggOC-bXrbNODIiE3bGY&encrypt_type=aes"
    b"&msg_signature=046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"
)
DOC_REPLY_CIPHER = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
DOC_PLAIN_QUERY = b"signature=899cf89e464efb63f54ddac96b0a0a235f53aa78&timestamp=1714037059&nonce=486452656"
WRITABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"))


def the_documents_account(mode: str) -> AccountConfig:
    secrets = {"app_secret": "s", "token": "AAAAA", "aes_key": DOC_KEY}
    return AccountConfig("wechat", "doc", {"app_id": DOC_APP, "mode": mode}, secrets)


@contextmanager
def an_adapter(config: AccountConfig | None = None, **settings: str) -> Iterator[Channel]:
    with an_env() as env:
        yield registry.build(config or wechat.config(**settings), env)


def reason(adapter: Channel, req: InboundRequest) -> tuple[str, int]:
    with pytest.raises(Rejected) as refused:
        adapter.parse(adapter.open(req))
    return refused.value.reason, refused.value.status


def test_the_documents_handshake_is_answered() -> None:
    query = (
        b"signature=f464b24fc39322e44b38aa78f5edd27bd1441696&echostr=4375120948345356249"
        b"&timestamp=1714036504&nonce=1514711492"
    )

    with an_adapter(the_documents_account("plain")) as adapter:
        answer = adapter.handshake(InboundRequest("GET", query))

    assert answer is not None
    assert answer.body == b"4375120948345356249"


def test_the_documents_plain_message_is_read() -> None:
    body = {"ToUserName": "gh_97417a04a28d", "FromUserName": "o9AgO5", "CreateTime": 1714037059}
    body |= {"MsgType": "event", "Event": "debug_demo", "debug_str": "hello world"}
    req = InboundRequest("POST", DOC_PLAIN_QUERY, {}, json.dumps(body).encode())

    with an_adapter(the_documents_account("plain")) as adapter:
        event = adapter.parse(adapter.open(req))

    assert (event.kind, event.raw_type) == (EventKind.UNKNOWN, "event:debug_demo")
    assert event.occurred_at == datetime.fromtimestamp(1714037059, UTC)


def test_the_documents_sealed_message_is_opened() -> None:
    body = json.dumps({"ToUserName": "gh_97417a04a28d", "Encrypt": DOC_CIPHER}).encode()

    with an_adapter(the_documents_account("secure")) as adapter:
        envelope = adapter.open(InboundRequest("POST", DOC_QUERY, {}, body))

    assert envelope.fields["debug_str"] == "hello world"
    assert envelope.freshness.nonce == "415670741"


def test_the_documents_reply_is_sealed_to_the_byte() -> None:
    sealer = Sealer(DOC_APP, (("current", decode_key(DOC_KEY)),))

    cipher = sealer.seal('{"demo_resp":"good luck"}', "current", "707722b803182950")

    assert cipher == DOC_REPLY_CIPHER
    sealed = signature("AAAAA", "1713424427", "415670741", cipher)
    assert sealed == "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"


def test_a_json_message_is_answered_in_json() -> None:
    body = json.dumps({"ToUserName": "gh_97417a04a28d", "Encrypt": DOC_CIPHER}).encode()

    with an_adapter(the_documents_account("secure")) as adapter:
        envelope = adapter.open(InboundRequest("POST", DOC_QUERY, {}, body))
        answer = adapter.seal(envelope, Reply("你好"))

    sealed = json.loads(answer.body)
    opened, _ = Sealer(DOC_APP, (("current", decode_key(DOC_KEY)),)).open(sealed["Encrypt"])
    assert json.loads(opened)["Content"] == "你好"


@pytest.mark.parametrize(
    ("mode", "req", "expected"),
    [
        pytest.param("plain", "plain", None, id="plain takes plain"),
        pytest.param("compat", "plain", None, id="compatible takes plain"),
        pytest.param("compat", "sealed", None, id="compatible takes sealed"),
        pytest.param("secure", "sealed", None, id="secure takes sealed"),
        pytest.param("secure", "plain", ("plain_body", 403), id="secure refuses plain"),
        pytest.param("secure", "raw", ("plain_body", 403), id="secure refuses encrypt_type raw"),
        pytest.param(
            "secure", "announced", ("plain_body", 400), id="secure refuses plain announced as sealed"
        ),
    ],
)
def test_each_mode_takes_what_it_must(mode: str, req: str, expected: tuple[str, int] | None) -> None:
    body = wechat.message(MsgType="text", Content="hi", MsgId="1")
    requests = {
        "plain": wechat.plain(body),
        "sealed": wechat.sealed(body),
        "raw": InboundRequest("POST", wechat.query(encrypt_type="raw"), {}, body.encode()),
        "announced": InboundRequest("POST", wechat.query(encrypt_type="aes"), {}, body.encode()),
    }

    with an_adapter(mode=mode) as adapter:
        found = (
            reason(adapter, requests[req]) if expected else adapter.parse(adapter.open(requests[req])).text
        )

    assert found == (expected or "hi")


def test_the_plain_signature_proves_nothing_in_secure_mode() -> None:
    req = wechat.text("hi")
    forged = replace(req, query_string=wechat.query(encrypt_type="aes", msg_signature="0" * 40))

    with an_adapter() as adapter:
        assert reason(adapter, forged) == ("bad_signature", 403)


def test_the_plain_copy_in_a_compatible_message_is_not_believed() -> None:
    req = wechat.text("true words")
    forged = req.body.replace(b"<xml>", b"<xml><Content>forged</Content><MsgType>text</MsgType>")

    with an_adapter(mode="compat") as adapter:
        event = adapter.parse(adapter.open(replace(req, body=forged)))

    assert event.text == "true words"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"List":[{"MsgID":"1"}],"List.0.MsgID":"2"}', id="json"),
        pytest.param("<xml><A><B>1</B></A><A.B>2</A.B></xml>", id="xml"),
    ],
)
def test_a_name_with_a_dot_does_not_replace_an_element_inside_another(body: str) -> None:
    with an_adapter() as adapter:
        assert reason(adapter, wechat.sealed(body)) == ("duplicate_element", 400)


def test_a_plain_message_says_that_its_signature_covers_no_body() -> None:
    with an_adapter(mode="plain") as adapter:
        envelope = adapter.open(wechat.plain(wechat.message(MsgType="text", Content="hi", MsgId="1")))

    assert not envelope.freshness.binds_body


def test_the_key_that_opened_a_message_seals_the_answer() -> None:
    req = wechat.sealed(wechat.message(MsgType="text", Content="hi", MsgId="1"), key=wechat.OLD_KEY)

    with an_adapter() as adapter:
        envelope = adapter.open(req)
        answer = adapter.seal(envelope, Reply("好"))

    assert envelope.key_id == "previous"
    assert wechat.open_answer(answer, wechat.OLD_KEY).findtext("Content") == "好"


def broken_ciphers() -> list[Any]:
    whole = base64.b64decode(wechat.text("hi").body.split(b"Encrypt>")[1].split(b"<")[0])
    cases = {
        "empty": b"",
        "one byte": whole[:1],
        "cut inside a block": whole[:-5],
        "cut at a block": whole[:-16],
        "one block": whole[:16],
        "last block spoiled": whole[:-1] + bytes([whole[-1] ^ 1]),
    }
    encoded = [pytest.param(base64.b64encode(raw).decode(), id=name) for name, raw in cases.items()]
    return [*encoded, pytest.param("%%%", id="no base64"), pytest.param("中文", id="no ASCII")]


@pytest.mark.parametrize("cipher", broken_ciphers())
def test_a_cipher_that_does_not_open_is_refused(cipher: str) -> None:
    req = wechat.sealed("<xml/>", cipher=cipher)

    with an_adapter() as adapter:
        found, status = reason(adapter, req)

    assert found in ("undecryptable", "plain_body")
    assert status == 400


@pytest.mark.parametrize("pad", [0, 33, 255])
def test_padding_out_of_range_is_refused(pad: int) -> None:
    cipher = wechat.crypto()
    padded = b"r" * 16 + (4).to_bytes(4, "big") + b"abcd" + wechat.APP_ID.encode()
    padded += bytes([pad]) * (64 - len(padded))
    encrypted = base64.b64encode(_raw_encrypt(cipher.key, padded)).decode()

    with an_adapter() as adapter:
        assert reason(adapter, wechat.sealed("", cipher=encrypted)) == ("undecryptable", 400)


def test_uneven_padding_is_refused() -> None:
    padded = b"r" * 16 + (4).to_bytes(4, "big") + b"abcd" + wechat.APP_ID.encode()
    padded += b"\x01" * (63 - len(padded)) + bytes([64 - len(padded)])
    encrypted = base64.b64encode(_raw_encrypt(wechat.crypto().key, padded)).decode()

    with an_adapter() as adapter:
        assert reason(adapter, wechat.sealed("", cipher=encrypted)) == ("undecryptable", 400)


def _raw_encrypt(key: bytes, padded: bytes) -> bytes:
    encrypted: bytes = WeChatCipher(key).encrypt(padded)
    return encrypted


def test_a_message_for_another_account_is_refused() -> None:
    body = wechat.message(MsgType="text", Content="hi", MsgId="1")

    with an_adapter(original_id="gh_another") as adapter:
        assert reason(adapter, wechat.sealed(body)) == ("wrong_account", 403)
        assert reason(adapter, wechat.sealed(body, app_id="wxother")) == ("wrong_app_id", 403)


@pytest.mark.parametrize("left_out", ["FromUserName", "CreateTime", "MsgType"])
def test_a_message_without_what_every_message_has_is_refused(left_out: str) -> None:
    body = wechat.message(MsgType="text", Content="hi", MsgId="1").replace(left_out, "Other")

    with an_adapter() as adapter:
        assert reason(adapter, wechat.sealed(body)) == ("incomplete", 400)


@pytest.mark.parametrize("created", ["", "x", "9" * 30, "9" * 17, "-" * 3, "--5", "١٢"])
def test_an_impossible_time_is_refused(created: str) -> None:
    body = wechat.message(MsgType="text", Content="hi", MsgId="1")
    changed = (
        body.split("<CreateTime>")[0] + f"<CreateTime>{created}</CreateTime><MsgType>text</MsgType></xml>"
    )

    with an_adapter() as adapter:
        assert reason(adapter, wechat.sealed(changed))[1] == 400


@pytest.mark.parametrize(
    ("fields", "kind", "action", "text"),
    [
        pytest.param(
            {"MsgType": "text", "Content": "", "MsgId": "1"}, EventKind.TEXT, "", "", id="empty text"
        ),
        pytest.param(
            {"MsgType": "event", "Event": "subscribe", "EventKey": "qrscene_42"},
            EventKind.FOLLOW,
            "42",
            "",
            id="follow by QR code",
        ),
        pytest.param(
            {"MsgType": "event", "Event": "SCAN", "EventKey": "42"}, EventKind.SCAN, "42", "", id="scan"
        ),
        pytest.param(
            {"MsgType": "event", "Event": "VIEW", "EventKey": "https://a.cn/"},
            EventKind.MENU,
            "https://a.cn/",
            "",
            id="page opened from the menu",
        ),
        pytest.param(
            {
                "MsgType": "event",
                "Event": "scancode_waitmsg",
                "EventKey": "k",
                "ScanCodeInfo": "<ScanType>qrcode</ScanType><ScanResult>r</ScanResult>",
            },
            EventKind.SCAN,
            "k",
            "r",
            id="scan from the menu",
        ),
    ],
)
def test_each_kind_is_read(fields: dict[str, str], kind: EventKind, action: str, text: str) -> None:
    with an_adapter() as adapter:
        event = adapter.parse(adapter.open(wechat.sealed(wechat.message(**fields))))

    assert (event.kind, event.action, event.text) == (kind, action, text)


def test_a_location_keeps_its_coordinates() -> None:
    body = wechat.message(MsgType="location", Location_X="23.1", Location_Y="113.3", Label="广州", MsgId="9")

    with an_adapter() as adapter:
        event = adapter.parse(adapter.open(wechat.sealed(body)))

    assert (event.kind, event.text) == (EventKind.LOCATION, "广州")
    assert (event.extras["latitude"], event.extras["longitude"]) == ("23.1", "113.3")


def test_an_image_is_an_attachment() -> None:
    body = wechat.message(MsgType="image", PicUrl="http://mmbiz.example/1", MediaId="m1", MsgId="9")

    with an_adapter() as adapter:
        event = adapter.parse(adapter.open(wechat.sealed(body)))

    assert event.kind is EventKind.IMAGE
    assert (event.attachments[0].media_id, event.attachments[0].url) == ("m1", "http://mmbiz.example/1")


def test_the_bare_receipt_is_not_encrypted() -> None:
    with an_adapter() as adapter:
        answer = adapter.seal(adapter.open(wechat.text("hi")), None)

    assert answer.body == b"success"


def test_a_reply_of_blanks_and_control_characters_is_a_bare_receipt() -> None:
    with an_adapter() as adapter:
        answer = adapter.seal(adapter.open(wechat.text("hi")), Reply(" \x00\x08\ud800"))

    assert answer.body == b"success"


@given(content=WRITABLE.filter(str.strip))
def test_any_text_survives_the_round_trip(content: str) -> None:
    with an_adapter() as adapter:
        answer = adapter.seal(adapter.open(wechat.text("hi")), Reply(content[:600]))

    assert wechat.read_reply(answer) == content[:600]


@given(content=st.text(min_size=1))
def test_no_text_adds_elements_to_a_reply(content: str) -> None:
    with an_adapter(mode="plain") as adapter:
        req = wechat.plain(wechat.message(MsgType="text", Content="hi", MsgId="1"))
        answer = adapter.seal(adapter.open(req), Reply(f"]]><MsgType>image</MsgType>{content}"))

    root = fromstring(answer.body)
    assert [child.tag for child in root] == ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"]
    assert root.findtext("MsgType") == "text"


@given(content=WRITABLE)
def test_what_a_resident_writes_arrives_unchanged(content: str) -> None:
    safe = content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    with an_adapter() as adapter:
        body = wechat.message(MsgType="text", Content=safe, MsgId="1")
        event = adapter.parse(adapter.open(wechat.sealed(body)))

    assert event.text == content


def test_a_long_text_is_cut_between_characters() -> None:
    with an_adapter() as adapter:
        answer = adapter.seal(adapter.open(wechat.text("hi")), Reply("办" * 700))

    shown = wechat.read_reply(answer)
    assert len(shown.encode()) <= 2048
    assert shown == "办" * 681 + "…"


def test_of_several_articles_the_first_is_shown() -> None:
    articles = (Article("一]]>", "二", "https://a.cn/?x=1&y=2", "https://a.cn/p.png"), Article("二"))

    with an_adapter() as adapter:
        root = wechat.open_answer(adapter.seal(adapter.open(wechat.text("hi")), Reply(articles=articles)))

    assert root.findtext("ArticleCount") == "1"
    assert [item.findtext("Title") for item in root.iter("item")] == ["一]]>"]
    assert root.findtext("Articles/item/Url") == "https://a.cn/?x=1&y=2"


def test_an_answer_goes_back_to_the_sender() -> None:
    with an_adapter() as adapter:
        root = wechat.open_answer(adapter.seal(adapter.open(wechat.text("hi")), Reply("好")))

    assert root.findtext("ToUserName") == wechat.RECIPIENT
    assert root.findtext("FromUserName") == wechat.ORIGINAL_ID


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"mode": "loud"}, id="unknown mode"),
        pytest.param({"api_base": "ftp://a"}, id="base address"),
        pytest.param({"unheard_of": "1"}, id="unknown setting"),
        pytest.param({"original_id": "gh 1"}, id="original id"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, str]) -> None:
    with an_env() as env, pytest.raises(BadSettings):
        registry.build(wechat.config(**settings), env)


def test_secure_mode_needs_a_key() -> None:
    config = wechat.config()
    secrets = {name: value for name, value in config.secrets.items() if not name.endswith("aes_key")}

    with an_env() as env, pytest.raises(BadSettings) as refused:
        registry.build(replace(config, secrets=secrets), env)

    assert [problem.name for problem in refused.value.problems] == ["aes_key"]


@pytest.mark.parametrize(
    ("headers", "system", "mini"),
    [
        pytest.param(
            {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17) MicroMessenger/8.0.50(0x1) NetType/WIFI"},
            "ios",
            "",
            id="iPhone",
        ),
        pytest.param(
            {"USER-AGENT": "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50.1(0x2) miniProgram/wx1"},
            "android",
            "?",
            id="mini program on Android",
        ),
        pytest.param(
            {
                "User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50",
                "Referer": "https://servicewechat.com/wxabc/12/page-frame.html",
            },
            "ios",
            "wxabc",
            id="mini program by its referer",
        ),
    ],
)
def test_the_app_is_told_from_the_headers(headers: dict[str, str], system: str, mini: str) -> None:
    client = registry.detect(headers)

    assert client is not None
    assert (client.channel, client.system) == ("wechat", system)
    assert client.version.startswith("8.0.50")
    assert client.mini_program is bool(mini)
