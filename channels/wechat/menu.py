"""WeChat's custom menu (自定义菜单): limits, and both directions of translation.

Source: developers.weixin.qq.com, Creating_Custom-Defined_Menu, Personalized_menu_interface.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from channels.base import MenuEntry, MenuRule, MenuViolation
from channels.http import whole_number
from channels.links import is_web_address

MAX_TOP = 3
MAX_CHILDREN = 5
MAX_TOP_NAME_BYTES = 16
MAX_CHILD_NAME_BYTES = 60
MAX_KEY_BYTES = 128
MAX_URL_BYTES = 1024
MAX_RULE_HOSTS = 3
"""All menus of some residents together may lead to so many domains."""

_SYSTEMS = {"ios": "1", "android": "2", "other": "3"}
_SYSTEM_NAMES = {number: name for name, number in _SYSTEMS.items()}
_TAG = re.compile(r"[0-9]{1,10}")


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


def check_rules(rules: Sequence[MenuRule]) -> list[MenuViolation]:
    """Return everything the platform would refuse in the menus of some residents."""
    found: list[MenuViolation] = []
    for index, rule in enumerate(rules):
        if (rule.tag and not _TAG.fullmatch(rule.tag)) or (rule.system and rule.system not in _SYSTEMS):
            found.append(MenuViolation((), "bad_condition", "条件只能是标签编号和手机系统", index))
        found.extend(replace(violation, rule=index) for violation in check(rule.tree))
    hosts = {urlsplit(url).hostname for rule in rules for url in _urls(rule.tree) if is_web_address(url)}
    if len(hosts) > MAX_RULE_HOSTS:
        found.append(MenuViolation((), "too_many_hosts", f"个性化菜单合计最多跳转到 {MAX_RULE_HOSTS} 个域名"))
    return found


def _urls(tree: Sequence[MenuEntry]) -> Iterator[str]:
    for entry in tree:
        yield entry.url
        yield from _urls(entry.children)


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


def rule_to_wire(rule: MenuRule) -> dict[str, Any]:
    """Return the body of menu/addconditional."""
    conditions: dict[str, str] = {}
    if rule.tag:
        conditions["tag_id"] = rule.tag
    if rule.system:
        conditions["client_platform_type"] = _SYSTEMS[rule.system]
    return {**to_wire(rule.tree), "matchrule": conditions}


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


@dataclass(frozen=True, slots=True)
class StandingRule:
    """A menu of some residents in place; ``rule`` is ``None`` for one we could not have published."""

    menu_id: str
    rule: MenuRule | None


def rules_from_wire(answer: Any) -> tuple[StandingRule, ...]:
    """Return the menus of some residents in an answer of menu/get, the newest first.

    The newest is tried first; the ids grow.
    """
    menus = answer.get("conditionalmenu") if isinstance(answer, dict) else None
    found: list[tuple[int, StandingRule]] = []
    for menu in menus if isinstance(menus, list) else ():
        number = whole_number(menu.get("menuid")) if isinstance(menu, dict) else None
        if number is not None:
            found.append((number, StandingRule(str(number), _rule(menu))))
    return tuple(rule for _, rule in sorted(found, key=lambda pair: pair[0], reverse=True))


def _rule(menu: Mapping[str, Any]) -> MenuRule | None:
    tree = tuple(_entries(menu.get("button"), depth=0))
    conditions = menu.get("matchrule")
    if not tree or not isinstance(conditions, dict):
        return None
    given = {name: str(value) for name, value in conditions.items() if value not in ("", None)}
    tag = given.pop("tag_id", "") or given.pop("group_id", "")
    system = given.pop("client_platform_type", "")
    if given or not (tag or system) or (system and system not in _SYSTEM_NAMES):
        return None
    return MenuRule(tree, tag, _SYSTEM_NAMES.get(system, ""))
