"""Public API of conversations: one callback in, one answer out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog

from app.alerts import service as alerts
from app.channel_accounts import service as channel_accounts
from app.channel_accounts.service import AccountView
from app.conversations import domain, inbox
from app.conversations.domain import RECIPIENT_FIELD, Match
from app.conversations.inbox import Claim
from app.core import clock, db, outbox, vault
from app.core.errors import DomainError, NotFound
from app.mobile_access import service as mobile_access
from channels.base import (
    Article,
    Capability,
    Channel,
    Envelope,
    EventKind,
    InboundEvent,
    InboundRequest,
    Outcome,
    RawResponse,
    Rejected,
    Reply,
)

log = structlog.get_logger(__name__)
SEND_JOB = "conversations.send-reply"


class ReplyNotSent(Exception):
    """The platform could not take the reply now; the job is tried again."""


def receive(key: str, request: InboundRequest, base_url: str) -> RawResponse:
    """Answer one call of a platform to ``/callbacks/<key>``.

    Args:
        base_url: where links of ours begin.

    Raises:
        NotFound: no active account has the key.
    """
    account = channel_accounts.by_key(key)
    adapter = channel_accounts.adapter(account.id)
    try:
        handshake = adapter.handshake(request)
        if handshake is not None:
            db.transaction(lambda: channel_accounts.note_handshake(account.id, clock.system_clock()))
            return handshake
        return _message(account, adapter, request, base_url)
    except Rejected as rejected:
        log.warning("callback_rejected", channel=account.kind, account=account.key, reason=rejected.reason)
        return adapter.reject(request, rejected)


def _message(account: AccountView, adapter: Channel, request: InboundRequest, base_url: str) -> RawResponse:
    began = clock.system_clock()
    envelope = adapter.open(request)
    if domain.is_stale(envelope.freshness, began):
        raise Rejected("stale", 403)
    event = adapter.parse(envelope)
    claim = inbox.claim(account.id, envelope, event, adapter.dedup_key(event))
    if isinstance(claim, RawResponse):
        return claim
    if claim is None:
        return adapter.seal(envelope, None)
    receipt = adapter.parse_receipt(event)
    if receipt is not None:
        db.transaction(lambda: alerts.note_receipt(account, receipt, clock.system_clock()))
    reply = _reply(account, event, base_url)
    return _settle(account, adapter, envelope, event, reply, claim, began)


def _reply(account: AccountView, event: InboundEvent, base_url: str) -> Reply | None:
    if event.kind is EventKind.TEXT:
        answer = _answer_to_staff(account, event)
        if answer:
            return Reply(text=answer)
    matches: list[Match] = []
    if domain.wants_search(event):
        found = mobile_access.search(event.text[: domain.QUERY_MAX], limit=domain.MATCHES_MAX)
        instead = mobile_access.alternatives([page for page in found if not page.available], limit=1)
        matches = [
            Match(
                name=page.name,
                body_name=page.body_name,
                description=page.description,
                url=_address(base_url, page.id, account),
                available=page.available,
                hotline=page.hotline,
                instead=next(
                    ((one.name, _address(base_url, one.id, account)) for one in instead.get(page.id, ())),
                    None,
                ),
            )
            for page in found
        ]
    return domain.reply_to(event, matches, f"{base_url}/?channel={account.kind}")


def _address(base_url: str, page_id: int, account: AccountView) -> str:
    return f"{base_url}/go/{page_id}?channel={account.kind}"


def _answer_to_staff(account: AccountView, event: InboundEvent) -> str:
    """Bind or unbind a member of staff who asks for it; return what to say, ``""`` to anybody else."""
    code = alerts.code_in(event.text)
    try:
        if code is not None:
            now = clock.system_clock()
            return domain.bound(
                db.transaction(lambda: alerts.bind(code, account, event.sender, now=now)), account.name
            )
        if alerts.asks_to_unbind(event.text):
            return domain.unbound(db.transaction(lambda: alerts.unbind_sender(account, event.sender)))
    except DomainError as error:
        return domain.not_bound(str(error))
    return ""


def _settle(
    account: AccountView,
    adapter: Channel,
    envelope: Envelope,
    event: InboundEvent,
    reply: Reply | None,
    claim: Claim,
    began: datetime,
) -> RawResponse:
    """Store the answer and, when it cannot carry the reply, the reply to be pushed: one transaction.

    Who was so slow that another process took the message over has no effect at all.
    """
    now = clock.system_clock()
    in_time = now - began < domain.ANSWER_WITHIN
    passive = in_time and Capability.PASSIVE_REPLY in adapter.capabilities
    answer = adapter.seal(envelope, reply if passive else None)

    def settle() -> bool:
        if not inbox.store_answer(claim, answer, now):
            return False
        channel_accounts.note_inbound(account, now)
        if reply is not None and not passive:
            _push_later(account, event, reply, claim.message_id)
        return True

    return answer if db.transaction(settle) else adapter.seal(envelope, None)


def _push_later(account: AccountView, event: InboundEvent, reply: Reply, message_id: int) -> None:
    # A platform's user id names a person: the job carries a token, the vault the id.
    recipient = vault.seal(RECIPIENT_FIELD, event.sender)
    payload = {
        "account_id": account.id,
        "recipient": recipient,
        "text": reply.text,
        "articles": [[a.title, a.description, a.url, a.picture] for a in reply.articles],
    }
    outbox.enqueue(SEND_JOB, payload, dedup_key=f"{SEND_JOB}:{message_id}")


def send_reply(payload: Mapping[str, Any]) -> None:
    """Push a reply that the answer to the callback could not carry.

    Raises:
        ReplyNotSent: the platform is away; worth another try.
    """
    try:
        recipient = vault.unseal(RECIPIENT_FIELD, payload["recipient"])
    except NotFound:
        return  # sent already, and the id forgotten
    reply = Reply(payload["text"], tuple(Article(*parts) for parts in payload["articles"]))
    result = channel_accounts.adapter(payload["account_id"]).send(recipient, reply)
    if result.outcome is Outcome.RETRYABLE:
        raise ReplyNotSent(result.code)
    if result.outcome is not Outcome.ACCEPTED:
        log.warning("reply_refused", outcome=result.outcome.value, code=result.code)
    db.transaction(lambda: vault.forget(payload["recipient"]))


def forget_old_messages(now: datetime) -> int:
    """Delete messages that no platform will repeat any more; return how many."""
    return inbox.forget_old(now)
