"""The stub channel: JSON signed with HMAC-SHA256, everything sent is kept in memory.

A request carries ``time`` (Unix seconds), ``nonce`` and ``sign`` in its query; ``sign`` is the HMAC over
time, nonce and body. A GET with ``echo`` as well is the handshake. The body is
``{"id", "kind", "sender", "text", "action", "allowed", "forbidden"}``, the last two being templates.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.base import (
    MAX_BODY_BYTES,
    AccountConfig,
    Capability,
    ChannelEnv,
    ChannelError,
    ChannelIdentity,
    ClientEnv,
    Consent,
    DeliveryReceipt,
    Envelope,
    EventKind,
    Freshness,
    Health,
    InboundEvent,
    InboundRequest,
    LoginGrant,
    LoginScope,
    Media,
    MediaId,
    MenuEntry,
    MenuRule,
    MenuViolation,
    MiniCode,
    Notification,
    Outcome,
    PageConfig,
    PageLink,
    PageMedium,
    PageRule,
    PhoneNumber,
    Picture,
    PlatformTemplate,
    QrCode,
    RawResponse,
    Rejected,
    Reply,
    SendResult,
    TemplateField,
    UserInfo,
    dedup_digest,
)
from channels.fields import ChannelDescription, SettingField
from channels.lacking import Lacking
from channels.links import header, is_web_address, system_of, with_params

MAX_ENTRIES = 5
MAX_NAME_CHARS = 20
MAX_VALUE_CHARS = 200
PHONE_CODE = "phone-code"
# The smallest picture there is: one white dot.
_PICTURE = b"GIF89a" + bytes.fromhex("01000100800000ffffff0000002c00000000010001000002024401003b")
_KINDS = {kind.value: kind for kind in EventKind}


def sign(secret: str, time: str, nonce: str, body: bytes) -> str:
    """Return the signature of a request to a stub account."""
    message = b"\n".join((time.encode(), nonce.encode(), body))
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def detect(headers: Mapping[str, str]) -> ClientEnv | None:
    agent = header(headers, "User-Agent")
    return ClientEnv("stub", "1", system_of(agent)) if "HallStub/1" in agent else None


class StubChannel(Lacking):
    """An adapter whose platform is a list in memory."""

    kind = "stub"
    capabilities = frozenset(Capability) - {Capability.PAY}

    def __init__(self, config: AccountConfig, env: ChannelEnv) -> None:
        self.account = config.account
        self.sent: list[tuple[str, Reply]] = []
        self.notified: list[tuple[str, Notification]] = []
        self._secret = config.value("secret")
        self._env = env
        self._menu: tuple[MenuEntry, ...] = ()
        self._rules: tuple[MenuRule, ...] = ()
        self._uploaded = 0

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
                consents=_consents(env.fields),
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
        scope = LoginScope.PROFILE if code.endswith(LoginScope.PROFILE) else LoginScope.BASE
        return ChannelIdentity(self.account, f"subject-{code}", grant=self._grant(scope))

    def refresh(self, identity: ChannelIdentity) -> ChannelIdentity:
        if identity.grant is None:
            raise ChannelError("nothing to renew", retryable=False, code="no_grant", outcome=Outcome.AUTH)
        return replace(identity, grant=self._grant(identity.grant.scope))

    def user_info(self, identity: ChannelIdentity) -> UserInfo:
        if identity.grant is None or identity.grant.scope is not LoginScope.PROFILE:
            raise ChannelError("not agreed to", retryable=False, code="no_grant", outcome=Outcome.AUTH)
        return UserInfo(identity.subject, "演示居民")

    def render(self, recipient: str, reply: Reply) -> Mapping[str, Any]:
        articles = [{"title": article.title, "url": article.url} for article in reply.articles]
        more = {"image": reply.image, "handover": reply.handover}
        return {"to": recipient, "text": reply.text, "articles": articles, **more}

    def send(self, recipient: str, reply: Reply) -> SendResult:
        self.sent.append((recipient, reply))
        return SendResult(Outcome.ACCEPTED, platform_id=str(len(self.sent)))

    def render_notification(self, recipient: str, notification: Notification) -> Mapping[str, Any]:
        if any(len(value) > MAX_VALUE_CHARS for value in notification.data.values()):
            raise ChannelError("a value is too long", retryable=False, code="bad_data")
        return {"to": recipient, "template": notification.template_key, "data": dict(notification.data)}

    def send_notification(self, recipient: str, notification: Notification) -> SendResult:
        try:
            self.render_notification(recipient, notification)
        except ChannelError as error:
            return SendResult(Outcome.BAD_TEMPLATE, code=error.code)
        self.notified.append((recipient, notification))
        return SendResult(Outcome.ACCEPTED, platform_id=f"n{len(self.notified)}")

    def parse_receipt(self, ev: InboundEvent) -> DeliveryReceipt | None:
        if ev.kind is not EventKind.RECEIPT:
            return None
        return DeliveryReceipt(ev.action, Outcome.ACCEPTED if ev.text == "ok" else Outcome.UNKNOWN, ev.text)

    def classify(self, code: str) -> Outcome:
        return Outcome.UNKNOWN

    def check_menu(self, tree: Sequence[MenuEntry], rules: Sequence[MenuRule] = ()) -> list[MenuViolation]:
        found = _check_menu(tree, None)
        for index, rule in enumerate(rules):
            found.extend(_check_menu(rule.tree, index))
        return found

    def publish_menu(self, tree: Sequence[MenuEntry], rules: Sequence[MenuRule] = ()) -> None:
        if self.check_menu(tree, rules):
            raise ChannelError("the menu breaks a limit", retryable=False, code="bad_menu")
        self._menu, self._rules = tuple(tree), tuple(rules)

    def read_menu(self) -> tuple[MenuEntry, ...]:
        return self._menu

    def read_menu_rules(self) -> tuple[MenuRule, ...]:
        return self._rules

    def make_qr(self, scene: str, seconds: int | None = None) -> QrCode:
        if not scene:
            raise ChannelError("no scene", retryable=False, code="bad_scene")
        if seconds is not None and seconds < 1:
            raise ChannelError("no time", retryable=False, code="bad_seconds")
        ends = None if seconds is None else self._env.clock() + timedelta(seconds=seconds)
        return QrCode(f"stub:{scene}", ends)

    def upload(self, media: Media) -> MediaId:
        if not media.content:
            raise ChannelError("an empty file", retryable=False, code="bad_media")
        self._uploaded += 1
        ends = None if media.lasting else self._env.clock() + timedelta(days=3)
        return MediaId(f"media-{self._uploaded}", ends)

    def page_config(self, url: str, apis: Sequence[str]) -> PageConfig | None:
        if not is_web_address(url):
            raise ChannelError("no web address", retryable=False, code="bad_url")
        time, nonce = str(int(self._env.clock().timestamp())), self._env.nonce()
        signature = sign(self._secret, time, nonce, url.partition("#")[0].encode())
        return PageConfig("stub", int(time), nonce, signature, tuple(apis))

    def page_rules(self) -> tuple[PageRule, ...]:
        return (PageRule("stub-https", "网页须使用 https 地址", False, "本仓库"),)

    def page_link(self, url: str, params: Mapping[str, str], medium: PageMedium = PageMedium.H5) -> PageLink:
        address = with_params(url, params)
        if medium is PageMedium.H5:
            return PageLink(medium, address)
        return PageLink(medium, f"stub:{medium}:{address}", self._env.clock() + timedelta(days=30))

    def mini_code(self, code: MiniCode) -> Picture:
        if not code.page or code.page.startswith("/"):
            raise ChannelError("no page", retryable=False, code="bad_page")
        return Picture(_PICTURE, "image/gif")

    def phone_number(self, code: str) -> PhoneNumber:
        if code != PHONE_CODE:
            raise ChannelError("unknown code", retryable=False, code="bad_code", outcome=Outcome.AUTH)
        return PhoneNumber("86", "02012345")

    def list_templates(self) -> tuple[PlatformTemplate, ...]:
        fields = (TemplateField("thing1", "办理事项"), TemplateField("time2", "办理时间"))
        return (PlatformTemplate("T1", "办件进度通知", fields),)

    def detect(self, headers: Mapping[str, str]) -> ClientEnv | None:
        return detect(headers)

    def probe(self) -> Health:
        return Health(ok=True, checked_at=self._env.clock(), clock_skew_seconds=0.0)

    def _grant(self, scope: LoginScope) -> LoginGrant:
        return LoginGrant(self._env.nonce(), "renew", self._env.clock() + timedelta(hours=2), scope)

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


def _check_menu(tree: Sequence[MenuEntry], rule: int | None) -> list[MenuViolation]:
    found = [
        MenuViolation((index,), "name_too_long", f"名称最多 {MAX_NAME_CHARS} 个字", rule)
        for index, entry in enumerate(tree)
        if len(entry.name) > MAX_NAME_CHARS
    ]
    if not 1 <= len(tree) <= MAX_ENTRIES:
        found.append(MenuViolation((), "entry_count", f"菜单必须有 1 至 {MAX_ENTRIES} 项", rule))
    return found


def _consents(fields: Mapping[str, str]) -> tuple[Consent, ...]:
    granted = (Consent(key, True) for key in fields.get("allowed", "").split())
    return (*granted, *(Consent(key, False) for key in fields.get("forbidden", "").split()))


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
