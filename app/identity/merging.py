"""Two accounts of one person become one, with proof of both, and can be parted again (账户归并).

Nothing is moved: each case keeps the account it was made with, and ``people.accounts_of`` names all
accounts of a person. Parting them is one state more. Source: state machine ``account_link``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select

from app.core import audit, db, hearing, outbox
from app.core.cursor import decode, encode
from app.core.errors import Invalid, LevelTooLow, NotFound
from app.identity import delegations, people, sessions
from app.identity.domain import NAME_LEVEL
from app.identity.models import Resident
from app.identity.people_domain import (
    LINK_LIFE,
    LINK_MOVES,
    REASON_MAX,
    LinkEvent,
    LinkExpired,
    LinkState,
    NotAllowedNow,
)
from app.identity.people_models import AccountLink, Person
from app.identity.residents import BindingView, actor_of, bindings

MERGE_JOB = "identity.merge-proved"
LINKS_AT_ONCE = 50
_OPEN = (LinkState.PROPOSED, LinkState.PROVED)


@dataclass(frozen=True, slots=True)
class LinkView:
    """A merger as its person sees it, from one of the two accounts.

    Attributes:
        other_id: the other account; ``other_bindings`` is how one signs in to it.
        proved_here, proved_there: which account has agreed already.
    """

    id: int
    state: LinkState
    other_id: int
    other_created_at: datetime
    other_bindings: tuple[BindingView, ...]
    proved_here: bool
    proved_there: bool
    proposed_at: datetime
    expires_at: datetime
    merged_at: datetime | None


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A merger as staff see it: numbers of accounts, nothing about whose they are."""

    id: int
    state: LinkState
    first_id: int
    second_id: int
    merged_at: datetime
    undone_at: datetime | None
    undone_by: str
    reason: str
    version: int


def join(person: Person, resident_id: int, *, now: datetime) -> None:
    """Bring the other accounts of a person to one that was just verified.

    Those that nobody can sign in to are merged at once: who proved to be the person has proved all
    there is to prove. To each other one a merger is proposed, unless one is under way.
    """
    bound = people.accounts_with(person.id, bound=True)
    for other in people.accounts_with(person.id, bound=False):
        if other != resident_id and set(people.accounts_of(other)).isdisjoint(bound):
            _claim(person, other, resident_id, now)
    joined = set(people.accounts_of(resident_id))
    for other in bound:
        if other not in joined:
            joined |= set(people.accounts_of(other))
            if not _under_way(person.id, resident_id, other):
                _propose(person, other, resident_id, now)


def links(resident_id: int) -> list[LinkView]:
    """Return the mergers of an account that are under way or done, the newest first."""
    query = (
        select(AccountLink)
        .where(_of(resident_id), AccountLink.state.in_((*_OPEN, LinkState.MERGED)))
        .order_by(AccountLink.proposed_at.desc(), AccountLink.id)
    )
    return [_view(row, resident_id) for row in db.session().scalars(query)]


def link(resident_id: int, link_id: int) -> LinkView:
    """Return one merger of an account.

    Raises:
        NotFound: none, or it is of other accounts.
    """
    row = db.session().get(AccountLink, link_id)
    if row is None or resident_id not in (row.first_id, row.second_id):
        raise NotFound("没有这次归并")
    return _view(row, resident_id)


def prove_link(resident_id: int, level: int, link_id: int, *, now: datetime) -> LinkState:
    """Agree to a merger from one of its accounts, signed in to it; the second to agree sets it going.

    Args:
        level: how sure the session is of who it is.

    Raises:
        NotFound: none, or it is of other accounts.
        LevelTooLow: the real name is not proved in this account.
        LinkExpired: the time for it is over.
        NotAllowedNow: it is past that.
    """
    row = db.writing().get(AccountLink, link_id, with_for_update=True)
    if row is None or resident_id not in (row.first_id, row.second_id):
        raise NotFound("没有这次归并")
    if level < NAME_LEVEL:
        raise LevelTooLow(NAME_LEVEL)
    if row.state is LinkState.EXPIRED or (row.state is LinkState.PROPOSED and now >= row.expires_at):
        raise LinkExpired
    if row.state is not LinkState.PROPOSED:
        raise NotAllowedNow
    if resident_id == row.first_id:
        row.first_proved_at = row.first_proved_at or now
    else:
        row.second_proved_at = row.second_proved_at or now
    audit.record(actor_of(resident_id), "account-link.prove", "account_link", row.id)
    if row.first_proved_at is not None and row.second_proved_at is not None:
        _move(row, LinkEvent.PROVE_BOTH, actor_of(resident_id))
        outbox.enqueue(MERGE_JOB, {}, dedup_key=f"{MERGE_JOB}:{row.id}")
    db.writing().flush()
    return row.state


def merge_proved(now: datetime, *, limit: int = 100) -> int:
    """Merge what both accounts have agreed to; return how many. An account closed meanwhile ends it."""
    query = select(AccountLink).where(AccountLink.state == LinkState.PROVED).limit(limit)
    rows = db.writing().scalars(query.with_for_update()).all()
    for row in rows:
        still = select(Resident.id).where(
            Resident.id.in_((row.first_id, row.second_id)),
            Resident.person_id == row.person_id,
            Resident.closed_at.is_(None),
        )
        if len(db.writing().scalars(still).all()) == 2:
            _move(row, LinkEvent.MERGE, "system")
            row.merged_at = now
        else:
            _move(row, LinkEvent.TIMEOUT, "system")
    return len(rows)


def expire_links(now: datetime, *, limit: int = 500) -> int:
    """End proposals whose time is over; return how many."""
    query = (
        select(AccountLink)
        .where(AccountLink.state == LinkState.PROPOSED, AccountLink.expires_at <= now)
        .limit(limit)
    )
    rows = db.writing().scalars(query.with_for_update()).all()
    for row in rows:
        _move(row, LinkEvent.TIMEOUT, "system")
    return len(rows)


def undo_link(
    link_id: int, *, version: int, reason: str, release: int | None, actor: str, now: datetime
) -> None:
    """Part two accounts again, for staff; nothing is lost, since nothing was moved.

    Args:
        release: which of the two is not this person's: its real name is taken away. None keeps both.

    Raises:
        NotFound: no such merger.
        Invalid: no reason, or ``release`` is none of the two.
        NotAllowedNow: it is not merged, or somebody else was first.
    """
    row = db.writing().get(AccountLink, link_id, with_for_update=True)
    if row is None:
        raise NotFound("没有这次归并")
    if not 0 < len(reason.strip()) <= REASON_MAX:
        problem = f"请写明撤销的理由，最多 {REASON_MAX} 个字"
        raise Invalid(problem, fields={"reason": [problem]})
    if release not in (None, row.first_id, row.second_id):
        raise Invalid("要解除实名的账户不在这次归并里", fields={"release": ["选两个账户之一"]})
    if row.version != version:
        raise NotAllowedNow
    _undo(row, reason.strip(), actor, now)
    if release is not None:
        account = db.writing().get(Resident, release, with_for_update=True)
        if account is not None and account.closed_at is None:
            _release(account, row, reason.strip(), actor, now)
    db.writing().flush()


def _release(account: Resident, link: AccountLink, reason: str, actor: str, now: datetime) -> None:
    """Take an account's real name away, and all that came with it: mergers, delegations, a face.

    What nobody can sign in to goes over to an account that is still the person's.
    """
    query = select(AccountLink).where(
        _of(account.id), AccountLink.state.in_((*_OPEN, LinkState.MERGED)), AccountLink.id != link.id
    )
    for other in db.writing().scalars(query.with_for_update()).all():
        if other.state is LinkState.MERGED:
            _undo(other, reason, actor, now)
        else:
            _move(other, LinkEvent.TIMEOUT, actor)
    delegations.end_all_of(account.id, now=now)
    sessions.forget_faces(account.id)
    people.detach(account)
    audit.record(actor, "resident.unverify", "resident", account.id)
    left = people.accounts_with(link.person_id, bound=True)
    person = db.writing().get(Person, link.person_id, with_for_update=True)
    if person is not None and left:
        ends = [one for one in left if one in (link.first_id, link.second_id)]
        join(person, (ends or left)[0], now=now)


def leave_to(account: Resident, heir_id: int, *, now: datetime) -> None:
    """Part a closed account from those nobody can sign in to, and let another of the person have them.

    The other one agreed to no merger: it sees what departments brought in, and nothing of the closed one.
    """
    query = select(AccountLink).where(_of(account.id), AccountLink.state == LinkState.MERGED)
    rows = db.writing().scalars(query.with_for_update()).all()
    for row in rows:
        _undo(row, "账户已注销", actor_of(account.id), now)
    person = db.writing().get(Person, rows[0].person_id, with_for_update=True) if rows else None
    if person is not None:
        join(person, heir_id, now=now)


def _undo(row: AccountLink, reason: str, actor: str, now: datetime) -> None:
    _move(row, LinkEvent.UNDO, actor)
    row.undone_at, row.undone_by, row.reason = now, actor, reason


def merged_links(
    *, account_id: int | None = None, cursor: str | None = None, limit: int = LINKS_AT_ONCE
) -> tuple[list[LinkRow], str | None]:
    """Return mergers that were made, undone ones too, the newest first, and the cursor of the next part.

    Args:
        account_id: only those of this account.

    Raises:
        Invalid: the cursor is none of ours.
    """
    query = select(AccountLink).where(AccountLink.merged_at.is_not(None))
    if account_id is not None:
        query = query.where(_of(account_id))
    if cursor is not None:
        at, last = decode(cursor)
        older = and_(AccountLink.merged_at == at, AccountLink.id < last)
        query = query.where(or_(AccountLink.merged_at < at, older))
    query = query.order_by(AccountLink.merged_at.desc(), AccountLink.id.desc()).limit(limit + 1)
    rows = db.session().scalars(query).all()
    more = len(rows) > limit and rows[limit - 1].merged_at
    return [_row(row) for row in rows[:limit]], encode(more, rows[limit - 1].id) if more else None


def merged_link(link_id: int) -> LinkRow:
    """Return one merger that was made.

    Raises:
        NotFound: no such one.
    """
    row = db.session().get(AccountLink, link_id)
    if row is None or row.merged_at is None:
        raise NotFound("没有这次归并")
    return _row(row)


def end_links_of(account: Resident) -> None:
    """End what is under way for an account that is being closed."""
    query = select(AccountLink).where(_of(account.id), AccountLink.state.in_(_OPEN))
    for row in db.writing().scalars(query.with_for_update()).all():
        _move(row, LinkEvent.TIMEOUT, actor_of(account.id))


def _claim(person: Person, other: int, resident_id: int, now: datetime) -> None:
    row = _add(person, other, resident_id, now)
    row.first_proved_at = row.second_proved_at = row.merged_at = now
    _move(row, LinkEvent.PROVE_BOTH, actor_of(resident_id))
    _move(row, LinkEvent.MERGE, "system")


def _propose(person: Person, other: int, resident_id: int, now: datetime) -> None:
    row = _add(person, other, resident_id, now)
    told = {"resident_id": other, "link_id": row.id}
    hearing.tell("account.link-proposed", told, dedup_key=str(row.id))


def _add(person: Person, other: int, resident_id: int, now: datetime) -> AccountLink:
    row = AccountLink(
        person_id=person.id,
        first_id=other,
        second_id=resident_id,
        state=LinkState.PROPOSED,
        proposed_at=now,
        expires_at=now + LINK_LIFE,
        first_proved_at=None,
        second_proved_at=None,
        merged_at=None,
        undone_at=None,
        undone_by="",
        reason="",
        version=1,
    )
    db.writing().add(row)
    db.writing().flush()
    audit.record(actor_of(resident_id), "account-link.propose", "account_link", row.id, _ends(row))
    return row


def _under_way(person_id: int, one: int, other: int) -> bool:
    """Tell whether a merger of the two accounts, or of others merged with them, is under way."""
    ours, theirs = people.accounts_of(one), people.accounts_of(other)
    query = select(AccountLink.first_id, AccountLink.second_id).where(
        AccountLink.person_id == person_id, AccountLink.state.in_(_OPEN)
    )
    return any(
        (first in ours and second in theirs) or (first in theirs and second in ours)
        for first, second in db.session().execute(query)
    )


def _move(row: AccountLink, event: LinkEvent, actor: str) -> None:
    to = LINK_MOVES.get((row.state, event))
    if to is None:
        raise NotAllowedNow
    row.state, row.version = to, row.version + 1
    db.writing().flush()
    audit.record(actor, f"account-link.{event.value.replace('_', '-')}", "account_link", row.id, _ends(row))


def _ends(row: AccountLink) -> dict[str, str]:
    return {"first_id": str(row.first_id), "second_id": str(row.second_id)}


def _of(resident_id: int) -> ColumnElement[bool]:
    return or_(AccountLink.first_id == resident_id, AccountLink.second_id == resident_id)


def _view(row: AccountLink, resident_id: int) -> LinkView:
    is_first = resident_id == row.first_id
    proved = (row.first_proved_at is not None, row.second_proved_at is not None)
    other_id = row.second_id if is_first else row.first_id
    made = select(Resident.created_at).where(Resident.id == other_id)
    return LinkView(
        id=row.id,
        state=row.state,
        other_id=other_id,
        other_created_at=db.session().scalars(made).one(),
        other_bindings=bindings(other_id),
        proved_here=proved[0] if is_first else proved[1],
        proved_there=proved[1] if is_first else proved[0],
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
        merged_at=row.merged_at,
    )


def _row(row: AccountLink) -> LinkRow:
    return LinkRow(
        row.id,
        row.state,
        row.first_id,
        row.second_id,
        row.merged_at or row.proposed_at,
        row.undone_at,
        row.undone_by,
        row.reason,
        row.version,
    )
