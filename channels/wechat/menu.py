"""WeChat's custom menu (自定义菜单): limits, and both directions of translation.

Source: developers.weixin.qq.com, Creating_Custom-Defined_Menu.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from channels.base import MenuEntry, MenuViolation
from channels.links import is_web_address

MAX_TOP = 3
MAX_CHILDREN = 5
MAX_TOP_NAME_BYTES = 16
MAX_CHILD_NAME_BYTES = 60
MAX_KEY_BYTES = 128
MAX_URL_BYTES = 1024


def check(tree: Sequence[MenuEntry]) -> list[MenuViolation]:
    """Return everything the platform would refuse, from the top."""
    found: list[MenuViolation] = []
    if not 1 <= len(tree) <= MAX_TOP:
        found.append(MenuViolation((), "entry_count", f"一级菜单必须有 1 至 {MAX_TOP} 个"))
    for index, entry in enumerate(tree):
        found.extend(_check(entry, (index,), MAX_TOP_NAME_BYTES))
        if len(entry.children) > MAX_CHILDREN:
            found.append(MenuViolation((index,), "entry_count", f"二级菜单最多 {MAX_CHILDREN} 个"))
        for position, child in enumerate(entry.children):
            found.extend(_check(child, (index, position), MAX_CHILD_NAME_BYTES))
            if child.children:
                found.append(MenuViolation((index, position), "too_deep", "菜单只有两级"))
    return found


def _check(entry: MenuEntry, path: tuple[int, ...], name_bytes: int) -> Iterator[MenuViolation]:
    if not entry.name.strip():
        yield MenuViolation(path, "name_missing", "名称不能为空")
    if len(entry.name.encode("utf-8", "replace")) > name_bytes:
        yield MenuViolation(
            path, "name_too_long", f"名称最多 {name_bytes} 字节（约 {name_bytes // 3} 个汉字）"
        )
    if len(entry.key.encode("utf-8", "replace")) > MAX_KEY_BYTES:
        yield MenuViolation(path, "key_too_long", f"键值最多 {MAX_KEY_BYTES} 字节")
    if len(entry.url.encode("utf-8", "replace")) > MAX_URL_BYTES:
        yield MenuViolation(path, "url_too_long", f"网址最多 {MAX_URL_BYTES} 字节")
    if entry.url and not is_web_address(entry.url):
        yield MenuViolation(path, "bad_url", "网址必须以 http:// 或 https:// 开头")


def to_wire(tree: Sequence[MenuEntry]) -> dict[str, Any]:
    """Return the body of menu/create."""
    return {"button": [_button(entry) for entry in tree]}


def _button(entry: MenuEntry) -> dict[str, Any]:
    if entry.children:
        return {"name": entry.name, "sub_button": [_button(child) for child in entry.children]}
    if entry.url:
        return {"type": "view", "name": entry.name, "url": entry.url}
    return {"type": "click", "name": entry.name, "key": entry.key}


def from_wire(answer: Any) -> tuple[MenuEntry, ...]:
    """Return the menu in an answer of menu/get; buttons of kinds we do not publish are left out."""
    menu = answer.get("menu") if isinstance(answer, dict) else None
    buttons = menu.get("button") if isinstance(menu, dict) else None
    return tuple(_entries(buttons, depth=0))


def _entries(buttons: Any, depth: int) -> Iterator[MenuEntry]:
    for button in buttons if isinstance(buttons, list) else ():
        if not isinstance(button, dict) or not isinstance(name := button.get("name"), str):
            continue
        children = tuple(_entries(button.get("sub_button"), depth + 1)) if depth == 0 else ()
        url, key = button.get("url"), button.get("key")
        if children:
            yield MenuEntry(name, children=children)
        elif button.get("type") == "view" and isinstance(url, str) and url:
            yield MenuEntry(name, url=url)
        elif button.get("type") == "click" and isinstance(key, str) and key:
            yield MenuEntry(name, key=key)
