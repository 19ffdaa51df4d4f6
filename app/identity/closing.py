"""Closing an account: what goes at once, what stays, and what merged accounts make of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from app.core import audit, db, hearing
from app.identity import checks, delegations, merging, people
from app.identity.models import Resident, ResidentBinding, ResidentSession, ResidentUnion, SsoTicket
from app.identity.residents import actor_of, forget_phone, lock, remove_binding


def close(resident_id: int, *, now: datetime) -> None:
    """Close an account: all that tells whose it was goes at once, a bare number stays.

    What was applied for, and the audit trail, refer to the number; the law wants both kept. A person
    who has another account merged with this one still finds those cases there, and delegations go over
    to it; without one, they end. Accounts that nobody can sign in to go over to another one of the person, or
    close with the last. With their last account a person is forgotten.
    Other capabilities hear ``resident.closed`` and forget what is theirs to forget.

    Raises:
        NotFound: none, or closed already.
    """
    row = lock(resident_id)
    merged = set(people.accounts_of(resident_id)) - {resident_id}
    open_ones = people.accounts_with(row.person_id, bound=True) if row.person_id is not None else []
    heirs = [one for one in open_ones if one in merged]
    if heirs:
        delegations.pass_on(resident_id, heirs[0])
    others = [one for one in open_ones if one != resident_id]
    _close(row, now)
    if others and not heirs:
        merging.leave_to(row, others[0], now=now)
    elif not heirs:
        for other in people.open_among(merged):
            _close(lock(other), now)


def _close(row: Resident, now: datetime) -> None:
    forget_phone(row.id)
    query = select(ResidentBinding).where(ResidentBinding.resident_id == row.id)
    for binding in db.writing().scalars(query).all():
        remove_binding(binding)
    for table in (ResidentSession, ResidentUnion, SsoTicket):
        db.writing().execute(delete(table).where(table.resident_id == row.id))
    checks.end_checks_of(row.id)
    merging.end_links_of(row)
    delegations.end_all_of(row.id, now=now)
    row.closed_at = now
    people.detach(row)
    audit.record(actor_of(row.id), "resident.close", "resident", row.id)
    hearing.tell("resident.closed", {"resident_id": row.id}, dedup_key=str(row.id))
