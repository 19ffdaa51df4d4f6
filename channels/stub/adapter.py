"""The stub channel: JSON signed with HMAC-SHA256, everything sent is kept in memory.

A request carries ``time`` (Unix seconds), ``nonce`` and ``sign`` in its query; ``sign`` is the HMAC over
time, nonce and body. A GET with ``echo`` as well is the handshake. The body is
``{"id", "kind", "sender", "text", "action"}``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from channels.base import (
    MAX_BODY_BYTES,
    AccountConfig,
    Capability,
    ChannelEnv,
    ChannelError,
    ChannelIdentity,
    ClientEnv,
    DeliveryReceipt,
    Envelope,
    EventKind,
    Freshness,
    Health,
    InboundEvent,
    InboundRequest,
    LoginScope,
    MenuEntry,
    MenuViolation,
    Outcome,
    PageLink,
    PageMedium,
    RawResponse,
    Rejected,
    Reply,
    SendResult,
    dedup_digest,
)
from channels.fields import ChannelDescription, SettingField
from channels.links import header, system_of, with_params

MAX_ENTRIES = 5
MAX_NAME_CHARS = 20
_KINDS = {kind.value: kind for kind in EventKind}


def sign(secret: str, time: str, nonce: str, body: bytes) -> str:
    """Return the signature of a request to a stub account."""
    message = b"\n".join((time.encode(), nonce.encode(), body))
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def detect(headers: Mapping[str, str]) -> ClientEnv | None:
    agent = header(headers, "User-Agent")
    return ClientEnv("stub", "1", system_of(agent)) if "HallStub/1" in agent else None


class StubChannel:
    """An adapter whose platform is a list in memory."""

    kind = "stub"
    capabilities = frozenset(
        {Capability.PASSIVE_REPLY, Capability.SEND, Capability.MENU, Capability.WEB_LOGIN}
    )

    def __init__(self, config: AccountConfig, env: ChannelEnv) -> None:
        self.account = config.account
        self.sent: list[tuple[str, Reply]] = []
        self._secret = config.value("secret")
        self._env = env
        self._menu: tuple[MenuEntry, ...] = ()

    def handshake(self, req: InboundRequest) -> RawResponse | None:
        if req.method != "GET":
            return None
        query = self._verified(req)
        return RawResponse(200, "text/plain; charset=utf-8", query.get("echo", "").encode())

    def open(self, req: InboundRequest) -> Envelope:
        if req.method != "POST":
            raise Rejected("wrong_method", 405)
        query = self._verified(req)
        try:
            message = json.loads(req.body)
        except (ValueError, RecursionError):
            raise Rejected("malformed") from None
        if not isinstance(message, dict) or not all(isinstance(value, str) for value in message.values()):
            raise Rejected("malformed")
        freshness = Freshness(
            signed_at=_moment(query["time"]),
            nonce=query["nonce"],
            digest=hashlib.sha256(req.body).hexdigest(),
            binds_body=True,
        )
        return Envelope(self.kind, self.account, {**message, "time": query["time"]}, freshness, wire="json")

    def parse(self, env: Envelope) -> InboundEvent:
        raw = env.fields.get("kind", "")
        try:
            return InboundEvent(
                channel=self.kind,
                account=self.account,
                event_id=env.fields["id"],
                kind=_KINDS.get(raw, EventKind.UNKNOWN),
                sender=env.fields["sender"],
                occurred_at=_moment(env.fields["time"]),
                text=env.fields.get("text", ""),
                action=env.fields.get("action", ""),
                raw_type=raw,
            )
        except (KeyError, ValueError):
            raise Rejected("incomplete") from None

    def dedup_key(self, ev: InboundEvent) -> str:
        return dedup_digest(ev)

    def seal(self, env: Envelope, reply: Reply | None) -> RawResponse:
        answer = {} if reply is None else self.render(env.fields["sender"], reply)
        return RawResponse(200, "application/json", json.dumps(answer).encode())

    def reject(self, req: InboundRequest, rejected: Rejected) -> RawResponse:
        return RawResponse(rejected.status, "text/plain; charset=utf-8", rejected.reason.encode())

    def authorize_url(self, redirect_url: str, state: str, scope: LoginScope = LoginScope.BASE) -> str:
        return with_params(redirect_url, {"code": f"code-{scope}", "state": state})

    def read_callback(self, args: Mapping[str, str]) -> tuple[str, str]:
        if not args.get("code") or not args.get("state"):
            raise Rejected("incomplete")
        return args["code"], args["state"]

    def exchange(self, code: str) -> ChannelIdentity:
        if not code.startswith("code-"):
            raise ChannelError("unknown code", retryable=False, code="bad_code", outcome=Outcome.AUTH)
        return ChannelIdentity(self.account, f"subject-{code}")

    def render(self, recipient: str, reply: Reply) -> Mapping[str, Any]:
        articles = [{"title": article.title, "url": article.url} for article in reply.articles]
        return {"to": recipient, "text": reply.text, "articles": articles}

    def send(self, recipient: str, reply: Reply) -> SendResult:
        self.sent.append((recipient, reply))
        return SendResult(Outcome.ACCEPTED, platform_id=str(len(self.sent)))

    def parse_receipt(self, ev: InboundEvent) -> DeliveryReceipt | None:
        return None

    def classify(self, code: str) -> Outcome:
        return Outcome.UNKNOWN

    def check_menu(self, tree: Sequence[MenuEntry]) -> list[MenuViolation]:
        found = [
            MenuViolation((index,), "name_too_long", f"名称最多 {MAX_NAME_CHARS} 个字")
            for index, entry in enumerate(tree)
            if len(entry.name) > MAX_NAME_CHARS
        ]
        if not 1 <= len(tree) <= MAX_ENTRIES:
            found.append(MenuViolation((), "entry_count", f"菜单必须有 1 至 {MAX_ENTRIES} 项"))
        return found

    def publish_menu(self, tree: Sequence[MenuEntry]) -> None:
        if self.check_menu(tree):
            raise ChannelError("the menu breaks a limit", retryable=False, code="bad_menu")
        self._menu = tuple(tree)

    def read_menu(self) -> tuple[MenuEntry, ...]:
        return self._menu

    def page_link(self, url: str, params: Mapping[str, str], medium: PageMedium = PageMedium.H5) -> PageLink:
        if medium is not PageMedium.H5:
            raise ChannelError("only web pages here", retryable=False, code="no_such_medium")
        return PageLink(medium, with_params(url, params))

    def detect(self, headers: Mapping[str, str]) -> ClientEnv | None:
        return detect(headers)

    def probe(self) -> Health:
        return Health(ok=True, checked_at=self._env.clock(), clock_skew_seconds=0.0)

    def _verified(self, req: InboundRequest) -> dict[str, str]:
        if len(req.body) > MAX_BODY_BYTES:
            raise Rejected("too_large", 413)
        query = req.query()
        time, nonce = query.get("time", ""), query.get("nonce", "")
        if not time or not nonce:
            raise Rejected("incomplete")
        expected = sign(self._secret, time, nonce, req.body)
        if not hmac.compare_digest(expected.encode(), query.get("sign", "").encode()):
            raise Rejected("bad_signature", 403)
        return query


def _moment(seconds: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise Rejected("malformed") from None


DESCRIPTION = ChannelDescription(
    kind="stub",
    label="演示渠道",
    fields=(SettingField("secret", "签名密钥", secret=True, help="双方约定的任意字符串"),),
    detect=detect,
)


def build(config: AccountConfig, env: ChannelEnv) -> StubChannel:
    """Return the adapter of one stub account; settings are already checked."""
    return StubChannel(config, env)
