"""Tables of payments. Nobody's name or number stands in them: an order knows what it is for, not for whom."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Key, Model, key_column
from app.payments.domain import (
    CODE_MAX,
    JOB_MAX,
    NOTIFY_ID_MAX,
    NUMBER_MAX,
    PLATFORM_NUMBER_MAX,
    REASON_MAX,
    REFERENCE_MAX,
    SELLER_MAX,
    SUBJECT_MAX,
    OrderState,
    RefundState,
)


class PaymentOrder(Model):
    """What somebody is asked to pay, once."""

    __tablename__ = "payment_order"
    __table_args__ = (
        UniqueConstraint("account_id", "number", name="uq_payment_order_account_id_number"),
        Index("ix_payment_order_state", "state", "asked_at"),
    )

    id: Mapped[int] = key_column()
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    number: Mapped[str] = mapped_column(String(NUMBER_MAX))
    amount_fen: Mapped[int] = mapped_column(Key)
    subject: Mapped[str] = mapped_column(String(SUBJECT_MAX))
    seller_id: Mapped[str] = mapped_column(String(SELLER_MAX))
    state: Mapped[OrderState]
    platform_number: Mapped[str | None] = mapped_column(String(PLATFORM_NUMBER_MAX))
    refunded_fen: Mapped[int] = mapped_column(Key, default=0)
    tell_job: Mapped[str] = mapped_column(String(JOB_MAX))
    reference: Mapped[str] = mapped_column(String(REFERENCE_MAX))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    asked_at: Mapped[datetime]


class PaymentNoticeRow(Model):
    """A notification that was taken; its repeats have no effect."""

    __tablename__ = "payment_notice"
    __table_args__ = (
        UniqueConstraint("account_id", "notify_id", name="uq_payment_notice_account_id_notify_id"),
    )

    id: Mapped[int] = key_column()
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    notify_id: Mapped[str] = mapped_column(String(NOTIFY_ID_MAX))
    order_id: Mapped[int] = mapped_column(ForeignKey("payment_order.id"), index=True)
    trade_state: Mapped[str] = mapped_column(String(32))
    received_at: Mapped[datetime] = mapped_column(index=True)


class PaymentRefund(Model):
    """Money asked to be paid back; its id names the request at the platform."""

    __tablename__ = "payment_refund"

    id: Mapped[int] = key_column()
    order_id: Mapped[int] = mapped_column(ForeignKey("payment_order.id"), index=True)
    amount_fen: Mapped[int] = mapped_column(Key)
    reason: Mapped[str] = mapped_column(String(REASON_MAX))
    state: Mapped[RefundState]
    code: Mapped[str | None] = mapped_column(String(CODE_MAX))
    asked_by: Mapped[str] = mapped_column(String(80))
    asked_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
