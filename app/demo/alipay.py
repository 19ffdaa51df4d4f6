"""The demo's Alipay apps: a service window that is paid to and a mini program, as both sides know them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.channel_accounts import service as channel_accounts
from app.payments import service as payments

WINDOW = ("gd-alipay", "广东省网上办事大厅")
MINI = ("gd-alipay-mini", "广东省网上办事大厅")
SELLER = "2088000000000099"
# The pages of clients/alipay-mini-program; the sandbox lets links, codes and messages open no other.
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
TEMPLATES: tuple[Mapping[str, Any], ...] = (
    {
        "id": "gd-window-progress-0000000001",
        "kind": "template",
        "title": "办件进度通知",
        "fields": ["first", "keyword1", "keyword2", "remark"],
    },
    {
        "id": "gd-mini-progress-0000000001",
        "kind": "subscribe",
        "title": "办件进度提醒",
        "fields": ["keyword1", "keyword2", "keyword3"],
    },
)
# Alipay repeats a notification after 4 minutes at first; here after 4 seconds.
NOTIFY_SCALE = 1 / 60
FEE_FEN = 500


def window_sides(
    hall: Mapping[str, str], platform: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the service window as the hall and as the sandbox need it; given are keys and ids of each."""
    ours = {**hall, "seller_id": SELLER}
    return ours, {**platform, "seller_id": SELLER, "templates": _templates("template")}


def mini_sides(hall: Mapping[str, str], platform: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the mini program as the hall and as the sandbox need it."""
    shared = {"seller_id": SELLER, "aes_key": base64.b64encode(secrets.token_bytes(16)).decode()}
    theirs = {"id_kind": "open_id", "pages": list(PAGES), "templates": _templates("subscribe")}
    return {**hall, **shared}, {**platform, **shared, **theirs, "charset": "UTF-8"}


def _templates(kind: str) -> list[dict[str, Any]]:
    return [dict(one) for one in TEMPLATES if one["kind"] == kind]


def make_order(now: datetime) -> payments.OrderView:
    """Make an order that a newcomer can pay in the sandbox; runs inside a transaction."""
    account = channel_accounts.by_key(WINDOW[0])
    return payments.create_order(
        account.id, amount_fen=FEE_FEN, subject="出生医学证明补发（演示）", actor="system:demo", now=now
    )
