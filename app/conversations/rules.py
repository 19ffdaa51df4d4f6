"""What one account says to whom: its settings, its routes, and which of them answers. Pure.

An account nobody has set up has the rules of :class:`Rules` as they stand there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from functools import lru_cache
from typing import Any
from unicodedata import normalize

from opencc import OpenCC

from app.core.quiet import MINUTES_A_DAY
from channels.base import EventKind

HELP, HOME = "help", "home"
HOTLINE = "12345"
ROUTES_MAX = 200
WORDS_MAX = 30
WORD_MAX = 40
NAME_MAX = 30
SAID_MAX = 600
"""WeChat cuts an answer at 2,048 bytes; 600 Chinese characters stay whole."""
MATCHES_MOST = 8
FRESH_MOST_MINUTES = 60
PRIORITY_MAX = 999


class Trigger(StrEnum):
    """What sets a route off."""

    EXACT = "exact"
    CONTAINS = "contains"
    MENU = "menu"
    SCENE = "scene"


class Action(StrEnum):
    """What a route does."""

    SAY = "say"
    SEARCH = "search"
    """Look for the route's words, or for the resident's own where it has none."""
    HANDOVER = "handover"
    PICTURE = "picture"
    HELP = "help"
    SILENCE = "silence"


class Duty(StrEnum):
    """When people are there to talk to."""

    OFFICE = "office"
    """Working days and hours of Guangdong's offices."""
    DAILY = "daily"
    """Every day from one time to another."""
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the routing table.

    Attributes:
        words: keywords, menu keys or scenes, by ``trigger``; any of them sets it off.
        said: the text to say, the words to look for, or the id of an uploaded picture, by ``action``.
        priority: smaller goes first; among equals the order of the table holds.
    """

    name: str
    trigger: Trigger
    words: tuple[str, ...]
    action: Action
    said: str = ""
    priority: int = 100
    active: bool = True


@dataclass(frozen=True, slots=True)
class Rules:
    """All that an account's staff can set; texts left empty are the hall's own.

    Attributes:
        opens, closes: minutes after midnight, for :attr:`Duty.DAILY`.
        fresh_minutes: how old a message may be whose signature does not cover it.
    """

    greeting: str = ""
    enter_greeting: str = ""
    default_text: str = ""
    media_text: str = ""
    search: bool = True
    matches: int = 5
    handover: bool = False
    handover_words: tuple[str, ...] = ("人工", "人工客服", "人工服务", "转人工", "找人工")
    duty: Duty = Duty.OFFICE
    opens: int = 9 * 60
    closes: int = 17 * 60
    closed_text: str = ""
    hotline: str = HOTLINE
    fresh_minutes: int = 10
    routes: tuple[Route, ...] = ()


BUILT_IN = Rules()


@dataclass(frozen=True, slots=True)
class Choice:
    """What answers, and how; ``name`` is what staff know it by."""

    name: str
    action: Action
    said: str = ""


def fold(text: str) -> str:
    """Return ``text`` as words are compared: half-width, small, simplified, single blanks."""
    return " ".join(_simplified().convert(normalize("NFKC", text)).casefold().split())


@lru_cache(maxsize=1)
def _simplified() -> OpenCC:
    return OpenCC("t2s")


def choose(rules: Rules, kind: EventKind, text: str, action: str) -> Choice | None:
    """Return what answers an event; None where silence is right."""
    if kind is EventKind.TEXT:
        return _for_words(rules, fold(text))
    if kind is EventKind.MENU:
        built_in = Choice("内置：怎样使用", Action.HELP) if action in (HELP, HOME) else None
        return _routed(rules, {Trigger.MENU}, action) or built_in
    if kind is EventKind.FOLLOW:
        greeting = Choice("关注欢迎语", Action.SAY if rules.greeting else Action.HELP, rules.greeting)
        return (_routed(rules, {Trigger.SCENE}, action) if action else None) or greeting
    if kind is EventKind.SCAN:
        return _routed(rules, {Trigger.SCENE}, action)
    if kind is EventKind.ENTER:
        return Choice("进入欢迎语", Action.SAY, rules.enter_greeting) if rules.enter_greeting else None
    if kind in WORDLESS:
        return Choice("看不懂的消息", Action.SAY if rules.media_text else Action.HELP, rules.media_text)
    return None


WORDLESS = frozenset({EventKind.IMAGE, EventKind.VOICE, EventKind.VIDEO, EventKind.LINK, EventKind.LOCATION})


def _for_words(rules: Rules, folded: str) -> Choice | None:
    if not folded:
        return None
    routed = _routed(rules, {Trigger.EXACT, Trigger.CONTAINS}, folded)
    if routed is not None:
        return routed
    if rules.handover and folded in {fold(word) for word in rules.handover_words}:
        return Choice("转人工", Action.HANDOVER)
    if rules.search:
        return Choice("搜索", Action.SEARCH)
    return Choice("默认回复", Action.SAY if rules.default_text else Action.HELP, rules.default_text)


def _routed(rules: Rules, triggers: set[Trigger], asked: str) -> Choice | None:
    candidates = [route for route in rules.routes if route.active and route.trigger in triggers]
    for route in sorted(candidates, key=lambda route: route.priority):
        if _fits(route, asked):
            return Choice(route.name, route.action, route.said)
    return None


def _fits(route: Route, asked: str) -> bool:
    if route.trigger is Trigger.EXACT:
        return any(fold(word) == asked for word in route.words)
    if route.trigger is Trigger.CONTAINS:
        return any(fold(word) in asked for word in route.words)
    return asked in route.words


def problems(rules: Rules, *, pictures: bool) -> dict[str, str]:
    """Return what is wrong with ``rules`` by field, in Chinese; routes are ``route-0`` and so on.

    Args:
        pictures: whether the account can answer with a picture.
    """
    found = _setting_problems(rules)
    if len(rules.routes) > ROUTES_MAX:
        found["routes"] = f"最多 {ROUTES_MAX} 条"
    for number, route in enumerate(rules.routes):
        if said := _problem(route, pictures):
            found[f"route-{number}"] = said
    return found


def _setting_problems(rules: Rules) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("greeting", "enter_greeting", "default_text", "media_text", "closed_text"):
        if not _is_text(getattr(rules, name), SAID_MAX, empty=True):
            found[name] = f"最多 {SAID_MAX} 个字，不能有控制字符"
    if not 1 <= rules.matches <= MATCHES_MOST:
        found["matches"] = f"1 至 {MATCHES_MOST} 条"
    if not 1 <= rules.fresh_minutes <= FRESH_MOST_MINUTES:
        found["fresh_minutes"] = f"1 至 {FRESH_MOST_MINUTES} 分钟"
    if rules.duty is Duty.DAILY and not 0 <= rules.opens < rules.closes <= MINUTES_A_DAY:
        found["opens"] = "开始时间要早于结束时间"
    if rules.handover and not _are_words(rules.handover_words):
        found["handover_words"] = f"1 至 {WORDS_MAX} 个词，每个最多 {WORD_MAX} 个字"
    if not _is_text(rules.hotline, WORD_MAX):
        found["hotline"] = "必须填写咨询电话"
    return found


def _problem(route: Route, pictures: bool) -> str:
    if not _is_text(route.name, NAME_MAX):
        return f"名称 1 至 {NAME_MAX} 个字"
    if not _are_words(route.words):
        return f"关键词、菜单键或场景值 1 至 {WORDS_MAX} 个，每个最多 {WORD_MAX} 个字"
    if not 0 <= route.priority <= PRIORITY_MAX:
        return f"优先级 0 至 {PRIORITY_MAX}"
    if route.action is Action.PICTURE and not pictures:
        return "这个账号不能回复图片"
    needed = route.action in (Action.SAY, Action.PICTURE)
    if not _is_text(route.said, SAID_MAX, empty=not needed):
        return f"回复内容 1 至 {SAID_MAX} 个字"
    by_itself = route.action is Action.SEARCH and not route.said
    if by_itself and route.trigger in (Trigger.MENU, Trigger.SCENE):
        return "菜单和扫码没有居民的话，搜索动作要写明搜什么"
    return ""


def _are_words(words: Sequence[str]) -> bool:
    return 1 <= len(words) <= WORDS_MAX and all(_is_text(word, WORD_MAX) and fold(word) for word in words)


def _is_text(text: str, most: int, *, empty: bool = False) -> bool:
    if not text.strip():
        return empty and not text
    return len(text) <= most and all(line.isprintable() for line in text.split("\n"))


def to_json(rules: Rules) -> dict[str, Any]:
    """Return ``rules`` as they are kept."""
    return asdict(rules)


def from_json(kept: Mapping[str, Any]) -> Rules:
    """Read what :func:`to_json` gave; settings that are newer than it have their built-in value."""
    values = {field.name: kept[field.name] for field in fields(Rules) if field.name in kept}
    routes = tuple(
        Route(
            **{
                **route,
                "trigger": Trigger(route["trigger"]),
                "action": Action(route["action"]),
                "words": tuple(route["words"]),
            }
        )
        for route in values.pop("routes", ())
    )
    if "handover_words" in values:
        values["handover_words"] = tuple(values["handover_words"])
    if "duty" in values:
        values["duty"] = Duty(values["duty"])
    return Rules(**values, routes=routes)
