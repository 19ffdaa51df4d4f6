"""Alerts to other systems: signed, through the outbound guard, without redirects, bounded. Worker only."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from app.alerts.domain import EndpointFormat, Severity
from app.alerts.sent import NotSent, Sent
from app.alerts.wording import item_lines, topic_label
from mobile_pages.gather import posting
from mobile_pages.gather.posting import NotPosted
from mobile_pages.guard import Guard

TIMEOUT_SECONDS = 10.0
WECOM_BYTES = 4000
DINGTALK_BYTES = 18_000
USER_AGENT = "GDHall-Alerts/1.0 (+guangdong online service hall)"
# The robots' own codes for "too fast"; anything else is wrong for good.
_TOO_FAST = frozenset({130101, 410100, 45009, 660026})


@dataclass(frozen=True, slots=True)
class Call:
    """One message for one endpoint."""

    format: EndpointFormat
    url: str
    secret: str
    delivery_id: int
    title: str
    severity: Severity
    content: Mapping[str, Any]
    alert_count: int
    message_url: str
    base_url: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    url: str
    headers: tuple[str, ...]
    body: bytes


def signed(call: Call, now: datetime) -> Request:
    """Return the request as it goes out, signed as its format asks."""
    match call.format:
        case EndpointFormat.DINGTALK:
            return _json(_with_dingtalk_sign(call.url, call.secret, now), _dingtalk(call))
        case EndpointFormat.WECOM:
            return _json(call.url, _wecom(call))
    body = json.dumps(_generic(call), ensure_ascii=False).encode()
    timestamp = str(int(now.timestamp()))
    headers = (
        f"X-Hall-Delivery: {call.delivery_id}",
        f"X-Hall-Timestamp: {timestamp}",
        f"X-Hall-Signature: v1={generic_signature(call.secret, timestamp, body)}",
    )
    return Request(call.url, (*_COMMON, *headers), body)


def generic_signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the hex HMAC-SHA256 of ``timestamp.body``; receivers refuse timestamps that are too old."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()


def dingtalk_sign(secret: str, timestamp_ms: int) -> str:
    """Return the robot's sign: base64 of the HMAC-SHA256 of ``timestamp\\nsecret`` under the secret.

    Source: DingTalk open platform, custom robot, security settings (加签).
    """
    digest = hmac.new(secret.encode(), f"{timestamp_ms}\n{secret}".encode(), sha256).digest()
    return b64encode(digest).decode()


def send(call: Call, guard: Guard, now: datetime, *, ca_file: Path | None = None) -> Sent:
    """Post one message.

    Raises:
        NotSent: the address is not allowed, was not reached, or did not take the message.
    """
    request = signed(call, now)
    try:
        answer = posting.post(
            request.url,
            request.headers,
            request.body,
            guard,
            user_agent=USER_AGENT,
            timeout_seconds=TIMEOUT_SECONDS,
            ca_file=ca_file,
        )
    except NotPosted as failure:
        raise NotSent(failure.code, retryable=failure.retryable) from None
    return _judged(call.format, answer.status, answer.body)


_COMMON = ("Content-Type: application/json; charset=utf-8", "Expect:")


def _json(url: str, body: Mapping[str, Any]) -> Request:
    return Request(url, _COMMON, json.dumps(body, ensure_ascii=False).encode())


def _judged(format_: EndpointFormat, status: int, body: bytes) -> Sent:
    if not 200 <= status < 300:
        # Redirects are refused: an endpoint says where it is, and nobody else does.
        raise NotSent(f"http_{status}", retryable=posting.may_recover(status))
    if format_ is EndpointFormat.GENERIC:
        return Sent(confirmed=True)
    try:
        code = json.loads(body).get("errcode")
    except (ValueError, AttributeError):
        raise NotSent("bad_answer", retryable=False) from None
    if code != 0:
        number = code if isinstance(code, int) else -1
        raise NotSent(f"errcode_{number}", retryable=number in _TOO_FAST or number == -1)
    return Sent(confirmed=True)


def _generic(call: Call) -> dict[str, Any]:
    items = [
        {**item, "link": call.base_url + item["link"] if item["link"] else ""}
        for item in call.content["items"]
    ]
    return {
        "version": 1,
        "delivery_id": str(call.delivery_id),
        "created_at": call.created_at.isoformat(),
        "severity": call.severity.value,
        "title": call.title,
        "summary": call.content["summary"],
        "alert_count": call.alert_count,
        "items": items,
        "more": call.content["more"],
        "url": call.message_url,
    }


def _with_dingtalk_sign(url: str, secret: str, now: datetime) -> str:
    if not secret:
        return url
    timestamp = int(now.timestamp() * 1000)
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}timestamp={timestamp}&sign={quote_plus(dingtalk_sign(secret, timestamp))}"


def _dingtalk(call: Call) -> dict[str, Any]:
    text = _markdown(call, DINGTALK_BYTES)
    return {"msgtype": "markdown", "markdown": {"title": call.title, "text": text}}


def _wecom(call: Call) -> dict[str, Any]:
    return {"msgtype": "markdown", "markdown": {"content": _markdown(call, WECOM_BYTES)}}


def _markdown(call: Call, bytes_max: int) -> str:
    end = f"\n\n[查看全部]({call.message_url})"
    blocks = [f"### {_plain(call.title)}"]
    if call.content["summary"]:
        blocks.append(_plain(call.content["summary"]))
    for item in call.content["items"]:
        headline = len(call.content["items"]) > 1
        lines = [_plain(line) for line in item_lines(item, headline=headline)]
        blocks.append("\n\n".join([*([] if headline else [topic_label(item["topic"])]), *lines]))
    if call.content["more"]:
        blocks.append(f"另有 {call.content['more']:,} 条")
    text = ""
    for block in blocks:
        longer = f"{text}\n\n{block}" if text else block
        if len((longer + end).encode()) > bytes_max:
            break
        text = longer
    return text + end


# A page's name comes from outside: it must not become a link, or call everybody (@all).
_HARMLESS = str.maketrans(
    {sign: f"\\{sign}" for sign in "\\`*_[]()#"} | {"<": "＜", ">": "＞", "@": "＠", "\n": " "}
)


def _plain(text: str) -> str:
    return text.translate(_HARMLESS)
