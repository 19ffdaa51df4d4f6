"""Enterprises by their unified social credit code, and who represents them by law."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.core import audit, db, vault
from app.core.errors import NotFound
from app.identity import numbers
from app.identity.domain import ENTERPRISE_FIELD, USCC_FIELD
from app.identity.people import person_id_of
from app.identity.people_models import Enterprise


@dataclass(frozen=True, slots=True)
class EnterpriseView:
    """An enterprise as those who act for it see it."""

    id: int
    name: str
    uscc_masked: str


@dataclass(frozen=True, slots=True)
class EnterpriseName:
    """An enterprise's name and code in the open: for forms and departments, never for logs."""

    name: str
    uscc: str

    def __repr__(self) -> str:
        return "EnterpriseName()"


def enterprise(enterprise_id: int) -> EnterpriseView:
    """Return an enterprise.

    Raises:
        NotFound: no such one.
    """
    real = enterprise_name(enterprise_id)
    return EnterpriseView(enterprise_id, real.name, numbers.mask_number(real.uscc))


def enterprise_name(enterprise_id: int) -> EnterpriseName:
    """Return name and code of an enterprise.

    Raises:
        NotFound: no such one.
    """
    row = db.session().get(Enterprise, enterprise_id)
    if row is None:
        raise NotFound("没有这家企业")
    name = vault.unseal(ENTERPRISE_FIELD, row.name_token)
    return EnterpriseName(name, vault.unseal(USCC_FIELD, row.uscc_token))


def verified_at(enterprise_id: int) -> datetime | None:
    """Return when the register last confirmed who represents an enterprise; None for no such one."""
    return db.session().scalar(select(Enterprise.verified_at).where(Enterprise.id == enterprise_id))


def enterprises_of(resident_id: int) -> list[EnterpriseView]:
    """Return the enterprises that the person behind an account represents by law, the newest last."""
    person_id = person_id_of(resident_id)
    query = (
        select(Enterprise.id)
        .where(Enterprise.legal_person_id == person_id)
        .order_by(Enterprise.created_at, Enterprise.id)
    )
    return [] if person_id is None else [enterprise(one) for one in db.session().scalars(query)]


def represents(resident_id: int, enterprise_id: int) -> bool:
    """Tell whether the person behind an account represents the enterprise by law."""
    person_id = person_id_of(resident_id)
    row = db.session().get(Enterprise, enterprise_id)
    return person_id is not None and row is not None and row.legal_person_id == person_id


def register(resident_id: int, uscc: str, name: str, *, now: datetime) -> int:
    """Write down what the register confirmed: the enterprise, represented by the person of an account.

    Raises:
        NotFound: the account belongs to no verified person.
    """
    person_id = person_id_of(resident_id)
    if person_id is None:
        raise NotFound("没有实名认证")
    row = _row_with(uscc, name, now)
    row.legal_person_id, row.verified_at = person_id, now
    if vault.unseal(ENTERPRISE_FIELD, row.name_token) != name:
        vault.forget(row.name_token)
        row.name_token = vault.seal(ENTERPRISE_FIELD, name)
    db.writing().flush()
    detail = {"legal_person_id": str(person_id)}
    audit.record(f"resident:{resident_id}", "enterprise.verify", "enterprise", row.id, detail)
    return row.id


def _row_with(uscc: str, name: str, now: datetime) -> Enterprise:
    index = vault.blind_index(USCC_FIELD, uscc)
    query = select(Enterprise).where(Enterprise.uscc_index == index).with_for_update()
    known = db.writing().scalar(query)
    if known is not None:
        return known
    try:
        with db.writing().begin_nested():
            made = Enterprise(
                uscc_index=index,
                uscc_token=vault.seal(USCC_FIELD, uscc),
                name_token=vault.seal(ENTERPRISE_FIELD, name),
                legal_person_id=None,
                created_at=now,
                verified_at=now,
            )
            db.writing().add(made)
            db.writing().flush()
    except IntegrityError:
        return db.writing().scalars(query).one()
    return made
