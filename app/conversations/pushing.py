"""Replies that the answer to a callback could not carry, sent afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog

from app.channel_accounts import service as channel_accounts
from app.conversations import domain, inbox, versions
from app.conversations.domain import RECIPIENT_FIELD, REPLY_WINDOW
from app.core import db, outbox, vault
from app.core.errors import NotFound
from app.notices import service as notices
from channels.base import Article, Channel, ChannelError, InboundEvent, Outcome, Reply, SendResult

log = structlog.get_logger(__name__)
SEND_JOB = "conversations.send-reply"
_LATER = (notices.Verdict.RETRY, notices.Verdict.TOMORROW, notices.Verdict.UNKNOWN)
LATE = SendResult(Outcome.NOT_FOLLOWING, code="window_over")


class ReplyNotSent(Exception):
    """The platform could not take the reply now; the job is tried again."""


def push_later(account_id: int, event: InboundEvent, reply: Reply, message_id: int, now: datetime) -> None:
    """Ask for ``reply`` to be sent, in the transaction that takes the message."""
    # A platform's user id names a person: neither the job nor the row holds it, the vault does.
    inbox.await_push(message_id, vault.seal(RECIPIENT_FIELD, event.sender))
    payload = {
        "account_id": account_id,
        "message_id": message_id,
        "until": (min(event.occurred_at, now) + REPLY_WINDOW).isoformat(),
        "text": reply.text,
        "articles": [[a.title, a.description, a.url, a.picture] for a in reply.articles],
        "image": reply.image,
        "handover": reply.handover,
    }
    outbox.enqueue(SEND_JOB, payload, dedup_key=f"{SEND_JOB}:{message_id}")


def send_reply(payload: Mapping[str, Any], now: datetime) -> None:
    """Send a reply and note how it fared; nothing happens when that was done before.

    Raises:
        ReplyNotSent: the platform is away; worth another try.
    """
    token = inbox.recipient_of(payload["message_id"])
    if token is None:
        return
    try:
        recipient = vault.unseal(RECIPIENT_FIELD, token)
    except NotFound:
        return
    result = LATE
    if now < datetime.fromisoformat(payload["until"]):
        adapter = channel_accounts.adapter(payload["account_id"])
        result = _sent(adapter, recipient, payload)
    if _is_worth_repeating(payload["message_id"], result):
        raise ReplyNotSent(result.code)
    if result.outcome is not Outcome.ACCEPTED:
        log.warning("reply_refused", outcome=result.outcome.value, code=result.code)
    db.transaction(lambda: inbox.note_push(payload["message_id"], result.outcome.value, result.code))


def _is_worth_repeating(message_id: int, result: SendResult) -> bool:
    """Tell whether a try that brought nothing is followed by another.

    One that may have gone out all the same is repeated once: twice is better than not at all, and seven
    times is not.
    """
    verdict = notices.verdict_on(result)
    if verdict is notices.Verdict.UNKNOWN and not result.code.startswith("http_"):
        return db.transaction(lambda: inbox.note_doubt(message_id))
    return verdict in _LATER


def _sent(adapter: Channel, recipient: str, payload: Mapping[str, Any]) -> SendResult:
    reply = Reply(
        payload["text"],
        tuple(Article(*parts) for parts in payload["articles"]),
        payload["image"],
        payload["handover"],
    )
    try:
        return adapter.send(recipient, reply)
    except ChannelError as error:
        if not reply.handover:
            return SendResult(error.outcome, code=error.code)
    # Only the answer to a message can hand over: the resident is asked to write once more.
    words = domain.ask_again(versions.in_force(payload["account_id"]).rules)
    return adapter.send(recipient, Reply(text=words))
