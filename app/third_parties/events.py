"""What webhooks tell: one row per happening, one delivery per webhook that wants it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.core import db, outbox
from app.third_parties import apps
from app.third_parties.domain import (
    DeliveryState,
    EventKind,
    Scope,
    Stage,
    WebhookState,
    may_call,
    scopes_in_force,
)
from app.third_parties.models import App, Delivery, EventRow, Webhook

FAN_OUT_JOB = "third_parties.fan-out"
DELIVER_JOB = "third_parties.deliver"
PUSH_JOB = "third_parties.push"
PUSHED = "partner.pushed"
"""Heard after each push, with ``reference``, ``attempt``, ``error`` and ``outcome``, see ``pushing``."""


def emit(
    kind: EventKind,
    data: Mapping[str, Any],
    *,
    now: datetime,
    app_id: int | None = None,
    stage: Stage | None = None,
    webhook_id: int | None = None,
    happening: str | None = None,
) -> int:
    """Note in the running transaction that something happened; return the event's key.

    Args:
        data: small JSON without personal numbers.
        app_id: the one application it concerns; None for every one that subscribes.
        webhook_id: the one webhook it is for, e.g. to try it.
        happening: what makes it unlike others; noted again under the same name it stays one event.
    """
    if happening is not None:
        known = db.writing().scalar(select(EventRow.id).where(EventRow.happening == happening))
        if known is not None:
            return known
    row = EventRow(
        kind=kind,
        app_id=app_id,
        stage=stage,
        webhook_id=webhook_id,
        happening=happening,
        data=dict(data),
        at=now,
    )
    db.writing().add(row)
    db.writing().flush()
    outbox.enqueue(FAN_OUT_JOB, {"event_id": str(row.id)}, dedup_key=f"{FAN_OUT_JOB}:{row.id}")
    return row.id


def push(
    kind: EventKind,
    data: Mapping[str, Any],
    *,
    app_id: int,
    stage: Stage,
    reference: str,
    attempt: int,
    now: datetime,
) -> None:
    """Ask in the running transaction for one push to an application's webhooks; ``PUSHED`` tells how it went.

    Unlike :func:`emit` it is tried once: who asks keeps count, and asks again.

    Args:
        data: small JSON without personal numbers.
        reference: stays the same over all tries, so that the receiver knows the message again.
    """
    asked = {
        "app_id": str(app_id),
        "stage": stage.value,
        "kind": kind.value,
        "data": dict(data),
        "reference": reference,
        "attempt": attempt,
        "at": now.isoformat(),
    }
    outbox.enqueue(PUSH_JOB, asked, dedup_key=f"{PUSH_JOB}:{reference}:{attempt}")


def fan_out(event_id: int, *, now: datetime) -> int:
    """Make a delivery for each webhook that wants an event; return how many are new. Safe to repeat."""
    event = db.writing().get(EventRow, event_id)
    if event is None:
        return 0
    known = set(db.writing().scalars(select(Delivery.webhook_id).where(Delivery.event_id == event_id)))
    fresh = [webhook for webhook in _wanting(event) if webhook.id not in known]
    for webhook in fresh:
        queue(webhook.id, event_id, now=now)
    return len(fresh)


def queue(webhook_id: int, event_id: int, *, now: datetime) -> int:
    """Make a delivery that is due at once; return its key."""
    row = Delivery(
        webhook_id=webhook_id,
        event_id=event_id,
        state=DeliveryState.QUEUED,
        attempts=0,
        rung=0,
        next_at=now,
        created_at=now,
    )
    db.writing().add(row)
    db.writing().flush()
    ask(row.id, 0, run_at=now)
    return row.id


def ask(delivery_id: int, attempts: int, *, run_at: datetime) -> None:
    """Ask for the try that follows ``attempts``; once, however often it is asked for."""
    outbox.enqueue(
        DELIVER_JOB,
        {"delivery_id": str(delivery_id), "attempts": attempts},
        dedup_key=f"{DELIVER_JOB}:{delivery_id}:{attempts}",
        run_at=run_at,
    )


def ask_again(delivery_id: int, attempts: int, *, run_at: datetime) -> None:
    """Ask for a try out of turn; the one that was due next finds it made."""
    outbox.enqueue(DELIVER_JOB, {"delivery_id": str(delivery_id), "attempts": attempts}, run_at=run_at)


def _wanting(event: EventRow) -> list[Webhook]:
    query = (
        select(Webhook, App).join(App, App.id == Webhook.app_id).where(Webhook.state == WebhookState.ACTIVE)
    )
    if event.webhook_id is not None:
        query = query.where(Webhook.id == event.webhook_id)
    if event.app_id is not None:
        query = query.where(Webhook.app_id == event.app_id)
    if event.stage is not None:
        query = query.where(Webhook.stage == event.stage)
    found = list(db.writing().execute(query.order_by(Webhook.id)))
    scopes = apps.scopes_of({app.id for _, app in found})
    return [
        webhook
        for webhook, app in found
        if (event.kind is EventKind.PING or event.kind.value in webhook.events)
        and may_call(app.state, webhook.stage)
        and Scope.WEBHOOKS in scopes_in_force(webhook.stage, scopes[app.id])
    ]
