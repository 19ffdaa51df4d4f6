"""Tables of people and enterprises: tokens into the vault, blind indexes, and how accounts hang on them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Key, Model, key_column
from app.core.own_path import OWN_PATH_MAX
from app.identity.people_domain import (
    BY_MAX,
    CASE_NUMBER_MAX,
    PURPOSE_MAX,
    REASON_MAX,
    REFERENCE_MAX,
    WHAT_MAX,
    CheckKind,
    CheckState,
    DelegationKind,
    DelegationState,
    IdKind,
    LinkState,
)


class Person(Model):
    """The one subject (主体) behind an ID number; a forgotten one stays as a bare number.

    Attributes:
        verified_at: None while only others have told the hall of this person.
    """

    __tablename__ = "person"

    id: Mapped[int] = key_column()
    kind: Mapped[IdKind]
    number_index: Mapped[str | None] = mapped_column(String(64), unique=True)
    number_token: Mapped[str | None] = mapped_column(String(32))
    name_token: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    verified_at: Mapped[datetime | None]


class Enterprise(Model):
    """The one subject behind a unified social credit code (统一社会信用代码)."""

    __tablename__ = "enterprise"

    id: Mapped[int] = key_column()
    uscc_index: Mapped[str] = mapped_column(String(64), unique=True)
    uscc_token: Mapped[str] = mapped_column(String(32))
    name_token: Mapped[str] = mapped_column(String(32))
    legal_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime]
    verified_at: Mapped[datetime]


class RealNameCheck(Model):
    """One try to prove who somebody is; counted against trying numbers out, and gone after a day.

    Attributes:
        session_id: which session asked for a face check, and which alone gains from it; sessions come and go.
        number_index: whose number was tried, as its blind index.
        state_digest: of the secret that the provider's page brings back.
        by_code: it was asked for from a mini program, which the person returns to with a few digits.
        code_index: those digits, as their blind index; None until the person comes back.
    """

    __tablename__ = "real_name_check"
    __table_args__ = (
        Index("ix_real_name_check_resident_at", "resident_id", "at"),
        Index("ix_real_name_check_number_at", "number_index", "at"),
    )

    id: Mapped[int] = key_column()
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"))
    session_id: Mapped[int | None] = mapped_column(Key)
    kind: Mapped[CheckKind]
    number_index: Mapped[str] = mapped_column(String(64))
    state: Mapped[CheckState]
    reference: Mapped[str] = mapped_column(String(REFERENCE_MAX))
    state_digest: Mapped[str | None] = mapped_column(String(43), unique=True)
    by_code: Mapped[bool]
    code_index: Mapped[str | None] = mapped_column(String(64))
    code_tries: Mapped[int]
    return_to: Mapped[str] = mapped_column(String(OWN_PATH_MAX))
    at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]


class AccountLink(Model):
    """Two accounts of one person on their way to being one (账户归并); cases keep their account."""

    __tablename__ = "account_link"

    id: Mapped[int] = key_column()
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    first_id: Mapped[int] = mapped_column(ForeignKey("resident.id"), index=True)
    second_id: Mapped[int] = mapped_column(ForeignKey("resident.id"), index=True)
    state: Mapped[LinkState]
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    first_proved_at: Mapped[datetime | None]
    second_proved_at: Mapped[datetime | None]
    merged_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(String(BY_MAX))
    reason: Mapped[str] = mapped_column(String(REASON_MAX))
    version: Mapped[int]


class Delegation(Model):
    """A right to act for a person or an enterprise: given, accepted, ended; with dates and scope.

    Attributes:
        resident_id: the principal's account; None when an enterprise is the principal.
        agent_index: whom it is given to, by the blind index of their number.
        agent_id: which account accepted it.
        scope: directory ids as text; empty for every item.
        ends_on: the last day; None only for who represents an enterprise by law.
    """

    __tablename__ = "delegation"

    id: Mapped[int] = key_column()
    kind: Mapped[DelegationKind]
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("resident.id"), index=True)
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"), index=True)
    agent_index: Mapped[str] = mapped_column(String(64), index=True)
    agent_name_token: Mapped[str | None] = mapped_column(String(32))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("resident.id"), index=True)
    scope: Mapped[list[str]] = mapped_column(JSON)
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    state: Mapped[DelegationState]
    given_by: Mapped[int] = mapped_column(ForeignKey("resident.id"))
    given_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(String(BY_MAX))
    version: Mapped[int]


class DataUse(Model):
    """One look at, or use of, what the hall knows of a person. Rows are added, never changed."""

    __tablename__ = "data_use"
    __table_args__ = (Index("ix_data_use_resident_at", "resident_id", "at"),)

    id: Mapped[int] = key_column()
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"))
    what: Mapped[str] = mapped_column(String(WHAT_MAX))
    by: Mapped[str] = mapped_column(String(BY_MAX))
    purpose: Mapped[str] = mapped_column(String(PURPOSE_MAX))
    case_number: Mapped[str] = mapped_column(String(CASE_NUMBER_MAX))
    at: Mapped[datetime]
