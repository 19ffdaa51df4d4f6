"""Every message has one effect: claimed by a unique row, its answer stored and given again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.conversations.domain import ANSWER_WITHIN, CLAIM_LEASE, KEEP
from app.conversations.models import InboundMessage
from app.core import clock, db
from channels.base import Envelope, InboundEvent, RawResponse, Rejected, stable_digest

POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Claim:
    """Either a message that this process answers, or the answer it has had already.

    Attributes:
        message_id: None when another process is still at it and did not finish in time.
        answer: what was answered before; None for a fresh claim.
    """

    message_id: int | None
    answer: RawResponse | None


def claim(account_id: int, envelope: Envelope, event: InboundEvent, dedup_key: str) -> Claim:
    """Claim a message for this process, or find out what it was answered.

    Raises:
        Rejected: the signed request was seen before with another body (403).
    """
    request_key = _request_key(envelope)
    now = clock.system_clock()
    try:
        message_id = db.transaction(lambda: _insert(account_id, envelope, event, dedup_key, request_key, now))
    except IntegrityError:
        return _seen_before(account_id, envelope, dedup_key, request_key)
    return Claim(message_id, None)


def store_answer(message_id: int, answer: RawResponse, now: datetime) -> None:
    """Keep what was answered, for the platform's repeats."""
    db.writing().execute(
        update(InboundMessage)
        .where(InboundMessage.id == message_id)
        .values(
            answered_at=now,
            answer_status=answer.status,
            answer_type=answer.content_type,
            answer_body=answer.body,
        )
    )


def forget_old(now: datetime) -> int:
    """Delete what no platform will repeat any more; return how many."""
    gone = db.writing().execute(delete(InboundMessage).where(InboundMessage.received_at < now - KEEP))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _request_key(envelope: Envelope) -> str:
    freshness = envelope.freshness
    # Where the signature does not cover the body, one signed time and nonce may carry one body only.
    body = freshness.digest if freshness.binds_body else ""
    signed_at = freshness.signed_at.isoformat() if freshness.signed_at else ""
    return stable_digest("request", signed_at, freshness.nonce, body)


def _insert(
    account_id: int,
    envelope: Envelope,
    event: InboundEvent,
    dedup_key: str,
    request_key: str,
    now: datetime,
) -> int:
    row = InboundMessage(
        account_id=account_id,
        dedup_key=dedup_key,
        request_key=request_key,
        digest=envelope.freshness.digest,
        kind=event.kind.value,
        received_at=now,
        claimed_until=now + CLAIM_LEASE,
    )
    db.writing().add(row)
    db.writing().flush()
    return row.id


def _seen_before(account_id: int, envelope: Envelope, dedup_key: str, request_key: str) -> Claim:
    end = time.monotonic() + ANSWER_WITHIN.total_seconds()
    while True:
        row = _find(account_id, dedup_key, request_key)
        if row is None:
            raise Rejected("replayed", 403)
        if row.request_key == request_key and row.digest != envelope.freshness.digest:
            raise Rejected("replayed", 403)
        if row.answered_at is not None:
            return Claim(
                row.id, RawResponse(row.answer_status or 200, row.answer_type or "", row.answer_body or b"")
            )
        if row.claimed_until < clock.system_clock() and _take_over(row.id):
            return Claim(row.id, None)
        if time.monotonic() >= end:
            return Claim(None, None)
        time.sleep(POLL_SECONDS)


def _find(account_id: int, dedup_key: str, request_key: str) -> InboundMessage | None:
    query = select(InboundMessage).where(
        InboundMessage.account_id == account_id,
        or_(InboundMessage.request_key == request_key, InboundMessage.dedup_key == dedup_key),
    )
    rows = list(db.session().scalars(query.execution_options(populate_existing=True)))
    # The same signed request decides before the same event does: it may carry a forged body.
    return min(rows, key=lambda row: row.request_key != request_key, default=None)


def _take_over(message_id: int) -> bool:
    now = clock.system_clock()

    def take() -> bool:
        taken = db.writing().execute(
            update(InboundMessage)
            .where(
                InboundMessage.id == message_id,
                InboundMessage.answered_at.is_(None),
                InboundMessage.claimed_until < now,
            )
            .values(claimed_until=now + CLAIM_LEASE)
        )
        return bool(taken.rowcount == 1)  # type: ignore[attr-defined]

    return db.transaction(take)
