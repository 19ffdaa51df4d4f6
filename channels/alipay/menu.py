"""The service window's menu: limits, and both directions of translation.

Source: service-window document of 2014 (four entries, names of 4 and 12 characters, links of 255);
alipay.open.public.menu.create (five sub-entries, names in GBK). Newer texts allow longer names on the top
level; the older, tighter limits are safe under both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from channels.base import MenuEntry, MenuViolation
from channels.links import is_web_address

MAX_TOP = 4
MAX_CHILDREN = 5
MAX_TOP_NAME_CHARS = 4
MAX_CHILD_NAME_CHARS = 12
MAX_PARAM_CHARS = 255


def check(tree: Sequence[MenuEntry]) -> list[MenuViolation]:
    """Return everything the platform would refuse, from the top."""
    found: list[MenuViolation] = []
    if not 1 <= len(tree) <= MAX_TOP:
        found.append(MenuViolation((), "entry_count", f"一级菜单必须有 1 至 {MAX_TOP} 个"))
    for index, entry in enumerate(tree):
        found.extend(_check(entry, (index,), MAX_TOP_NAME_CHARS))
        if len(entry.children) > MAX_CHILDREN:
            found.append(MenuViolation((index,), "entry_count", f"二级菜单最多 {MAX_CHILDREN} 个"))
        for position, child in enumerate(entry.children):
            found.extend(_check(child, (index, position), MAX_CHILD_NAME_CHARS))
            if child.children:
                found.append(MenuViolation((index, position), "too_deep", "菜单只有两级"))
    return found


def _check(entry: MenuEntry, path: tuple[int, ...], name_chars: int) -> Iterator[MenuViolation]:
    if not entry.name.strip():
        yield MenuViolation(path, "name_missing", "名称不能为空")
    if len(entry.name) > name_chars:
        yield MenuViolation(path, "name_too_long", f"名称最多 {name_chars} 个字")
    if not _in_gbk(entry.name):
        yield MenuViolation(path, "bad_characters", "名称里有支付宝无法显示的字符（如表情符号）")
    if len(entry.url) > MAX_PARAM_CHARS:
        yield MenuViolation(path, "url_too_long", f"网址最多 {MAX_PARAM_CHARS} 个字符")
    if len(entry.key) > MAX_PARAM_CHARS:
        yield MenuViolation(path, "key_too_long", f"键值最多 {MAX_PARAM_CHARS} 个字符")
    if entry.url and not is_web_address(entry.url):
        yield MenuViolation(path, "bad_url", "网址必须以 http:// 或 https:// 开头")


def _in_gbk(name: str) -> bool:
    try:
        name.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True


def to_wire(tree: Sequence[MenuEntry]) -> dict[str, Any]:
    """Return the content of menu.create and menu.modify."""
    return {"type": "text", "button": [_button(entry) for entry in tree]}


def _button(entry: MenuEntry) -> dict[str, Any]:
    if entry.children:
        return {"name": entry.name, "sub_button": [_button(child) for child in entry.children]}
    if entry.url:
        return {"name": entry.name, "action_type": "link", "action_param": entry.url}
    return {"name": entry.name, "action_type": "out", "action_param": entry.key}


def from_wire(menu_content: Any) -> tuple[MenuEntry, ...]:
    """Return the menu in ``menu_content`` of menu.query; buttons of kinds we do not publish are left out."""
    try:
        menu = json.loads(menu_content) if isinstance(menu_content, str) else menu_content
    except (ValueError, RecursionError):
        return ()
    return tuple(_entries(menu.get("button") if isinstance(menu, dict) else None, depth=0))


def _entries(buttons: Any, depth: int) -> Iterator[MenuEntry]:
    for button in buttons if isinstance(buttons, list) else ():
        if not isinstance(button, dict) or not isinstance(name := button.get("name"), str):
            continue
        children = tuple(_entries(button.get("sub_button"), depth + 1)) if depth == 0 else ()
        param = button.get("action_param")
        if children:
            yield MenuEntry(name, children=children)
        elif isinstance(param, str) and param and button.get("action_type") == "link":
            yield MenuEntry(name, url=param)
        elif isinstance(param, str) and param and button.get("action_type") == "out":
            yield MenuEntry(name, key=param)
