"""Plays the other end of the stub channel."""

from __future__ import annotations

import json
from datetime import datetime

from channels.base import AccountConfig, InboundRequest, RawResponse
from channels.stub.adapter import sign
from tests.channels.builders import NOW
from tests.channels.server import Answer, Respond

SECRET = "a-shared-secret"
RECIPIENT = "resident"
GOOD_CODE = "code-base"
PROFILE_CODE = "code-profile"
PHONE_CODE = "phone-code"
CALLBACK = {"code": GOOD_CODE, "state": "s1"}


def config(base_url: str = "http://127.0.0.1:9") -> AccountConfig:
    return AccountConfig("stub", "demo", {}, {"secret": SECRET})


def _signed(method: str, body: bytes, at: datetime, more: str = "") -> InboundRequest:
    time = str(int(at.timestamp()))
    query = f"time={time}&nonce=n1&sign={sign(SECRET, time, 'n1', body)}{more}"
    return InboundRequest(method, query.encode(), {}, body)


def handshake() -> InboundRequest:
    return _signed("GET", b"", NOW, "&echo=hello")


def accepts_handshake(answer: RawResponse) -> bool:
    return answer.status == 200 and answer.body == b"hello"


def text(content: str, message_id: str = "1", at: datetime = NOW) -> InboundRequest:
    message = {"id": message_id, "kind": "text", "sender": RECIPIENT, "text": content}
    return _signed("POST", json.dumps(message).encode(), at)


def event(name: str, action: str = "", at: datetime = NOW) -> InboundRequest:
    kinds = {"follow": "follow", "unfollow": "unfollow", "click": "menu"}
    message = {"id": action or "e", "kind": kinds.get(name, name), "sender": RECIPIENT, "action": action}
    return _signed("POST", json.dumps(message).encode(), at)


def _event(**message: str) -> InboundRequest:
    return _signed("POST", json.dumps({"id": "e", "sender": RECIPIENT, **message}).encode(), NOW)


def consent(allowed: list[str], forbidden: list[str]) -> InboundRequest:
    return _event(kind="consent", allowed=" ".join(allowed), forbidden=" ".join(forbidden))


def receipt(platform_id: str, arrived: bool) -> InboundRequest:
    return _event(kind="receipt", action=platform_id, text="ok" if arrived else "lost")


def signed(body: bytes) -> InboundRequest:
    return _signed("POST", body, NOW)


def api() -> Respond:
    """Return an API that is never called."""
    return lambda call: Answer(b"{}", status=500)


def read_reply(answer: RawResponse) -> str:
    decoded = json.loads(answer.body)
    return str(decoded.get("text", "")) if decoded else ""


def shows_picture(answer: RawResponse, media_id: str) -> bool:
    return bool(json.loads(answer.body)["image"] == media_id)


def hands_over(answer: RawResponse) -> bool:
    return json.loads(answer.body)["handover"] is True
