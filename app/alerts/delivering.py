"""Making deliveries: one try, its outcome on record, the next way when this one fails. Worker only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter
from sqlalchemy import or_, update

from app.alerts import addresses, mail, webhooks
from app.alerts.domain import DELIVERY_TRIES, ERROR_MAX, GIVE_UP_AFTER, PLATFORM_ID_MAX, DeliveryState, Way
from app.alerts.models import Delivery, Endpoint, Message, Preference, StaffBinding
from app.alerts.sealing import EMAIL_FIELD, OPENID_FIELD, SECRET_FIELD, URL_FIELD, openid_in
from app.alerts.sent import NotSent, Sent
from app.alerts.wording import plain_text
from app.channel_accounts import service as channel_accounts
from app.core import db, vault
from app.core.errors import NotFound
from app.mobile_access import service as mobile_access
from channels.base import Outcome, Reply
from config.settings import Settings

CHAT_BYTES = 1800
"""WeChat takes 2,048 bytes of text; Alipay more."""

FALL_BACK_AFTER = 2
"""After so many tries the next way is taken as well: the ladder of tries lasts for hours."""

BREAK_AFTER = 5
BREAK_FOR = timedelta(minutes=5)
TRIAL_FOR = timedelta(seconds=30)

log = structlog.get_logger(__name__)
_outcomes = Counter("hall_alert_deliveries_total", "Tries to deliver an alert", ["way", "outcome"])
_SAID = {
    Outcome.NOT_FOLLOWING: "not_following",
    Outcome.NEEDS_CONSENT: "needs_consent",
    Outcome.QUOTA: "quota",
    Outcome.AUTH: "auth",
    Outcome.BAD_TEMPLATE: "bad_template",
    Outcome.UNKNOWN: "unknown",
}


class DeliveryNotMade(Exception):
    """The other side was away; the job is tried again."""


def deliver(delivery_id: int, settings: Settings, clock: Callable[[], datetime]) -> None:
    """Try one delivery; nothing happens when it is settled already.

    A process that dies between sending and writing it down sends again: the mail's Message-ID and the
    webhook's delivery id stay the same, so that the receiver can tell.

    Raises:
        DeliveryNotMade: another try is worth it.
    """
    row = db.session().get(Delivery, delivery_id)
    if row is None or row.state is not DeliveryState.QUEUED:
        return
    open_until = _open_until(row, clock())
    if open_until is not None:
        db.transaction(lambda: _postpone(row, open_until, clock()))
        return
    message = db.session().get_one(Message, row.message_id)
    try:
        sent = _send(row, message, settings, clock())
    except NotSent as caught:
        failure = caught
    else:
        db.transaction(lambda: _note_success(row, sent, clock()))
        _outcomes.labels(row.way, "sent").inc()
        return
    again = db.transaction(lambda: _note_failure(row, failure, clock()))
    _outcomes.labels(row.way, failure.code).inc()
    if again:
        raise DeliveryNotMade(failure.code)
    log.warning("alert_not_delivered", way=row.way, code=failure.code)


def _send(row: Delivery, message: Message, settings: Settings, now: datetime) -> Sent:
    ref = int(row.address_ref.partition(":")[2])
    try:
        if row.way is Way.EMAIL:
            return _send_mail(row, message, ref, settings)
        if row.way is Way.WEBHOOK:
            return _send_webhook(row, message, ref, settings, now)
        return _send_chat(message, ref, settings)
    except NotFound:
        # Unbound, removed or switched off since it was queued.
        raise NotSent("address_gone", retryable=False) from None


def _send_chat(message: Message, binding_id: int, settings: Settings) -> Sent:
    binding = db.session().get(StaffBinding, binding_id)
    if binding is None:
        raise NotFound
    openid = openid_in(vault.unseal(OPENID_FIELD, binding.openid_token))
    if not channel_accounts.get(binding.account_id).active:
        raise NotFound
    text = plain_text(message.title, message.content, url=_url(settings, message), bytes_max=CHAT_BYTES)
    result = channel_accounts.adapter(binding.account_id).send(openid, Reply(text=text))
    if result.outcome is Outcome.ACCEPTED:
        return Sent(platform_id=result.platform_id)
    if result.outcome is Outcome.RETRYABLE:
        raise NotSent(result.code or "not_reached", retryable=True)
    raise NotSent(f"{_SAID[result.outcome]} {result.code}".strip(), retryable=False)


def _send_mail(row: Delivery, message: Message, staff_id: int, settings: Settings) -> Sent:
    wishes = db.session().get(Preference, staff_id)
    if wishes is None or wishes.email_token is None:
        raise NotFound
    outgoing = mail.Mail(
        to=vault.unseal(EMAIL_FIELD, wishes.email_token),
        message_id=f"alert-{row.id}",
        title=message.title,
        severity=message.severity,
        content=message.content,
        url=_url(settings, message),
        base_url=settings.base_url,
        at=message.created_at,
    )
    return mail.send(outgoing, smtp_url=settings.smtp_url, mail_from=settings.mail_from)


def _send_webhook(
    row: Delivery, message: Message, endpoint_id: int, settings: Settings, now: datetime
) -> Sent:
    endpoint = db.session().get(Endpoint, endpoint_id)
    if endpoint is None or not endpoint.active or endpoint.removed_at is not None:
        raise NotFound
    call = webhooks.Call(
        format=endpoint.format,
        url=vault.unseal(URL_FIELD, endpoint.url_token),
        secret=vault.unseal(SECRET_FIELD, endpoint.secret_token) if endpoint.secret_token else "",
        delivery_id=row.id,
        title=message.title,
        severity=message.severity,
        content=message.content,
        alert_count=message.alert_count,
        message_url=_url(settings, message),
        base_url=settings.base_url,
        created_at=message.created_at,
    )
    return webhooks.send(call, mobile_access.outbound_guard(settings), now)


def _url(settings: Settings, message: Message) -> str:
    return f"{settings.base_url}/alerts/messages/{message.id}"


def _open_until(row: Delivery, now: datetime) -> datetime | None:
    """Return until when an endpoint's circuit is open; a single delivery is let through as a trial."""
    if row.way is not Way.WEBHOOK:
        return None
    endpoint_id = int(row.address_ref.partition(":")[2])

    def take_trial() -> datetime | None:
        endpoint = db.writing().get(Endpoint, endpoint_id, with_for_update=True)
        if endpoint is None or endpoint.failure_count < BREAK_AFTER or endpoint.open_until is None:
            return None
        if endpoint.open_until > now:
            return endpoint.open_until
        endpoint.open_until = now + TRIAL_FOR
        return None

    return db.transaction(take_trial)


def _postpone(row: Delivery, until: datetime, now: datetime) -> None:
    if now - row.created_at > GIVE_UP_AFTER:
        _settle(row, state=DeliveryState.FAILED, error="circuit_open", settled_at=now)
    else:
        addresses.ask(row.id, run_at=until)


def _note_failure(row: Delivery, failure: NotSent, now: datetime) -> bool:
    attempts = row.attempts + 1
    over = not failure.retryable or attempts >= DELIVERY_TRIES
    values = {"attempts": attempts, "tried_at": now, "error": failure.code[:ERROR_MAX]}
    if over:
        values |= {"state": DeliveryState.FAILED, "settled_at": now}
    if not _settle(row, **values):
        return False  # another worker had it meanwhile
    if row.way is Way.WEBHOOK:
        _count_failure(row, failure, now)
    if over or attempts >= FALL_BACK_AFTER:
        addresses.queue_next(row.message_id, now)
    return not over


def _note_success(row: Delivery, sent: Sent, now: datetime) -> None:
    settled = _settle(
        row,
        state=DeliveryState.DELIVERED if sent.confirmed else DeliveryState.SENT,
        attempts=row.attempts + 1,
        tried_at=now,
        settled_at=now,
        platform_id=sent.platform_id[:PLATFORM_ID_MAX],
        error="",
    )
    if settled and row.way is Way.WEBHOOK:
        endpoint_id = int(row.address_ref.partition(":")[2])
        db.writing().execute(
            update(Endpoint)
            .where(Endpoint.id == endpoint_id)
            .values(failure_count=0, open_until=None, last_error="", last_sent_at=now)
        )


def _settle(row: Delivery, **values: object) -> bool:
    won = db.writing().execute(
        update(Delivery)
        .where(
            Delivery.id == row.id, Delivery.state == DeliveryState.QUEUED, Delivery.attempts == row.attempts
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(won.rowcount == 1)  # type: ignore[attr-defined]


def _count_failure(row: Delivery, failure: NotSent, now: datetime) -> None:
    endpoint_id = int(row.address_ref.partition(":")[2])
    db.writing().execute(
        update(Endpoint)
        .where(Endpoint.id == endpoint_id)
        .values(failure_count=Endpoint.failure_count + 1, last_error=failure.code[:ERROR_MAX])
    )
    db.writing().execute(
        update(Endpoint)
        .where(
            Endpoint.id == endpoint_id,
            Endpoint.failure_count >= BREAK_AFTER,
            or_(Endpoint.open_until.is_(None), Endpoint.open_until <= now + TRIAL_FOR),
        )
        .values(open_until=now + BREAK_FOR)
    )
