"""What is known of a resident's standing with an account: following, last words, consents to notices.

A platform's user id names a person: here stands a keyed digest of it only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, delete, event, or_, select, update
from sqlalchemy.orm import Session

from app.channel_accounts.service import AccountView
from app.core import db, vault
from app.core.ids import new_id
from app.notices.domain import PLATFORM_TEMPLATE_MAX, SERVICE_WINDOW
from app.notices.models import ConsentRow, Contact
from channels.base import Consent

SUBJECT_FIELD = "notice_subject"
_CONTACTS = cast(Table, Contact.__table__)
_TOUCH = (
    update(_CONTACTS)
    .where(
        _CONTACTS.c.account_id == bindparam("for_account"),
        _CONTACTS.c.subject_index == bindparam("for_index"),
        _CONTACTS.c.changed_at <= bindparam("at"),
    )
    .values(spoke_at=bindparam("at"), changed_at=bindparam("at"))
)
CONSENTS_MAX = 1000
"""More accepted windows than this are no consents but a fault."""


NOTE_EVERY = timedelta(minutes=5)
NOTED_MAX = 50_000

_noted: dict[tuple[int, str], datetime] = {}
"""When this process last wrote down that somebody turned to an account; may vanish at any time."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account may do for one resident.

    Attributes:
        following: None when nobody said.
        may_write: the resident turned to the account within 48 hours.
    """

    contact_id: int | None
    following: bool | None
    may_write: bool


def standing(account_id: int, subject: str, now: datetime) -> Standing:
    """Return the standing of a user with an account."""
    row = db.session().scalar(
        select(Contact)
        .where(Contact.account_id == account_id, Contact.subject_index == _index(account_id, subject))
        .execution_options(populate_existing=True)
    )
    if row is None:
        return Standing(None, None, may_write=False)
    recent = row.spoke_at is not None and now - row.spoke_at < SERVICE_WINDOW
    return Standing(row.id, row.following, may_write=recent and row.following is not False)


def note_contact(account: AccountView, sender: str, now: datetime) -> None:
    """Note that somebody wrote to the account or tapped its menu: 48 hours begin anew.

    Written down at most every five minutes: who writes much does not make the database write more.
    """
    key = (account.id, _index(account.id, sender))
    noted = _noted.get(key)
    if noted is not None and timedelta() <= now - noted < NOTE_EVERY:
        return
    # Every message comes through here: whose sender is known costs this one statement.
    changed = db.writing().execute(_TOUCH, {"for_account": key[0], "for_index": key[1], "at": now})
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        _put(account.id, sender, now, spoke_at=now)

    def remember(session: Session) -> None:
        if session.in_nested_transaction():
            return  # a savepoint ended: the transaction may still be undone
        if len(_noted) >= NOTED_MAX:
            _noted.clear()
        _noted[key] = now

    event.listen(db.writing(), "after_commit", remember)


def note_follow(account: AccountView, sender: str, now: datetime) -> None:
    """Note that somebody follows the account; that counts as turning to it."""
    _put(account.id, sender, now, following=True, spoke_at=now)


def note_unfollow(account: AccountView, sender: str, now: datetime) -> None:
    """Note that somebody left the account; the consents until then end with it."""
    contact_id = _put(account.id, sender, now, following=False, spoke_at=None)
    db.writing().execute(
        delete(ConsentRow).where(ConsentRow.contact_id == contact_id, ConsentRow.changed_at <= now)
    )


def note_consents(account: AccountView, sender: str, consents: Sequence[Consent], now: datetime) -> None:
    """Note what somebody allowed and forbade: each allowed form is one message more (订阅一次一条)."""
    if not consents:
        return
    contact_id = _put(account.id, sender, now)
    for one in consents:
        if 1 <= len(one.template_key) <= PLATFORM_TEMPLATE_MAX:
            _change(contact_id, one.template_key, granted=one.granted, now=now)


def take_consent(contact_id: int, platform_template: str, now: datetime, *, long_term: bool) -> int | None:
    """Use up one consent; None when there is none. A long-term one is not used up."""
    row_id = db.writing().scalar(
        select(ConsentRow.id).where(
            ConsentRow.contact_id == contact_id, ConsentRow.platform_template == platform_template
        )
    )
    if row_id is None:
        return None
    left = ConsentRow.remaining if long_term else ConsentRow.remaining - 1
    taken = db.writing().execute(
        update(ConsentRow)
        .where(ConsentRow.id == row_id, ConsentRow.remaining > 0)
        .values(remaining=left, changed_at=now)
    )
    return int(row_id) if taken.rowcount == 1 else None  # type: ignore[attr-defined]


def give_back(consent_id: int, now: datetime) -> None:
    """Return a consent under which nothing was sent, unless it was taken back meanwhile."""
    db.writing().execute(
        update(ConsentRow)
        .where(ConsentRow.id == consent_id, ConsentRow.refused_at.is_(None))
        .values(remaining=ConsentRow.remaining + 1, changed_at=now)
    )


def clear_consent(account_id: int, subject: str, platform_template: str, now: datetime) -> None:
    """Note that the platform says there is no consent, whatever was counted (43101)."""
    contact_id = standing(account_id, subject, now).contact_id
    if contact_id is not None:
        _change(contact_id, platform_template, granted=False, now=now)


def doubt(account_id: int, subject: str, now: datetime, *, following: bool) -> None:
    """Believe the platform that it lets us not write to somebody.

    Args:
        following: it says that the user does not follow; else only that 48 hours are over.
    """
    values: dict[str, object] = {"following": False} if following else {}
    _put(account_id, subject, now, **{**values, "spoke_at": None})


def consents_left(account_id: int, subject: str, platform_template: str, now: datetime) -> int:
    """Return how many messages of a form the user still allows."""
    contact_id = standing(account_id, subject, now).contact_id
    found = db.session().scalar(
        select(ConsentRow.remaining).where(
            ConsentRow.contact_id == contact_id, ConsentRow.platform_template == platform_template
        )
    )
    return int(found or 0)


def _change(contact_id: int, platform_template: str, *, granted: bool, now: datetime) -> None:
    where = (ConsentRow.contact_id == contact_id, ConsentRow.platform_template == platform_template)
    fresh = {
        "id": new_id(),
        "contact_id": contact_id,
        "platform_template": platform_template,
        "remaining": 0,
        "changed_at": now,
    }
    db.writing().execute(db.insert_ignoring(ConsentRow), fresh)
    change = update(ConsentRow).where(*where)
    if granted:
        change = change.where(ConsentRow.remaining < CONSENTS_MAX).values(
            remaining=ConsentRow.remaining + 1, refused_at=None, changed_at=now
        )
    else:
        change = change.values(remaining=0, refused_at=now, changed_at=now)
    db.writing().execute(change)


def _put(account_id: int, sender: str, now: datetime, **values: object) -> int:
    """Change what is known of a user, who may be new; return the contact's id.

    What happened earlier never undoes what happened later: platforms repeat and reorder.
    """
    index = _index(account_id, sender)
    where = (Contact.account_id == account_id, Contact.subject_index == index)
    fresh = {"id": new_id(), "account_id": account_id, "subject_index": index, "changed_at": now}
    db.writing().execute(db.insert_ignoring(Contact), fresh)
    if values:
        db.writing().execute(
            update(Contact)
            .where(*where, or_(Contact.changed_at <= now, Contact.following.is_(None)))
            .values(**values, changed_at=now)
            .execution_options(synchronize_session=False)
        )
    return db.writing().scalars(select(Contact.id).where(*where)).one()


def _index(account_id: int, subject: str) -> str:
    return vault.blind_index(SUBJECT_FIELD, f"{account_id}|{subject}")
