"""Residents whom a person of ours answers, so that the hall keeps silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from app.conversations.domain import SENDER_FIELD, TALK_ENDS_AFTER
from app.conversations.models import PersonTalk
from app.conversations.versions import look_again
from app.core import audit, db, vault
from app.core.errors import NotFound
from app.core.ids import new_id
from channels.base import InboundEvent

_BEGUN, _ENDED, _PASSED_ON = "event:kf_create_session", "event:kf_close_session", "event:kf_switch_session"


@dataclass(frozen=True, slots=True)
class TalkView:
    """One talk under way; never who with.

    Attributes:
        taken_at: None while the resident waits for a person.
    """

    id: int
    asked_at: datetime
    taken_at: datetime | None
    ends_at: datetime


def find(account_id: int, sender: str, now: datetime) -> TalkView | None:
    """Return the talk a resident is in."""
    row = db.session().scalar(
        select(PersonTalk).where(
            PersonTalk.account_id == account_id,
            PersonTalk.sender_index == _index(account_id, sender),
            PersonTalk.ends_at > now,
        )
    )
    return None if row is None else _view(row)


def under_way(account_id: int, now: datetime) -> list[TalkView]:
    """Return all talks of an account, who waits longest first."""
    rows = select(PersonTalk).where(PersonTalk.account_id == account_id, PersonTalk.ends_at > now)
    return [_view(row) for row in db.session().scalars(rows.order_by(PersonTalk.asked_at).limit(200))]


def ask(account_id: int, sender: str, now: datetime) -> None:
    """Note that a resident waits for a person."""
    _put(account_id, sender, now)


def follow(account_id: int, event: InboundEvent, now: datetime) -> None:
    """Note that a person took a conversation over, passed it on or ended it."""
    kind = event.raw_type.lower()
    if kind == _ENDED:
        gone = delete(PersonTalk).where(
            PersonTalk.account_id == account_id, PersonTalk.sender_index == _index(account_id, event.sender)
        )
        db.writing().execute(gone)
        look_again(account_id)
    elif kind in (_BEGUN, _PASSED_ON):
        _put(account_id, event.sender, now, taken_at=now)


def end(account_id: int, talk_id: int, *, actor: str) -> None:
    """Give a conversation back to the hall.

    Raises:
        NotFound: no such talk of this account.
    """
    gone = delete(PersonTalk).where(PersonTalk.id == talk_id, PersonTalk.account_id == account_id)
    if db.writing().execute(gone).rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound("没有这个人工会话，可能已经结束")
    audit.record(actor, "person_talk.end", "channel_account", account_id, {})
    look_again(account_id)


def forget_ended(now: datetime) -> int:
    """Delete talks that the platform has given back by itself; return how many."""
    gone = db.writing().execute(delete(PersonTalk).where(PersonTalk.ends_at <= now))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _put(account_id: int, sender: str, now: datetime, **values: object) -> None:
    index = _index(account_id, sender)
    ends_at = now + TALK_ENDS_AFTER
    fresh = {
        "id": new_id(),
        "account_id": account_id,
        "sender_index": index,
        "asked_at": now,
        "ends_at": ends_at,
    }
    db.writing().execute(db.insert_ignoring(PersonTalk), fresh)
    db.writing().execute(
        update(PersonTalk)
        .where(PersonTalk.account_id == account_id, PersonTalk.sender_index == index)
        .values(ends_at=ends_at, **values)
        .execution_options(synchronize_session=False)
    )
    look_again(account_id)


def _index(account_id: int, sender: str) -> str:
    return vault.blind_index(SENDER_FIELD, f"{account_id}|{sender}")


def _view(row: PersonTalk) -> TalkView:
    return TalkView(row.id, row.asked_at, row.taken_at, row.ends_at)
