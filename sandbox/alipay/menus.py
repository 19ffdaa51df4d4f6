"""Judge a service-window menu and turn it into what the phone shows.

Source: service-window document of 2014 (at most 4 entries, names of 4 and 12 characters, links of 255) and
the parameters of alipay.open.public.menu.create. The limit of 5 sub-entries is taken from the latter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.world import MenuItem

TOP_LIMIT = 4
SUB_LIMIT = 5
TOP_NAME_LENGTH = 4
SUB_NAME_LENGTH = 12
PARAM_LENGTH = 255
ACTIONS = ("out", "link", "tel", "map", "consumption")


def read(menu: Mapping[str, Any]) -> tuple[MenuItem, ...]:
    """Return the menu's entries.

    Raises:
        ValueError: names the first fault, in Chinese.
    """
    buttons = menu.get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= TOP_LIMIT:
        raise ValueError("一级菜单应为 1 至 4 个")
    return tuple(_top(button) for button in buttons)


def _top(button: Any) -> MenuItem:
    name = _name(button, TOP_NAME_LENGTH)
    children = button.get("sub_button")
    if not children:
        return _entry(button, name)
    if not isinstance(children, list) or len(children) > SUB_LIMIT:
        raise ValueError("二级菜单应为 1 至 5 个")
    return MenuItem(name, "group", children=tuple(_entry(c, _name(c, SUB_NAME_LENGTH)) for c in children))


def _name(button: Any, limit: int) -> str:
    name = button.get("name") if isinstance(button, dict) else None
    if not isinstance(name, str) or not 0 < len(name) <= limit:
        raise ValueError(f"菜单名称应为 1 至 {limit} 个字")
    return name


def _entry(button: Mapping[str, Any], name: str) -> MenuItem:
    action, param = button.get("action_type"), button.get("action_param")
    if action not in ACTIONS:
        raise ValueError("action_type 不正确")
    if not isinstance(param, str) or not 0 < len(param) <= PARAM_LENGTH:
        raise ValueError("action_param 应为 1 至 255 个字符")
    if action == "out":
        return MenuItem(name, "event", param)
    if action == "link":
        return MenuItem(name, "link", _link(param))
    return MenuItem(name, "other", action)


def _link(param: str) -> str:
    parts = urlsplit(param)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("action_param 应为 http(s) 链接")
    return param


def dump(menu: Mapping[str, Any]) -> str:
    """Return the menu as the query interface hands it back."""
    return json.dumps(menu, ensure_ascii=False, separators=(",", ":"))
