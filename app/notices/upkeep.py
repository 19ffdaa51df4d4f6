"""Housekeeping: messages that a dead job left behind, texts and proofs whose time is over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, select

from app.core import db, vault
from app.notices import sending
from app.notices.domain import FORGOTTEN_AFTER, KEEP_PROOF, KEEP_TEXT, OPEN_STATES
from app.notices.models import Attempt, Delivery, EarlyReceipt, Message, Preference

AT_ONCE = 200


def find_forgotten(now: datetime) -> int:
    """Ask again for messages that are due and that nobody works at; return how many."""
    late = now - FORGOTTEN_AFTER
    query = (
        select(Message.id)
        .where(Message.state.in_(OPEN_STATES), Message.touched_at < late, Message.due_at < late)
        .where(~_waits(now))
        .order_by(Message.touched_at)
        .limit(AT_ONCE)
    )
    slot = int(now.timestamp()) // int(FORGOTTEN_AFTER.total_seconds())
    ids = list(db.writing().scalars(query))
    for message_id in ids:
        sending.ask(message_id, now, key=f"{message_id}~{slot}")
    return len(ids)


def _waits(now: datetime) -> ColumnElement[bool]:
    return select(Delivery.id).where(Delivery.message_id == Message.id, Delivery.next_at > now).exists()


def forget_texts(now: datetime) -> int:
    """Delete what messages said once their time is over; return how many."""
    query = (
        select(Message)
        .where(Message.created_at < now - KEEP_TEXT, Message.values_token.is_not(None))
        .limit(AT_ONCE)
    )
    return _forget_texts(query)


def forget_resident(resident_id: int) -> None:
    """Delete what messages told a resident who closed the account, and how they wanted to be told."""
    _forget_texts(
        select(Message).where(Message.resident_id == resident_id, Message.values_token.is_not(None))
    )
    db.writing().execute(delete(Preference).where(Preference.resident_id == resident_id))


def _forget_texts(query: Select[Message]) -> int:
    rows = list(db.writing().scalars(query))
    for row in rows:
        assert row.values_token is not None
        vault.forget(row.values_token)
        row.values_token, row.link = None, ""
    return len(rows)


def forget_proofs(now: datetime) -> int:
    """Delete messages with all that is known of them; return how many."""
    query = select(Message.id).where(Message.created_at < now - KEEP_PROOF, Message.values_token.is_(None))
    ids = list(db.writing().scalars(query.limit(AT_ONCE)))
    if not ids:
        return 0
    deliveries = select(Delivery.id).where(Delivery.message_id.in_(ids))
    delivery_ids = list(db.writing().scalars(deliveries))
    db.writing().execute(delete(Attempt).where(Attempt.delivery_id.in_(delivery_ids)))
    db.writing().execute(delete(Delivery).where(Delivery.id.in_(delivery_ids)))
    db.writing().execute(delete(Message).where(Message.id.in_(ids)))
    return len(ids)


def forget_receipts(now: datetime) -> None:
    """Delete early receipts that fit none of our messages."""
    db.writing().execute(delete(EarlyReceipt).where(EarlyReceipt.at < now - FORGOTTEN_AFTER * 6))
