"""What platforms say later about a message that they had taken."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from app.alerts.domain import DeliveryState
from app.alerts.models import Delivery, StaffBinding
from app.channel_accounts.service import AccountView
from app.core import db
from channels.base import DeliveryReceipt, Outcome


def note_receipt(account: AccountView, receipt: DeliveryReceipt, now: datetime) -> bool:
    """Note that a message arrived, or did not; False when it is none of ours."""
    if not receipt.platform_id:
        return False
    bindings = db.writing().scalars(select(StaffBinding.id).where(StaffBinding.account_id == account.id))
    arrived = receipt.outcome is Outcome.ACCEPTED
    changed = db.writing().execute(
        update(Delivery)
        .where(
            Delivery.address_ref.in_([f"binding:{one}" for one in bindings]),
            Delivery.platform_id == receipt.platform_id,
            Delivery.state == DeliveryState.SENT,
        )
        .values(
            state=DeliveryState.DELIVERED if arrived else DeliveryState.FAILED,
            error="" if arrived else receipt.outcome.value,
            settled_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]
