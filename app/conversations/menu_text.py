"""Menus as lines of text, which staff can write and compare. Pure.

One line per button, ``- `` before those of the second level; after the name, behind a bar, a web address or
``key:`` and a menu key. A button without either holds those that follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import unified_diff

from channels.base import MenuEntry, MenuRule

_CHILD, _KEY, _BAR = "- ", "key:", "|"
TEXT_MAX = 8000
SYSTEMS = {"": "所有手机", "android": "安卓", "ios": "苹果", "other": "其他系统"}


class BadMenu(ValueError):
    """A menu cannot be read; the message is for staff, in Chinese."""


def read(text: str) -> tuple[MenuEntry, ...]:
    """Return the menu that ``text`` describes; empty lines count for nothing.

    Raises:
        BadMenu: a line makes no sense; says which.
    """
    if len(text) > TEXT_MAX:
        raise BadMenu(f"菜单最多 {TEXT_MAX} 个字")
    tops: list[tuple[int, str, str, list[MenuEntry]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        written = line.strip()
        if not written:
            continue
        child = written.startswith(_CHILD)
        name, _, target = (part.strip() for part in written.removeprefix(_CHILD).partition(_BAR))
        if not child:
            tops.append((number, name, target, []))
        elif not tops or tops[-1][2]:
            raise BadMenu(f"第 {number} 行：二级菜单要写在没有网址的一级菜单下面")
        else:
            tops[-1][3].append(_entry(number, name, target, ()))
    return tuple(_entry(number, name, target, children) for number, name, target, children in tops)


def write(tree: Iterable[MenuEntry]) -> str:
    """Return the lines of a menu."""
    return "\n".join(_lines(tree, ""))


def difference(ours: Sequence[MenuEntry], theirs: Sequence[MenuEntry]) -> list[str]:
    """Return the lines that differ between the platform's menu (``-``) and ours (``+``), with context."""
    found = unified_diff(write(theirs).split("\n"), write(ours).split("\n"), lineterm="", n=50)
    return [line for line in found if not line.startswith(("---", "+++", "@@"))]


def labelled(rule: MenuRule) -> str:
    """Return for whom a rule holds."""
    parts = [f"标签 {rule.tag}"] if rule.tag else []
    if rule.system:
        parts.append(SYSTEMS.get(rule.system, rule.system))
    return "、".join(parts)


def _entry(number: int, name: str, target: str, children: Sequence[MenuEntry]) -> MenuEntry:
    if not name:
        raise BadMenu(f"第 {number} 行：没有名称")
    try:
        if target.startswith(_KEY):
            return MenuEntry(name, key=target.removeprefix(_KEY).strip())
        return MenuEntry(name, url=target, children=tuple(children))
    except ValueError:
        raise BadMenu(f"第 {number} 行：“{name}”要有网址、菜单键（key:…）或二级菜单") from None


def _lines(tree: Iterable[MenuEntry], indent: str) -> Iterable[str]:
    for entry in tree:
        target = entry.url or (f"{_KEY}{entry.key}" if entry.key else "")
        yield f"{indent}{entry.name} {_BAR} {target}" if target else f"{indent}{entry.name}"
        yield from _lines(entry.children, _CHILD)
