"""Orders, and what the platform tells of them, with defaults that fit together."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from app.channel_accounts import service as channel_accounts
from app.channel_accounts.service import AccountView
from app.core import db
from app.core.outbox import JobRow
from app.payments import service
from app.payments.service import OrderView
from tests.channels import platform_alipay as alipay

KEY = "gd-window"
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TELL = "payments.reconcile"
"""Any job there is: the tests look at what it is told and do not run it."""


def an_account(base_url: str = "http://127.0.0.1:9", key: str = KEY, **settings: str) -> AccountView:
    config = alipay.config(base_url, **settings)
    values = {**config.settings, **config.secrets}
    return channel_accounts.create_account(
        kind="alipay", key=key, name="测试", values=values, actor="system", now=NOW
    )


def an_order(amount_fen: int = 1230, now: datetime = NOW, key: str = KEY, **more: Any) -> OrderView:
    given = {"subject": "出生医学证明补发", "tell_job": TELL, "reference": "application:7", **more}
    account = channel_accounts.by_key(key)
    return service.create_order(account.id, amount_fen=amount_fen, actor="system", now=now, **given)


def a_notice(order: OrderView, status: str = "TRADE_SUCCESS", **changes: str) -> bytes:
    """Return a notification about ``order``; every one has an id of its own unless it is given."""
    fields = {
        "notify_id": secrets.token_hex(16),
        "notify_type": "trade_status_sync",
        "out_trade_no": order.number,
        "trade_no": "2026030222001400000000000001",
        "trade_status": status,
        "total_amount": f"{order.amount_fen // 100}.{order.amount_fen % 100:02d}",
        "seller_id": alipay.SELLER,
        "subject": order.subject,
        "gmt_payment": "" if status == "WAIT_BUYER_PAY" else "2026-03-02 09:05:00",
        **changes,
    }
    return alipay.notification(**fields)


def told(order_id: int) -> list[str]:
    """Return what the maker of the order was told, oldest first."""
    jobs = db.session().scalars(select(JobRow).where(JobRow.name == TELL).order_by(JobRow.created_at))
    return [job.payload["what"] for job in jobs if job.payload.get("order_id") == str(order_id)]
