"""Deadlines, freshness and the words we answer with. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.conversations.rules import HOTLINE, Duty, Rules
from app.core import clock
from app.core.quiet import clock_time
from app.core.working_time import WorkingCalendar
from channels.base import Article, Freshness, Reply

# WeChat cuts the connection after 5 s and tries again.
ANSWER_WITHIN = timedelta(seconds=4.5)
# A message that is older than this when it comes may be the repeat of one that is answered already.
MAYBE_REPEAT = timedelta(seconds=4)
# An unbound signature (WeChat's plain mode) is only as good as it is fresh: an account's setting. A bound
# one is protected by the unique row, which is kept longer than any platform repeats itself.
FRESH_BOUND = timedelta(hours=26)
KEEP = timedelta(days=3)
# So long after a resident's last word platforms let us write (客服消息).
REPLY_WINDOW = timedelta(hours=48)
# WeChat ends a talk with a person by itself when nobody says anything for so long.
TALK_ENDS_AFTER = timedelta(minutes=30)
QUERY_MAX = 40
RECIPIENT_FIELD = "channel_recipient"
SENDER_FIELD = "conversation_sender"

_LONG_NUMBER = re.compile(r"\d(?:[\s-]?[\dxXｘＸ]){5,}")


@dataclass(frozen=True, slots=True)
class Match:
    """A published page or an item that fits what the resident wrote; ``url`` leads through the hall.

    Attributes:
        hotline: whom to call while it is not available.
        instead: name and address of what may be used meanwhile; None when there is nothing near.
    """

    name: str
    body_name: str
    description: str
    url: str
    available: bool
    hotline: str = ""
    instead: tuple[str, str] | None = None


def is_stale(freshness: Freshness, now: datetime, fresh_minutes: int) -> bool:
    """Tell whether a message was signed too long ago, or in the future."""
    if freshness.signed_at is None:
        return False
    window = FRESH_BOUND if freshness.binds_body else timedelta(minutes=fresh_minutes)
    return abs(now - freshness.signed_at) > window


def on_duty(rules: Rules, now: datetime, calendar: WorkingCalendar) -> bool:
    """Tell whether people are there to talk to."""
    if rules.duty is Duty.ALWAYS:
        return True
    local = now.astimezone(clock.HALL_TIME)
    if rules.duty is Duty.DAILY:
        return rules.opens <= local.hour * 60 + local.minute < rules.closes
    return any(start <= now < end for start, end in calendar.stretches(local.date()))


def found(asked: str, matches: Sequence[Match], default_text: str, home_url: str) -> Reply:
    """Return what was found, or that nothing was."""
    if not matches:
        text = default_text or f"没有找到与“{_quoted(asked)}”有关的服务。\n{how_to(home_url)}"
        return Reply(text=text)
    if len(matches) == 1 and matches[0].available:
        only = matches[0]
        return Reply(articles=(Article(only.name, f"{only.body_name}\n{only.description}", only.url),))
    lines = [f"{number}. {_line(match)}" for number, match in enumerate(matches, 1)]
    return Reply(text="找到这些服务：\n" + "\n".join(lines))


def welcome(home_url: str) -> str:
    return f"欢迎关注广东省网上办事大厅。\n{how_to(home_url)}"


def wordless(home_url: str) -> str:
    return f"现在只能看懂文字。\n{how_to(home_url)}"


def how_to(home_url: str) -> str:
    return f"发送要办的事，例如“户口”“社保”，就能找到服务；\n也可以打开全部服务：\n{home_url}"


def nobody_here(rules: Rules) -> str:
    """Return what to say outside the hours of duty: when somebody is there, and whom to call."""
    if rules.closed_text:
        return rules.closed_text
    hours = {
        Duty.OFFICE: "工作日的上班时间",
        Duty.DAILY: f"每天 {clock_time(rules.opens)}–{clock_time(rules.closes)}",
        Duty.ALWAYS: "全天",
    }[rules.duty]
    return f"现在没有人工客服在线，人工服务时间是{hours}。\n急事请拨打 {rules.hotline}。"


def call_instead(rules: Rules) -> str:
    """Return what to say where the platform has nobody to hand over to."""
    return f"这里没有人工客服，请拨打 {rules.hotline} 咨询。"


def ask_again(rules: Rules) -> str:
    """Return what to say when a hand-over came too late to be done."""
    return f"转接人工没有成功，请再发送一次“{rules.handover_words[0]}”，或拨打 {rules.hotline}。"


def bound(name: str, account_name: str) -> str:
    return f"{name}，您已绑定“{account_name}”，今后在这里接收运行告警。\n回复“解除绑定”可以停止接收。"


def unbound(done: bool) -> str:
    return "已解除绑定，不再发送运行告警。" if done else "这里没有绑定工作人员。"


def not_bound(reason: str) -> str:
    return f"没有办成：{reason}。请在管理台“告警设置”里重新取得绑定码。"


def _quoted(asked: str) -> str:
    # Answers are kept for the platform's repeats; a number that may be a person's must not be.
    shown = _LONG_NUMBER.sub("******", asked)
    return shown if len(shown) <= QUERY_MAX else shown[:QUERY_MAX] + "…"


def _line(match: Match) -> str:
    if not match.available:
        told = f"{match.name}（{match.body_name}）暂时无法使用，可拨打 {match.hotline or HOTLINE} 询问"
        if match.instead is None:
            return told
        name, url = match.instead
        return f"{told}，也可以先用：\n{name}\n{url}"
    return f"{match.name}（{match.body_name}）\n{match.url}"
