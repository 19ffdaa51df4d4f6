"""The WeChat official-account adapter (微信公众号).

Source: developers.weixin.qq.com; the defects it steers around are told at each module.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

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
    Media,
    MediaId,
    MenuEntry,
    MenuRule,
    MenuViolation,
    Notification,
    NotificationKind,
    Outcome,
    PageConfig,
    PageRule,
    PlatformTemplate,
    QrCode,
    RawResponse,
    Rejected,
    Reply,
    SendResult,
    UserInfo,
    dedup_digest,
)
from channels.http import skew_seconds, whole_number
from channels.lacking import Lacking, unsupported
from channels.markup import elements
from channels.wechat import codes, files, menu, messages, notices, pages, settings, templates
from channels.wechat.client import AccessTokens, Client, classify, decode
from channels.wechat.crypto import Sealer, decode_key, same, signature
from channels.wechat.login import SCOPES, WebLogin
from channels.wechat.pages import Tickets
from channels.wechat.settings import AccountType, Mode, TokenMethod

_TEXT = "text/plain; charset=utf-8"
_RECEIVED = RawResponse(200, _TEXT, b"success")
_NO_MENU = "46003"
_MAX_NONCE_CHARS = 128
_NOTICES = {
    NotificationKind.TEMPLATE: Capability.TEMPLATE_NOTICE,
    NotificationKind.SUBSCRIBE: Capability.SUBSCRIBE_NOTICE,
}
_RECEIPTS = {
    "success": Outcome.ACCEPTED,
    "failed:user block": Outcome.NEEDS_CONSENT,
    "failed: system failed": Outcome.RETRYABLE,
    "failed:system failed": Outcome.RETRYABLE,
    "send success": Outcome.ACCEPTED,
    "sendsuccess": Outcome.ACCEPTED,
}


_EVERY_ACCOUNT = frozenset(
    {
        Capability.PASSIVE_REPLY,
        Capability.SEND,
        Capability.IMAGE_REPLY,
        Capability.HANDOVER,
        Capability.UPLOAD,
        Capability.LASTING_UPLOAD,
        Capability.TEMPLATE_LIST,
        Capability.MENU,
        Capability.MENU_RULES,
        Capability.PAGE_CONFIG,
        Capability.RECEIPTS,
        Capability.SUBSCRIBE_NOTICE,
    }
)
_SERVICE_ACCOUNT = frozenset(
    {
        Capability.WEB_LOGIN,
        Capability.LOGIN_REFRESH,
        Capability.USER_INFO,
        Capability.TEMPLATE_NOTICE,
        Capability.QR,
    }
)
"""What a subscription account (订阅号) is not granted."""


class WeChatChannel(Lacking):
    """One official account."""

    kind = "wechat"

    def __init__(self, config: AccountConfig, env: ChannelEnv) -> None:
        self.account = config.account
        kind = AccountType(config.value("account_type", AccountType.SERVICE))
        self.capabilities = _EVERY_ACCOUNT | (
            _SERVICE_ACCOUNT if kind is AccountType.SERVICE else frozenset()
        )
        self._env = env
        self._app_id = config.value("app_id")
        secret = config.value("app_secret")
        self._token = config.value("token")
        self._mode = Mode(config.value("mode", Mode.SECURE))
        self._original_id = config.value("original_id")
        self._api_base = config.value("api_base", "https://api.weixin.qq.com").rstrip("/")
        self._login_base = config.value("login_base", "https://open.weixin.qq.com").rstrip("/")
        keys = (("current", config.value("aes_key")), ("previous", config.value("previous_aes_key")))
        self._sealer = Sealer(self._app_id, tuple((name, decode_key(key)) for name, key in keys if key))
        method = TokenMethod(config.value("token_method", TokenMethod.STABLE))
        self._tokens = AccessTokens(env, self._api_base, self._app_id, secret, method)
        self._client = Client(env, self._api_base, self._app_id, self._tokens)
        self._login = WebLogin(env, self.account, self._api_base, self._app_id, secret)
        self._tickets = Tickets(env, self._client, self._app_id)

    def handshake(self, req: InboundRequest) -> RawResponse | None:
        if req.method != "GET":
            return None
        query = req.query()
        self._check_signature(query)
        return RawResponse(200, _TEXT, query.get("echostr", "").encode())

    def open(self, req: InboundRequest) -> Envelope:
        if req.method != "POST":
            raise Rejected("wrong_method", 405)
        if len(req.body) > MAX_BODY_BYTES:
            raise Rejected("too_large", 413)
        query = req.query()
        if self._is_encrypted(query):
            fields, wire, key_id = self._decrypted(query, req.body)
        else:
            self._check_signature(query)
            fields, wire = messages.read_fields(req.body)
            key_id = ""
        if self._original_id and fields.get("ToUserName") != self._original_id:
            raise Rejected("wrong_account", 403)
        freshness = Freshness(
            signed_at=_signed_at(query),
            nonce=query["nonce"],
            digest=hashlib.sha256(req.body).hexdigest(),
            binds_body=bool(key_id),
        )
        return Envelope(self.kind, self.account, fields, freshness, wire, key_id)

    def parse(self, env: Envelope) -> InboundEvent:
        return messages.to_event(self.account, env.fields)

    def dedup_key(self, ev: InboundEvent) -> str:
        return dedup_digest(ev)

    def seal(self, env: Envelope, reply: Reply | None) -> RawResponse:
        now = self._env.clock()
        content = messages.passive_reply(env.fields, reply, now, env.wire) if reply else ""
        if not content:
            # The bare receipt is never encrypted.
            return _RECEIVED
        if not env.key_id:
            return _answer(content, env.wire)
        cipher_text = self._sealer.seal(content, env.key_id, self._env.nonce())
        seconds, nonce = int(now.timestamp()), env.freshness.nonce
        sealed: dict[str, str | int] = {
            "Encrypt": cipher_text,
            "MsgSignature": signature(self._token, str(seconds), nonce, cipher_text),
            "TimeStamp": seconds,
            "Nonce": nonce,
        }
        return _answer(
            json.dumps(sealed) if env.wire == "json" else f"<xml>{elements(sealed)}</xml>", env.wire
        )

    def reject(self, req: InboundRequest, rejected: Rejected) -> RawResponse:
        return RawResponse(rejected.status, _TEXT, rejected.reason.encode())

    def authorize_url(self, redirect_url: str, state: str, scope: LoginScope = LoginScope.BASE) -> str:
        self.need(Capability.WEB_LOGIN)
        query = urlencode(
            {
                "appid": self._app_id,
                "redirect_uri": redirect_url,
                "response_type": "code",
                "scope": SCOPES[scope],
                "state": state,
            },
            quote_via=quote,
            safe="",
        )
        return f"{self._login_base}/connect/oauth2/authorize?{query}#wechat_redirect"

    def read_callback(self, args: Mapping[str, str]) -> tuple[str, str]:
        code, state = args.get("code", ""), args.get("state", "")
        if not code or not state:
            raise Rejected("incomplete")
        return code, state

    def exchange(self, code: str) -> ChannelIdentity:
        self.need(Capability.WEB_LOGIN)
        return self._login.exchange(code)

    def refresh(self, identity: ChannelIdentity) -> ChannelIdentity:
        self.need(Capability.LOGIN_REFRESH)
        return self._login.refresh(identity)

    def user_info(self, identity: ChannelIdentity) -> UserInfo:
        self.need(Capability.USER_INFO)
        return self._login.user_info(identity)

    def render(self, recipient: str, reply: Reply) -> Mapping[str, Any]:
        if reply.handover:
            # Only the answer to a message can pass the conversation on.
            raise unsupported(Capability.HANDOVER)
        return messages.custom_message(recipient, reply)

    def send(self, recipient: str, reply: Reply) -> SendResult:
        body = self.render(recipient, reply)
        try:
            result = self._client.post("message/custom/send", data=body)
        except ChannelError as error:
            return SendResult(error.outcome, code=error.code)
        return SendResult(Outcome.ACCEPTED, platform_id=str(result.get("msgid", "")))

    def render_notification(self, recipient: str, notification: Notification) -> Mapping[str, Any]:
        self.need(_NOTICES[notification.kind])
        return notices.render(recipient, notification)

    def send_notification(self, recipient: str, notification: Notification) -> SendResult:
        self.need(_NOTICES[notification.kind])
        try:
            body = notices.render(recipient, notification)
            result = self._client.post(notices.PATHS[notification.kind], data=body)
        except ChannelError as error:
            return SendResult(error.outcome, code=error.code)
        return SendResult(Outcome.ACCEPTED, platform_id=str(result.get("msgid", "")))

    def list_templates(self) -> tuple[PlatformTemplate, ...]:
        kinds = [kind for kind, flag in _NOTICES.items() if flag in self.capabilities]
        return tuple(entry for kind in kinds for entry in templates.fetch(self._client, kind))

    def parse_receipt(self, ev: InboundEvent) -> DeliveryReceipt | None:
        if ev.kind is not EventKind.RECEIPT:
            return None
        code, status = ev.extras.get("code", ""), ev.extras.get("status", "")
        if code:
            return DeliveryReceipt(ev.event_id, classify(code), code)
        return DeliveryReceipt(ev.event_id, _RECEIPTS.get(status.lower(), Outcome.UNKNOWN), status)

    def classify(self, code: str) -> Outcome:
        return classify(code)

    def check_menu(self, tree: Sequence[MenuEntry], rules: Sequence[MenuRule] = ()) -> list[MenuViolation]:
        return [*menu.check(tree), *menu.check_rules(rules)]

    def publish_menu(self, tree: Sequence[MenuEntry], rules: Sequence[MenuRule] = ()) -> None:
        if violations := self.check_menu(tree, rules):
            raise ChannelError(f"the menu breaks {violations[0].code}", retryable=False, code="bad_menu")
        self._client.menu.create(menu.to_wire(tree))
        standing = menu.rules_from_wire(self._client.menu.get())
        # The newest is tried first. What stands goes last, so that nobody is without a menu meanwhile and
        # a publication that broke off is put right by the next.
        for rule in reversed(rules):
            self._client.post("menu/addconditional", data=menu.rule_to_wire(rule))
        for old in standing:
            self._client.post("menu/delconditional", data={"menuid": old.menu_id})

    def read_menu(self) -> tuple[MenuEntry, ...]:
        return menu.from_wire(self._menus())

    def read_menu_rules(self) -> tuple[MenuRule, ...]:
        standing = menu.rules_from_wire(self._menus())
        return tuple(one.rule for one in standing if one.rule is not None)

    def make_qr(self, scene: str, seconds: int | None = None) -> QrCode:
        self.need(Capability.QR)
        body = codes.to_wire(scene, seconds)
        now = self._env.clock()
        return codes.from_wire(self._client.post("qrcode/create", data=body), seconds, now)

    def upload(self, media: Media) -> MediaId:
        parcel = files.to_wire(media)
        answer = self._client.answer_of(
            "POST", parcel.path, parcel.body, {"type": parcel.kind}, parcel.content_type
        )
        return files.from_wire(decode(answer), media, self._env.clock())

    def page_config(self, url: str, apis: Sequence[str]) -> PageConfig | None:
        return self._tickets.page_config(url, apis)

    def page_rules(self) -> tuple[PageRule, ...]:
        return pages.RULES

    def detect(self, headers: Mapping[str, str]) -> ClientEnv | None:
        return settings.detect(headers)

    def probe(self) -> Health:
        now = self._env.clock()
        try:
            answer = self._client.answer_of("GET", "/cgi-bin/get_current_selfmenu_info")
            token = self._tokens.current()
        except ChannelError as error:
            return Health(ok=False, checked_at=now, code=error.code)
        return Health(True, now, skew_seconds(self._env.clock(), answer), token.expires_at)

    def _menus(self) -> Any:
        """Return all menus as they came, ``None`` when there are none."""
        try:
            return self._client.menu.get()
        except ChannelError as error:
            if error.code == _NO_MENU:
                return None
            raise

    def _is_encrypted(self, query: Mapping[str, str]) -> bool:
        if self._mode is Mode.PLAIN:
            return False
        encrypted = query.get("encrypt_type", "raw") == "aes"
        if self._mode is Mode.SECURE and not encrypted:
            # Whoever may choose to send plain bodies has no need of the key.
            raise Rejected("plain_body", 403)
        return encrypted

    def _decrypted(self, query: Mapping[str, str], body: bytes) -> tuple[dict[str, str], str, str]:
        outer, wire = messages.read_fields(body)
        cipher_text = outer.get("Encrypt", "")
        if not cipher_text:
            raise Rejected("plain_body")
        time, nonce = _time_and_nonce(query)
        # The plain signature covers no body, so here it proves nothing and is not looked at.
        if not same(signature(self._token, time, nonce, cipher_text), query.get("msg_signature", "")):
            raise Rejected("bad_signature", 403)
        message, key_id = self._sealer.open(cipher_text)
        fields, _ = messages.read_fields(message.encode())
        return fields, wire, key_id

    def _check_signature(self, query: Mapping[str, str]) -> None:
        time, nonce = _time_and_nonce(query)
        if not same(signature(self._token, time, nonce), query.get("signature", "")):
            raise Rejected("bad_signature", 403)


def _time_and_nonce(query: Mapping[str, str]) -> tuple[str, str]:
    time, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if whole_number(time) is None or not 1 <= len(nonce) <= _MAX_NONCE_CHARS:
        raise Rejected("incomplete")
    return time, nonce


def _signed_at(query: Mapping[str, str]) -> datetime:
    try:
        return datetime.fromtimestamp(int(query["timestamp"]), UTC)
    except (ValueError, OverflowError, OSError):
        raise Rejected("malformed") from None


def _answer(content: str, wire: str) -> RawResponse:
    kind = "application/json" if wire == "json" else "text/xml"
    return RawResponse(200, f"{kind}; charset=utf-8", content.encode())


def build(config: AccountConfig, env: ChannelEnv) -> WeChatChannel:
    """Return the adapter of one official account; settings are already checked."""
    return WeChatChannel(config, env)
