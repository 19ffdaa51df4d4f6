"""Alipay's official SDK: it verifies what we sign and signs what we verify, with keys and certificates."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from app.payments import service as payments
from channels import registry
from channels.alipay.adapter import AlipayChannel
from channels.alipay.certificates import number, read, root_number
from channels.base import ChannelError, InboundRequest, MenuEntry, Outcome, Rejected, Reply
from tests.app.payments.builders import an_order
from tests.channels import certificates
from tests.channels import platform_alipay as alipay
from tests.channels.builders import an_env
from tests.channels.server import Answer, Call, a_platform
from tests.interop.conftest import Hall
from tests.interop.node import Peer, a_peer

SIGN_TYPES = ("RSA2", "RSA")
WORDS = "办“户口”+&=% 😀𠮷"


@pytest.fixture(scope="module")
def peer(with_node: None) -> Iterator[Peer]:
    with a_peer("alipay.mjs") as running:
        yield running


@pytest.fixture(scope="module")
def served(hall: Hall) -> Hall:
    for sign_type in SIGN_TYPES:
        hall.add(f"alipay-{sign_type.lower()}", alipay.config(sign_type=sign_type))
    return hall


def platform_side(sign_type: str = "RSA2") -> dict[str, str]:
    """Return the SDK's configuration as the platform: its own private key, the app's public one."""
    return {
        "appId": alipay.APP_ID,
        "privateKey": alipay.private_pem(alipay.PLATFORM_KEY, "PKCS1"),
        "alipayPublicKey": alipay.public_pem(alipay.APP_KEY),
        "signType": sign_type,
        "charset": "UTF-8",
    }


def certificate_side(root_file: str) -> dict[str, str]:
    """Return the SDK's configuration as our app in certificate mode."""
    return {
        "appId": alipay.APP_ID,
        "privateKey": alipay.private_pem(alipay.APP_KEY, "PKCS1"),
        "appCertContent": certificates.pem(certificates.app_certificate()),
        "alipayPublicCertContent": certificates.pem(certificates.alipay_certificate()),
        "alipayRootCertContent": root_file,
    }


def app_side() -> dict[str, str]:
    """Return the SDK's configuration as an app that hears the platform."""
    return {
        "appId": alipay.APP_ID,
        "privateKey": alipay.private_pem(alipay.APP_KEY, "PKCS1"),
        "alipayPublicKey": alipay.public_pem(alipay.PLATFORM_KEY),
    }


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def signed_by_node(peer: Peer, content: bytes, sign_type: str = "RSA2") -> str:
    key = alipay.private_pem(alipay.PLATFORM_KEY)
    return str(peer.ask("signBytes", key=key, base64=b64(content), signType=sign_type))


def sent(call: Call) -> dict[str, str]:
    """Return the parameters of a request of ours, of its address and its body together."""
    parts = (urlsplit(call.target).query, call.body.decode())
    return {name: value for part in parts for name, value in parse_qsl(part, keep_blank_values=True)}


@pytest.mark.parametrize("sign_type", SIGN_TYPES)
def test_our_requests_pass_the_sdks_verification(peer: Peer, sign_type: str) -> None:
    with a_platform(alipay.Api()) as platform, an_env() as env:
        adapter = registry.build(alipay.config(platform.base_url, sign_type=sign_type), env)
        adapter.send(alipay.RECIPIENT, Reply(WORDS))

    parameters = sent(platform.calls[0])
    assert WORDS in json.loads(parameters["biz_content"])["text"]["content"]
    config = platform_side(sign_type)
    assert peer.ask("checkParameters", config=config, parameters=parameters) is True
    changed = {**parameters, "biz_content": parameters["biz_content"].replace(alipay.RECIPIENT, "2088")}
    assert peer.ask("checkParameters", config=config, parameters=changed) is False


def test_every_kind_of_call_of_ours_passes_the_sdks_verification(peer: Peer) -> None:
    with a_platform(alipay.Api()) as platform, an_env() as env:
        adapter = registry.build(alipay.config(platform.base_url), env)
        adapter.publish_menu([MenuEntry("我要办事", url="https://hall.example.cn/?a=1&b=2")])
        adapter.exchange(alipay.GOOD_CODE)
        adapter.probe()

    assert len(platform.calls) >= 4
    for call in platform.calls:
        assert peer.ask("checkParameters", config=platform_side(), parameters=sent(call)) is True


@pytest.mark.parametrize("name", ["粤小民", "a}b", "a{b", 'say "sign" twice', "\\", "😀"])
def test_an_answer_the_sdk_finds_signed_is_signed_for_us(peer: Peer, name: str) -> None:
    content = {"code": "10000", "msg": "Success", "user_id": alipay.RECIPIENT, "nick_name": name}
    raw = json.dumps(content, ensure_ascii=False)
    member = "alipay_system_oauth_token_response"
    whole = f'{{"{member}":{raw},"sign":"{signed_by_node(peer, raw.encode())}"}}'

    with a_platform(lambda _: Answer(whole.encode())) as platform, an_env() as env:
        identity = registry.build(alipay.config(platform.base_url), env).exchange("code")

    assert peer.ask("checkAnswer", config=app_side(), answer=whole, member=member) is True
    assert identity.subject == alipay.RECIPIENT


def test_an_answer_signed_for_another_text_is_refused(peer: Peer) -> None:
    raw = '{"code":"10000","msg":"Success","user_id":"2088000000000009"}'
    signature = signed_by_node(peer, raw.replace("9", "8").encode())
    whole = f'{{"alipay_system_oauth_token_response":{raw},"sign":"{signature}"}}'

    with a_platform(lambda _: Answer(whole.encode())) as platform, an_env() as env:
        adapter = registry.build(alipay.config(platform.base_url), env)
        with pytest.raises(ChannelError) as refused:
            adapter.exchange("code")

    assert refused.value.outcome is Outcome.AUTH


@pytest.mark.parametrize("sign_type", SIGN_TYPES)
def test_the_sdks_handshake_is_answered_so_that_it_can_verify_it(
    served: Hall, peer: Peer, sign_type: str
) -> None:
    xml = f"<XML><AppId>{alipay.APP_ID}</AppId><EventType>verifygw</EventType></XML>"
    config = platform_side(sign_type)
    body = peer.ask("message", config=config, service="alipay.service.check", xml=xml)

    answer = call(served, sign_type, body)

    inner, signature = alipay_parts(answer)
    assert inner.startswith("<success>true</success>")
    assert peer.ask("checkText", config=config, text=inner, signature=signature, signType=sign_type) is True


@pytest.mark.parametrize("sign_type", SIGN_TYPES)
@pytest.mark.parametrize("placed", ["body", "query"])
def test_a_message_signed_by_the_sdk_is_received(
    served: Hall, peer: Peer, sign_type: str, placed: str
) -> None:
    xml = a_message(f"{WORDS}{placed}", f"{sign_type}-{placed}", "UTF-8").decode()
    config = platform_side(sign_type)
    body = peer.ask("message", config=config, service=alipay.NOTIFY, xml=xml)

    answer = call(served, sign_type, body if placed == "body" else "", "" if placed == "body" else body)

    assert (answer.status_code, answer.text) == (200, "success")


def test_a_message_signed_by_the_sdk_and_changed_on_the_way_is_refused(served: Hall, peer: Peer) -> None:
    xml = a_message("户口", "changed", "UTF-8").decode()
    body = peer.ask("message", config=platform_side(), service=alipay.NOTIFY, xml=xml)

    answer = call(served, "RSA2", body.replace("changed", "another"))

    assert answer.status_code == 403


@pytest.mark.parametrize("sign_type", SIGN_TYPES)
def test_a_gbk_message_signed_by_node_is_received(served: Hall, peer: Peer, sign_type: str) -> None:
    params = {
        "service": alipay.NOTIFY.encode(),
        "charset": b"GBK",
        "biz_content": a_message("粤A小虎", f"gbk-{sign_type}", "GBK"),
        "sign_type": sign_type.encode(),
    }
    said = b"&".join(name.encode() + b"=" + value for name, value in sorted(params.items()))
    params["sign"] = signed_by_node(peer, said, sign_type).encode()

    answer = call(served, sign_type, alipay.form(params).decode())

    assert (answer.status_code, answer.text) == (200, "success")


def a_notification(peer: Peer, **changed: str) -> dict[str, str]:
    """Return a notification as the platform signs them: without the type of the signature."""
    fields = {
        "app_id": alipay.APP_ID,
        "charset": "utf-8",
        "notify_id": "2026112200222000000000000000000001",
        "notify_type": "trade_status_sync",
        "out_trade_no": "GD20261122000001",
        "subject": WORDS,
        "total_amount": "12.50",
        "trade_status": "TRADE_SUCCESS",
        **changed,
    }
    said = "&".join(f"{name}={value}" for name, value in sorted(fields.items()))
    return {**fields, "sign": signed_by_node(peer, said.encode()), "sign_type": "RSA2"}


def read_notification(fields: dict[str, str]) -> Any:
    with an_env() as env:
        adapter = registry.build(alipay.config(), env)
        assert isinstance(adapter, AlipayChannel)
        body = alipay.form({name: value.encode() for name, value in fields.items()})
        return adapter.read_notification(InboundRequest("POST", b"", {}, body))


def test_a_notification_the_sdk_accepts_is_accepted_by_us(peer: Peer) -> None:
    fields = a_notification(peer)

    found = read_notification(fields)

    assert peer.ask("checkParameters", config=app_side(), parameters=fields) is True
    assert (found.notify_id, found.fields["subject"]) == (fields["notify_id"], WORDS)


def test_a_notification_the_sdk_refuses_is_refused_by_us(peer: Peer) -> None:
    fields = {**a_notification(peer), "total_amount": "0.01"}

    assert peer.ask("checkParameters", config=app_side(), parameters=fields) is False
    with pytest.raises(Rejected, match="bad_signature"):
        read_notification(fields)


def a_message(content: str, message_id: str, charset: str) -> bytes:
    escaped = content.replace("&", "&amp;")
    words = f"<Text><Content>{escaped}</Content></Text>"
    fields = {"MsgType": "text", "MsgId": message_id}
    return alipay.message(fields, words, datetime.now(UTC), charset=charset)


def call(served: Hall, sign_type: str, body: str, query: str = "") -> requests.Response:
    form = "application/x-www-form-urlencoded"
    return served.call(f"alipay-{sign_type.lower()}", query or None, body, form)


def alipay_parts(answer: requests.Response) -> tuple[str, str]:
    """Return what stands inside ``response``, to the byte, and its signature."""
    assert answer.status_code == 200
    before, _, rest = answer.text.partition("</response><sign>")
    return before.partition("<response>")[2], rest.partition("</sign>")[0]


def test_a_payment_signed_as_the_sdk_wants_it_is_booked_over_http(served: Hall, peer: Peer) -> None:
    order = served.run(an_order, key="alipay-rsa2")
    fields = a_notification(
        peer,
        out_trade_no=order.number,
        seller_id=alipay.SELLER,
        total_amount="12.30",
        trade_no="2026030222001400000000000001",
        gmt_payment="2026-11-22 09:05:00",
    )
    body = alipay.form({name: value.encode() for name, value in fields.items()}).decode()

    cheaper = body.replace("total_amount=12.30", "total_amount=0.01")
    answers = [call(served, "RSA2/payments", one).text for one in (cheaper, body, body)]

    assert peer.ask("checkParameters", config=app_side(), parameters=fields) is True
    assert answers == ["fail", "success", "success"]
    assert served.run(payments.get, order.id).paid_at is not None


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_certificates_have_the_numbers_the_sdk_gives_them(peer: Peer, ends: str) -> None:
    roots = (certificates.root().certificate, certificates.other_root().certificate)
    file = certificates.pem(*roots).replace("\n", ends)

    theirs = peer.ask("serialNumbers", config=certificate_side(file))

    assert theirs["app"] == number(certificates.app_certificate())
    assert theirs["alipay"] == number(certificates.alipay_certificate())
    assert theirs["root"] == root_number(read(file))


def test_in_certificate_mode_our_requests_pass_the_sdks_verification(peer: Peer) -> None:
    gateway = alipay.Api(signer=alipay.Signer(number=number(certificates.alipay_certificate())))
    with a_platform(gateway) as platform, an_env() as env:
        adapter = registry.build(certificates.config(platform.base_url), env)
        result = adapter.send(alipay.RECIPIENT, Reply(WORDS))

    parameters = sent(platform.calls[0])
    numbers = peer.ask(
        "serialNumbers", config=certificate_side(certificates.pem(certificates.root().certificate))
    )
    assert result.outcome is Outcome.ACCEPTED
    assert (parameters["app_cert_sn"], parameters["alipay_root_cert_sn"]) == (numbers["app"], numbers["root"])
    assert peer.ask("checkParameters", config=platform_side(), parameters=parameters) is True
    changed = {**parameters, "app_cert_sn": "0" * 32}
    assert peer.ask("checkParameters", config=platform_side(), parameters=changed) is False
