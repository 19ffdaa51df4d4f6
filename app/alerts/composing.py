"""From notices to messages: everything that one recipient is due makes one message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update

from app.alerts import addresses, wording
from app.alerts.domain import WORST_SHOWN, DeliveryState, MessageKind, Severity
from app.alerts.models import AlertRow, Delivery, Message, Notice
from app.alerts.recipients import is_recovery
from app.alerts.wording import Item
from app.core import db
from app.organisations import service as organisations

NOT_TOLD, RECOVERED = "not_told", "recovered"
_REACHED = (DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.DELIVERED)
_CHUNK = 500

_Pair = tuple[Notice, AlertRow]


def compose(recipient: str, now: datetime) -> int | None:
    """Make one message of everything that ``recipient`` is due; return its id, None when there is nothing.

    Needs a running transaction: message, deliveries and their jobs are there together or not at all.
    """
    due = (
        select(Notice, AlertRow)
        .join(AlertRow, AlertRow.id == Notice.alert_id)
        .where(
            Notice.recipient == recipient,
            Notice.message_id.is_(None),
            Notice.dropped.is_(None),
            Notice.due_at <= now,
        )
        .order_by(AlertRow.at)
        .with_for_update(of=Notice)
    )
    pairs = [(notice, alert) for notice, alert in db.writing().execute(due)]
    pairs = _without_unheard_recoveries(recipient, pairs)
    if not pairs:
        return None
    items = _items(pairs)
    message = _write(recipient, items, now)
    for chunk in _chunks([notice.id for notice, _ in pairs]):
        mark = update(Notice).where(Notice.id.in_(chunk)).values(message_id=message.id)
        db.writing().execute(mark.execution_options(synchronize_session=False))
    addresses.queue(message, now)
    return message.id


def _write(recipient: str, items: Sequence[Item], now: datetime) -> Message:
    worst = wording.worst_first(items)
    bodies, cities = {item.body_id for item in items}, {item.city_code for item in items}
    named = {item.body_id for item in worst[:WORST_SHOWN] if item.body_id is not None}
    message = Message(
        recipient=recipient,
        kind=MessageKind.ALERT,
        severity=wording.severity_of(items),
        title=wording.title_of(items),
        content=wording.content_of(items, {one: organisations.get_body(one).full_name for one in named}),
        alert_count=sum(item.count for item in items),
        body_id=bodies.pop() if len(bodies) == 1 else None,
        city_code=cities.pop() if len(cities) == 1 else None,
        created_at=now,
    )
    db.writing().add(message)
    db.writing().flush()
    return message


def _without_unheard_recoveries(recipient: str, pairs: Sequence[_Pair]) -> list[_Pair]:
    """Leave out recoveries of outages that never reached the recipient, and those outages with them."""
    here = {notice.matter for notice, _ in pairs if not is_recovery(notice.topic)}
    over = {notice.matter for notice, _ in pairs if is_recovery(notice.topic)}
    heard = here | _reached(recipient, over - here)
    unheard = [notice for notice, _ in pairs if is_recovery(notice.topic) and notice.matter not in heard]
    for notice in unheard:
        notice.dropped = NOT_TOLD
    if over:
        # An outage that still waits to be told is over by now.
        waiting = update(Notice).where(
            Notice.recipient == recipient,
            Notice.matter.in_(over),
            Notice.message_id.is_(None),
            Notice.dropped.is_(None),
            Notice.id.not_in([notice.id for notice, _ in pairs]),
            Notice.alert_id.in_(
                select(AlertRow.id).where(AlertRow.at <= max(alert.at for _, alert in pairs))
            ),
        )
        db.writing().execute(waiting.values(dropped=RECOVERED).execution_options(synchronize_session=False))
    db.writing().flush()
    return [(notice, alert) for notice, alert in pairs if notice.dropped is None]


def _reached(recipient: str, matters: Iterable[str]) -> set[str]:
    query = (
        select(Notice.matter)
        .join(Delivery, Delivery.message_id == Notice.message_id)
        .where(
            Notice.recipient == recipient,
            Notice.matter.in_(set(matters)),
            Delivery.state.in_(_REACHED),
        )
        .distinct()
    )
    return set(db.writing().scalars(query))


def _items(pairs: Sequence[_Pair]) -> list[Item]:
    """Fold alerts of one topic and matter into one, and an outage and its end into one."""
    places = organisations.places({alert.body_id for _, alert in pairs if alert.body_id is not None})
    folded: dict[tuple[str, str], Item] = {}
    for notice, alert in pairs:
        ended = [key for key in folded if key[1] == notice.matter] if is_recovery(alert.topic) else []
        if ended:
            for key in ended:
                folded[key] = replace(folded[key], recovered_at=alert.at)
            continue
        key = (alert.topic, notice.matter)
        known = folded.get(key)
        place = places.get(alert.body_id) if alert.body_id is not None else None
        folded[key] = Item(
            topic=alert.topic,
            severity=max(alert.severity, known.severity, key=_rank) if known else alert.severity,
            title=alert.title,
            text=alert.text,
            link=alert.link,
            at=known.at if known else alert.at,
            body_id=alert.body_id,
            city_code=place.city_code if place is not None else alert.city_code,
            count=known.count + 1 if known else 1,
        )
    return list(folded.values())


def _rank(severity: Severity) -> int:
    return severity.rank


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
