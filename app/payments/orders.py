"""Orders of ours, and what a platform's word does to them; every function runs inside a transaction."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.core import audit, clock, db, outbox
from app.core.errors import Invalid, NotFound
from app.payments import domain
from app.payments.domain import NotRefundable, OrderState, RefundState
from app.payments.models import PaymentOrder, PaymentRefund
from channels.payments import TradeReport

SEND_REFUND_JOB = "payments.send-refund"


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as others may see it.

    Attributes:
        number: named to the platform; ``platform_number`` is its own.
        reference: whatever it is for, as who made it calls it.
        refunded_fen: paid back so far.
    """

    id: int
    account_id: int
    number: str
    amount_fen: int
    subject: str
    state: OrderState
    reference: str
    platform_number: str | None
    refunded_fen: int
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None


def create(
    account_id: int,
    seller_id: str,
    *,
    amount_fen: int,
    subject: str,
    tell_job: str,
    reference: str,
    actor: str,
    now: datetime,
) -> OrderView:
    """Add an order.

    Raises:
        Invalid: the amount or the subject is refused.
    """
    problems: dict[str, str] = {}
    if not 1 <= amount_fen <= domain.AMOUNT_MAX_FEN:
        problems["amount_fen"] = "金额不在允许范围内"
    if problem := domain.subject_problem(subject):
        problems["subject"] = problem
    if problems:
        raise Invalid("订单有误", fields=problems)
    order = PaymentOrder(
        account_id=account_id,
        number=_new_number(now),
        amount_fen=amount_fen,
        subject=subject.strip(),
        seller_id=seller_id,
        state=OrderState.CREATED,
        refunded_fen=0,
        tell_job=tell_job,
        reference=reference,
        created_at=now,
        expires_at=now + domain.TO_BE_PAID_WITHIN,
        changed_at=now,
        asked_at=now,
    )
    db.writing().add(order)
    db.writing().flush()
    audit.record(actor, "payment.create", "payment_order", order.id, {"amount_fen": amount_fen})
    return view(order)


def _new_number(now: datetime) -> str:
    # Readable on a bank statement, and not to be guessed.
    digits = "".join(secrets.choice("0123456789") for _ in range(14))
    return f"{clock.day_of(now):%Y%m%d}{digits}"


def row(order_id: int) -> PaymentOrder:
    """Return an order's row.

    Raises:
        NotFound: there is none.
    """
    found = db.session().get(PaymentOrder, order_id)
    if found is None:
        raise NotFound("没有这笔订单")
    return found


def locked(order_id: int) -> PaymentOrder:
    """Return an order's row, held until the transaction ends.

    Raises:
        NotFound: there is none.
    """
    found = db.writing().scalar(select(PaymentOrder).where(PaymentOrder.id == order_id).with_for_update())
    if found is None:
        raise NotFound("没有这笔订单")
    return found


def apply(order: PaymentOrder, report: TradeReport, source: str, now: datetime) -> None:
    """Take over what the platform says; each state that is reached has its effect once.

    Args:
        order: held.
        source: who says so, for the audit trail: ``notification``, ``query``.
    """
    was_paid = order.paid_at is not None or order.refunded_fen > 0
    told = domain.OF_TRADE[report.state]
    order.platform_number = report.platform_number
    if report.paid_at is not None and order.paid_at is None:
        order.paid_at = report.paid_at
    if domain.moves_to(order.state, told, was_paid=was_paid):
        if told in (OrderState.PAID, OrderState.FINISHED) and order.paid_at is None:
            order.paid_at = now
        move(order, told, source, now)
    note_refunded(order, report.refunded_fen or 0, source, now)


def move(order: PaymentOrder, state: OrderState, source: str, now: datetime) -> None:
    """Put the order into another state and let whoever made it know."""
    order.state, order.changed_at = state, now
    audit.record(f"system:{source}", f"payment.{state}", "payment_order", order.id)
    _tell(order, state.value)


def note_refunded(order: PaymentOrder, refunded_fen: int, source: str, now: datetime) -> None:
    """Take over what was paid back so far; less than is known is older news."""
    refunded = min(refunded_fen, order.amount_fen)
    if refunded <= order.refunded_fen:
        return
    order.refunded_fen, order.changed_at = refunded, now
    detail = {"refunded_fen": refunded}
    audit.record(f"system:{source}", "payment.refunded", "payment_order", order.id, detail)
    _tell(order, f"refunded-{refunded}")


def _tell(order: PaymentOrder, what: str) -> None:
    if order.tell_job:
        payload = {"order_id": str(order.id), "reference": order.reference, "what": what}
        outbox.enqueue(order.tell_job, payload, dedup_key=f"payment:{order.id}:{what}")


def ask_refund(order_id: int, *, amount_fen: int, reason: str, actor: str, now: datetime) -> int:
    """Ask for money to be paid back; returns the request's id. A job brings it to the platform.

    Raises:
        NotFound: no such order.
        NotRefundable: it was not paid, or less than that is left of it.
    """
    order = locked(order_id)
    asked = db.writing().scalar(
        select(func.coalesce(func.sum(PaymentRefund.amount_fen), 0)).where(
            PaymentRefund.order_id == order_id, PaymentRefund.state != RefundState.FAILED
        )
    )
    left = order.amount_fen - max(int(asked or 0), order.refunded_fen)
    if order.state is not OrderState.PAID or not 1 <= amount_fen <= left:
        raise NotRefundable
    refund = PaymentRefund(
        order_id=order_id,
        amount_fen=amount_fen,
        reason=reason[: domain.REASON_MAX],
        state=RefundState.ASKED,
        asked_by=actor,
        asked_at=now,
    )
    db.writing().add(refund)
    db.writing().flush()
    audit.record(actor, "payment.ask_refund", "payment_order", order_id, {"amount_fen": amount_fen})
    outbox.enqueue(SEND_REFUND_JOB, {"refund_id": str(refund.id)}, dedup_key=f"refund:{refund.id}")
    return refund.id


def settle_refund(refund_id: int, *, refunded_fen: int | None, code: str, now: datetime) -> None:
    """Note how a request for repayment ended; ``None`` fen is a refusal, ``code`` says which."""
    refund = db.writing().get_one(PaymentRefund, refund_id)
    order = locked(refund.order_id)
    db.writing().refresh(refund)
    if refund.state is not RefundState.ASKED:
        return
    refund.settled_at = now
    if refunded_fen is None:
        refund.state, refund.code = RefundState.FAILED, code[: domain.CODE_MAX]
        audit.record("system:refund", "payment.refund_failed", "payment_order", order.id, {"code": code[:64]})
        _tell(order, f"refund-failed-{refund.id}")
        return
    refund.state = RefundState.DONE
    note_refunded(order, refunded_fen, "refund", now)
    if order.refunded_fen == order.amount_fen and order.state is OrderState.PAID:
        move(order, OrderState.CLOSED, "refund", now)


def view(order: PaymentOrder) -> OrderView:
    return OrderView(
        id=order.id,
        account_id=order.account_id,
        number=order.number,
        amount_fen=order.amount_fen,
        subject=order.subject,
        state=order.state,
        reference=order.reference,
        platform_number=order.platform_number,
        refunded_fen=order.refunded_fen,
        created_at=order.created_at,
        expires_at=order.expires_at,
        paid_at=order.paid_at,
    )
