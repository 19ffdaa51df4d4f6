"""The demo's mini program: one account, as the hall and as the sandbox need to know it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KIND = "wechat_mini"
ACCOUNT = ("gd-mini", "广东省网上办事大厅")
# The pages of clients/wechat-mini-program; the sandbox lets links, codes and notices open no other.
PAGES = (
    "pages/home/home",
    "pages/search/search",
    "pages/item/item",
    "pages/apply/apply",
    "pages/case/case",
    "pages/progress/progress",
    "pages/messages/messages",
    "pages/my/my",
    "pages/sign-in/sign-in",
    "pages/web/web",
)
# Subscription messages (订阅消息) the platform has approved: 办理进度 and 预约提醒.
TEMPLATES: tuple[Mapping[str, Any], ...] = (
    {
        "id": "gd-mini-progress-0000000000000000000000000001",
        "kind": "subscribe",
        "title": "办件进度通知",
        "fields": ["thing1", "character_string2", "phrase3", "time4"],
    },
    {
        "id": "gd-mini-reminder-0000000000000000000000000002",
        "kind": "subscribe",
        "title": "预约办理提醒",
        "fields": ["thing1", "time2", "thing3"],
    },
)


def sides(shared: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the account as the hall and as the sandbox need it; ``shared`` are ids and secrets of both."""
    platform = {**shared, "pages": list(PAGES), "templates": [dict(one) for one in TEMPLATES]}
    return {**shared, "state": "trial"}, platform
