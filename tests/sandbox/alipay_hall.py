"""The hall's end of an Alipay app: its adapter, and a callback that believes what the adapter believes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests
from flask import request
from flask.typing import ResponseReturnValue

from channels import registry
from channels.base import AccountConfig, Channel, ChannelEnv, InboundEvent, InboundRequest, Rejected
from channels.payments import PaymentNotice, cashier_of
from channels.tokens import MemoryTokenStore
from sandbox.alipay.signing import bare_public_key
from tests.channels import certificates as made
from tests.sandbox import builders
from tests.sandbox.servers import Received, Sandbox, a_hall, a_sandbox

KEY = "gd-alipay"
AES_KEY = "MDEyMzQ1Njc4OWFiY2RlZg=="
SELLER = "2088000000000099"
TEMPLATES = [
    {"id": "T1", "kind": "template", "title": "办件通知", "fields": ["first", "keyword1"]},
    {"id": "S1", "kind": "subscribe", "title": "办件提醒", "fields": ["keyword1"]},
    {"id": "S2", "kind": "subscribe", "title": "长期提醒", "fields": ["keyword1"], "long_term": True},
]


@dataclass
class Meeting:
    """An adapter and the platform it talks to; what reached the hall meanwhile."""

    channel: Channel
    sandbox: Sandbox
    hall_url: str
    events: list[InboundEvent] = field(default_factory=list)
    notices: list[PaymentNotice] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    deaf: int = 0

    def answer(self, _received: Received) -> ResponseReturnValue:
        incoming = InboundRequest(
            request.method, request.query_string, dict(request.headers), request.get_data()
        )
        try:
            if request.path.endswith("/payments"):
                return self._payment(incoming)
            raw = self.channel.handshake(incoming)
            if raw is None:
                envelope = self.channel.open(incoming)
                self.events.append(self.channel.parse(envelope))
                raw = self.channel.seal(envelope, None)
        except Rejected as rejected:
            self.refused.append(rejected.reason)
            raw = self.channel.reject(incoming, rejected)
        return raw.body, raw.status, {"Content-Type": raw.content_type}

    def _payment(self, incoming: InboundRequest) -> str:
        try:
            self.notices.append(cashier_of(self.channel).read_payment(incoming))
        except Rejected as rejected:
            self.refused.append(rejected.reason)
            return "fail"
        if self.deaf > 0:
            self.deaf -= 1
            return "fail"
        return "success"

    def control(self, what: str, **body: Any) -> Any:
        return self.sandbox.post(f"/control/alipay/{KEY}/{what}", body)

    def switch(self, **values: int) -> None:
        self.sandbox.post("/control/switches", {"account": KEY, **values})


@contextmanager
def a_meeting(kind: str = "alipay", *, certificates: bool = False, **changes: Any) -> Iterator[Meeting]:
    """Yield the adapter of an app, and the sandbox that knows the same app."""
    with a_hall() as hall:
        raw = builders.raw_alipay(
            kind=kind,
            callback_url=f"{hall.url}/callbacks/x",
            seller_id=SELLER,
            aes_key=AES_KEY,
            templates=TEMPLATES,
            pages=["pages/item/item", "pages/web/web"],
            **(_certificates() if certificates else {}),
            **changes,
        )
        with a_sandbox(raw, hall_base=hall.url, notify_scale=0.0001) as sandbox, requests.Session() as http:
            http.trust_env = False
            env = ChannelEnv(
                clock=lambda: datetime.fromtimestamp(sandbox.clock.now, UTC),
                nonce=lambda: "0123456789abcdef",
                http=http,
                tokens=MemoryTokenStore(),
            )
            channel = registry.build(_settings(raw, sandbox.base, certificates), env)
            meeting = Meeting(channel, sandbox, hall.url)
            hall.reply = meeting.answer
            yield meeting


def _certificates() -> dict[str, Any]:
    chain = made.intermediate().certificate
    return {
        "certificates": {
            "app_pem": made.pem(made.app_certificate(builders.hall_key()), chain),
            "root_pem": made.pem(made.root().certificate, made.elliptic_root().certificate),
            # The platform signs with a certificate that the hall has not heard of.
            "platform_pem": made.pem(_platform_certificate(9002), chain),
        }
    }


def _platform_certificate(serial: int) -> Any:
    return made.alipay_certificate(
        builders.platform_key(), serial=serial, ends_at=datetime(2040, 1, 1, tzinfo=UTC)
    )


def _settings(raw: dict[str, Any], base: str, certificates: bool) -> AccountConfig:
    settings = {
        "app_id": raw["app_id"],
        "seller_id": SELLER,
        "gateway": f"{base}/alipay/gateway.do",
    }
    secrets = {"app_private_key": builders.private_pem(builders.hall_key())}
    if certificates:
        older = made.alipay_certificate(made.rsa_key("new"), serial=9001)
        settings |= {
            "key_mode": "certificate",
            "app_cert": raw["certificates"]["app_pem"],
            "alipay_cert": made.pem(older, made.intermediate().certificate),
            "alipay_root_cert": raw["certificates"]["root_pem"].replace("\n", "\r\n"),
        }
    else:
        settings["alipay_public_key"] = bare_public_key(builders.platform_key().public_key())
    if raw["kind"] == "alipay_mini":
        secrets["aes_key"] = AES_KEY
    return AccountConfig(raw["kind"], raw["key"], settings, secrets)
