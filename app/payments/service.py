"""Public API of payments. Other capabilities import this module only.

An order is made in the caller's transaction; what becomes of it is told to the job that the caller names,
through the outbox: ``{"order_id", "reference", "what"}``, ``what`` being a state (``paid``, ``closed``…),
``refunded-<fen>`` or ``refund-failed-<id>``. Each is told once, in any order: the order itself is the truth.

Functions that talk to the platform (:func:`start`, :func:`pay_address`, :func:`reconcile`,
:func:`send_refund`, :func:`receive_notification`) open their own transactions.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import delete, select

from app.channel_accounts import service as channel_accounts
from app.channel_accounts.service import AccountView
from app.core import db
from app.core.errors import Unavailable
from app.payments import domain, orders
from app.payments.domain import STATE_LABELS as STATE_LABELS
from app.payments.domain import NoCashier as NoCashier
from app.payments.domain import NoticeRefused, OrderState, RefundState
from app.payments.domain import NotPayable as NotPayable
from app.payments.domain import NotRefundable as NotRefundable
from app.payments.models import PaymentNoticeRow, PaymentOrder, PaymentRefund
from app.payments.orders import SEND_REFUND_JOB as SEND_REFUND_JOB
from app.payments.orders import OrderView as OrderView
from channels.base import ChannelError, InboundRequest, Rejected
from channels.payments import Cashier, PaymentNotice, TradeOrder, cashier_of

log = structlog.get_logger(__name__)

TAKEN, REFUSED = "success", "fail"
"""The only two words the platform understands; any other answer makes it ask again."""

BATCH = 20


def create_order(
    account_id: int,
    *,
    amount_fen: int,
    subject: str,
    actor: str,
    now: datetime,
    tell_job: str = "",
    reference: str = "",
) -> OrderView:
    """Make an order in the caller's transaction.

    Args:
        subject: shown to the resident when paying.
        tell_job: the job that is told what becomes of it; ``""`` for none.
        reference: what it is for, in the caller's own words; no personal number.

    Raises:
        NotFound: no such account.
        NoCashier: the account takes no payments.
        Invalid: amount or subject is refused.
    """
    return orders.create(
        account_id,
        _cashier(account_id).seller_id,
        amount_fen=amount_fen,
        subject=subject,
        tell_job=tell_job,
        reference=reference,
        actor=actor,
        now=now,
    )


def get(order_id: int) -> OrderView:
    """Return an order.

    Raises:
        NotFound: there is none.
    """
    return orders.view(orders.row(order_id))


def newest(limit: int) -> list[OrderView]:
    """Return orders, newest first."""
    rows = db.session().scalars(select(PaymentOrder).order_by(PaymentOrder.created_at.desc()).limit(limit))
    return [orders.view(row) for row in rows]


def start(order_id: int, buyer: str, *, base_url: str, now: datetime) -> str:
    """Hand an order to the platform; returns the number that the app's cashier opens (``my.tradePay``).

    Args:
        buyer: the resident's id at the platform; not kept.

    Raises:
        NotFound, NoCashier, Unavailable: the platform refused or was not reached.
        NotPayable: it was paid or closed, or its time is over.
    """
    order = orders.row(order_id)
    cashier = _cashier(order.account_id)
    wanted = _trade_order(order, base_url, now)
    try:
        number = cashier.create_trade(wanted, buyer)
    except ChannelError as error:
        raise _not_reached(order.account_id, error) from None

    def note() -> None:
        held = orders.locked(order_id)
        held.platform_number = number
        if held.state is OrderState.CREATED:
            orders.move(held, OrderState.WAITING, "cashier", now)

    db.transaction(note)
    return number


def pay_address(order_id: int, return_url: str, *, base_url: str, now: datetime) -> str:
    """Return a signed address where a phone's browser pays; good for some minutes.

    Raises:
        NotFound, NoCashier
        NotPayable: it was paid or closed, or its time is over.
    """
    order = orders.row(order_id)
    return _cashier(order.account_id).pay_address(_trade_order(order, base_url, now), return_url)


def ask_refund(order_id: int, *, amount_fen: int, reason: str, actor: str, now: datetime) -> int:
    """Ask for money to be paid back, in the caller's transaction; returns the request's id.

    Raises:
        NotFound: no such order.
        NotRefundable: it was not paid, or less than that is left of it.
    """
    return orders.ask_refund(order_id, amount_fen=amount_fen, reason=reason, actor=actor, now=now)


def send_refund(refund_id: int, now: datetime) -> None:
    """Bring a request for repayment to the platform; safe to repeat.

    Raises:
        ChannelError: not reached, or nobody can tell how it ended; to be tried again.
    """
    refund = db.session().get(PaymentRefund, refund_id)
    if refund is None or refund.state is not RefundState.ASKED:
        return
    order = orders.row(refund.order_id)
    done, code = None, ""
    try:
        done = _cashier(order.account_id).refund_trade(
            order.number, str(refund.id), refund.amount_fen, refund.reason
        )
    except ChannelError as error:
        if error.retryable or error.code in domain.UNSURE_CODES:
            raise
        code = error.code
    db.transaction(lambda: orders.settle_refund(refund_id, refunded_fen=done, code=code, now=now))


def receive_notification(key: str, body: bytes, now: datetime) -> str:
    """Take a platform's notification about a payment; returns the word to answer.

    Believed is what the platform signed, for this app and this seller, about an order of this account with
    exactly its amount. Repeats and news that is older than what is known have no effect.

    Raises:
        NotFound: no active account has the key.
    """
    account = channel_accounts.by_key(key)
    try:
        notice = _cashier(account.id).read_payment(InboundRequest("POST", b"", {}, body))
        db.transaction(lambda: _take(account, notice, now))
    except NoCashier:
        return _refused(account, "no_cashier")
    except (Rejected, NoticeRefused) as refused:
        return _refused(account, refused.reason)
    return TAKEN


def _refused(account: AccountView, reason: str) -> str:
    log.warning("payment_notice_refused", channel=account.kind, account=account.key, reason=reason)
    return REFUSED


def _take(account: AccountView, notice: PaymentNotice, now: datetime) -> None:
    report = notice.report
    order = db.writing().scalar(
        select(PaymentOrder)
        .where(PaymentOrder.account_id == account.id, PaymentOrder.number == report.number)
        .with_for_update()
    )
    if order is None:
        raise NoticeRefused("unknown_order")
    if notice.seller_id != order.seller_id:
        raise NoticeRefused("wrong_seller")
    if report.amount_fen != order.amount_fen:
        raise NoticeRefused("wrong_amount")
    # Two notifications about one order wait for each other at the order's row.
    seen = db.writing().scalar(
        select(PaymentNoticeRow.id).where(
            PaymentNoticeRow.account_id == account.id, PaymentNoticeRow.notify_id == notice.notify_id
        )
    )
    if seen is not None:
        return
    db.writing().add(
        PaymentNoticeRow(
            account_id=account.id,
            notify_id=notice.notify_id,
            order_id=order.id,
            trade_state=report.state.value,
            received_at=now,
        )
    )
    orders.apply(order, report, "notification", now)


def reconcile(now: datetime) -> int:
    """Ask the platform about orders nobody heard of for a while; returns how many were asked about."""
    before = now - domain.HANGS_AFTER
    hanging = (
        select(PaymentOrder.id)
        .where(PaymentOrder.state.in_(domain.OPEN), PaymentOrder.asked_at <= before)
        .order_by(PaymentOrder.asked_at)
        .limit(BATCH)
    )
    asked = list(db.session().scalars(hanging))
    for order_id in asked:
        _ask_about(order_id, now)
    return len(asked)


def _ask_about(order_id: int, now: datetime) -> None:
    order = orders.row(order_id)
    try:
        report = _cashier(order.account_id).query_trade(order.number)
    except (ChannelError, NoCashier) as error:
        code = getattr(error, "code", "")
        log.warning("payment_query_failed", order=order.number, code=code)
        db.transaction(lambda: _note_asked(order_id, now))
        return

    def settle() -> None:
        held = orders.locked(order_id)
        held.asked_at = now
        if report is None:
            if held.state in domain.OPEN and now >= held.expires_at + domain.UNKNOWN_UNTIL:
                orders.move(held, OrderState.CLOSED, "query", now)
        elif report.amount_fen == held.amount_fen:
            orders.apply(held, report, "query", now)
        else:
            log.error("payment_amount_differs", order=held.number)

    db.transaction(settle)


def _note_asked(order_id: int, now: datetime) -> None:
    orders.locked(order_id).asked_at = now


def forget_notices(now: datetime) -> int:
    """Delete notifications that no platform will repeat any more; return how many."""
    gone = db.writing().execute(
        delete(PaymentNoticeRow).where(PaymentNoticeRow.received_at < now - domain.KEEP_NOTICES)
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _cashier(account_id: int) -> Cashier:
    try:
        return cashier_of(channel_accounts.adapter(account_id))
    except ChannelError:
        raise NoCashier from None


def _trade_order(order: PaymentOrder, base_url: str, now: datetime) -> TradeOrder:
    if order.state not in domain.OPEN or now >= order.expires_at:
        raise NotPayable
    key = channel_accounts.get(order.account_id).key
    notify_url = f"{base_url}/callbacks/{key}/payments"
    return TradeOrder(order.number, order.amount_fen, order.subject, notify_url, order.expires_at)


def _not_reached(account_id: int, error: ChannelError) -> Unavailable:
    log.warning("payment_not_started", account_id=account_id, code=error.code)
    return Unavailable()
