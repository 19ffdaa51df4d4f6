"""Every message has one effect: its unique row is written with its effects and its answer, or not at all."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.conversations.domain import KEEP
from app.conversations.models import InboundMessage
from app.core import db, vault
from app.core.ids import new_id
from channels.base import Envelope, InboundEvent, Outcome, RawResponse, Rejected, stable_digest

# Made once: each message needs them, and making costs more than running.
_ROWS = cast(Table, InboundMessage.__table__)
_INSERT = insert(_ROWS)
_ANSWER = update(_ROWS).where(_ROWS.c.id == bindparam("row_id"))
_FIND = select(
    _ROWS.c.request_key, _ROWS.c.digest, _ROWS.c.answer_status, _ROWS.c.answer_type, _ROWS.c.answer_body
).where(
    _ROWS.c.account_id == bindparam("account_id"),
    or_(_ROWS.c.request_key == bindparam("request_key"), _ROWS.c.dedup_key == bindparam("dedup_key")),
)


DOUBT = "unknown_result"
FORGET_AT_ONCE = 1000
"""A busy day's messages in one statement would outlast the connection, and never be forgotten."""


class AlreadyReceived(Exception):
    """Another request brought the same message and has been answered."""


def take(
    account_id: int,
    envelope: Envelope,
    event: InboundEvent,
    dedup_key: str,
    answer: RawResponse,
    now: datetime,
) -> int:
    """Write down a message and its answer in the running transaction; return the row's id.

    Of several requests with one message one gets this far; the others wait until it has committed.

    Raises:
        AlreadyReceived: the message, or the signed request, was here before.
    """
    row_id = new_id()
    values = {
        "id": row_id,
        "account_id": account_id,
        "dedup_key": dedup_key,
        "request_key": _request_key(envelope),
        "digest": envelope.freshness.digest,
        "kind": event.kind.value,
        "received_at": now,
        **_answer_values(answer, now),
    }
    try:
        db.writing().execute(_INSERT, values)
    except IntegrityError:
        raise AlreadyReceived from None
    return row_id


def change_answer(row_id: int, answer: RawResponse, now: datetime) -> None:
    """Replace the answer of a message that this transaction has taken."""
    db.writing().execute(_ANSWER.values(**_answer_values(answer, now)), {"row_id": row_id})


def answer_given(account_id: int, envelope: Envelope, dedup_key: str) -> RawResponse | None:
    """Return what a message was answered before; None when it was not here.

    Raises:
        Rejected: the signed request was seen before with another body (403).
    """
    wanted = {"account_id": account_id, "request_key": _request_key(envelope), "dedup_key": dedup_key}
    rows = list(db.session().execute(_FIND, wanted))
    # The same signed request decides before the same event does: it may carry a forged body.
    row = min(rows, key=lambda row: row.request_key != wanted["request_key"], default=None)
    if row is None:
        return None
    if row.request_key == wanted["request_key"] and row.digest != envelope.freshness.digest:
        raise Rejected("replayed", 403)
    return RawResponse(row.answer_status or 200, row.answer_type or "", row.answer_body or b"")


def await_push(row_id: int, recipient_token: str) -> None:
    """Note that the reply is sent later, to whom the vault keeps under the token."""
    db.writing().execute(_ANSWER.values(recipient_token=recipient_token), {"row_id": row_id})


def recipient_of(row_id: int) -> str | None:
    """Return the token of whom a reply still waits for; None when it was settled."""
    return db.session().scalar(select(InboundMessage.recipient_token).where(InboundMessage.id == row_id))


def note_doubt(row_id: int) -> bool:
    """Note that a reply which still waits may have been sent; False when that was noted before."""
    first = update(_ROWS).where(_ROWS.c.id == row_id, _ROWS.c.push_code.is_(None)).values(push_code=DOUBT)
    return bool(db.writing().execute(first).rowcount == 1)  # type: ignore[attr-defined]


def note_push(row_id: int, outcome: str, code: str) -> None:
    """Note how a reply that was sent later fared, and forget whom it was for."""
    row = db.writing().get(InboundMessage, row_id)
    if row is None:
        return
    if row.recipient_token is not None:
        vault.forget(row.recipient_token)
    row.recipient_token, row.push_outcome, row.push_code = None, outcome, code[:40]


def forget_old(now: datetime) -> int:
    """Delete some of what no platform will repeat any more; return how many, 0 when none is left."""
    old = (
        select(InboundMessage.id, InboundMessage.recipient_token)
        .where(InboundMessage.received_at < now - KEEP)
        .limit(FORGET_AT_ONCE)
    )
    found = list(db.writing().execute(old))
    for _, token in found:
        if token is not None:
            vault.forget(token)
    if found:
        ids = [row_id for row_id, _ in found]
        db.writing().execute(delete(InboundMessage).where(InboundMessage.id.in_(ids)))
    return len(found)


def _answer_values(answer: RawResponse, now: datetime) -> dict[str, object]:
    return {
        "answered_at": now,
        "answer_status": answer.status,
        "answer_type": answer.content_type,
        "answer_body": answer.body,
    }


def _request_key(envelope: Envelope) -> str:
    freshness = envelope.freshness
    # Where the signature does not cover the body, one signed time and nonce may carry one body only.
    body = freshness.digest if freshness.binds_body else ""
    signed_at = freshness.signed_at.isoformat() if freshness.signed_at else ""
    return stable_digest("request", signed_at, freshness.nonce, body)


def refused(account_id: int) -> dict[str, int]:
    """Return how many replies that were sent later the platform did not take, by reason and code."""
    count = func.count()
    query = (
        select(InboundMessage.push_outcome, InboundMessage.push_code, count)
        .where(
            InboundMessage.account_id == account_id,
            InboundMessage.push_outcome.is_not(None),
            InboundMessage.push_outcome != Outcome.ACCEPTED.value,
        )
        .group_by(InboundMessage.push_outcome, InboundMessage.push_code)
        .order_by(count.desc())
    )
    return {f"{outcome} {code}".strip(): number for outcome, code, number in db.session().execute(query)}
