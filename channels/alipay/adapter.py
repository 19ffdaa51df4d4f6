"""The Alipay service-window adapter (支付宝服务窗、生活号).

Replies are not part of the answer to a callback any more: the core answers ``success`` and sends the reply.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from channels.alipay import inbound, menu, settings
from channels.alipay.client import GatewayClient, classify
from channels.alipay.inbound import Notification, Parameters
from channels.alipay.keys import SignType, bare_public_key, load_private_key, load_public_key, sign
from channels.base import (
    AccountConfig,
    Capability,
    ChannelEnv,
    ChannelError,
    ChannelIdentity,
    ClientEnv,
    DeliveryReceipt,
    Envelope,
    Freshness,
    Health,
    InboundEvent,
    InboundRequest,
    LoginScope,
    MenuEntry,
    MenuRule,
    MenuViolation,
    Outcome,
    RawResponse,
    Rejected,
    Reply,
    SendResult,
    dedup_digest,
)
from channels.http import HttpAnswer, skew_seconds
from channels.lacking import Lacking, unsupported
from channels.markup import writable

_TEXT = "text/plain; charset=utf-8"
_RECEIVED = RawResponse(200, _TEXT, b"success")
_SCOPES = {LoginScope.BASE: "auth_base", LoginScope.PROFILE: "auth_user"}
_MENU_QUERY = "alipay.open.public.menu.query"


class AlipayChannel(Lacking):
    """One service window."""

    kind = "alipay"
    capabilities = frozenset({Capability.SEND, Capability.MENU, Capability.WEB_LOGIN})

    def __init__(self, config: AccountConfig, env: ChannelEnv) -> None:
        self.account = config.account
        self._env = env
        self._app_id = config.value("app_id")
        self._sign_type = SignType(config.value("sign_type", SignType.RSA2))
        self._private_key = load_private_key(config.value("app_private_key"))
        self._alipay_key = load_public_key(config.value("alipay_public_key"))
        self._login_base = config.value("login_base", "https://openauth.alipay.com").rstrip("/")
        gateway = config.value("gateway", "https://openapi.alipay.com/gateway.do")
        self._client = GatewayClient(
            env, gateway, self._app_id, self._sign_type, self._private_key, self._alipay_key
        )

    def handshake(self, req: InboundRequest) -> RawResponse | None:
        params = inbound.read_parameters(req)
        if not inbound.is_handshake(params):
            return None
        params.check(self._alipay_key, self._sign_type)
        fields = inbound.read_message(params)
        if fields.get("EventType") != inbound.CHECK_EVENT:
            raise Rejected("incomplete")
        if fields.get("AppId", self._app_id) != self._app_id:
            raise Rejected("wrong_app_id", 403)
        return self._signed_answer("<success>true</success>")

    def open(self, req: InboundRequest) -> Envelope:
        if req.method != "POST":
            raise Rejected("wrong_method", 405)
        params = inbound.read_parameters(req)
        params.check(self._alipay_key, self._sign_type)
        fields = inbound.read_message(params)
        if fields.get("AppId") != self._app_id:
            raise Rejected("wrong_app_id", 403)
        return Envelope(
            self.kind, self.account, fields, self._freshness(params, fields), charset=params.charset
        )

    def parse(self, env: Envelope) -> InboundEvent:
        return inbound.to_event(self.account, env.fields)

    def dedup_key(self, ev: InboundEvent) -> str:
        return dedup_digest(ev)

    def seal(self, env: Envelope, reply: Reply | None) -> RawResponse:
        return _RECEIVED

    def reject(self, req: InboundRequest, rejected: Rejected) -> RawResponse:
        if self._may_be_handshake(req):
            return self._signed_answer("<success>false</success><error_code>VERIFY_FAILED</error_code>")
        return RawResponse(rejected.status, _TEXT, rejected.reason.encode())

    def read_notification(self, req: InboundRequest) -> Notification:
        """Verify an asynchronous notification (异步通知), answered with the bare word ``success``.

        Raises:
            Rejected: not signed by Alipay, not for our app, or without an id.
        """
        return inbound.read_notification(req, self._alipay_key, self._sign_type, self._app_id)

    def authorize_url(self, redirect_url: str, state: str, scope: LoginScope = LoginScope.BASE) -> str:
        query = urlencode(
            {
                "app_id": self._app_id,
                "scope": _SCOPES[scope],
                "redirect_uri": redirect_url,
                "state": state,
            },
            quote_via=quote,
            safe="",
        )
        return f"{self._login_base}/oauth2/publicAppAuthorize.htm?{query}"

    def read_callback(self, args: Mapping[str, str]) -> tuple[str, str]:
        code, state = args.get("auth_code", ""), args.get("state", "")
        if not code or not state:
            raise Rejected("incomplete")
        if args.get("app_id", self._app_id) != self._app_id:
            raise Rejected("wrong_app_id", 403)
        return code, state

    def exchange(self, code: str) -> ChannelIdentity:
        method = "alipay.system.oauth.token"
        result = self._client.execute(method, grant_type="authorization_code", code=code)
        # Newer apps are given open_id in place of user_id.
        subject = result.get("user_id") or result.get("open_id")
        if not isinstance(subject, str) or not subject:
            raise ChannelError("the answer holds no user", retryable=True, code="garbage")
        return ChannelIdentity(self.account, subject)

    def render(self, recipient: str, reply: Reply) -> Mapping[str, Any]:
        if reply.image or reply.handover:
            raise unsupported(Capability.HANDOVER if reply.handover else Capability.IMAGE_REPLY)
        if not reply.articles:
            content = {"content": writable(reply.text)}
            return {"to_user_id": recipient, "msg_type": "text", "text": content, "chat": "0"}
        articles = [
            {
                "title": writable(article.title),
                "desc": writable(article.description),
                "image_url": writable(article.picture),
                "url": writable(article.url),
                "action_name": "立即查看",
            }
            for article in reply.articles
        ]
        return {"to_user_id": recipient, "msg_type": "image-text", "articles": articles, "chat": "0"}

    def send(self, recipient: str, reply: Reply) -> SendResult:
        content = self.render(recipient, reply)
        try:
            result = self._client.execute("alipay.open.public.message.custom.send", content)
        except ChannelError as error:
            return SendResult(error.outcome, code=error.code)
        return SendResult(Outcome.ACCEPTED, platform_id=str(result.get("msg_id", "")))

    def parse_receipt(self, ev: InboundEvent) -> DeliveryReceipt | None:
        return None

    def classify(self, code: str) -> Outcome:
        return classify(code)

    def check_menu(self, tree: Sequence[MenuEntry], rules: Sequence[MenuRule] = ()) -> list[MenuViolation]:
        return menu.check(tree)

    def publish_menu(self, tree: Sequence[MenuEntry], rules: Sequence[MenuRule] = ()) -> None:
        if rules:
            self.need(Capability.MENU_RULES)
        if violations := menu.check(tree):
            raise ChannelError(f"the menu breaks {violations[0].code}", retryable=False, code="bad_menu")
        # The platform keeps making and changing apart and refuses the one where it wants the other.
        verb = "create" if self._menu_content() is None else "modify"
        self._client.execute(f"alipay.open.public.menu.{verb}", menu.to_wire(tree))

    def read_menu(self) -> tuple[MenuEntry, ...]:
        return menu.from_wire(self._menu_content())

    def detect(self, headers: Mapping[str, str]) -> ClientEnv | None:
        return settings.detect(headers)

    def probe(self) -> Health:
        now = self._env.clock()
        try:
            answer = self._client.ask(_MENU_QUERY)
            self._menu_content_of(answer)
        except ChannelError as error:
            return Health(ok=False, checked_at=now, code=error.code)
        return Health(True, now, skew_seconds(self._env.clock(), answer))

    def _menu_content(self) -> Any:
        return self._menu_content_of(self._client.ask(_MENU_QUERY))

    def _menu_content_of(self, answer: HttpAnswer) -> Any:
        """Return the menu as it came, ``None`` when there is none."""
        try:
            return self._client.checked(_MENU_QUERY, answer).get("menu_content") or None
        except ChannelError as error:
            if "NOT_EXIST" in error.code:
                return None
            raise

    def _freshness(self, params: Parameters, fields: Mapping[str, str]) -> Freshness:
        # The platform gives no nonce. What is signed names the request as well; the signature itself does
        # not, because base64 has several spellings of one.
        digest = hashlib.sha256(params.signed()).hexdigest()
        return Freshness(inbound.created_at(fields), nonce=digest, digest=digest, binds_body=True)

    def _may_be_handshake(self, req: InboundRequest) -> bool:
        try:
            return inbound.is_handshake(inbound.read_parameters(req))
        except Rejected:
            return False

    def _signed_answer(self, verdict: str) -> RawResponse:
        inner = f"{verdict}<biz_content>{bare_public_key(self._private_key)}</biz_content>"
        signature = sign(self._private_key, self._sign_type, inner.encode("ascii"))
        answer = (
            '<?xml version="1.0" encoding="GBK"?>'
            f"<alipay><response>{inner}</response><sign>{signature}</sign>"
            f"<sign_type>{self._sign_type}</sign_type></alipay>"
        )
        return RawResponse(200, "text/xml; charset=GBK", answer.encode("ascii"))


def build(config: AccountConfig, env: ChannelEnv) -> AlipayChannel:
    """Return the adapter of one service window; settings are already checked."""
    return AlipayChannel(config, env)
