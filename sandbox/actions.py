"""What a resident can do on the phone, carried to whichever platform the account is on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.alipay.delivery import AlipayPush
from sandbox.config import Account, AlipayAccount, MiniProgram, WechatAccount
from sandbox.wechat.delivery import WechatPush
from sandbox.world import RESIDENT, MenuItem, World

TEXT_LENGTH = 600
WELCOME_GAP_SECONDS = 600


class ActionRefused(ValueError):
    """Something a phone would not let the resident do; says why in Chinese."""


@dataclass(slots=True)
class Actions:
    """The resident's fingers; every call returns the outcomes of the deliveries it caused."""

    world: World
    wechat: WechatPush = field(init=False)
    alipay: AlipayPush = field(init=False)

    def __post_init__(self) -> None:
        for account in self.world.config.accounts:
            if _is_mini(account):
                # Nobody follows a mini program: whoever opens it is there.
                self.world.follow(account.key, RESIDENT, True)
        self.wechat = WechatPush(self.world)
        self.alipay = AlipayPush(self.world)

    def text(self, account: Account, content: str, user: str = RESIDENT) -> list[str]:
        """Write a message; only followers can, and only 1 to 600 characters."""
        if isinstance(account, AlipayAccount) and account.is_mini:
            raise ActionRefused("支付宝小程序没有会话")
        self._require_following(account, user)
        content = content.strip()
        if not 0 < len(content) <= TEXT_LENGTH:
            raise ActionRefused(f"消息应为 1 至 {TEXT_LENGTH} 个字")
        self.world.say(account.key, "resident", content, user=user)
        if isinstance(account, WechatAccount):
            return self.wechat.text(account, user, content)
        return self.alipay.text(account, user, content)

    def follow(self, account: Account, user: str = RESIDENT) -> list[str]:
        """Follow; a second time changes nothing and tells nobody."""
        if self.world.chat(account.key, user).following:
            return []
        self.world.follow(account.key, user, True)
        self.world.say(account.key, "notice", f"你已关注{account.name}", user=user)
        if isinstance(account, WechatAccount):
            return self.wechat.event(account, user, "subscribe")
        return self.alipay.event(account, user, "follow")

    def unfollow(self, account: Account, user: str = RESIDENT) -> list[str]:
        if _is_mini(account):
            raise ActionRefused("小程序没有关注")
        self._require_following(account, user)
        self.world.follow(account.key, user, False)
        self.world.say(account.key, "notice", f"你已取消关注{account.name}", user=user)
        if isinstance(account, WechatAccount):
            return self.wechat.event(account, user, "unsubscribe")
        return self.alipay.event(account, user, "unfollow")

    def tap(self, account: Account, item: MenuItem, user: str = RESIDENT) -> list[str]:
        """Tap a menu entry that has no sub-menu; a link is reported by WeChat only."""
        self._require_following(account, user)
        if isinstance(account, WechatAccount):
            if item.action == "other":
                return []
            name = "VIEW" if item.action == "link" else "CLICK"
            return self.wechat.event(account, user, name, item.value)
        return self.alipay.event(account, user, "click", item.value) if item.action == "event" else []

    def scan(self, account: WechatAccount, scene: str, ticket: str, user: str = RESIDENT) -> list[str]:
        """Scan an official account's code; a stranger follows by it and the account learns the scene."""
        if self.world.chat(account.key, user).following:
            return self.wechat.event(account, user, "SCAN", scene, ticket)
        self.world.follow(account.key, user, True)
        self.world.say(account.key, "notice", f"你已关注{account.name}", user=user)
        return self.wechat.event(account, user, "subscribe", f"qrscene_{scene}", ticket)

    def scan_window(self, account: AlipayAccount, scene: str, user: str = RESIDENT) -> list[str]:
        """Scan a service window's code: a stranger follows by it, a follower enters by it."""
        told = json.dumps({"scene": {"sceneId": scene}})
        if self.world.chat(account.key, user).following:
            return self.alipay.event(account, user, "enter", told)
        self.world.follow(account.key, user, True)
        self.world.say(account.key, "notice", f"你已关注{account.name}", user=user)
        return self.alipay.event(account, user, "follow", told)

    def sample(self, account: WechatAccount, name: str, user: str = RESIDENT) -> list[str]:
        """Let the platform push an example of any message or event."""
        self._require_following(account, user)
        return self.wechat.sample(account, user, name)

    def enter(self, account: Account, user: str = RESIDENT) -> list[str]:
        """Open the chat; all but official accounts hear of it when the resident was away for ten minutes."""
        chat = self.world.chat(account.key, user)
        away = chat.spoke_at is None or self.world.clock() - chat.spoke_at > WELCOME_GAP_SECONDS
        if isinstance(account, MiniProgram):
            return self.wechat.entered(account, user, "phone") if away else []
        if isinstance(account, WechatAccount) or _is_mini(account) or not chat.following or not away:
            return []
        return self.alipay.event(account, user, "enter")

    def handshake(self, account: Account) -> tuple[bool, str]:
        """Check the account's callback address; returns success and words for people."""
        if isinstance(account, WechatAccount):
            return self.wechat.handshake(account)
        return self.alipay.handshake(account)

    def menu_item(self, account: Account, path: str) -> MenuItem:
        """Return the entry at ``path``, e.g. ``0`` or ``1-2``.

        Raises:
            ActionRefused: no such entry in the menu as it is published now.
        """
        items = self.world.menus.get(account.key, ())
        found = next((item for at, item in paths(items) if at == path), None)
        if found is None:
            raise ActionRefused("菜单已更新，请重新打开")
        return found

    def find_item(self, account: Account, value: str) -> MenuItem:
        """Return the published entry whose key or address is ``value``."""
        items = self.world.menus.get(account.key, ())
        found = next((item for _, item in paths(items) if item.value == value), None)
        if found is None:
            raise ActionRefused("菜单里没有这一项")
        return found

    def _require_following(self, account: Account, user: str) -> None:
        if not self.world.chat(account.key, user).following:
            raise ActionRefused("请先关注")


def _is_mini(account: Account) -> bool:
    return isinstance(account, MiniProgram) or (isinstance(account, AlipayAccount) and account.is_mini)


def paths(items: tuple[MenuItem, ...]) -> Iterator[tuple[str, MenuItem]]:
    """Walk the entries that can be tapped, each with its path."""
    for top, item in enumerate(items):
        if item.action != "group":
            yield str(top), item
        for index, child in enumerate(item.children):
            yield f"{top}-{index}", child
