from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Key, Model, key_column
from app.organisations.domain import LinkPurpose, RegionLevel, Role, ScopeKind, StaffState

DIGEST_LENGTH = 43


class Region(Model):
    __tablename__ = "region"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    level: Mapped[RegionLevel]
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("region.code", ondelete="CASCADE"), index=True)
    group: Mapped[str] = mapped_column(String(10))
    reports_directly: Mapped[bool]
    source: Mapped[str] = mapped_column(String(500))


class Body(Model):
    """``city_code`` is the city a body belongs to or governs, so that a city's scope is one comparison."""

    __tablename__ = "body"

    id: Mapped[int] = key_column()
    full_name: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(40))
    level: Mapped[RegionLevel]
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"), index=True)
    city_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"), index=True)
    source: Mapped[str] = mapped_column(String(500))


class BodyAlias(Model):
    __tablename__ = "body_alias"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"), index=True)
    source: Mapped[str] = mapped_column(String(500))


class ScheduleBatch(Model):
    __tablename__ = "schedule_batch"
    __table_args__ = (UniqueConstraint("annex", "part", "batch", name="uq_schedule_batch_place"),)

    id: Mapped[int] = key_column()
    annex: Mapped[int]
    part: Mapped[str] = mapped_column(String(20))
    batch: Mapped[int]
    label: Mapped[str] = mapped_column(String(80))
    stated_count: Mapped[int | None]
    listed_count: Mapped[int]
    stated_items: Mapped[int | None]
    deadline: Mapped[date | None]
    open_ended: Mapped[bool]
    source: Mapped[str] = mapped_column(String(500))


class ScheduleMember(Model):
    __tablename__ = "schedule_member"
    __table_args__ = (UniqueConstraint("batch_id", "position", name="uq_schedule_member_position"),)

    id: Mapped[int] = key_column()
    batch_id: Mapped[int] = mapped_column(ForeignKey("schedule_batch.id"))
    position: Mapped[int]
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"), index=True)
    seed_name: Mapped[str] = mapped_column(String(80))
    items: Mapped[int | None]
    includes: Mapped[str] = mapped_column(String(80))
    source: Mapped[str] = mapped_column(String(500))


class Target(Model):
    __tablename__ = "target"
    __table_args__ = (UniqueConstraint("level", "words", name="uq_target_words"),)

    id: Mapped[int] = key_column()
    level: Mapped[str] = mapped_column(String(40))
    words: Mapped[str] = mapped_column(String(120))
    indicator: Mapped[str | None] = mapped_column(String(40))
    op: Mapped[str | None] = mapped_column(String(2))
    value: Mapped[int | None]
    unit: Mapped[str | None] = mapped_column(String(10))
    scope: Mapped[str | None] = mapped_column(String(80))
    deadline: Mapped[date | None]
    strength: Mapped[str | None] = mapped_column(String(20))
    quote: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(String(500))
    source: Mapped[str] = mapped_column(String(500))


class Staff(Model):
    """``totp_token`` is the vault's token of the shared secret; ``totp_last_step`` the last step used."""

    __tablename__ = "staff"

    id: Mapped[int] = key_column()
    username: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(40))
    state: Mapped[StaffState]
    password_hash: Mapped[str | None] = mapped_column(String(200))
    totp_token: Mapped[str | None] = mapped_column(String(32))
    totp_last_step: Mapped[int | None] = mapped_column(Key)
    failure_count: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class StaffGrant(Model):
    __tablename__ = "staff_grant"
    __table_args__ = (
        UniqueConstraint("staff_id", "role", "scope_kind", "scope_ref", name="uq_staff_grant_once"),
    )

    id: Mapped[int] = key_column()
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    role: Mapped[Role]
    scope_kind: Mapped[ScopeKind]
    scope_ref: Mapped[str] = mapped_column(String(20))


class StaffSession(Model):
    """Only the digest of the cookie's secret is kept, here and in the tables below.

    ``confirmed_at``: when its owner last showed a one-time code.
    """

    __tablename__ = "staff_session"
    __table_args__ = (Index("ix_staff_session_expires_at", "expires_at"),)

    id: Mapped[int] = key_column()
    digest: Mapped[str] = mapped_column(String(DIGEST_LENGTH), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]


class StaffLink(Model):
    """``totp_token``: the secret a set-up link has shown, until it is confirmed."""

    __tablename__ = "staff_link"
    __table_args__ = (Index("ix_staff_link_expires_at", "expires_at"),)

    id: Mapped[int] = key_column()
    digest: Mapped[str] = mapped_column(String(DIGEST_LENGTH), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    purpose: Mapped[LinkPurpose]
    totp_token: Mapped[str | None] = mapped_column(String(32))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiToken(Model):
    __tablename__ = "api_token"

    id: Mapped[int] = key_column()
    digest: Mapped[str] = mapped_column(String(DIGEST_LENGTH), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
