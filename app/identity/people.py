"""People behind accounts: one subject per number, and which accounts are the same person's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Exists, case, exists, or_, select
from sqlalchemy.exc import IntegrityError

from app.core import audit, db, vault
from app.core.clock import day_of
from app.core.errors import NotFound
from app.identity import numbers
from app.identity.domain import CHANNEL_LEVEL, NAME_FIELD, NAME_LEVEL, NUMBER_FIELD
from app.identity.models import Resident, ResidentBinding
from app.identity.people_domain import AnotherPerson, IdKind, LinkState, NameDiffers
from app.identity.people_models import AccountLink, Person


@dataclass(frozen=True, slots=True)
class PersonView:
    """Who an account belongs to, as far as a screen may show it."""

    name_masked: str
    number_masked: str
    kind: IdKind
    level: int
    verified_at: datetime


@dataclass(frozen=True, slots=True)
class RealName:
    """A person's name and number in the open: for forms and departments, never for logs."""

    name: str
    number: str
    kind: IdKind

    def __repr__(self) -> str:
        return f"RealName({self.kind.value})"


def number_index(kind: IdKind, number: str) -> str:
    """Return what stands for a checked number in tables."""
    return vault.blind_index(NUMBER_FIELD, f"{kind.value}|{number}")


def person_of(resident_id: int) -> PersonView | None:
    """Return who an open account belongs to; None while nobody has proved it."""
    found = _verified(resident_id)
    if found is None:
        return None
    account, person = found
    real = _opened(person)
    return PersonView(
        numbers.mask_name(real.name),
        numbers.mask_number(real.number),
        real.kind,
        account.level,
        account.verified_at or person.created_at,
    )


def real_name(resident_id: int) -> RealName | None:
    """Return name and number of who an open account belongs to; None while nobody has proved it.

    Whoever lets others than the person see them records a use, see ``uses.record_use``.
    """
    found = _verified(resident_id)
    return None if found is None else _opened(found[1])


def person_id_of(resident_id: int) -> int | None:
    """Return the subject that an open account has proved to be; None while there is none."""
    found = _verified(resident_id)
    return None if found is None else found[1].id


def accounts_of(resident_id: int) -> tuple[int, ...]:
    """Return this account and those merged with it, this one first; closed ones keep their cases."""
    query = select(AccountLink.first_id, AccountLink.second_id).where(AccountLink.state == LinkState.MERGED)
    own = or_(AccountLink.first_id == resident_id, AccountLink.second_id == resident_id)
    person = db.session().scalar(
        select(AccountLink.person_id).where(AccountLink.state == LinkState.MERGED, own)
    )
    if person is None:
        return (resident_id,)
    pairs = db.session().execute(query.where(AccountLink.person_id == person))
    return _group(resident_id, ((first, second) for first, second in pairs))


def reached_at(resident_id: int) -> int:
    """Return the account through which the person of this one is told things.

    It is this account, unless nobody can sign in to it (any more): then an open one merged with it.
    """
    # Closed accounts have no way of signing in.
    bound = select(ResidentBinding.id).where(ResidentBinding.resident_id == resident_id).limit(1)
    if db.session().scalar(bound) is not None:
        return resident_id
    others = accounts_of(resident_id)[1:]
    theirs = select(ResidentBinding.resident_id).where(ResidentBinding.resident_id.in_(others))
    known = set(db.session().scalars(theirs)) if others else set()
    return next((one for one in others if one in known), resident_id)


def _group(resident_id: int, pairs: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    near: dict[int, list[int]] = defaultdict(list)
    for first, second in pairs:
        near[first].append(second)
        near[second].append(first)
    found = [resident_id]
    for one in found:  # grows while it is walked
        found += [other for other in sorted(near[one]) if other not in found]
    return tuple(found)


def applicant_for(kind: IdKind, number: str, name: str, *, now: datetime) -> int:
    """Return the account of the person with this number, for a case that came in elsewhere.

    When the hall knows no such person, an account without any way of signing in is made. It is
    joined to the person's own account when they verify (存量账户).

    Raises:
        Invalid: the number or the name cannot be one.
        NameDiffers: the number was verified with another name.
    """
    plain, said = numbers.check_person(kind, number, name, day_of(now))
    person = person_with(kind, plain, said, now=now)
    if person.verified_at is not None and not numbers.same_name(_opened(person).name, said):
        raise NameDiffers
    query = (
        select(Resident.id)
        .where(Resident.person_id == person.id, Resident.closed_at.is_(None))
        .order_by(case((_has_binding(), 0), else_=1), Resident.created_at, Resident.id)
    )
    known = db.writing().scalars(query).first()
    return _unclaimed(person, now) if known is None else known


def person_with(kind: IdKind, number: str, name: str, *, now: datetime) -> Person:
    """Return the locked row of the person with a checked number, a new one when there is none."""
    index = number_index(kind, number)
    query = select(Person).where(Person.number_index == index).with_for_update()
    known = db.writing().scalar(query)
    if known is not None:
        return known
    try:
        with db.writing().begin_nested():
            made = Person(
                kind=kind,
                number_index=index,
                number_token=vault.seal(NUMBER_FIELD, number),
                name_token=vault.seal(NAME_FIELD, name),
                created_at=now,
                verified_at=None,
            )
            db.writing().add(made)
            db.writing().flush()
    except IntegrityError:
        # Somebody else told the hall of the same person in this very moment.
        return db.writing().scalars(query).one()
    audit.record("system", "person.create", "person", made.id, {"kind": kind.value})
    return made


def attach(account: Resident, kind: IdKind, number: str, name: str, *, now: datetime) -> Person:
    """Write down that a locked account proved to be this person's.

    Raises:
        AnotherPerson: it is somebody else's already.
    """
    person = person_with(kind, number, name, now=now)
    if account.person_id not in (None, person.id):
        raise AnotherPerson
    _rename(person, name)
    person.verified_at = now
    account.person_id, account.verified_at = person.id, now
    account.level = NAME_LEVEL
    db.writing().flush()
    detail = {"person_id": str(person.id), "level": NAME_LEVEL}
    audit.record(f"resident:{account.id}", "resident.verify", "resident", account.id, detail)
    return person


def detach(account: Resident) -> None:
    """Take a locked account's person away; whoever has no account left is forgotten."""
    person_id = account.person_id
    account.person_id, account.verified_at, account.level = None, None, CHANNEL_LEVEL
    db.writing().flush()
    if person_id is None:
        return
    others = select(Resident.id).where(Resident.person_id == person_id, Resident.closed_at.is_(None)).limit(1)
    person = db.writing().get(Person, person_id, with_for_update=True)
    if person is not None and db.writing().scalar(others) is None:
        for token in (person.number_token, person.name_token):
            if token is not None:
                vault.forget(token)
        person.number_index = person.number_token = person.name_token = None
        audit.record("system", "person.forget", "person", person.id)


def accounts_with(person_id: int, *, bound: bool) -> list[int]:
    """Return the open accounts of a person, oldest first: those one can sign in to, or the others."""
    query = (
        select(Resident.id)
        .where(Resident.person_id == person_id, Resident.closed_at.is_(None))
        .where(_has_binding() if bound else ~_has_binding())
        .order_by(Resident.created_at, Resident.id)
    )
    return list(db.session().scalars(query))


def open_among(resident_ids: Collection[int]) -> list[int]:
    """Return which of these accounts are open."""
    query = select(Resident.id).where(Resident.id.in_(resident_ids), Resident.closed_at.is_(None))
    return list(db.session().scalars(query.order_by(Resident.id)))


def _unclaimed(person: Person, now: datetime) -> int:
    made = Resident(
        level=CHANNEL_LEVEL,
        phone_token=None,
        created_at=now,
        closed_at=None,
        person_id=person.id,
        verified_at=None,
    )
    db.writing().add(made)
    db.writing().flush()
    audit.record("system", "resident.create-unclaimed", "resident", made.id, {"person_id": str(person.id)})
    return made.id


def _has_binding() -> Exists:
    return exists().where(ResidentBinding.resident_id == Resident.id)


def _rename(person: Person, name: str) -> None:
    # People change their names; the register's word of today counts.
    if person.name_token is not None and vault.unseal(NAME_FIELD, person.name_token) == name:
        return
    if person.name_token is not None:
        vault.forget(person.name_token)
    person.name_token = vault.seal(NAME_FIELD, name)
    audit.record("system", "person.rename", "person", person.id)


def _verified(resident_id: int) -> tuple[Resident, Person] | None:
    query = (
        select(Resident, Person)
        .join(Person, Person.id == Resident.person_id)
        .where(Resident.id == resident_id, Resident.closed_at.is_(None), Resident.level >= NAME_LEVEL)
    )
    found = db.session().execute(query).first()
    return None if found is None else (found[0], found[1])


def _opened(person: Person) -> RealName:
    if person.number_token is None or person.name_token is None:
        raise NotFound("没有这个人")
    number = vault.unseal(NUMBER_FIELD, person.number_token)
    return RealName(vault.unseal(NAME_FIELD, person.name_token), number, person.kind)
