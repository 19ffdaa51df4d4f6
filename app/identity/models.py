"""Tables of residents. What a platform calls a person lies in the vault; here are tokens and digests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model, key_column
from app.core.own_path import OWN_PATH_MAX
from app.identity.domain import AUDIENCE_MAX, Client


class Resident(Model):
    """One account of a resident (账户). One without any way of signing in waits to be claimed by its person.

    A closed one stays as a bare number, so that what refers to it keeps its sense; nothing in it
    tells whose it was.
    """

    __tablename__ = "resident"

    id: Mapped[int] = key_column()
    level: Mapped[int] = mapped_column(SmallInteger)
    phone_token: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    verified_at: Mapped[datetime | None]


class ResidentBinding(Model):
    """A user id of a platform account that signs a resident in."""

    __tablename__ = "resident_binding"
    __table_args__ = (
        UniqueConstraint("account_id", "subject_index", name="uq_resident_binding_account_subject"),
    )

    id: Mapped[int] = key_column()
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    subject_index: Mapped[str] = mapped_column(String(64))
    subject_token: Mapped[str] = mapped_column(String(32))
    union_index: Mapped[str | None] = mapped_column(String(64))
    bound_at: Mapped[datetime]


class ResidentUnion(Model):
    """Whose an id is that all accounts of one open platform share (UnionID)."""

    __tablename__ = "resident_union"

    union_index: Mapped[str] = mapped_column(String(64), primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"), index=True)


class ResidentSession(Model):
    """One browser or mini program that is signed in; only the digest of its secret is kept.

    Attributes:
        face_until: until when a face check counts here; None without one.
    """

    __tablename__ = "resident_session"

    id: Mapped[int] = key_column()
    digest: Mapped[str] = mapped_column(String(43), unique=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    client: Mapped[Client]
    opened_at: Mapped[datetime]
    used_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    face_until: Mapped[datetime | None]


class SignInAttempt(Model):
    """A sign-in under way (OAuth state): single use, bound to one browser by its cookie.

    Attributes:
        resident_id: who adds a way of signing in; None for a plain sign-in.
    """

    __tablename__ = "sign_in_attempt"

    id: Mapped[int] = key_column()
    state_digest: Mapped[str] = mapped_column(String(43), unique=True)
    cookie_digest: Mapped[str] = mapped_column(String(43))
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("resident.id"))
    scope: Mapped[str] = mapped_column(String(16))
    return_to: Mapped[str] = mapped_column(String(OWN_PATH_MAX))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class SsoTicket(Model):
    """A resident's way into one department's page: single use, a minute long."""

    __tablename__ = "sso_ticket"

    id: Mapped[int] = key_column()
    digest: Mapped[str] = mapped_column(String(43), unique=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"))
    audience: Mapped[str] = mapped_column(String(AUDIENCE_MAX))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
