"""Reading messages and proofs of delivery; sending a test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from app.alerts import addresses, scope, wording
from app.alerts.domain import LIST_MAX, DeliveryState, MessageKind, Severity, Way
from app.alerts.endpoints import get_endpoint
from app.alerts.models import AlertRow, Delivery, Endpoint, Message, Notice
from app.alerts.recipients import endpoint_id_of, endpoint_recipient, staff_recipient
from app.core import audit, db, limits
from app.core.errors import Invalid, NotFound
from app.organisations import service as organisations
from app.organisations.service import Principal

ALERTS_SHOWN = 200
TESTS = "6/10minutes"
TEST_TOPIC = "test"


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One way that a message took, and what became of it.

    Attributes:
        way: None when the recipient has no way at all.
        platform_id: what the other side calls the message; ``""`` where it says nothing.
        error: a stable code; ``""`` when all went well.
    """

    id: int
    message_id: int
    recipient_name: str
    title: str
    severity: Severity
    way: Way | None
    state: DeliveryState
    attempts: int
    platform_id: str
    error: str
    created_at: datetime
    tried_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message as it was sent: ``content`` as :func:`app.alerts.wording.content_of` makes it."""

    id: int
    kind: MessageKind
    severity: Severity
    title: str
    content: dict[str, Any]
    alert_count: int
    created_at: datetime
    deliveries: tuple[DeliveryView, ...]


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert of a message."""

    id: int
    topic: str
    severity: Severity
    title: str
    text: str
    link: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryList:
    """One page of a log, newest first; ``next_after`` is None at the end."""

    items: list[DeliveryView]
    next_after: int | None


def own_messages(by: Principal, *, limit: int = 50) -> list[MessageView]:
    """Return the last messages to ``by``, newest first."""
    query = (
        select(Message)
        .where(Message.recipient == staff_recipient(by.staff_id))
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(max(1, min(limit, LIST_MAX)))
    )
    return _messages(list(db.session().scalars(query)))


def get_message(by: Principal, message_id: int) -> MessageView:
    """Return one message.

    Raises:
        NotFound: no such message to ``by`` or in the scope of ``by``.
    """
    row = db.session().scalar(select(Message).where(Message.id == message_id, _visible(by)))
    if row is None:
        raise NotFound("没有这条消息")
    return _messages([row])[0]


def alerts_in(by: Principal, message_id: int) -> list[AlertView]:
    """Return the alerts behind a message, the worst and oldest first, 200 at most.

    Raises:
        NotFound: no such message to ``by`` or in the scope of ``by``.
    """
    get_message(by, message_id)
    query = (
        select(AlertRow)
        .join(Notice, Notice.alert_id == AlertRow.id)
        .where(Notice.message_id == message_id)
        .order_by(AlertRow.at)
        .limit(ALERTS_SHOWN)
    )
    rows = sorted(db.session().scalars(query), key=lambda row: (-row.severity.rank, row.at))
    return [AlertView(r.id, r.topic, r.severity, r.title, r.text, r.link, r.at) for r in rows]


def deliveries(
    by: Principal, *, state: DeliveryState | None = None, after: int | None = None, limit: int = 50
) -> DeliveryList:
    """Return the proofs of delivery in the scope of ``by``, newest first.

    Raises:
        Invalid: ``after`` is no delivery that ``by`` may see.
    """
    conditions = [_visible(by)]
    if state is not None:
        conditions.append(Delivery.state == state)
    if after is not None:
        conditions.append(_older_than(by, after))
    limit = max(1, min(limit, LIST_MAX))
    query = (
        select(Delivery, Message)
        .join(Message, Message.id == Delivery.message_id)
        .where(*conditions)
        .order_by(Delivery.created_at.desc(), Delivery.id.desc())
        .limit(limit + 1)
    )
    rows = [(delivery, message) for delivery, message in db.session().execute(query)]
    return DeliveryList(_views(rows[:limit]), rows[limit - 1][0].id if len(rows) > limit else None)


def delivery_counts(by: Principal, since: datetime) -> dict[DeliveryState, int]:
    """Return how many deliveries in the scope of ``by`` stand how, of those begun after ``since``."""
    query = (
        select(Delivery.state, func.count())
        .join(Message, Message.id == Delivery.message_id)
        .where(_visible(by), Delivery.created_at >= since)
        .group_by(Delivery.state)
    )
    return {DeliveryState(state): count for state, count in db.session().execute(query)}


def send_test(by: Principal, *, now: datetime, endpoint_id: int | None = None) -> int:
    """Send a test to every way of ``by``, or to an endpoint; return the message's id.

    Raises:
        NotFound: no such endpoint in the scope of ``by``.
        TooMany: too many tests.
    """
    limits.hit(TESTS, "alert-test", str(by.staff_id))
    if endpoint_id is None:
        recipient = staff_recipient(by.staff_id)
    else:
        get_endpoint(by, endpoint_id)
        recipient = endpoint_recipient(endpoint_id)
    item = wording.Item(
        topic=TEST_TOPIC,
        severity=Severity.INFO,
        title="测试消息",
        text=f"{by.name}发送的测试消息，收到即表示告警能够送达。",
        link="/alerts",
        at=now,
        body_id=None,
        city_code=None,
    )
    message = Message(
        recipient=recipient,
        kind=MessageKind.TEST,
        severity=Severity.INFO,
        title=wording.title_of([item]),
        content=wording.content_of([item], {}),
        alert_count=0,
        created_at=now,
    )
    db.writing().add(message)
    db.writing().flush()
    addresses.queue(message, now)
    audit.record(by.actor, "alert_message.test", "alert_message", message.id, {"to": recipient})
    return message.id


def _visible(by: Principal) -> ColumnElement[bool]:
    mine = Message.recipient == staff_recipient(by.staff_id)
    if scope.sees_province(by):
        return scope.condition(by, Message.body_id, Message.city_code)
    # A test tells nothing of a body: it belongs to whom it was sent to.
    endpoint_ids = db.session().scalars(
        select(Endpoint.id).where(scope.condition(by, Endpoint.body_id, Endpoint.city_code))
    )
    tests = and_(
        Message.kind == MessageKind.TEST,
        Message.recipient.in_([endpoint_recipient(one) for one in endpoint_ids]),
    )
    place = or_(Message.body_id.is_not(None), Message.city_code.is_not(None))
    return or_(mine, tests, and_(place, scope.condition(by, Message.body_id, Message.city_code)))


def _older_than(by: Principal, delivery_id: int) -> ColumnElement[bool]:
    query = (
        select(Delivery.created_at)
        .join(Message, Message.id == Delivery.message_id)
        .where(Delivery.id == delivery_id, _visible(by))
    )
    at = db.session().scalar(query)
    if at is None:
        raise Invalid("分页标记无效", fields={"after": ["分页标记无效"]})
    return or_(Delivery.created_at < at, and_(Delivery.created_at == at, Delivery.id < delivery_id))


def _messages(rows: Sequence[Message]) -> list[MessageView]:
    query = (
        select(Delivery)
        .where(Delivery.message_id.in_([row.id for row in rows]))
        .order_by(Delivery.created_at, Delivery.id)
    )
    by_id = {row.id: row for row in rows}
    found = _views([(one, by_id[one.message_id]) for one in db.session().scalars(query)])
    return [
        MessageView(
            row.id,
            row.kind,
            row.severity,
            row.title,
            row.content,
            row.alert_count,
            row.created_at,
            tuple(one for one in found if one.message_id == row.id),
        )
        for row in rows
    ]


def _views(rows: Sequence[tuple[Delivery, Message]]) -> list[DeliveryView]:
    names = _names({message.recipient for _, message in rows})
    return [
        DeliveryView(
            id=one.id,
            message_id=message.id,
            recipient_name=names[message.recipient],
            title=message.title,
            severity=message.severity,
            way=one.way,
            state=one.state,
            attempts=one.attempts,
            platform_id=one.platform_id,
            error=one.error,
            created_at=one.created_at,
            tried_at=one.tried_at,
            settled_at=one.settled_at,
        )
        for one, message in rows
    ]


def _names(recipients: Iterable[str]) -> dict[str, str]:
    found = organisations.names_of(recipients)
    ids = {endpoint_id: one for one in found if (endpoint_id := endpoint_id_of(one)) is not None}
    if ids:
        query = select(Endpoint.id, Endpoint.name).where(Endpoint.id.in_(ids))
        for endpoint_id, name in db.session().execute(query):
            found[ids[endpoint_id]] = name
    return found
