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
    who has another account merged with this one still finds those cases there; without one, the
    accounts that nobody can sign in to close with it. With their last account a person is forgotten.
    Other capabilities hear ``resident.closed`` and forget what is theirs to forget.

    Raises:
        NotFound: none, or closed already.
    """
    row = lock(resident_id)
    person_id = row.person_id
    _close(row, now)
    if person_id is None:
        return
    merged = set(people.accounts_of(resident_id))
    if merged.isdisjoint(people.accounts_with(person_id, bound=True)):
        for other in merged.intersection(people.accounts_with(person_id, bound=False)):
            _close(lock(other), now)


def _close(row: Resident, now: datetime) -> None:
    forget_phone(row.id)
    query = select(ResidentBinding).where(ResidentBinding.resident_id == row.id)
    for binding in db.writing().scalars(query).all():
        remove_binding(binding)
    for table in (ResidentSession, ResidentUnion, SsoTicket):
        db.writing().execute(delete(table).where(table.resident_id == row.id))
    checks.end_checks_of(row.id)
    merging.end_links_of(row, now=now)
    delegations.end_all_of(row.id, now=now)
    row.closed_at = now
    people.detach(row)
    audit.record(actor_of(row.id), "resident.close", "resident", row.id)
    hearing.tell("resident.closed", {"resident_id": row.id}, dedup_key=str(row.id))
