"""Public API of conversations: one callback in, one answer out; what an account says, set by staff."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from app.alerts import service as alerts
from app.channel_accounts import service as channel_accounts
from app.channel_accounts.service import AccountView
from app.conversations import answering, domain, inbox, pushing, talks, versions
from app.conversations.answering import Answer
from app.conversations.forms import ACTION_LABELS as ACTION_LABELS
from app.conversations.forms import DUTY_LABELS as DUTY_LABELS
from app.conversations.forms import TRIGGER_LABELS as TRIGGER_LABELS
from app.conversations.forms import read as read_rules
from app.conversations.forms import shown as shown_rules
from app.conversations.inbox import AlreadyReceived
from app.conversations.pushing import SEND_JOB as SEND_JOB
from app.conversations.pushing import ReplyNotSent as ReplyNotSent
from app.conversations.pushing import send_reply as send_reply
from app.conversations.rules import BUILT_IN as BUILT_IN
from app.conversations.rules import WORDLESS
from app.conversations.rules import Action as Action
from app.conversations.rules import Duty as Duty
from app.conversations.rules import Route as Route
from app.conversations.rules import Rules as Rules
from app.conversations.rules import Trigger as Trigger
from app.conversations.talks import TalkView as TalkView
from app.conversations.talks import end as end_talk
from app.conversations.talks import under_way as talks_under_way
from app.conversations.trying import Tried as Tried
from app.conversations.trying import try_it as try_it
from app.conversations.versions import VersionView as VersionView
from app.conversations.versions import current as current_rules
from app.conversations.versions import history as rules_history
from app.conversations.versions import save as save_rules
from app.conversations.versions import version as rules_version
from app.core import clock, db
from app.core.errors import DomainError
from app.notices import service as notices
from channels.base import (
    Capability,
    Channel,
    Envelope,
    EventKind,
    InboundEvent,
    InboundRequest,
    RawResponse,
    Rejected,
    Reply,
)

log = structlog.get_logger(__name__)
# Turning to us in one of these ways lets us write for 48 hours.
_CONTACTS = WORDLESS | {EventKind.TEXT, EventKind.MENU, EventKind.SCAN}


def receive(key: str, request: InboundRequest, base_url: str) -> RawResponse:
    """Answer one call of a platform to ``/callbacks/<key>``.

    Args:
        base_url: where links of ours begin.

    Raises:
        NotFound: no active account has the key.
    """
    account, adapter = channel_accounts.called(key)
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
    if domain.is_stale(envelope.freshness, began, versions.in_force(account.id).rules.fresh_minutes):
        raise Rejected("stale", 403)
    event = adapter.parse(envelope)
    dedup_key = adapter.dedup_key(event)
    if began - event.occurred_at >= domain.MAYBE_REPEAT:
        # What took too long the first time is not looked up again, and not by each repeat.
        given = inbox.answer_given(account.id, envelope, dedup_key)
        if given is not None:
            return given
    effect = _effect_of(account, event)
    answer = Answer() if effect else answering.answer(account, adapter.capabilities, event, base_url, began)

    def settle() -> RawResponse:
        return _settle(account, adapter, envelope, event, dedup_key, answer, effect, began)

    try:
        return db.transaction(settle)
    except AlreadyReceived:
        given = inbox.answer_given(account.id, envelope, dedup_key)
        return given or adapter.seal(envelope, None)


def _settle(
    account: AccountView,
    adapter: Channel,
    envelope: Envelope,
    event: InboundEvent,
    dedup_key: str,
    answer: Answer,
    effect: Effect | None,
    began: datetime,
) -> RawResponse:
    """Take the message with its effects and its answer: all of it or, for whoever comes second, nothing."""
    now = clock.system_clock()
    reply, passive = answer.reply, _is_passive(adapter, answer.reply, now - began < domain.ANSWER_WITHIN)
    sealed = adapter.seal(envelope, reply if passive else None)
    message_id = inbox.take(account.id, envelope, event, dedup_key, sealed, now)
    channel_accounts.note_inbound(account, now)
    _note(account, event, answer, now)
    said = effect(now) if effect else ""
    if said:
        reply = Reply(text=said)
        passive = _is_passive(adapter, reply, clock.system_clock() - began < domain.ANSWER_WITHIN)
        sealed = adapter.seal(envelope, reply if passive else None)
        inbox.change_answer(message_id, sealed, now)
    if reply is not None and not passive:
        pushing.push_later(account.id, event, reply, message_id, now)
    return sealed


def _is_passive(adapter: Channel, reply: Reply | None, in_time: bool) -> bool:
    """Tell whether the answer to the callback can carry ``reply``."""
    if reply is not None and reply.handover:
        return in_time and Capability.HANDOVER in adapter.capabilities
    return in_time and Capability.PASSIVE_REPLY in adapter.capabilities


Effect = Callable[[datetime], str]
"""Changes something and returns what to say about it, ``""`` for nothing."""


def _effect_of(account: AccountView, event: InboundEvent) -> Effect | None:
    """Return what a message of a member of staff changes; None for those of everybody else."""
    if event.kind is not EventKind.TEXT:
        return None
    code = alerts.code_in(event.text)
    if code is not None:
        return lambda now: _told(
            lambda: domain.bound(alerts.bind(code, account, event.sender, now=now), account.name)
        )
    if alerts.asks_to_unbind(event.text):
        return lambda now: _told(lambda: domain.unbound(alerts.unbind_sender(account, event.sender)))
    return None


def _told(change: Callable[[], str]) -> str:
    try:
        with db.writing().begin_nested():
            return change()
    except DomainError as error:
        return domain.not_bound(str(error))


def _note(account: AccountView, event: InboundEvent, answer: Answer, now: datetime) -> None:
    """Tell the capabilities below what the event means to them."""
    at = min(event.occurred_at, now)
    if event.kind in _CONTACTS:
        notices.note_contact(account, event.sender, at)
    elif event.kind is EventKind.FOLLOW:
        notices.note_follow(account, event.sender, at)
    elif event.kind is EventKind.UNFOLLOW:
        notices.note_unfollow(account, event.sender, at)
    elif event.kind is EventKind.CONSENT:
        notices.note_consents(account, event.sender, event.consents, at)
    elif event.kind is EventKind.RECEIPT:
        receipt = channel_accounts.adapter(account.id).parse_receipt(event)
        if receipt is not None and not alerts.note_receipt(account, receipt, now):
            notices.note_receipt(account, receipt, now)
    elif event.kind is EventKind.SERVICE:
        talks.follow(account.id, event, now)
    if answer.asks_person:
        talks.ask(account.id, event.sender, now)


def forget_old_messages(now: datetime) -> int:
    """Delete some messages that no platform will repeat any more, and all talks that are over.

    Returns:
        How many; 0 when nothing is left to delete.
    """
    return inbox.forget_old(now) + talks.forget_ended(now)


def refused_replies(account_id: int) -> dict[str, int]:
    """Return how many replies of the last three days platforms did not take, by reason."""
    return inbox.refused(account_id)


__all__ = [
    "ACTION_LABELS",
    "BUILT_IN",
    "DUTY_LABELS",
    "SEND_JOB",
    "TRIGGER_LABELS",
    "Action",
    "Duty",
    "ReplyNotSent",
    "Route",
    "Rules",
    "TalkView",
    "Tried",
    "Trigger",
    "VersionView",
    "current_rules",
    "end_talk",
    "forget_old_messages",
    "read_rules",
    "receive",
    "refused_replies",
    "rules_history",
    "rules_version",
    "save_rules",
    "send_reply",
    "shown_rules",
    "talks_under_way",
    "try_it",
]
