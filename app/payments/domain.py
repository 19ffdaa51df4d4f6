"""Rules of payments: where an order can go from where, and what may be asked of it. Amounts are whole fen."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum

from app.core.errors import Conflict, DomainError
from channels.payments import TradeState

SUBJECT_MAX = 120
NUMBER_MAX = 64
PLATFORM_NUMBER_MAX = 64
NOTIFY_ID_MAX = 128
SELLER_MAX = 32
JOB_MAX = 80
REFERENCE_MAX = 64
REASON_MAX = 80
CODE_MAX = 64
AMOUNT_MAX_FEN = 1_000_000_000
"""Ten million yuan; no fee of the hall comes near."""

TO_BE_PAID_WITHIN = timedelta(minutes=30)
HANGS_AFTER = timedelta(minutes=10)
"""An order that nobody heard of for so long is asked about."""

UNKNOWN_UNTIL = timedelta(days=1)
"""So long after its end an order may still turn up at the platform; then it is closed."""

KEEP_NOTICES = timedelta(days=45)
"""The platform repeats a notification for 25 hours; ours are kept for more than 30 days."""

UNSURE_CODES = frozenset({"bad_signature", "too_large"})
"""Answers that cannot be believed or read: the money may have gone back all the same."""

_FORBIDDEN = re.compile(r"[/=&<>\"'\\]")


class OrderState(StrEnum):
    """Where an order stands, as far as we were told."""

    CREATED = "created"
    WAITING = "waiting"
    PAID = "paid"
    FINISHED = "finished"
    CLOSED = "closed"


STATE_LABELS = {
    OrderState.CREATED: "待发起",
    OrderState.WAITING: "待支付",
    OrderState.PAID: "已支付",
    OrderState.FINISHED: "已完结",
    OrderState.CLOSED: "已关闭",
}
MOVES: dict[OrderState, frozenset[OrderState]] = {
    OrderState.CREATED: frozenset(
        {OrderState.WAITING, OrderState.PAID, OrderState.FINISHED, OrderState.CLOSED}
    ),
    OrderState.WAITING: frozenset({OrderState.PAID, OrderState.FINISHED, OrderState.CLOSED}),
    OrderState.PAID: frozenset({OrderState.FINISHED, OrderState.CLOSED}),
    OrderState.FINISHED: frozenset(),
    OrderState.CLOSED: frozenset(),
}
OF_TRADE = {
    TradeState.WAITING: OrderState.WAITING,
    TradeState.PAID: OrderState.PAID,
    TradeState.FINISHED: OrderState.FINISHED,
    TradeState.CLOSED: OrderState.CLOSED,
}
OPEN = (OrderState.CREATED, OrderState.WAITING)


class RefundState(StrEnum):
    """Where a repayment stands."""

    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"


class NotPayable(Conflict):
    code = "not_payable"
    title = "这笔订单已不能支付"
    title_en = "The order cannot be paid any more"


class NotRefundable(Conflict):
    code = "not_refundable"
    title = "这笔订单不能退这么多"
    title_en = "The order cannot be paid back by that much"


class NoCashier(DomainError):
    code = "no_cashier"
    title = "这个渠道账号没有开通收款"
    title_en = "The account takes no payments"


class NoticeRefused(Exception):
    """A verified notification does not fit what we asked for.

    Attributes:
        reason: stable code; never holds what the sender wrote.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def moves_to(state: OrderState, told: OrderState, *, was_paid: bool) -> bool:
    """Tell whether an order in ``state`` becomes what the platform tells.

    Notifications overtake each other, so what is told may be older than what is known. An order that was
    closed without ever being paid and is told as paid all the same did take money: that is not dropped.

    Args:
        was_paid: money has been seen to go in or out.
    """
    if state is OrderState.CLOSED and told in (OrderState.PAID, OrderState.FINISHED):
        return not was_paid
    return told in MOVES[state]


def subject_problem(subject: str) -> str | None:
    """Return what is wrong with an order's name, in Chinese, or ``None``."""
    if not 1 <= len(subject.strip()) <= SUBJECT_MAX or not subject.isprintable():
        return f"1 至 {SUBJECT_MAX} 个字"
    return "不能含 / = & < > 和引号" if _FORBIDDEN.search(subject) else None
