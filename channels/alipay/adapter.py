"""The Alipay service-window adapter (支付宝服务窗、生活号).

Replies are not part of the answer to a callback any more: the core answers ``success`` and sends the reply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from channels.alipay import media, menu, notices, pages
from channels.alipay.app import APP_CAPABILITIES, AlipayApp
from channels.alipay.login import SCOPES, addressee
from channels.base import (
    AccountConfig,
    Capability,
    ChannelEnv,
    ChannelError,
    Health,
    LoginScope,
    MenuEntry,
    MenuRule,
    MenuViolation,
    Notification,
    NotificationKind,
    Outcome,
    PageRule,
    QrCode,
    Rejected,
    Reply,
    SendResult,
)
from channels.http import HttpAnswer
from channels.lacking import unsupported
from channels.markup import writable

_MENU_QUERY = "alipay.open.public.menu.query"
_MAX_ARTICLES = 10


class AlipayChannel(AlipayApp):
    """One service window."""

    kind = "alipay"

    def __init__(self, config: AccountConfig, env: ChannelEnv) -> None:
        super().__init__(config, env)
        paid_to = {Capability.PAY} if self.seller_id else frozenset[Capability]()
        self.capabilities = (
            APP_CAPABILITIES
            | {
                Capability.SEND,
                Capability.MENU,
                Capability.WEB_LOGIN,
                Capability.TEMPLATE_NOTICE,
                Capability.QR,
            }
            | paid_to
        )
        self._login_base = config.value("login_base", "https://openauth.alipay.com").rstrip("/")

    def authorize_url(self, redirect_url: str, state: str, scope: LoginScope = LoginScope.BASE) -> str:
        query = urlencode(
            {
                "app_id": self.credentials.app_id,
                "scope": SCOPES[scope],
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
        if args.get("app_id", self.credentials.app_id) != self.credentials.app_id:
            raise Rejected("wrong_app_id", 403)
        return code, state

    def render(self, recipient: str, reply: Reply) -> Mapping[str, Any]:
        if reply.image or reply.handover:
            raise unsupported(Capability.HANDOVER if reply.handover else Capability.IMAGE_REPLY)
        to = {**addressee(recipient), "chat": "0"}
        if not reply.articles:
            return {**to, "msg_type": "text", "text": {"content": writable(reply.text)}}
        articles = [
            {
                "title": writable(article.title),
                "desc": writable(article.description),
                "image_url": writable(article.picture),
                "url": writable(article.url),
                "action_name": "立即查看",
            }
            for article in reply.articles[:_MAX_ARTICLES]
        ]
        return {**to, "msg_type": "image-text", "articles": articles}

    def send(self, recipient: str, reply: Reply) -> SendResult:
        return self._send("alipay.open.public.message.custom.send", self.render(recipient, reply))

    def render_notification(self, recipient: str, notification: Notification) -> Mapping[str, Any]:
        if notification.kind is not NotificationKind.TEMPLATE:
            self.need(Capability.SUBSCRIBE_NOTICE)
        return notices.window_message(recipient, notification)

    def send_notification(self, recipient: str, notification: Notification) -> SendResult:
        if notification.kind is not NotificationKind.TEMPLATE:
            self.need(Capability.SUBSCRIBE_NOTICE)
        try:
            content = notices.window_message(recipient, notification)
        except ChannelError as error:
            return SendResult(error.outcome, code=error.code)
        return self._send(notices.TEMPLATE_METHOD, content)

    def check_menu(self, tree: Sequence[MenuEntry], rules: Sequence[MenuRule] = ()) -> list[MenuViolation]:
        return menu.check(tree)

    def publish_menu(self, tree: Sequence[MenuEntry], rules: Sequence[MenuRule] = ()) -> None:
        if rules:
            self.need(Capability.MENU_RULES)
        if violations := menu.check(tree):
            raise ChannelError(f"the menu breaks {violations[0].code}", retryable=False, code="bad_menu")
        # The platform keeps making and changing apart and refuses the one where it wants the other.
        verb = "create" if self._menu_content() is None else "modify"
        self.client.execute(f"alipay.open.public.menu.{verb}", menu.to_wire(tree))

    def read_menu(self) -> tuple[MenuEntry, ...]:
        return menu.from_wire(self._menu_content())

    def make_qr(self, scene: str, seconds: int | None = None) -> QrCode:
        asked = media.qr_to_wire(scene, seconds)
        now = self.env.clock()
        return media.qr_from_wire(self.client.execute(media.QR_METHOD, asked), seconds, now)

    def page_rules(self) -> tuple[PageRule, ...]:
        return pages.WINDOW_RULES

    def probe(self) -> Health:
        try:
            answer = self.client.ask(_MENU_QUERY)
            self._menu_content_of(answer)
        except ChannelError as error:
            return self.failed(error)
        return self.probe_with(answer)

    def _send(self, method: str, content: Mapping[str, Any]) -> SendResult:
        try:
            told = self.client.execute(method, content)
        except ChannelError as error:
            return SendResult(error.outcome, code=error.code)
        return SendResult(
            Outcome.ACCEPTED, platform_id=str(told.get("msg_id") or told.get("message_id") or "")
        )

    def _menu_content(self) -> Any:
        return self._menu_content_of(self.client.ask(_MENU_QUERY))

    def _menu_content_of(self, answer: HttpAnswer) -> Any:
        """Return the menu as it came, ``None`` when there is none."""
        try:
            return self.client.checked(_MENU_QUERY, answer).get("menu_content") or None
        except ChannelError as error:
            if "NOT_EXIST" in error.code:
                return None
            raise


def build(config: AccountConfig, env: ChannelEnv) -> AlipayChannel:
    """Return the adapter of one service window; settings are already checked."""
    return AlipayChannel(config, env)
