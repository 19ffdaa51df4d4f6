"""Where a recipient can be reached, in which order, and the deliveries that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.alerts.domain import STAFF_WAYS, DeliveryState, MessageKind, Severity, Way
from app.alerts.models import Delivery, Endpoint, Message, Preference, StaffBinding
from app.alerts.recipients import endpoint_id_of, staff_id_of
from app.core import db, outbox

DELIVER_JOB = "alerts.deliver"
NO_ADDRESS = "no_address"


@dataclass(frozen=True, slots=True)
class Address:
    """One place to send to; ``ref`` is ``binding:<id>``, ``email:<staff id>`` or ``endpoint:<id>``."""

    way: Way
    ref: str


def addresses_of(recipient: str) -> list[Address]:
    """Return where a recipient can be reached, the preferred way first; empty when nowhere."""
    endpoint_id = endpoint_id_of(recipient)
    if endpoint_id is not None:
        row = db.session().get(Endpoint, endpoint_id)
        usable = row is not None and row.active and row.removed_at is None
        return [Address(Way.WEBHOOK, f"endpoint:{endpoint_id}")] if usable else []
    staff_id = staff_id_of(recipient)
    assert staff_id is not None
    wishes = db.session().get(Preference, staff_id)
    order = [Way(one) for one in wishes.ways] if wishes is not None else list(STAFF_WAYS)
    found = [
        Address(Way(binding.kind), f"binding:{binding.id}")
        for binding in db.session().scalars(
            select(StaffBinding).where(StaffBinding.staff_id == staff_id).order_by(StaffBinding.bound_at)
        )
    ]
    if wishes is not None and wishes.email_token is not None:
        found.append(Address(Way.EMAIL, f"email:{staff_id}"))
    return sorted((one for one in found if one.way in order), key=lambda one: order.index(one.way))


def queue(message: Message, now: datetime) -> None:
    """Put a new message on its way.

    What is critical, and a test, goes every way at once; the rest goes the first way, and the next one
    when that fails. Who cannot be reached at all gets a delivery that says so.
    """
    found = addresses_of(message.recipient)
    if not found:
        db.writing().add(_delivery(message.id, None, DeliveryState.SUPPRESSED, now))
        return
    every = message.severity is Severity.CRITICAL or message.kind is MessageKind.TEST
    _queue(message.id, found if every else found[:1], now)


def queue_next(message_id: int, now: datetime) -> None:
    """Try the next way of a message; nothing happens when there is none left."""
    message = db.writing().get_one(Message, message_id)
    query = select(Delivery.address_ref).where(Delivery.message_id == message_id)
    tried = set(db.writing().scalars(query))
    left = [one for one in addresses_of(message.recipient) if one.ref not in tried]
    _queue(message_id, left[:1], now)


def _queue(message_id: int, found: Sequence[Address], now: datetime) -> None:
    for address in found:
        row = _delivery(message_id, address, DeliveryState.QUEUED, now)
        db.writing().add(row)
        db.writing().flush()
        ask(row.id)


def ask(delivery_id: int, run_at: datetime | None = None) -> None:
    """Ask for a delivery to be made, at ``run_at`` when given."""
    at = f"@{int(run_at.timestamp())}" if run_at else ""
    key = f"{DELIVER_JOB}:{delivery_id}{at}"
    outbox.enqueue(DELIVER_JOB, {"delivery_id": str(delivery_id)}, dedup_key=key, run_at=run_at)


def _delivery(message_id: int, address: Address | None, state: DeliveryState, now: datetime) -> Delivery:
    return Delivery(
        message_id=message_id,
        way=address.way if address else None,
        address_ref=address.ref if address else "",
        state=state,
        attempts=0,
        platform_id="",
        error="" if address else NO_ADDRESS,
        created_at=now,
        settled_at=None if address else now,
    )
