"""Judge a custom menu (自定义菜单) as WeChat does, and turn it into what the phone shows.

Source: developers.weixin.qq.com, Creating_Custom-Defined_Menu and the table of global return codes.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.world import MenuItem

TOP_LIMIT = 3
SUB_LIMIT = 5
TOP_NAME_BYTES = 16
SUB_NAME_BYTES = 60
KEY_BYTES = 128
URL_BYTES = 1024
KEY_TYPES = (
    "click",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
)
OTHER_TYPES = ("media_id", "view_limited", "article_id", "article_view_limited")

SYSTEMS = {"ios": "1", "android": "2", "other": "3"}
PRIVATE_CONDITIONS = {"sex", "country", "province", "city", "language"}
RULE_HOSTS = 3
NO_DEFAULT, NO_CONDITION, NO_RULE = 65303, 65304, 65301
TOO_MANY_HOSTS, ODD_CONDITION, PRIVATE = 65316, 65317, 65320

# (top-level code, sub-menu code)
COUNT = (40016, 40023)
TYPE = (40017, 40024)
NAME = (40018, 40025)
KEY = (40019, 40026)
URL_SIZE = (40020, 40027)
URL_DOMAIN = (40055, 40054)


def check(menu: Mapping[str, Any]) -> int:
    """Return 0, or the errcode of the first fault WeChat would name."""
    buttons = menu.get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= TOP_LIMIT:
        return COUNT[0]
    return next((code for code in map(_check_top, buttons) if code), 0)


def check_rule(menu: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> int:
    """Return 0, or the errcode of the first fault of a menu that only some residents shall see."""
    conditions = menu.get("matchrule")
    if not isinstance(conditions, dict) or not conditions:
        return NO_CONDITION
    if set(conditions) & PRIVATE_CONDITIONS:
        return PRIVATE
    if set(conditions) - {"tag_id", "client_platform_type"}:
        return ODD_CONDITION
    if conditions.get("client_platform_type", "1") not in SYSTEMS.values():
        return ODD_CONDITION
    if not str(conditions.get("tag_id", "1")).isdecimal():
        return ODD_CONDITION
    code = check(menu)
    hosts = {host for one in (menu, *others) for host in _hosts(one["button"])} if not code else set()
    return code or (TOO_MANY_HOSTS if len(hosts) > RULE_HOSTS else 0)


def _hosts(buttons: Any) -> Iterator[str]:
    for button in buttons:
        yield from _hosts(button.get("sub_button") or [])
        if button.get("type") == "view":
            yield urlsplit(button["url"]).hostname or ""


def fits(menu: Mapping[str, Any], system: str, tags: Container[str]) -> bool:
    """Tell whether a resident with this phone and these tags sees the menu."""
    conditions = menu["matchrule"]
    wanted = conditions.get("client_platform_type")
    if wanted and wanted != SYSTEMS[system]:
        return False
    return "tag_id" not in conditions or str(conditions["tag_id"]) in tags


def _check_top(button: Any) -> int:
    if not isinstance(button, dict):
        return TYPE[0]
    if not _name_fits(button, TOP_NAME_BYTES):
        return NAME[0]
    children = button.get("sub_button")
    if not children:
        return _check_action(button, 0)
    if not isinstance(children, list) or len(children) > SUB_LIMIT:
        return COUNT[1]
    return next((code for code in map(_check_sub, children) if code), 0)


def _check_sub(button: Any) -> int:
    if not isinstance(button, dict):
        return TYPE[1]
    if not _name_fits(button, SUB_NAME_BYTES):
        return NAME[1]
    return _check_action(button, 1)


def _check_action(button: Mapping[str, Any], level: int) -> int:
    kind = button.get("type")
    if kind in KEY_TYPES:
        return 0 if _fits(button.get("key"), KEY_BYTES) else KEY[level]
    if kind in ("view", "miniprogram"):
        return _check_url(button.get("url"), level)
    return 0 if kind in OTHER_TYPES else TYPE[level]


def _check_url(url: Any, level: int) -> int:
    if not _fits(url, URL_BYTES):
        return URL_SIZE[level]
    try:
        parts = urlsplit(url)
    except ValueError:
        return URL_DOMAIN[level]
    return 0 if parts.scheme in ("http", "https") and parts.hostname else URL_DOMAIN[level]


def _name_fits(button: Mapping[str, Any], limit_bytes: int) -> bool:
    return _fits(button.get("name"), limit_bytes)


def _fits(value: Any, limit_bytes: int) -> bool:
    return isinstance(value, str) and 0 < len(value.encode()) <= limit_bytes


def to_items(menu: Mapping[str, Any]) -> tuple[MenuItem, ...]:
    """Return what the phone shows of a menu that passed ``check``."""
    return tuple(_item(button) for button in menu["button"])


def _item(button: Mapping[str, Any]) -> MenuItem:
    children = button.get("sub_button")
    if children:
        return MenuItem(button["name"], "group", children=tuple(_item(child) for child in children))
    if button["type"] == "view":
        return MenuItem(button["name"], "link", button["url"])
    if button["type"] == "click":
        return MenuItem(button["name"], "event", button["key"])
    return MenuItem(button["name"], "other", button["type"])


def self_menu(menu: Mapping[str, Any]) -> dict[str, Any]:
    """Return the menu in the shape of get_current_selfmenu_info, where sub-menus sit in a ``list``."""
    buttons = []
    for button in menu["button"]:
        plain = {name: value for name, value in button.items() if name != "sub_button"}
        if button.get("sub_button"):
            plain["sub_button"] = {"list": button["sub_button"]}
        buttons.append(plain)
    return {"button": buttons}
