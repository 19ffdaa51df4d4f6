"""The adapter of Alipay mini programs (支付宝小程序): the apps of Alipay without followers, menu and chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from channels.alipay import notices, pages
from channels.alipay.app import APP_CAPABILITIES, AlipayApp
from channels.alipay_mini import links, phone, settings
from channels.base import (
    AccountConfig,
    Capability,
    ChannelEnv,
    ChannelError,
    ClientEnv,
    Health,
    LoginScope,
    MenuEntry,
    MenuRule,
    MenuViolation,
    MiniCode,
    Notification,
    NotificationKind,
    Outcome,
    PageLink,
    PageMedium,
    PageRule,
    PhoneNumber,
    Picture,
    Rejected,
    Reply,
    SendResult,
)
from channels.http import call
from channels.lacking import unsupported
from channels.links import with_params

_PROBE = "alipay.open.mini.baseinfo.query"


class AlipayMiniChannel(AlipayApp):
    """One mini program."""

    kind = "alipay_mini"

    def __init__(self, config: AccountConfig, env: ChannelEnv) -> None:
        super().__init__(config, env)
        key = config.value("aes_key")
        self._aes_key = settings.aes_key(key) if key else b""
        self._web_page = config.value("web_page", settings.WEB_PAGE)
        self._gateway = config.value("gateway")
        more = {
            Capability.MINI_LOGIN: True,
            Capability.SUBSCRIBE_NOTICE: True,
            Capability.URL_LINK: True,
            Capability.MINI_CODE: True,
            Capability.PHONE_NUMBER: bool(self._aes_key),
            Capability.PAY: bool(self.seller_id),
        }
        self.capabilities = APP_CAPABILITIES | {one for one, has in more.items() if has}

    def authorize_url(self, redirect_url: str, state: str, scope: LoginScope = LoginScope.BASE) -> str:
        raise unsupported(Capability.WEB_LOGIN)

    def read_callback(self, args: Mapping[str, str]) -> tuple[str, str]:
        raise Rejected("no_web_login")

    def phone_number(self, code: str) -> PhoneNumber:
        self.need(Capability.PHONE_NUMBER)
        return phone.read(code, self.credentials.theirs, self._aes_key)

    def render(self, recipient: str, reply: Reply) -> Mapping[str, Any]:
        if reply.image or reply.handover:
            raise unsupported(Capability.HANDOVER if reply.handover else Capability.IMAGE_REPLY)
        raise unsupported(Capability.SEND)

    def send(self, recipient: str, reply: Reply) -> SendResult:
        self.render(recipient, reply)
        raise unsupported(Capability.SEND)

    def render_notification(self, recipient: str, notification: Notification) -> Mapping[str, Any]:
        if notification.kind is not NotificationKind.SUBSCRIBE:
            self.need(Capability.TEMPLATE_NOTICE)
        opened = notification.mini_page.path if notification.mini_page else notification.page
        place = links.place_of(opened, {}, self._web_page)
        return notices.mini_message(recipient, notification, place.path)

    def send_notification(self, recipient: str, notification: Notification) -> SendResult:
        if notification.kind is not NotificationKind.SUBSCRIBE:
            self.need(Capability.TEMPLATE_NOTICE)
        try:
            content = self.render_notification(recipient, notification)
            told = self.client.execute(notices.MINI_METHOD, content)
        except ChannelError as error:
            return SendResult(error.outcome, code=error.code)
        return SendResult(Outcome.ACCEPTED, platform_id=str(told.get("message_id") or ""))

    def check_menu(self, tree: Sequence[MenuEntry], rules: Sequence[MenuRule] = ()) -> list[MenuViolation]:
        return [MenuViolation((), "no_menu", "小程序没有菜单")]

    def publish_menu(self, tree: Sequence[MenuEntry], rules: Sequence[MenuRule] = ()) -> None:
        raise unsupported(Capability.MENU_RULES if rules else Capability.MENU)

    def read_menu(self) -> tuple[MenuEntry, ...]:
        raise unsupported(Capability.MENU)

    def page_rules(self) -> tuple[PageRule, ...]:
        return pages.MINI_RULES

    def page_link(self, url: str, params: Mapping[str, str], medium: PageMedium = PageMedium.H5) -> PageLink:
        if medium is PageMedium.H5:
            return PageLink(medium, with_params(url, params))
        place = links.place_of(url, params, self._web_page)
        if medium is PageMedium.MINI_PATH:
            return PageLink(medium, place.path)
        if medium is PageMedium.QR:
            raise unsupported(Capability.QR)
        return PageLink(medium, links.link(self.credentials.app_id, place, medium))

    def mini_code(self, code: MiniCode) -> Picture:
        told = self.client.execute(links.QR_METHOD, links.code_to_wire(code))
        address = links.picture_address(told, code.square, self._gateway)
        return links.picture_in(call(self.env, "GET", address).body)

    def detect(self, headers: Mapping[str, str]) -> ClientEnv | None:
        return settings.detect(headers, self.credentials.app_id)

    def probe(self) -> Health:
        try:
            answer = self.client.ask(_PROBE)
            self.client.checked(_PROBE, answer)
        except ChannelError as error:
            return self.failed(error)
        return self.probe_with(answer)


def build(config: AccountConfig, env: ChannelEnv) -> AlipayMiniChannel:
    """Return the adapter of one mini program; settings are already checked."""
    return AlipayMiniChannel(config, env)
