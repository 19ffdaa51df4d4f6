"""Keep the published menus: one for everybody, and those some residents see instead (个性化菜单)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.config import WechatAccount
from sandbox.wechat import menus
from sandbox.world import World

FIRST_ID = 208_396_938


@dataclass(frozen=True, slots=True)
class Traits:
    """What the platform knows of the resident's phone and how the account tagged the resident."""

    system: str = "android"
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class Menus:
    """The menus in place; the phone shows what fits its resident."""

    world: World
    _default: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _rules: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    _traits: dict[str, Traits] = field(default_factory=dict)
    _last_id: int = FIRST_ID
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def publish(self, account: WechatAccount, menu: Mapping[str, Any]) -> int:
        """Put the menu for everybody in place; those of some residents stay. Returns the errcode."""
        code = menus.check(menu)
        if not code:
            with self._lock:
                self._default[account.key] = menu
                self._show(account)
        return code

    def published(self, account: WechatAccount) -> Mapping[str, Any] | None:
        return self._default.get(account.key)

    def rules(self, account: WechatAccount) -> list[Mapping[str, Any]]:
        """Return the menus of some residents with their ids, the newest first."""
        with self._lock:
            return list(reversed(self._rules.get(account.key, [])))

    def add_rule(self, account: WechatAccount, menu: Mapping[str, Any]) -> tuple[int, int]:
        """Returns errcode and the new menu's id."""
        with self._lock:
            if account.key not in self._default:
                return menus.NO_DEFAULT, 0
            standing = self._rules.setdefault(account.key, [])
            code = menus.check_rule(menu, standing)
            if code:
                return code, 0
            self._last_id += 1
            standing.append({**menu, "menuid": self._last_id})
            self._show(account)
            return 0, self._last_id

    def remove_rule(self, account: WechatAccount, menu_id: Any) -> int:
        with self._lock:
            standing = self._rules.get(account.key, [])
            kept = [menu for menu in standing if str(menu["menuid"]) != str(menu_id)]
            if len(kept) == len(standing):
                return menus.NO_RULE
            self._rules[account.key] = kept
            self._show(account)
            return 0

    def remove_all(self, account: WechatAccount) -> None:
        with self._lock:
            self._default.pop(account.key, None)
            self._rules.pop(account.key, None)
            self._show(account)

    def be(self, account: WechatAccount, traits: Traits) -> None:
        """Make the resident's phone and tags what ``traits`` say."""
        with self._lock:
            self._traits[account.key] = traits
            self._show(account)

    def _show(self, account: WechatAccount) -> None:
        traits = self._traits.get(account.key, Traits())
        fitting = (menu for menu in self.rules(account) if menus.fits(menu, traits.system, traits.tags))
        menu = next(fitting, self._default.get(account.key))
        if menu is None:
            self.world.menus.pop(account.key, None)
        else:
            self.world.menus[account.key] = menus.to_items(menu)
