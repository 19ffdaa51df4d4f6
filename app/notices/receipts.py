"""What platforms say later about a message that they had taken."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Row, delete, exists, select, update

from app.channel_accounts.service import AccountView
from app.core import audit, db
from app.core.ids import new_id
from app.notices import sending
from app.notices.domain import CODE_MAX, HALL, PLATFORM_ID_MAX, DeliveryState, way_of
from app.notices.models import ConsentRow, Delivery, EarlyReceipt, Message
from channels.base import DeliveryReceipt, Outcome

_UNWANTED = frozenset({Outcome.NEEDS_CONSENT, Outcome.NOT_FOLLOWING})


def note_receipt(account: AccountView, receipt: DeliveryReceipt, now: datetime) -> bool:
    """Note that a message arrived, or did not; False when it is none of ours.

    One that did not arrive takes the next way. A receipt may come before the answer to our call does: it
    is kept until then. A second receipt for a message changes nothing.
    """
    if not 1 <= len(receipt.platform_id) <= PLATFORM_ID_MAX:
        return False
    found = _delivery_of(account.id, receipt.platform_id)
    if found is None and not _keep_early(account.id, receipt, now):
        # No call is under way any more: its answer may have been written down since we looked.
        found = _delivery_of(account.id, receipt.platform_id)
    if found is None:
        return False
    apply(found.id, found.message_id, receipt.outcome, receipt.code, now)
    return True


def apply_early(delivery: Delivery, now: datetime) -> None:
    """Take what the platform said of a delivery before it had answered our call."""
    where = (EarlyReceipt.account_id == delivery.account_id, EarlyReceipt.platform_id == delivery.platform_id)
    row = db.writing().scalar(select(EarlyReceipt).where(*where))
    if row is not None:
        apply(delivery.id, delivery.message_id, Outcome(row.outcome), row.code, now)
        db.writing().execute(delete(EarlyReceipt).where(*where))


def apply(delivery_id: int, message_id: int, outcome: Outcome, code: str, now: datetime) -> None:
    """Settle a delivery by the platform's last word on it."""
    message = locked(message_id)
    row = db.writing().get(Delivery, delivery_id, populate_existing=True)
    if message is None or row is None or row.state is not DeliveryState.ACCEPTED:
        return
    row.settled_at = now
    message.touched_at = now
    if outcome is Outcome.ACCEPTED:
        row.state = message.state = DeliveryState.DELIVERED
        note_binding(message, row, now)
        return
    row.state = DeliveryState.REFUSED if outcome in _UNWANTED else DeliveryState.FAILED
    row.code = (code or outcome.value)[:CODE_MAX]
    if outcome is Outcome.NEEDS_CONSENT and row.consent_id is not None:
        clear = update(ConsentRow).where(ConsentRow.id == row.consent_id)
        db.writing().execute(clear.values(remaining=0, refused_at=now, changed_at=now))
    message.state = DeliveryState.QUEUED
    note_binding(message, row, now)
    sending.ask(message.id, now)


def match_early(now: datetime, *, limit: int) -> int:
    """Apply receipts that were kept and whose delivery is known by now; return how many."""
    query = (
        select(Delivery)
        .join(
            EarlyReceipt,
            (EarlyReceipt.account_id == Delivery.account_id)
            & (EarlyReceipt.platform_id == Delivery.platform_id),
        )
        .limit(limit)
    )
    rows = list(db.writing().scalars(query))
    for row in rows:
        apply_early(row, now)
    return len(rows)


def note_binding(message: Message, row: Delivery, now: datetime) -> None:
    """Put on the audit trail how a notice with legal effect fared."""
    if message.binding:
        way = way_of(row.way)
        detail = {"way": str(way) if way else HALL, "state": row.state.value, "code": row.code}
        audit.record("system", "notice.deliver", "notice_message", message.id, detail)


def locked(message_id: int) -> Message | None:
    """Return a message for this transaction alone."""
    query = select(Message).where(Message.id == message_id).with_for_update()
    return db.writing().scalar(query.execution_options(populate_existing=True))


def _delivery_of(account_id: int, platform_id: str) -> Row[int, int] | None:
    """Return the ids of the delivery, and of its message, that the platform knows under an id."""
    query = select(Delivery.id, Delivery.message_id)
    query = query.where(Delivery.account_id == account_id, Delivery.platform_id == platform_id)
    return db.writing().execute(query).first()


def _keep_early(account_id: int, receipt: DeliveryReceipt, now: datetime) -> bool:
    """Keep a receipt while a call of the account is under way; False when there is none."""
    under_way = exists().where(Delivery.account_id == account_id, Delivery.state == DeliveryState.SENDING)
    if not db.writing().scalar(select(under_way)):
        return False
    early = {
        "id": new_id(),
        "account_id": account_id,
        "platform_id": receipt.platform_id,
        "outcome": receipt.outcome.value,
        "code": receipt.code[:CODE_MAX],
        "at": now,
    }
    db.writing().execute(db.insert_ignoring(EarlyReceipt), early)
    return True
