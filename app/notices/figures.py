"""How notices fare: counts for staff and for Prometheus; never whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.core import db
from app.notices.domain import DeliveryState
from app.notices.models import Delivery, Message, Template, TemplateVersion

REASONS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Figure:
    """Deliveries of one template on one way, by how they ended.

    Attributes:
        read_count: messages whose owner opened them in the hall.
    """

    template_key: str
    template_name: str
    way: str
    counts: dict[DeliveryState, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Reason:
    """Why deliveries on one way were refused or failed."""

    way: str
    state: DeliveryState
    code: str
    count: int


def figures(now: datetime, span: timedelta) -> list[Figure]:
    """Return deliveries begun within ``span`` by template and way, ordered by both."""
    query = (
        select(Template.key, Template.name, Delivery.way, Delivery.state, func.count())
        .select_from(Delivery)
        .join(Message, Message.id == Delivery.message_id)
        .join(TemplateVersion, TemplateVersion.id == Message.version_id)
        .join(Template, Template.id == TemplateVersion.template_id)
        .where(Delivery.created_at >= now - span)
        .group_by(Template.key, Template.name, Delivery.way, Delivery.state)
        .order_by(Template.key, Delivery.way)
    )
    found: dict[tuple[str, str], Figure] = {}
    for key, name, way, state, count in db.session().execute(query):
        found.setdefault((key, way), Figure(key, name, way, {})).counts[state] = count
    return list(found.values())


def reasons(now: datetime, span: timedelta) -> list[Reason]:
    """Return why deliveries begun within ``span`` did not arrive, the most frequent first."""
    lost = (DeliveryState.REFUSED, DeliveryState.FAILED)
    query = (
        select(Delivery.way, Delivery.state, Delivery.code, func.count().label("count"))
        .where(Delivery.created_at >= now - span, Delivery.state.in_(lost), Delivery.code != "another_way")
        .group_by(Delivery.way, Delivery.state, Delivery.code)
        .order_by(func.count().desc())
        .limit(REASONS_SHOWN)
    )
    return [Reason(way, state, code, count) for way, state, code, count in db.session().execute(query)]


def messages_by_state(now: datetime, span: timedelta) -> dict[DeliveryState, int]:
    """Return messages made within ``span`` by how far they have come."""
    query = (
        select(Message.state, func.count()).where(Message.created_at >= now - span).group_by(Message.state)
    )
    return {row[0]: row[1] for row in db.session().execute(query)}


def deliveries_by_state(now: datetime, span: timedelta) -> dict[tuple[str, DeliveryState], int]:
    """Return deliveries begun within ``span`` by way and state."""
    query = (
        select(Delivery.way, Delivery.state, func.count())
        .where(Delivery.created_at >= now - span)
        .group_by(Delivery.way, Delivery.state)
    )
    return {(way, state): count for way, state, count in db.session().execute(query)}
