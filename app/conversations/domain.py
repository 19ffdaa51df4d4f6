"""Deadlines, freshness and the words we answer with. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels.base import Article, EventKind, Freshness, InboundEvent, Reply

# WeChat cuts the connection after 5 s and tries again.
ANSWER_WITHIN = timedelta(seconds=4.5)
# A worker that died in the middle holds a message no longer than this: no longer than the platform's
# repeat waits for the answer, so that the repeat takes over instead of being told "received".
CLAIM_LEASE = timedelta(seconds=4)
# An unbound signature (WeChat's plain mode) is only as good as it is fresh; a bound one is
# protected by the unique row, which is kept longer than any platform repeats itself.
FRESH_UNBOUND = timedelta(minutes=10)
FRESH_BOUND = timedelta(hours=26)
KEEP = timedelta(days=3)
MATCHES_MAX = 5
QUERY_MAX = 40
RECIPIENT_FIELD = "channel_recipient"

_LONG_NUMBER = re.compile(r"\d(?:[\s-]?[\dxXｘＸ]){5,}")

_WORDLESS = {EventKind.IMAGE, EventKind.VOICE, EventKind.VIDEO, EventKind.LINK, EventKind.LOCATION}

HELP = "help"
HOME = "home"
HOTLINE = "12345"


@dataclass(frozen=True, slots=True)
class Match:
    """A published page that fits what the resident wrote; ``url`` leads through the hall.

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


def is_stale(freshness: Freshness, now: datetime) -> bool:
    """Tell whether a message was signed too long ago, or in the future."""
    if freshness.signed_at is None:
        return False
    window = FRESH_BOUND if freshness.binds_body else FRESH_UNBOUND
    return abs(now - freshness.signed_at) > window


def wants_search(event: InboundEvent) -> bool:
    """Tell whether the event is words to look for."""
    return event.kind is EventKind.TEXT and bool(event.text.strip())


def reply_to(event: InboundEvent, matches: Sequence[Match], home_url: str) -> Reply | None:
    """Return what to say; None where silence is right (unfollow, receipts, entering)."""
    if event.kind is EventKind.FOLLOW:
        return Reply(text=f"欢迎关注广东省网上办事大厅。\n{_how_to(home_url)}")
    if event.kind is EventKind.MENU:
        # An entry with an address opens it by itself; only our own keys ask for words.
        return Reply(text=_how_to(home_url)) if event.action in {HELP, HOME} else None
    if event.kind is EventKind.TEXT:
        return _found(event.text.strip(), matches, home_url)
    if event.kind in _WORDLESS:
        return Reply(text=f"现在只能看懂文字。\n{_how_to(home_url)}")
    return None


def bound(name: str, account_name: str) -> str:
    return f"{name}，您已绑定“{account_name}”，今后在这里接收运行告警。\n回复“解除绑定”可以停止接收。"


def unbound(done: bool) -> str:
    return "已解除绑定，不再发送运行告警。" if done else "这里没有绑定工作人员。"


def not_bound(reason: str) -> str:
    return f"没有办成：{reason}。请在管理台“告警设置”里重新取得绑定码。"


def _found(asked: str, matches: Sequence[Match], home_url: str) -> Reply:
    if not matches:
        return Reply(text=f"没有找到与“{_quoted(asked)}”有关的服务。\n{_how_to(home_url)}")
    if len(matches) == 1 and matches[0].available:
        only = matches[0]
        return Reply(articles=(Article(only.name, f"{only.body_name}\n{only.description}", only.url),))
    lines = [f"{number}. {_line(match)}" for number, match in enumerate(matches, 1)]
    return Reply(text="找到这些服务：\n" + "\n".join(lines))


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


def _how_to(home_url: str) -> str:
    return f"发送要办的事，例如“户口”“社保”，就能找到服务；\n也可以打开全部服务：\n{home_url}"
