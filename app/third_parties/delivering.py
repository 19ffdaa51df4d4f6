"""Making deliveries: one try, its outcome on record, the next rung of the ladder. Worker only."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog
from prometheus_client import Counter
from sqlalchemy import update
from standardwebhooks import Webhook as Signer

from app.core import db, hearing
from app.core.errors import NotFound
from app.third_parties import apps, consents, events, webhooks
from app.third_parties.domain import (
    ERROR_MAX,
    DeliveryState,
    EventKind,
    Scope,
    WebhookState,
    may_call,
    next_try,
    scopes_in_force,
)
from app.third_parties.models import App, Attempt, Delivery, EventRow, Webhook
from mobile_pages.gather import posting
from mobile_pages.gather.posting import NotPosted
from mobile_pages.guard import Guard

USER_AGENT = "GDHall-Webhooks/1.0 (+guangdong online service hall)"
PAUSED = "webhook.paused"
GONE = 410

log = structlog.get_logger(__name__)
_outcomes = Counter(
    "hall_partner_deliveries_total", "Tries to deliver an event to a third party", ["outcome"]
)


def body_of(event: EventRow) -> bytes:
    """Return what is sent: ``type``, ``timestamp``, ``data``.

    Source: Standard Webhooks specification, "Payload structure".
    """
    said = {"type": event.kind.value, "timestamp": event.at.isoformat(), "data": event.data}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def signed_headers(event_id: int, body: bytes, secrets: Sequence[str], now: datetime) -> list[str]:
    """Return the headers that sign a delivery, one signature per secret.

    The id is the event's, so that the receiver knows it again at every try.
    """
    return signed_message(f"evt_{event_id}", body, secrets, now)


def signed_message(message: str, body: bytes, secrets: Sequence[str], now: datetime) -> list[str]:
    """Return the headers that sign ``body`` as the message of that name, one signature per secret."""
    at = now.astimezone(UTC)
    signatures = (Signer(secret).sign(message, at, body.decode()) for secret in secrets)
    return [
        "Content-Type: application/json; charset=utf-8",
        "Expect:",
        f"webhook-id: {message}",
        f"webhook-timestamp: {int(at.timestamp())}",
        f"webhook-signature: {' '.join(signatures)}",
    ]


def deliver(
    delivery_id: int,
    attempts: int,
    guard: Guard,
    clock: Callable[[], datetime],
    *,
    ca_file: Path | None = None,
) -> None:
    """Make the try that follows ``attempts``; nothing happens when it was made, or nobody wants it now.

    A process that dies between sending and writing it down sends again, under the same ``webhook-id``.
    """
    row = db.session().get(Delivery, delivery_id)
    if row is None or row.state is not DeliveryState.QUEUED or row.attempts != attempts:
        return
    webhook = db.session().get_one(Webhook, row.webhook_id)
    event = db.session().get_one(EventRow, row.event_id)
    app = db.session().get_one(App, webhook.app_id)
    now = clock()
    if not _is_wanted(webhook, app, event, now):
        db.transaction(lambda: _settle(row, state=DeliveryState.FAILED, next_at=None))
        return
    try:
        url, body = webhooks.url_of(webhook), body_of(event)
        headers = signed_headers(event.id, body, webhooks.secrets_of(webhook, now), now)
    except NotFound:
        return  # removed in this moment
    if event.kind is EventKind.APPLICATION_CHANGED and attempts == 0:
        # Before it leaves, so that nothing leaves that the person does not see.
        db.transaction(lambda: _note_told(app, webhook, event, now))
    try:
        answer = posting.post(url, headers, body, guard, user_agent=USER_AGENT, ca_file=ca_file)
    except NotPosted as failure:
        tried = Attempt(
            delivery_id=row.id,
            number=attempts + 1,
            at=now,
            status=0,
            duration_ms=failure.duration_ms,
            error=failure.code[:ERROR_MAX],
        )
    else:
        good = 200 <= answer.status < 300
        tried = Attempt(
            delivery_id=row.id,
            number=attempts + 1,
            at=now,
            status=answer.status,
            duration_ms=answer.duration_ms,
            error="" if good else f"http_{answer.status}",
        )
    _outcomes.labels(tried.error or "delivered").inc()
    db.transaction(lambda: _note(row, event.kind, tried, clock()))


def _note_told(app: App, webhook: Webhook, event: EventRow, now: datetime) -> None:
    subject, number = str(event.data["subject"]), str(event.data["number"])
    scope, what = Scope.APPLICATIONS_READ, "办件进度"
    consents.note_told(app, webhook.stage, subject, scope, what, case_number=number, now=now)


def _is_wanted(webhook: Webhook, app: App, event: EventRow, now: datetime) -> bool:
    """Tell whether it may still be sent: the ladder takes days, and a consent ends at once."""
    scopes = scopes_in_force(webhook.stage, apps.scopes_of([app.id])[app.id])
    if webhook.state is not WebhookState.ACTIVE or not may_call(app.state, webhook.stage):
        return False
    if Scope.WEBHOOKS not in scopes:
        return False
    if event.kind is not EventKind.APPLICATION_CHANGED:
        return True
    scope, subject = Scope.APPLICATIONS_READ, str(event.data["subject"])
    return scope in scopes and consents.may_hear(app.id, webhook.stage, subject, scope, now=now)


def _note(row: Delivery, kind: EventKind, tried: Attempt, now: datetime) -> None:
    if tried.error:
        again = None if kind is EventKind.PING or tried.status == GONE else next_try(row.rung + 1, now)
        state = DeliveryState.QUEUED if again else DeliveryState.FAILED
    else:
        again, state = None, DeliveryState.DELIVERED
    if not _settle(row, state=state, attempts=row.attempts + 1, rung=row.rung + 1, next_at=again):
        return  # another worker had it meanwhile
    db.writing().merge(tried)
    values: dict[str, object] = {"last_error": tried.error}
    if not tried.error:
        values["last_sent_at"] = now
    mine = update(Webhook).where(Webhook.id == row.webhook_id, Webhook.state == WebhookState.ACTIVE)
    db.writing().execute(mine.values(**values).execution_options(synchronize_session=False))
    if again:
        events.ask(row.id, row.attempts + 1, run_at=again)
    elif tried.error and kind is not EventKind.PING:
        _pause(row.webhook_id, tried.error, now)


def _pause(webhook_id: int, error: str, now: datetime) -> None:
    """Stop sending where nothing was taken through the whole ladder, and let the owner know, once."""
    stopped = db.writing().execute(
        update(Webhook)
        .where(Webhook.id == webhook_id, Webhook.state == WebhookState.ACTIVE)
        .values(state=WebhookState.PAUSED, paused_at=now)
        .execution_options(synchronize_session=False)
    )
    if stopped.rowcount != 1:  # type: ignore[attr-defined]
        return
    webhook = db.writing().get_one(Webhook, webhook_id)
    app = db.writing().get_one(App, webhook.app_id)
    log.warning("partner_webhook_paused", webhook_id=webhook_id, error=error)
    said = {
        "body_id": str(app.body_id),
        "app_id": str(app.id),
        "app_name": app.name,
        "host": webhook.host,
        "at": now.isoformat(),
    }
    hearing.tell(PAUSED, said, dedup_key=f"{webhook_id}:{int(now.timestamp())}")


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
