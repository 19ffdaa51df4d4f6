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
    """A message that this process answers; ``until`` tells it from a claim that took it over."""

    message_id: int
    until: datetime


def claim(
    account_id: int, envelope: Envelope, event: InboundEvent, dedup_key: str
) -> Claim | RawResponse | None:
    """Claim a message for this process, or find out what it was answered.

    Returns:
        the claim, or the answer given before; None when another process is still at it and did not
        finish in time.

    Raises:
        Rejected: the signed request was seen before with another body (403).
    """
    request_key = _request_key(envelope)
    now = clock.system_clock()
    try:
        return db.transaction(lambda: _insert(account_id, envelope, event, dedup_key, request_key, now))
    except IntegrityError:
        return _seen_before(account_id, envelope, dedup_key, request_key)


def store_answer(claim: Claim, answer: RawResponse, now: datetime) -> bool:
    """Keep what was answered, for the platform's repeats.

    Returns:
        False when the claim was lost to another process: the message is no longer ours to answer.
    """
    kept = db.writing().execute(
        update(InboundMessage)
        .where(InboundMessage.id == claim.message_id, InboundMessage.claimed_until == claim.until)
        .values(
            answered_at=now,
            answer_status=answer.status,
            answer_type=answer.content_type,
            answer_body=answer.body,
        )
    )
    return bool(kept.rowcount == 1)  # type: ignore[attr-defined]


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
) -> Claim:
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
    return Claim(row.id, row.claimed_until)


def _seen_before(
    account_id: int, envelope: Envelope, dedup_key: str, request_key: str
) -> Claim | RawResponse | None:
    end = time.monotonic() + ANSWER_WITHIN.total_seconds()
    while True:
        row = _find(account_id, dedup_key, request_key)
        if row is None:
            raise Rejected("replayed", 403)
        if row.request_key == request_key and row.digest != envelope.freshness.digest:
            raise Rejected("replayed", 403)
        if row.answered_at is not None:
            return RawResponse(row.answer_status or 200, row.answer_type or "", row.answer_body or b"")
        if row.claimed_until < clock.system_clock() and (taken := _take_over(row.id)):
            return taken
        if time.monotonic() >= end:
            return None
        time.sleep(POLL_SECONDS)


def _find(account_id: int, dedup_key: str, request_key: str) -> InboundMessage | None:
    query = select(InboundMessage).where(
        InboundMessage.account_id == account_id,
        or_(InboundMessage.request_key == request_key, InboundMessage.dedup_key == dedup_key),
    )
    rows = list(db.session().scalars(query.execution_options(populate_existing=True)))
    # The same signed request decides before the same event does: it may carry a forged body.
    return min(rows, key=lambda row: row.request_key != request_key, default=None)


def _take_over(message_id: int) -> Claim | None:
    now = clock.system_clock()
    until = now + CLAIM_LEASE

    def take() -> Claim | None:
        taken = db.writing().execute(
            update(InboundMessage)
            .where(
                InboundMessage.id == message_id,
                InboundMessage.answered_at.is_(None),
                InboundMessage.claimed_until < now,
            )
            .values(claimed_until=until)
        )
        return Claim(message_id, until) if taken.rowcount == 1 else None  # type: ignore[attr-defined]

    return db.transaction(take)
