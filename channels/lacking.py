"""What an account without a capability answers; adapters inherit it and override what their platform has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Never

from channels.base import (
    Capability,
    ChannelError,
    ChannelIdentity,
    LoginScope,
    Media,
    MediaId,
    MenuEntry,
    MenuRule,
    MenuViolation,
    MiniCode,
    Notification,
    PageConfig,
    PageLink,
    PageMedium,
    PageRule,
    PhoneNumber,
    Picture,
    PlatformTemplate,
    QrCode,
    Rejected,
    SendResult,
    UserInfo,
)
from channels.links import with_params

UNSUPPORTED = "unsupported"


def unsupported(capability: Capability) -> ChannelError:
    """Return the error of an account that lacks ``capability``."""
    return ChannelError(f"the account has no {capability}", retryable=False, code=UNSUPPORTED)


class Lacking:
    """An account with none of the capabilities that only some platforms have."""

    capabilities: frozenset[Capability]

    def need(self, capability: Capability) -> None:
        """Refuse what the account lacks.

        Raises:
            ChannelError: ``unsupported``.
        """
        if capability not in self.capabilities:
            raise unsupported(capability)

    def page_config(self, url: str, apis: Sequence[str]) -> PageConfig | None:
        return None

    def page_rules(self) -> tuple[PageRule, ...]:
        return ()

    def page_link(self, url: str, params: Mapping[str, str], medium: PageMedium = PageMedium.H5) -> PageLink:
        if medium is not PageMedium.H5:
            self._refuse(Capability.URL_LINK)
        return PageLink(medium, with_params(url, params))

    def mini_code(self, code: MiniCode) -> Picture:
        self._refuse(Capability.MINI_CODE)

    def phone_number(self, code: str) -> PhoneNumber:
        self._refuse(Capability.PHONE_NUMBER)

    def list_templates(self) -> tuple[PlatformTemplate, ...]:
        self._refuse(Capability.TEMPLATE_LIST)

    def authorize_url(self, redirect_url: str, state: str, scope: LoginScope = LoginScope.BASE) -> str:
        self._refuse(Capability.WEB_LOGIN)

    def read_callback(self, args: Mapping[str, str]) -> tuple[str, str]:
        raise Rejected("unsupported")

    def check_menu(self, tree: Sequence[MenuEntry], rules: Sequence[MenuRule] = ()) -> list[MenuViolation]:
        return [MenuViolation((), "no_menu", "这个账号没有菜单")]

    def publish_menu(self, tree: Sequence[MenuEntry], rules: Sequence[MenuRule] = ()) -> None:
        self._refuse(Capability.MENU)

    def read_menu(self) -> tuple[MenuEntry, ...]:
        self._refuse(Capability.MENU)

    def refresh(self, identity: ChannelIdentity) -> ChannelIdentity:
        self._refuse(Capability.LOGIN_REFRESH)

    def user_info(self, identity: ChannelIdentity) -> UserInfo:
        self._refuse(Capability.USER_INFO)

    def render_notification(self, recipient: str, notification: Notification) -> Mapping[str, Any]:
        self._refuse(Capability.TEMPLATE_NOTICE)

    def send_notification(self, recipient: str, notification: Notification) -> SendResult:
        self._refuse(Capability.TEMPLATE_NOTICE)

    def read_menu_rules(self) -> tuple[MenuRule, ...]:
        self._refuse(Capability.MENU_RULES)

    def make_qr(self, scene: str, seconds: int | None = None) -> QrCode:
        self._refuse(Capability.QR)

    def upload(self, media: Media) -> MediaId:
        self._refuse(Capability.UPLOAD)

    def _refuse(self, capability: Capability) -> Never:
        raise unsupported(capability)
