"""What notices hold of a resident."""

from __future__ import annotations

from sqlalchemy import func, select

from app.core import db
from app.core.own_data import Held
from app.notices.models import Message


def held(resident_id: int) -> list[Held]:
    """Return how many messages lie in a resident's inbox."""
    found = db.session().scalars(select(func.count()).where(Message.resident_id == resident_id)).one()
    return [Held("messages", "消息", count=found, source="大厅发给您", endpoint="notices_pages.messages")]
