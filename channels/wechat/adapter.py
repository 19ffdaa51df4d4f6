"""The WeChat official-account adapter (微信公众号).

Source: developers.weixin.qq.com; the defects it steers around are told at each module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from channels.base import (
    AccountConfig,
    Capability,
    ChannelEnv,
    ChannelError,
    ChannelIdentity,
    ClientEnv,
    LoginScope,
    MenuEntry,
    MenuRule,
    MenuViolation,
    Notification,
    PageConfig,
    PageRule,
    QrCode,
    Rejected,
    SendResult,
    UserInfo,
)
from channels.wechat import codes, menu, notices, pages, settings
from channels.wechat.account import NOTICES, WeChatAccount
from channels.wechat.login import SCOPES, WebLogin
from channels.wechat.pages import Tickets
from channels.wechat.settings import LOGIN_BASE, AccountType

_NO_MENU = "46003"

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


class WeChatChannel(WeChatAccount):
    """One official account."""

    kind = "wechat"
    harmless = "/cgi-bin/get_current_selfmenu_info"

    def __init__(self, config: AccountConfig, env: ChannelEnv) -> None:
        kind = AccountType(config.value("account_type", AccountType.SERVICE))
        self.capabilities = _EVERY_ACCOUNT | (
            _SERVICE_ACCOUNT if kind is AccountType.SERVICE else frozenset()
        )
        super().__init__(config, env)
        self._login_base = config.value("login_base", LOGIN_BASE).rstrip("/")
        self._login = WebLogin(env, self.account, self._api_base, self._app_id, config.value("app_secret"))
        self._tickets = Tickets(env, self._client, self._app_id)

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

    def render_notification(self, recipient: str, notification: Notification) -> Mapping[str, Any]:
        self.need(NOTICES[notification.kind])
        return notices.render(recipient, notification)

    def send_notification(self, recipient: str, notification: Notification) -> SendResult:
        self.need(NOTICES[notification.kind])
        try:
            body = notices.render(recipient, notification)
        except ChannelError as error:
            return SendResult(error.outcome, code=error.code)
        return self._sent(notices.PATHS[notification.kind], body)

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

    def page_config(self, url: str, apis: Sequence[str]) -> PageConfig | None:
        return self._tickets.page_config(url, apis)

    def page_rules(self) -> tuple[PageRule, ...]:
        return pages.RULES

    def detect(self, headers: Mapping[str, str]) -> ClientEnv | None:
        return settings.detect(headers)

    def _menus(self) -> Any:
        """Return all menus as they came, ``None`` when there are none."""
        try:
            return self._client.menu.get()
        except ChannelError as error:
            if error.code == _NO_MENU:
                return None
            raise


def build(config: AccountConfig, env: ChannelEnv) -> WeChatChannel:
    """Return the adapter of one official account; settings are already checked."""
    return WeChatChannel(config, env)
