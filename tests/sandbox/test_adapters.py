"""The hall's own adapters get on with platforms that were written without them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from flask import request
from flask.typing import ResponseReturnValue

from channels import registry
from channels.base import (
    AccountConfig,
    Article,
    Channel,
    ChannelEnv,
    EventKind,
    InboundEvent,
    InboundRequest,
    LoginScope,
    MenuEntry,
    Outcome,
    Rejected,
    Reply,
)
from channels.tokens import MemoryTokenStore
from sandbox.alipay.signing import bare_public_key
from tests.sandbox import builders
from tests.sandbox.servers import FakeHall, Received, Sandbox, a_hall, a_sandbox

MENU = (
    MenuEntry("办事", children=(MenuEntry("户政办理", url="http://127.0.0.1:1/huzheng/"),)),
    MenuEntry("帮助", key="HELP"),
)
KINDS = ["wechat-plain", "wechat-compat", "wechat-secure", "alipay-GBK", "alipay-UTF-8"]


class Hall:
    """What the conversations do with an adapter: handshake, open, parse, answer."""

    def __init__(self, channel: Channel, reply: Reply | None) -> None:
        self.channel = channel
        self.reply = reply
        self.events: list[InboundEvent] = []
        self.refused: list[str] = []

    def answer(self, _received: Received) -> ResponseReturnValue:
        incoming = InboundRequest(
            request.method, request.query_string, dict(request.headers), request.get_data()
        )
        try:
            raw = self.channel.handshake(incoming)
            if raw is None:
                envelope = self.channel.open(incoming)
                self.events.append(self.channel.parse(envelope))
                raw = self.channel.seal(envelope, self.reply)
        except Rejected as rejected:
            self.refused.append(rejected.reason)
            raw = self.channel.reject(incoming, rejected)
        return raw.body, raw.status, {"Content-Type": raw.content_type}


def raw_account(kind: str, fake: FakeHall, **changes: Any) -> dict[str, Any]:
    name, _, variant = kind.partition("-")
    url = fake.url + "/callbacks/x"
    if name == "alipay":
        return builders.raw_alipay(callback_url=url, charset=variant, **changes)
    make = builders.raw_mini if name == "mini" else builders.raw_wechat
    return make(callback_url=url, mode=variant, **changes)


def settings_of(raw: dict[str, Any], base: str) -> AccountConfig:
    """Return the adapter's view of the same account."""
    if raw["kind"] == "wechat":
        names = ("app_id", "app_secret", "token", "aes_key", "mode", "original_id")
        settings = {name: raw[name] for name in names}
        settings |= {"api_base": base + "/wechat", "login_base": base + "/wechat"}
    elif raw["kind"] == "wechat_mini":
        names = ("app_id", "app_secret", "token", "aes_key", "mode", "original_id")
        settings = {**{name: raw[name] for name in names}, "api_base": base + "/wechat"}
    else:
        settings = {
            "app_id": raw["app_id"],
            "app_private_key": builders.private_pem(builders.hall_key()),
            "alipay_public_key": bare_public_key(builders.platform_key().public_key()),
            "gateway": base + "/alipay/gateway.do",
            "login_base": base + "/alipay",
        }
    return AccountConfig(raw["kind"], raw["key"], settings)


@contextmanager
def a_meeting(
    kind: str, reply: Reply | None = None, timeout_seconds: float = 4.0, **changes: Any
) -> Iterator[tuple[Hall, Sandbox, str]]:
    """Bring the real adapter and the sandbox together; yields hall, sandbox and the account's key."""
    with a_hall() as fake, requests.Session() as http:
        http.trust_env = False
        raw = raw_account(kind, fake, **changes)
        with a_sandbox(raw, hall_base=fake.url) as sandbox:
            env = ChannelEnv(
                clock=lambda: datetime.fromtimestamp(sandbox.clock.now, UTC),
                nonce=lambda: "0123456789abcdef",
                http=http,
                tokens=MemoryTokenStore(),
                timeout_seconds=timeout_seconds,
            )
            channel = registry.packages()[raw["kind"]].build(settings_of(raw, sandbox.base), env)
            hall = Hall(channel, reply)
            fake.reply = hall.answer
            yield hall, sandbox, raw["key"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_address_check_passes(kind: str) -> None:
    with a_meeting(kind) as (_hall, sandbox, key):
        assert sandbox.post(f"/control/accounts/{key}/handshake", {})["ok"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_resident_does_arrives_as_events(kind: str) -> None:
    with a_meeting(kind) as (hall, sandbox, key):
        hall.channel.publish_menu(MENU)
        sandbox.act(key, "follow")
        sandbox.act(key, "text", "户籍 ]]> 办理")
        sandbox.act(key, "tap", "HELP")
        sandbox.act(key, "unfollow")

        seen = [(event.kind, event.text or event.action) for event in hall.events]
        assert seen[1:3] == [(EventKind.TEXT, "户籍 ]]> 办理"), (EventKind.MENU, "HELP")]
        assert (seen[0][0], seen[3][0]) == (EventKind.FOLLOW, EventKind.UNFOLLOW)
        assert len({event.sender for event in hall.events}) == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("wechat")])
def test_a_passive_answer_is_shown_on_the_phone(kind: str) -> None:
    with a_meeting(kind, Reply(articles=(Article("户政办理", "省公安厅", "http://127.0.0.1:1/"),))) as (
        _,
        sandbox,
        key,
    ):
        assert sandbox.act(key, "follow") == ["answered"]

        assert sandbox.get(f"/control/chats/{key}")["entries"][-1]["articles"][0]["title"] == "户政办理"


@pytest.mark.parametrize("kind", KINDS)
def test_a_menu_is_published_twice_and_read_back(kind: str) -> None:
    with a_meeting(kind) as (hall, _sandbox, _key):
        hall.channel.publish_menu(MENU[:1])
        hall.channel.publish_menu(MENU)

        assert hall.channel.read_menu() == MENU


@pytest.mark.parametrize("kind", ["wechat-secure", "alipay-GBK"])
def test_a_message_is_sent_to_a_follower_and_refused_to_a_stranger(kind: str) -> None:
    with a_meeting(kind) as (hall, sandbox, key):
        sandbox.act(key, "follow")
        reply = Reply(text="您的件已办结")

        sent = hall.channel.send(hall.events[0].sender, reply)

        assert sent.outcome is Outcome.ACCEPTED
        assert sandbox.get(f"/control/chats/{key}")["entries"][-1]["text"] == "您的件已办结"
        sandbox.act(key, "unfollow")
        assert hall.channel.send(hall.events[0].sender, reply).outcome is Outcome.NOT_FOLLOWING


@pytest.mark.parametrize("kind", ["wechat-secure", "alipay-GBK"])
def test_a_resident_signs_in(kind: str) -> None:
    with a_meeting(kind) as (hall, sandbox, _key):
        back = sandbox.world.config.hall_base + "/sign-in"
        url = hall.channel.authorize_url(back, "a&b=c", LoginScope.PROFILE)
        location = requests.post(url, allow_redirects=False, timeout=5).headers["Location"]

        code, state = hall.channel.read_callback(dict(parse_qsl(urlsplit(location).query)))

        assert state == "a&b=c"
        assert hall.channel.exchange(code).subject


@pytest.mark.parametrize("kind", ["wechat-secure", "wechat-plain", "alipay-GBK"])
@pytest.mark.parametrize("switch", ["unsigned", "garbage"])
def test_what_is_not_the_platforms_is_refused(kind: str, switch: str) -> None:
    with a_meeting(kind) as (hall, sandbox, key):
        sandbox.post("/control/switches", {"account": key, switch: 1})

        sandbox.act(key, "follow")

        assert hall.events == []
        assert len(hall.refused) == 1


def test_a_dropped_token_is_fetched_anew() -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, key):
        hall.channel.publish_menu(MENU)
        sandbox.post("/control/switches", {"account": key, "drop_token": True})

        assert hall.channel.read_menu() == MENU


@pytest.mark.parametrize("kind", ["wechat-secure", "alipay-GBK"])
def test_a_used_up_quota_is_told_as_such(kind: str) -> None:
    with a_meeting(kind) as (hall, sandbox, key):
        sandbox.act(key, "follow")
        hall.channel.read_menu()
        sandbox.post("/control/switches", {"account": key, "quota_45009": 1})

        assert hall.channel.send(hall.events[0].sender, Reply(text="好")).outcome is Outcome.QUOTA
