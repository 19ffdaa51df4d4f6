"""An account's rules as a form of the console sends and shows them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from app.conversations.rules import BUILT_IN, Action, Duty, Route, Rules, Trigger
from app.core.quiet import MINUTES_A_DAY, clock_time, minutes_of

TRIGGER_LABELS = {
    Trigger.EXACT: "整句就是",
    Trigger.CONTAINS: "句中含有",
    Trigger.MENU: "点了菜单键",
    Trigger.SCENE: "扫了场景码",
}
ACTION_LABELS = {
    Action.SAY: "回复文字",
    Action.SEARCH: "搜索服务",
    Action.HANDOVER: "转人工",
    Action.PICTURE: "回复图片",
    Action.HELP: "说明怎样使用",
    Action.SILENCE: "不回复",
}
DUTY_LABELS = {Duty.OFFICE: "工作日上班时间", Duty.DAILY: "每天固定时间", Duty.ALWAYS: "全天"}
_BETWEEN_WORDS = re.compile(r"[\n,，、;；]+")
_ROUTE_FIELDS = ("name", "trigger", "words", "action", "said", "priority", "active")
_DAY_ENDS = "24:00"


Form = Mapping[str, Sequence[str]]
"""What a browser sent: all values under each name."""


def first(form: Form, name: str) -> str:
    """Return the first value under a name, ``""`` when there is none."""
    return next(iter(form.get(name, ())), "")


def read(form: Form) -> Rules:
    """Return the rules of a form; what is no number or time becomes one that is refused later."""
    return Rules(
        greeting=_text(form, "greeting"),
        enter_greeting=_text(form, "enter_greeting"),
        default_text=_text(form, "default_text"),
        media_text=_text(form, "media_text"),
        closed_text=_text(form, "closed_text"),
        search="search" in form.get("switches", ()),
        handover="handover" in form.get("switches", ()),
        matches=_number(first(form, "matches")),
        handover_words=words(first(form, "handover_words")),
        duty=Duty(first(form, "duty")) if first(form, "duty") in set(Duty) else BUILT_IN.duty,
        opens=_minutes(first(form, "opens")),
        closes=_minutes(first(form, "closes")),
        hotline=first(form, "hotline").strip(),
        fresh_minutes=_number(first(form, "fresh_minutes")),
        routes=tuple(_routes(form)),
    )


def shown(rules: Rules) -> Mapping[str, str]:
    """Return the fields that are written otherwise in a form than in ``rules``."""
    return {
        "opens": _time(rules.opens),
        "closes": _time(rules.closes),
        "handover_words": "、".join(rules.handover_words),
    }


def _time(minutes: int) -> str:
    if minutes == MINUTES_A_DAY:
        return _DAY_ENDS
    return clock_time(minutes) if minutes >= 0 else ""


def words(written: str) -> tuple[str, ...]:
    """Return words that stand in lines or between commas, each once."""
    found = (word.strip() for word in _BETWEEN_WORDS.split(written))
    return tuple(dict.fromkeys(word for word in found if word))


def _routes(form: Form) -> Sequence[Route]:
    columns = [form.get(f"route_{name}", ()) for name in _ROUTE_FIELDS]
    found = []
    for name, trigger, written, action, said, priority, active in zip(*columns, strict=False):
        if name.strip() or written.strip() or said.strip():  # an emptied line is taken out
            route = Route(
                name=name.strip(),
                trigger=Trigger(trigger) if trigger in set(Trigger) else Trigger.EXACT,
                words=words(written),
                action=Action(action) if action in set(Action) else Action.SAY,
                said=_lines(said),
                priority=_number(priority),
                active=active == "on",
            )
            found.append(route)
    return found


def _text(form: Form, name: str) -> str:
    return _lines(first(form, name))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _number(written: str) -> int:
    text = written.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else -1


def _minutes(written: str) -> int:
    if written.strip() == _DAY_ENDS:
        return MINUTES_A_DAY
    try:
        return minutes_of(written.strip())
    except ValueError:
        return -1
