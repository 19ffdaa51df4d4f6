"""Accounts of residents and the user ids of platforms that lead to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select

from app.channel_accounts import service as channel_accounts
from app.channel_accounts.service import AccountView
from app.core import audit, db, vault
from app.core.errors import NotFound
from app.identity.domain import (
    CHANNEL_LEVEL,
    PHONE_FIELD,
    SUBJECT_FIELD,
    UNION_FIELD,
    BindingTaken,
    LastBinding,
    platform_of,
)
from app.identity.models import Resident, ResidentBinding, ResidentSession, ResidentUnion
from channels.base import ChannelIdentity, PhoneNumber


class ClosedMeanwhile(Exception):
    """The account was closed in the very moment its owner came in."""


@dataclass(frozen=True, slots=True)
class BindingView:
    """A way of signing in, as its owner sees it; never the platform's user id."""

    id: int
    account_id: int
    account_name: str
    kind: str
    label: str
    bound_at: datetime


@dataclass(frozen=True, slots=True)
class ResidentView:
    """An account as its owner sees it; ``phone`` is masked, ``""`` when there is none."""

    id: int
    level: int
    phone: str
    created_at: datetime
    bindings: tuple[BindingView, ...]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a resident can be reached; the user id itself comes from :func:`subject_of`."""

    account_id: int
    kind: str
    subject_token: str
    bound_at: datetime


def actor_of(resident_id: int) -> str:
    """Return the name for the audit trail."""
    return f"resident:{resident_id}"


def known_or_new(account: AccountView, identity: ChannelIdentity, *, now: datetime) -> int:
    """Return whose user id this is; a new resident's when nobody's yet.

    Raises:
        ClosedMeanwhile, IntegrityError: somebody else was first; the same again finds what they did.
    """
    index = _subject_index(account.id, identity.subject)
    union = _union_index(account, identity)
    binding = _binding_by(index, account.id)
    owner = _owner_of(union) if binding is None else binding.resident_id
    if owner is not None and _locked(owner) is None:
        raise ClosedMeanwhile
    if binding is not None:
        _note_union(binding, union)
        return binding.resident_id
    resident_id = _new(now) if owner is None else owner
    _add_binding(resident_id, account, identity, union, now, is_first=owner is None)
    return resident_id


def _new(now: datetime) -> int:
    made = Resident(level=CHANNEL_LEVEL, phone_token=None, created_at=now, closed_at=None)
    db.writing().add(made)
    db.writing().flush()
    audit.record(actor_of(made.id), "resident.create", "resident", made.id)
    return made.id


def bind(resident_id: int, account: AccountView, identity: ChannelIdentity, *, now: datetime) -> None:
    """Add a way of signing in; nothing happens when it is theirs already.

    Raises:
        NotFound: no such account, or it was closed meanwhile.
        BindingTaken: the user id belongs to another resident.
    """
    lock(resident_id)
    union = _union_index(account, identity)
    binding = _binding_by(_subject_index(account.id, identity.subject), account.id)
    owner = binding.resident_id if binding is not None else _owner_of(union)
    if owner not in (None, resident_id):
        raise BindingTaken
    if binding is None:
        _add_binding(resident_id, account, identity, union, now, is_first=owner is None)


def unbind(resident_id: int, binding_id: int) -> None:
    """Take away a way of signing in, and end what was opened through it.

    Raises:
        NotFound: no such binding of this resident.
        LastBinding: there is no other.
    """
    lock(resident_id)
    binding = db.writing().get(ResidentBinding, binding_id)
    if binding is None or binding.resident_id != resident_id:
        raise NotFound("没有这个登录方式")
    mine = select(func.count()).where(ResidentBinding.resident_id == resident_id)
    if db.writing().scalars(mine).one() < 2:
        raise LastBinding
    remove_binding(binding)
    gone = delete(ResidentSession).where(
        ResidentSession.resident_id == resident_id, ResidentSession.account_id == binding.account_id
    )
    db.writing().execute(gone)
    audit.record(
        actor_of(resident_id),
        "resident.unbind",
        "resident",
        resident_id,
        {"account_id": str(binding.account_id)},
    )


def resident_for(account_id: int, subject: str) -> int | None:
    """Return whose user id this is on a platform account; None when nobody signed in with it."""
    index = _subject_index(account_id, subject)
    query = select(ResidentBinding.resident_id).where(
        ResidentBinding.account_id == account_id, ResidentBinding.subject_index == index
    )
    return db.session().scalar(query)


def addresses(resident_id: int) -> list[Address]:
    """Return where a resident can be reached, latest binding first; accounts switched off are left out."""
    kinds = {account.id: account.kind for account in channel_accounts.accounts()}
    query = (
        select(ResidentBinding)
        .where(ResidentBinding.resident_id == resident_id)
        .order_by(ResidentBinding.bound_at.desc(), ResidentBinding.id)
    )
    return [
        Address(row.account_id, kinds[row.account_id], row.subject_token, row.bound_at)
        for row in db.session().scalars(query)
        if row.account_id in kinds
    ]


def subject_of(address: Address) -> str:
    """Return the platform's user id at an address: for sending to it and for nothing else.

    Raises:
        NotFound: it was unbound meanwhile.
    """
    return vault.unseal(SUBJECT_FIELD, address.subject_token)


def is_open(resident_id: int) -> bool:
    """Tell whether there is such an account and it was not closed."""
    query = select(Resident.id).where(Resident.id == resident_id, Resident.closed_at.is_(None))
    return db.session().scalar(query) is not None


def view_of(resident_id: int) -> ResidentView:
    """Return an account.

    Raises:
        NotFound: none, or closed.
    """
    row = db.session().get(Resident, resident_id)
    if row is None or row.closed_at is not None:
        raise NotFound("没有这个账户")
    return ResidentView(row.id, row.level, _masked(row.phone_token), row.created_at, bindings(resident_id))


def bindings(resident_id: int) -> tuple[BindingView, ...]:
    """Return the ways in which a resident signs in, oldest first."""
    accounts = {account.id: account for account in channel_accounts.accounts(active_only=False)}
    query = (
        select(ResidentBinding)
        .where(ResidentBinding.resident_id == resident_id)
        .order_by(ResidentBinding.bound_at, ResidentBinding.id)
    )
    return tuple(
        BindingView(row.id, row.account_id, account.name, account.kind, account.label, row.bound_at)
        for row in db.session().scalars(query)
        if (account := accounts.get(row.account_id)) is not None
    )


def keep_phone(resident_id: int, phone: PhoneNumber) -> None:
    """Keep the number a platform vouches for; one before it is forgotten."""
    row = lock(resident_id)
    if row.phone_token is not None:
        vault.forget(row.phone_token)
    row.phone_token = vault.seal(PHONE_FIELD, f"{phone.country_code}-{phone.number}")
    audit.record(actor_of(resident_id), "resident.keep-phone", "resident", resident_id)


def forget_phone(resident_id: int) -> None:
    """Forget the number; nothing happens when there is none."""
    row = lock(resident_id)
    if row.phone_token is not None:
        vault.forget(row.phone_token)
        row.phone_token = None
        audit.record(actor_of(resident_id), "resident.forget-phone", "resident", resident_id)


def phone_token(resident_id: int) -> str | None:
    """Return where in the vault the number lies; None when there is none."""
    return db.session().scalar(select(Resident.phone_token).where(Resident.id == resident_id))


def lock(resident_id: int) -> Resident:
    """Return the locked row of an open account.

    Raises:
        NotFound: none, or closed.
    """
    row = _locked(resident_id)
    if row is None:
        raise NotFound("没有这个账户")
    return row


def _locked(resident_id: int) -> Resident | None:
    query = select(Resident).where(Resident.id == resident_id, Resident.closed_at.is_(None))
    return db.writing().scalar(query.with_for_update())


def _subject_index(account_id: int, subject: str) -> str:
    return vault.blind_index(SUBJECT_FIELD, f"{account_id}|{subject}")


def _union_index(account: AccountView, identity: ChannelIdentity) -> str | None:
    if not identity.union_id:
        return None
    return vault.blind_index(UNION_FIELD, f"{platform_of(account.kind)}|{identity.union_id}")


def _binding_by(index: str, account_id: int) -> ResidentBinding | None:
    query = select(ResidentBinding).where(
        ResidentBinding.account_id == account_id, ResidentBinding.subject_index == index
    )
    return db.writing().scalar(query)


def _owner_of(union: str | None) -> int | None:
    row = None if union is None else db.writing().get(ResidentUnion, union)
    return None if row is None else row.resident_id


def _note_union(binding: ResidentBinding, union: str | None) -> None:
    """Remember the shared id, unless it leads to another resident: accounts are never merged unasked."""
    if union is None or binding.union_index is not None:
        return
    owner = _owner_of(union)
    if owner is None:
        db.writing().add(ResidentUnion(union_index=union, resident_id=binding.resident_id))
    if owner in (None, binding.resident_id):
        binding.union_index = union
    db.writing().flush()


def _add_binding(
    resident_id: int,
    account: AccountView,
    identity: ChannelIdentity,
    union: str | None,
    now: datetime,
    *,
    is_first: bool,
) -> None:
    # Not asked again: an owner who came in between must make this fail, not be passed over.
    if union is not None and is_first:
        db.writing().add(ResidentUnion(union_index=union, resident_id=resident_id))
    db.writing().add(
        ResidentBinding(
            resident_id=resident_id,
            account_id=account.id,
            subject_index=_subject_index(account.id, identity.subject),
            subject_token=vault.seal(SUBJECT_FIELD, identity.subject),
            union_index=union,
            bound_at=now,
        )
    )
    db.writing().flush()
    audit.record(
        actor_of(resident_id), "resident.bind", "resident", resident_id, {"account_id": str(account.id)}
    )


def remove_binding(binding: ResidentBinding) -> None:
    """Delete a way of signing in, with what the vault holds of it."""
    vault.forget(binding.subject_token)
    db.writing().delete(binding)
    db.writing().flush()
    if binding.union_index is None:
        return
    others = select(ResidentBinding.id).where(ResidentBinding.union_index == binding.union_index).limit(1)
    if db.writing().scalar(others) is None:
        db.writing().execute(delete(ResidentUnion).where(ResidentUnion.union_index == binding.union_index))


def _masked(token: str | None) -> str:
    if token is None:
        return ""
    _, _, number = vault.unseal(PHONE_FIELD, token).partition("-")
    return vault.mask(number)
