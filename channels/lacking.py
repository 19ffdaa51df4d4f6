"""What an account without a capability answers; adapters inherit it and override what their platform has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Never

from channels.base import (
    Capability,
    ChannelError,
    ChannelIdentity,
    Media,
    MediaId,
    MenuRule,
    Notification,
    PageConfig,
    PageRule,
    QrCode,
    SendResult,
    UserInfo,
)


def unsupported(capability: Capability) -> ChannelError:
    """Return the error of an account that lacks ``capability``."""
    return ChannelError(f"the account has no {capability}", retryable=False, code="unsupported")


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
