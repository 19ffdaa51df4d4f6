"""Composes a channel's menu from the pages online. Pure: the same pages give the same menu."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from app.mobile_access.domain import THEME_LABELS, Theme
from channels.base import MenuEntry

MORE = "更多服务"
ALL = "全部服务"

# 重点推动交通、税务、教育、户籍等业务接入, then the others. Source: 粤办函〔2016〕186号 二（一）4.
_FIRST = (Theme.TRANSPORT, Theme.TAX, Theme.EDUCATION, Theme.HOUSEHOLD)
THEME_ORDER = (*_FIRST, *(theme for theme in Theme if theme not in _FIRST))


@dataclass(frozen=True, slots=True)
class MenuShape:
    """What fits into a platform's menu; names in characters."""

    top: int
    children: int
    child_name: int


SHAPES: Mapping[str, MenuShape] = {
    "wechat": MenuShape(top=3, children=5, child_name=20),
    "alipay": MenuShape(top=4, children=5, child_name=12),
}
SMALLEST = MenuShape(top=3, children=5, child_name=12)
"""For kinds without a row above."""


@dataclass(frozen=True, slots=True)
class MenuPage:
    """A page that may stand in a menu; a smaller ``weight`` comes first within its theme."""

    id: int
    name: str
    theme: Theme
    weight: tuple[int, str, int]


def compose(kind: str, pages: Iterable[MenuPage], base_url: str) -> tuple[MenuEntry, ...]:
    """Return the menu of channel ``kind``: the most important themes, then «更多服务».

    Every entry leads to the hall's own address, so that a page that is down shows a notice.
    """
    shape = SHAPES.get(kind, SMALLEST)
    by_theme = _by_theme(pages)
    tops = [
        MenuEntry(
            THEME_LABELS[theme],
            children=tuple(_entry(page, kind, base_url, shape) for page in found[: shape.children]),
        )
        for theme, found in by_theme[: shape.top - 1]
    ]
    rest = [page for _, found in by_theme[: shape.top - 1] for page in found[shape.children :]]
    others = _in_turn([found for _, found in by_theme[shape.top - 1 :]]) + rest
    return (*tops, _more(others, kind, base_url, shape))


def go_url(base_url: str, page_id: int, kind: str) -> str:
    """Return the hall's own address of a page on channel ``kind``."""
    return f"{base_url}/go/{page_id}?{urlencode({'channel': kind})}"


def _by_theme(pages: Iterable[MenuPage]) -> list[tuple[Theme, list[MenuPage]]]:
    ordered = sorted(pages, key=lambda page: page.weight)
    found = [(theme, [page for page in ordered if page.theme is theme]) for theme in THEME_ORDER]
    return [(theme, of_theme) for theme, of_theme in found if of_theme]


def _in_turn(groups: Sequence[Sequence[MenuPage]]) -> list[MenuPage]:
    """Return the first of each group, then the second of each, and so on."""
    longest = max((len(group) for group in groups), default=0)
    return [group[at] for at in range(longest) for group in groups if at < len(group)]


def _more(others: Sequence[MenuPage], kind: str, base_url: str, shape: MenuShape) -> MenuEntry:
    home = f"{base_url}/?{urlencode({'channel': kind})}"
    if not others:
        return MenuEntry(MORE, url=home)
    entries = [_entry(page, kind, base_url, shape) for page in others[: shape.children - 1]]
    return MenuEntry(MORE, children=(*entries, MenuEntry(ALL, url=home)))


def _entry(page: MenuPage, kind: str, base_url: str, shape: MenuShape) -> MenuEntry:
    name = page.name if len(page.name) <= shape.child_name else page.name[: shape.child_name - 1] + "…"
    return MenuEntry(name, url=go_url(base_url, page.id, kind))
