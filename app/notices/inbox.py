"""The messages of one resident in the hall: unread first, page by page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, and_, func, or_, select, update

from app.core import db
from app.core.errors import NotFound
from app.core.ids import read_id
from app.notices import receipts
from app.notices import wording as words
from app.notices.delivering import values_of
from app.notices.domain import HALL, TOPIC_LABELS, DeliveryState, Topic
from app.notices.models import Delivery, Message, TemplateVersion

PAGE_SIZE = 20
PAGE_MAX = 100
READ_MAX = 100

_CURSOR = re.compile(r"([01])-([0-9]{1,17})-([0-9]{1,19})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as its owner sees it."""

    id: int
    topic: Topic
    topic_label: str
    title: str = field(repr=False)
    body: str = field(repr=False)
    link: str = field(repr=False)
    created_at: datetime
    is_read: bool


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some messages; ``next_cursor`` leads to the following ones, None at the end."""

    items: list[MessageView]
    unread_count: int
    next_cursor: str | None


def messages(resident_id: int, *, cursor: str | None = None, limit: int = PAGE_SIZE) -> MessagePage:
    """Return a resident's messages, unread first, then the newest first.

    Raises:
        NotFound: the cursor is none of ours.
    """
    query = _mine(resident_id)
    if cursor is not None:
        is_read, created_at, message_id = _decoded(cursor)
        same = Message.is_read.is_(is_read)
        older = or_(
            Message.created_at < created_at,
            and_(Message.created_at == created_at, Message.id < message_id),
        )
        # Read ones come after all that are unread.
        after = and_(same, older) if is_read else or_(and_(same, older), Message.is_read.is_(True))
        query = query.where(after)
    order = (Message.is_read, Message.created_at.desc(), Message.id.desc())
    rows = list(db.session().scalars(query.order_by(*order).limit(limit + 1)))
    shown = rows[:limit]
    following = _encoded(shown[-1]) if len(rows) > limit else None
    return MessagePage(_views(shown), unread_count(resident_id), following)


def unread_count(resident_id: int) -> int:
    """Return how many messages a resident has not read."""
    mine = _mine(resident_id).where(Message.is_read.is_(False)).subquery()
    return db.session().scalars(select(func.count()).select_from(mine)).one()


def message(resident_id: int, message_id: int) -> MessageView:
    """Return one message of a resident.

    Raises:
        NotFound: no such message, or somebody else's.
    """
    row = db.session().scalar(_mine(resident_id).where(Message.id == message_id))
    if row is None:
        raise NotFound("没有这条消息")
    return _views([row])[0]


def mark_read(resident_id: int, message_ids: Sequence[int], now: datetime) -> int:
    """Note that a resident read some messages; return how many were new to them.

    Other people's messages, and those read already, are passed over.
    """
    query = _mine(resident_id).where(Message.id.in_(message_ids[:READ_MAX]), Message.is_read.is_(False))
    rows = list(db.writing().scalars(query.order_by(Message.id).with_for_update()))
    for row in rows:
        row.is_read, row.read_at = True, now
    _settle_in_hall(rows, now)
    return len(rows)


def mark_all_read(resident_id: int, now: datetime) -> int:
    """Note that a resident read all messages up to ``now``; return how many were new to them."""
    read = db.writing().execute(
        update(Message)
        .where(Message.resident_id == resident_id, Message.is_read.is_(False), Message.created_at <= now)
        .values(is_read=True, read_at=now)
        .execution_options(synchronize_session=False)
    )
    waiting = (
        select(Message)
        .join(Delivery, Delivery.message_id == Message.id)
        .where(
            Message.resident_id == resident_id,
            Message.is_read.is_(True),  # not what came in this moment
            Delivery.way == HALL,
            Delivery.state == DeliveryState.ACCEPTED,
        )
    )
    _settle_in_hall(list(db.writing().scalars(waiting)), now)
    return int(read.rowcount)  # type: ignore[attr-defined]


def _settle_in_hall(rows: Sequence[Message], now: datetime) -> None:
    """Read in the hall is delivered there, where the hall was the last way."""
    read = {row.id: row for row in rows}
    halls = select(Delivery).where(
        Delivery.message_id.in_(read), Delivery.way == HALL, Delivery.state == DeliveryState.ACCEPTED
    )
    for hall in list(db.writing().scalars(halls)):
        row = read[hall.message_id]
        hall.state = row.state = DeliveryState.DELIVERED
        hall.settled_at = now
        receipts.note_binding(row, hall, now)


def _mine(resident_id: int) -> Select[Message]:
    # What is kept as a proof only, without its text, is no message any more.
    return select(Message).where(Message.resident_id == resident_id, Message.values_token.is_not(None))


def _views(rows: Sequence[Message]) -> list[MessageView]:
    ids = {row.version_id for row in rows}
    query = select(TemplateVersion).where(TemplateVersion.id.in_(ids))
    versions = {one.id: one for one in db.session().scalars(query)}
    views = []
    for row in rows:
        values, version = values_of(row), versions[row.version_id]
        views.append(
            MessageView(
                id=row.id,
                topic=row.topic,
                topic_label=TOPIC_LABELS[row.topic],
                title=words.filled(version.title, values),
                body=words.filled(version.body, values),
                link=row.link,
                created_at=row.created_at,
                is_read=row.is_read,
            )
        )
    return views


def _encoded(row: Message) -> str:
    return f"{int(row.is_read)}-{(row.created_at - _EPOCH) // timedelta(microseconds=1)}-{row.id}"


def _decoded(cursor: str) -> tuple[bool, datetime, int]:
    found = _CURSOR.fullmatch(cursor)
    message_id = read_id(found[3]) if found else None
    if found is None or message_id is None:
        raise NotFound("没有这一页")
    return found[1] == "1", _EPOCH + timedelta(microseconds=int(found[2])), message_id
