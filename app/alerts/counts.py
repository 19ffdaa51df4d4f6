"""How many messages went which way, for whoever watches the hall."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.alerts.domain import DeliveryState
from app.alerts.models import Delivery
from app.core import db

COUNTED = timedelta(days=1)


def deliveries_by_state(*, now: datetime) -> dict[DeliveryState, int]:
    """Return how many deliveries of the last day stand how; every state is there."""
    query = (
        select(Delivery.state, func.count())
        .where(Delivery.created_at >= now - COUNTED)
        .group_by(Delivery.state)
    )
    found = {row[0]: row[1] for row in db.session().execute(query)}
    return {state: found.get(state, 0) for state in DeliveryState}
