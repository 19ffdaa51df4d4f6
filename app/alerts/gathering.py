"""From alerts to notices: who is to know of what, and when. Runs once per storm, not once per alert."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update

from app.alerts.domain import GIVE_UP_AFTER, HOLD, PACE, REPEAT_AFTER, DeliveryState, MessageKind, Severity
from app.alerts.models import AlertRow, Delivery, Message, Notice
from app.alerts.recipients import Directory, is_recovery
from app.core import db, outbox
from app.core.ids import new_id

COMPOSE_JOB = "alerts.compose"
BATCH = 500
LATE = timedelta(seconds=30)
"""A notice that is due for longer was forgotten by a job that died."""


@dataclass(frozen=True, slots=True)
class _Told:
    """The last that a recipient was told, or is about to be told, of one matter."""

    topic: str
    severity: Severity
    at: datetime | None


def matter_of(alert: AlertRow) -> str:
    """Return what an alert is about: its group, and whose."""
    return f"{alert.group_key}@{alert.body_id or ''}"


def gather(now: datetime) -> int:
    """Find the recipients of all alerts that wait; return how many alerts there were.

    Each batch is one transaction, so that a process that dies loses nothing and repeats nothing.
    Messages are asked for at the end, so that a storm of several batches makes one each.
    """
    count, due = 0, dict[str, datetime]()
    while True:
        taken, found = db.transaction(lambda: _gather_batch(now))
        count += taken
        for recipient, at in found.items():
            due[recipient] = min(at, due.get(recipient, at))
        if taken < BATCH:
            break
    if due:
        db.transaction(lambda: _ask_for_messages(due))
    return count


def find_forgotten(now: datetime) -> int:
    """Ask again for messages that are overdue; return for how many recipients."""
    query = (
        select(Notice.recipient)
        .where(Notice.message_id.is_(None), Notice.dropped.is_(None), Notice.due_at < now - LATE)
        .distinct()
    )
    waiting = list(db.session().scalars(query))
    if waiting:
        db.transaction(lambda: _ask_for_messages(dict.fromkeys(waiting, now)))
    return len(waiting)


def give_up(now: datetime) -> int:
    """Settle deliveries whose jobs never came to an end; return how many."""
    lost = (
        update(Delivery)
        .where(Delivery.state == DeliveryState.QUEUED, Delivery.created_at < now - GIVE_UP_AFTER)
        .values(state=DeliveryState.FAILED, error="given_up", settled_at=now)
    )
    return int(db.writing().execute(lost).rowcount)  # type: ignore[attr-defined]


def _ask_for_messages(due: dict[str, datetime]) -> None:
    for recipient, at in due.items():
        key = f"{COMPOSE_JOB}:{recipient}:{int(at.timestamp() * 1000)}"
        outbox.enqueue(COMPOSE_JOB, {"recipient": recipient}, dedup_key=key, run_at=at)


def _gather_batch(now: datetime) -> tuple[int, dict[str, datetime]]:
    waiting = select(AlertRow.id).where(AlertRow.gathered_at.is_(None)).order_by(AlertRow.at).limit(BATCH)
    # Locked: what another worker holds is gathered there, and gone from here once it has committed.
    ids = list(db.writing().scalars(waiting.with_for_update()))
    if not ids:
        return 0, {}
    alerts = list(db.writing().scalars(select(AlertRow).where(AlertRow.id.in_(ids)).order_by(AlertRow.at)))
    due = _tell_of(alerts, now)
    mark = update(AlertRow).where(AlertRow.id.in_(ids)).values(gathered_at=now)
    db.writing().execute(mark.execution_options(synchronize_session=False))
    return len(ids), due


def _tell_of(alerts: Sequence[AlertRow], now: datetime) -> dict[str, datetime]:
    directory = Directory.read({alert.body_id for alert in alerts if alert.body_id is not None})
    told = _told({matter_of(alert) for alert in alerts})
    paced: dict[str, datetime] = {}
    rows, due = [], dict[str, datetime]()
    for alert in alerts:
        known_of_it = told[matter_of(alert)]
        for recipient in _recipients(directory, known_of_it, alert):
            known = known_of_it.get(recipient)
            at = _due_at(directory, recipient, alert, known, now)
            if recipient not in paced:
                paced[recipient] = _earliest(recipient, now)
            at = max(at, paced[recipient])
            known_of_it[recipient] = _Told(
                alert.topic, alert.severity, known.at if known and known.topic == alert.topic else None
            )
            rows.append(
                {
                    "id": new_id(),
                    "recipient": recipient,
                    "alert_id": alert.id,
                    "topic": alert.topic,
                    "matter": matter_of(alert),
                    "due_at": at,
                }
            )
            due[recipient] = min(at, due.get(recipient, at))
    if rows:
        db.writing().execute(db.insert_ignoring(Notice), rows)
    return due


def _recipients(directory: Directory, known: Mapping[str, _Told], alert: AlertRow) -> list[str]:
    if is_recovery(alert.topic):
        # Whoever knows of the outage learns of its end, once, whatever else they asked for.
        return [recipient for recipient, last in known.items() if not is_recovery(last.topic)]
    return [one for one in directory.recipients(alert) if directory.wishes_for(one).wants(alert)]


def _due_at(
    directory: Directory, recipient: str, alert: AlertRow, known: _Told | None, now: datetime
) -> datetime:
    severity = alert.severity
    if is_recovery(alert.topic) and known is not None:
        severity = max(severity, known.severity, key=lambda one: one.rank)  # who was woken may sleep again
    at = directory.wishes_for(recipient).due_at(now, severity)
    if known is not None and known.topic == alert.topic and known.at is not None:
        at = max(at, known.at + REPEAT_AFTER)
    return at


def _told(matters: Iterable[str]) -> dict[str, dict[str, _Told]]:
    """Return, by matter and recipient, what they were told last, or wait to be told."""
    query = (
        select(Notice.recipient, Notice.matter, Notice.topic, AlertRow.severity, Message.created_at)
        .join(AlertRow, AlertRow.id == Notice.alert_id)
        .outerjoin(Message, Message.id == Notice.message_id)
        .where(Notice.matter.in_(set(matters)), Notice.dropped.is_(None))
        .order_by(AlertRow.at)
    )
    found: dict[str, dict[str, _Told]] = defaultdict(dict)
    for recipient, matter, topic, severity, at in db.writing().execute(query):
        before = found[matter].get(recipient)
        if at is None and before is not None and before.topic == topic:
            at = before.at  # a repetition that waits: what counts is when it was really told
        found[matter][recipient] = _Told(topic, severity, at)
    return found


def _earliest(recipient: str, now: datetime) -> datetime:
    before = select(func.max(Message.created_at)).where(
        Message.recipient == recipient, Message.kind == MessageKind.ALERT
    )
    last = db.writing().scalar(before)
    return now if last is None else max(now, last + PACE)


def gather_late(now: datetime) -> int:
    """Gather when alerts wait for longer than any hold: their job was lost."""
    oldest = db.session().scalar(select(func.min(AlertRow.at)).where(AlertRow.gathered_at.is_(None)))
    return gather(now) if oldest is not None and oldest < now - HOLD - LATE else 0


def forget_old(before: datetime) -> int:
    """Delete alerts and messages from before ``before``, some thousand at most; return how many."""
    alerts = list(db.writing().scalars(select(AlertRow.id).where(AlertRow.at < before).limit(BATCH)))
    messages = list(db.writing().scalars(select(Message.id).where(Message.created_at < before).limit(BATCH)))
    db.writing().execute(
        delete(Notice).where(or_(Notice.alert_id.in_(alerts), Notice.message_id.in_(messages)))
    )
    db.writing().execute(delete(Delivery).where(Delivery.message_id.in_(messages)))
    db.writing().execute(delete(Message).where(Message.id.in_(messages)))
    db.writing().execute(delete(AlertRow).where(AlertRow.id.in_(alerts)))
    return len(alerts) + len(messages)
