"""Webhooks over real HTTP: signed so that the receiver can tell, never led astray, never waiting for ever."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest

from app.alerts import webhooks
from app.alerts.domain import EndpointFormat, Severity
from app.alerts.sent import NotSent
from app.alerts.webhooks import Call, dingtalk_sign, generic_signature, send
from app.alerts.wording import content_of
from mobile_pages.guard import Guard, Policy
from tests.app.alerts.receivers import a_receiver
from tests.app.alerts.test_mail import AT, an_item
from tests.mobile_pages.probe.sites import Authority

SECRET = "SEC0123456789abcdef"
NOW = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def a_call(url, format_=EndpointFormat.GENERIC, *items):
    return Call(
        format=format_,
        url=url,
        secret=SECRET,
        delivery_id=42,
        title="【紧急】户口办理无法访问",
        severity=Severity.CRITICAL,
        content=content_of(items or (an_item(),), {7: "省公安厅"}),
        alert_count=1,
        message_url="https://hall.example.cn/alerts/messages/1",
        base_url="https://hall.example.cn",
        created_at=AT,
    )


def test_the_dingtalk_sign_is_what_openssl_makes_of_the_same():
    # printf '1700000000000\nSEC…' | openssl dgst -sha256 -hmac 'SEC…' -binary | base64
    assert dingtalk_sign(SECRET, 1_700_000_000_000) == "TSZbRFUuvaSQaRKUpF970OPCb2/LcQAP3wOvwZIzBZk="


def test_the_generic_signature_is_what_openssl_makes_of_the_same():
    # printf '1700000000.{"a":"中"}' | openssl dgst -sha256 -hmac 'key' -hex
    assert (
        generic_signature("key", "1700000000", '{"a":"中"}'.encode())
        == "f8974dba7b94f2302259964a2947531495a88a517b206797b6bf530c4f417348"
    )


def test_a_receiver_can_verify_who_sent_it_and_reads_what_happened():
    with a_receiver() as receiver:
        sent = send(a_call(receiver.url), receiver.guard, NOW)

    (post,) = receiver.posts
    stamp = post.headers["x-hall-timestamp"]
    expected = hmac.new(SECRET.encode(), f"{stamp}.".encode() + post.body, sha256).hexdigest()
    said = json.loads(post.body)
    assert post.headers["x-hall-signature"] == f"v1={expected}"
    assert (said["delivery_id"], said["severity"], said["items"][0]["body"]) == ("42", "critical", "省公安厅")
    assert said["items"][0]["link"] == "https://hall.example.cn/wall/page/1"
    assert sent.confirmed


def test_a_dingtalk_robot_gets_its_sign_in_the_address_and_markdown_in_the_body():
    with a_receiver() as receiver:
        call = a_call(f"{receiver.url}?access_token=t", EndpointFormat.DINGTALK)
        send(call, receiver.guard, NOW)

    (post,) = receiver.posts
    asked = parse_qs(urlsplit(post.target).query)
    text = f"{asked['timestamp'][0]}\n{SECRET}".encode()
    assert b64decode(asked["sign"][0]) == hmac.new(SECRET.encode(), text, sha256).digest()
    assert asked["access_token"] == ["t"]
    assert json.loads(post.body)["markdown"]["text"].startswith("### 【紧急】户口办理无法访问")


def test_a_wecom_robot_gets_no_more_than_it_takes():
    items = [an_item(title="长名字" * 30, text="长" * 900) for _ in range(200)]
    with a_receiver() as receiver:
        send(a_call(receiver.url, EndpointFormat.WECOM, *items), receiver.guard, NOW)

    content = json.loads(receiver.posts[0].body)["markdown"]["content"]
    assert 500 < len(content.encode()) <= 4096
    assert content.endswith("[查看全部](https://hall.example.cn/alerts/messages/1)")


def test_a_pages_name_becomes_neither_link_nor_call_for_everybody():
    item = an_item(title="[点我](http://evil.example) <@all> @all")
    with a_receiver() as receiver:
        send(a_call(receiver.url, EndpointFormat.WECOM, item, an_item()), receiver.guard, NOW)

    content = json.loads(receiver.posts[0].body)["markdown"]["content"]
    assert "](http://evil.example" not in content
    assert "<@" not in content
    assert "@all" not in content


@pytest.mark.parametrize(
    ("status", "retryable"), [(500, True), (503, True), (429, True), (302, False), (404, False), (401, False)]
)
def test_a_refusal_says_whether_another_try_may_help(status, retryable):
    with (
        a_receiver(lambda _: (status, b"")) as receiver,
        pytest.raises(NotSent, match=f"http_{status}") as failed,
    ):
        send(a_call(receiver.url), receiver.guard, NOW)

    assert failed.value.retryable is retryable
    assert len(receiver.posts) == 1  # a redirect was not followed


@pytest.mark.parametrize(
    ("answer", "code", "retryable"),
    [
        (b'{"errcode":310000,"errmsg":"sign not match"}', "errcode_310000", False),
        (b'{"errcode":130101,"errmsg":"send too fast"}', "errcode_130101", True),
        (b"<html>", "bad_answer", False),
        (b"[]", "bad_answer", False),
    ],
)
def test_a_robot_that_says_no_with_status_200_is_understood(answer, code, retryable):
    with a_receiver(lambda _: (200, answer)) as receiver, pytest.raises(NotSent, match=code) as failed:
        send(a_call(receiver.url, EndpointFormat.DINGTALK), receiver.guard, NOW)

    assert failed.value.retryable is retryable


def test_an_endpoint_that_hangs_is_left_in_time(monkeypatch):
    # The real limit is ten seconds; what matters is that there is one.
    monkeypatch.setattr(webhooks, "TIMEOUT_SECONDS", 0.3)
    with a_receiver(lambda _: None) as receiver, pytest.raises(NotSent, match="timeout") as failed:
        send(a_call(receiver.url), receiver.guard, NOW)

    assert failed.value.retryable


def test_an_endless_answer_is_not_read():
    with (
        a_receiver(lambda _: (200, b"x" * 1_000_000)) as receiver,
        pytest.raises(NotSent, match="answer_too_large"),
    ):
        send(a_call(receiver.url), receiver.guard, NOW)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/x", "http://10.1.2.3/x", "http://[::1]/x", "http://169.254.169.254/latest"],
)
def test_addresses_inside_are_never_called(url):
    with pytest.raises(NotSent, match="guard_private_address") as failed:
        send(a_call(url), Guard(Policy()), NOW)

    assert not failed.value.retryable


@pytest.mark.parametrize("trusted", [True, False])
def test_only_a_certificate_that_we_trust_gets_the_message(tmp_path, trusted):
    authority = Authority(tmp_path)
    with a_receiver(tls=authority.server()) as receiver:
        call = a_call(receiver.url.replace("http:", "https:"))
        if trusted:
            send(call, receiver.guard, NOW, ca_file=authority.ca_file)
        else:
            with pytest.raises(NotSent, match="tls_failed"):
                send(call, receiver.guard, NOW)

    assert len(receiver.posts) == trusted
