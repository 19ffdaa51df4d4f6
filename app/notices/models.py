"""Tables of notices: templates, what was sent to whom over which way, and what residents want."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Key, Model, key_column
from app.notices.domain import (
    ACTOR_MAX,
    BODY_MAX,
    CODE_MAX,
    DEDUP_KEY_MAX,
    KEY_MAX,
    LANGUAGE_MAX,
    LINK_MAX,
    NAME_MAX,
    PLATFORM_ID_MAX,
    PLATFORM_TEMPLATE_MAX,
    TITLE_MAX,
    WAY_MAX,
    DeliveryState,
    Topic,
    VersionState,
)

VAULT_TOKEN = String(32)
BLIND_INDEX = String(64)


class Template(Model):
    """A kind of notice; what it says is in its versions."""

    __tablename__ = "notice_template"

    id: Mapped[int] = key_column()
    key: Mapped[str] = mapped_column(String(KEY_MAX), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    topic: Mapped[Topic]
    urgent: Mapped[bool]
    binding: Mapped[bool]
    valid_hours: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(ACTOR_MAX))


class TemplateVersion(Model):
    """The words of a template in one language; never changed after it was published.

    ``variables``, ``order`` and ``forms`` are those of ``domain.Wording``. ``used_at``: when the first
    message was made from it.
    """

    __tablename__ = "notice_template_version"
    __table_args__ = (
        UniqueConstraint("template_id", "language", "number", name="uq_notice_template_version_number"),
    )

    id: Mapped[int] = key_column()
    template_id: Mapped[int] = mapped_column(ForeignKey("notice_template.id"))
    language: Mapped[str] = mapped_column(String(LANGUAGE_MAX))
    number: Mapped[int]
    state: Mapped[VersionState]
    title: Mapped[str] = mapped_column(String(TITLE_MAX))
    body: Mapped[str] = mapped_column(String(BODY_MAX))
    variables: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    order: Mapped[list[str]] = mapped_column(JSON)
    forms: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    row_version: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(ACTOR_MAX))
    published_at: Mapped[datetime | None]
    published_by: Mapped[str] = mapped_column(String(ACTOR_MAX))
    retired_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class Message(Model):
    """One notice to one resident; as it stands in the hall, whatever other ways it takes.

    The values that fill its text are in the vault under ``values_token``; None once they were deleted.
    ``state`` is that of the way it is on, or was on last.
    """

    __tablename__ = "notice_message"
    __table_args__ = (
        UniqueConstraint("resident_id", "dedup_key", name="uq_notice_message_once"),
        Index("ix_notice_message_inbox", "resident_id", "is_read", "created_at", "id"),
        Index("ix_notice_message_state", "state", "touched_at"),
        Index("ix_notice_message_created", "created_at"),
    )

    id: Mapped[int] = key_column()
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("notice_template_version.id"), index=True)
    dedup_key: Mapped[str] = mapped_column(String(DEDUP_KEY_MAX))
    topic: Mapped[Topic]
    urgent: Mapped[bool]
    binding: Mapped[bool]
    values_token: Mapped[str | None] = mapped_column(VAULT_TOKEN)
    link: Mapped[str] = mapped_column(String(LINK_MAX))
    state: Mapped[DeliveryState]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    valid_until: Mapped[datetime]
    touched_at: Mapped[datetime]
    is_read: Mapped[bool]
    read_at: Mapped[datetime | None]


class Delivery(Model):
    """One message on one way: the proof of what became of it there.

    ``account_id`` None is the hall itself. ``consent_id``: the consent it was sent under, for one message
    only. While a call is under way ``leased_until`` is set.
    """

    __tablename__ = "notice_delivery"
    __table_args__ = (
        UniqueConstraint("message_id", "way", "account_id", name="uq_notice_delivery_once"),
        Index("ix_notice_delivery_platform", "account_id", "platform_id"),
        Index("ix_notice_delivery_created", "created_at"),
    )

    id: Mapped[int] = key_column()
    message_id: Mapped[int] = mapped_column(ForeignKey("notice_message.id"))
    way: Mapped[str] = mapped_column(String(WAY_MAX))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("channel_account.id"))
    state: Mapped[DeliveryState]
    attempts: Mapped[int]
    platform_id: Mapped[str] = mapped_column(String(PLATFORM_ID_MAX))
    code: Mapped[str] = mapped_column(String(CODE_MAX))
    consent_id: Mapped[int | None] = mapped_column(Key)
    leased_until: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class Attempt(Model):
    """One try of a delivery; ``outcome`` ``unknown_result`` is one whose end nobody saw."""

    __tablename__ = "notice_attempt"
    __table_args__ = (UniqueConstraint("delivery_id", "number", name="uq_notice_attempt_number"),)

    id: Mapped[int] = key_column()
    delivery_id: Mapped[int] = mapped_column(ForeignKey("notice_delivery.id"))
    number: Mapped[int] = mapped_column(SmallInteger)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(CODE_MAX))


class EarlyReceipt(Model):
    """A platform's word on a message whose sending it has not yet confirmed to us."""

    __tablename__ = "notice_early_receipt"
    __table_args__ = (UniqueConstraint("account_id", "platform_id", name="uq_notice_early_receipt_once"),)

    id: Mapped[int] = key_column()
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    platform_id: Mapped[str] = mapped_column(String(PLATFORM_ID_MAX))
    outcome: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(CODE_MAX))
    at: Mapped[datetime] = mapped_column(index=True)


class Contact(Model):
    """What an account knows of one of its users; ``subject_index`` is a keyed digest of the user id.

    ``following`` None: nobody said. ``spoke_at``: when the user last turned to the account.
    """

    __tablename__ = "notice_contact"
    __table_args__ = (UniqueConstraint("account_id", "subject_index", name="uq_notice_contact_subject"),)

    id: Mapped[int] = key_column()
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    subject_index: Mapped[str] = mapped_column(BLIND_INDEX)
    following: Mapped[bool | None]
    spoke_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class ConsentRow(Model):
    """How many messages of a platform's form a user still allows (订阅)."""

    __tablename__ = "notice_consent"
    __table_args__ = (UniqueConstraint("contact_id", "platform_template", name="uq_notice_consent_template"),)

    id: Mapped[int] = key_column()
    contact_id: Mapped[int] = mapped_column(ForeignKey("notice_contact.id"))
    platform_template: Mapped[str] = mapped_column(String(PLATFORM_TEMPLATE_MAX))
    remaining: Mapped[int]
    refused_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class Preference(Model):
    """How one resident wants to be told; quiet hours in minutes after midnight, both None for none."""

    __tablename__ = "notice_preference"

    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"), primary_key=True, autoincrement=False)
    channels: Mapped[list[str]] = mapped_column(JSON)
    quiet_from: Mapped[int | None] = mapped_column(SmallInteger)
    quiet_until: Mapped[int | None] = mapped_column(SmallInteger)
    muted: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int]
    changed_at: Mapped[datetime]


class Sender(Model):
    """How an account's sending fares: its pace and its circuit breaker (熔断), one row for all processes.

    ``open_until`` None: closed. Past: half-open, one trial at a time until ``trial_until``.
    """

    __tablename__ = "notice_sender"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("channel_account.id"), primary_key=True, autoincrement=False
    )
    per_second: Mapped[int]
    daily_limits: Mapped[dict[str, Any]] = mapped_column(JSON)
    pace_second: Mapped[int] = mapped_column(Key)
    pace_count: Mapped[int]
    window_from: Mapped[datetime]
    ok_count: Mapped[int]
    failure_count: Mapped[int]
    open_until: Mapped[datetime | None]
    trial_until: Mapped[datetime | None]
    opened_in_a_row: Mapped[int]
    last_code: Mapped[str] = mapped_column(String(CODE_MAX))


class Quota(Model):
    """Messages an account sent on one day (Guangdong's), by right; ``stopped``: the platform said enough."""

    __tablename__ = "notice_quota"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("channel_account.id"), primary_key=True, autoincrement=False
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    right: Mapped[str] = mapped_column(String(20), primary_key=True)
    used: Mapped[int]
    stopped: Mapped[bool]
