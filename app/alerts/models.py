"""Tables of alerts: what happened, who is to know, what was sent, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.alerts.domain import (
    ACTOR_MAX,
    ADDRESS_REF_MAX,
    CITY_MAX,
    ERROR_MAX,
    GROUP_KEY_MAX,
    HOST_MAX,
    LINK_MAX,
    MATTER_MAX,
    NAME_MAX,
    PLATFORM_ID_MAX,
    RECIPIENT_MAX,
    TEXT_MAX,
    TITLE_MAX,
    TOPIC_MAX,
    DeliveryState,
    Digest,
    EndpointFormat,
    MessageKind,
    Severity,
    Way,
)
from app.core.db import Model, key_column

VAULT_TOKEN = String(32)


class AlertRow(Model):
    """One alert as it was raised; ``gathered_at`` is None until its recipients were found."""

    __tablename__ = "alert"
    __table_args__ = (Index("ix_alert_gathered", "gathered_at", "at"), Index("ix_alert_at", "at"))

    id: Mapped[int] = key_column()
    topic: Mapped[str] = mapped_column(String(TOPIC_MAX))
    severity: Mapped[Severity]
    audience: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[str] = mapped_column(String(TITLE_MAX))
    text: Mapped[str] = mapped_column(String(TEXT_MAX))
    body_id: Mapped[int | None] = mapped_column(ForeignKey("body.id"), index=True)
    city_code: Mapped[str | None] = mapped_column(String(CITY_MAX))
    group_key: Mapped[str] = mapped_column(String(GROUP_KEY_MAX))
    link: Mapped[str] = mapped_column(String(LINK_MAX))
    at: Mapped[datetime]
    gathered_at: Mapped[datetime | None]


class Message(Model):
    """What one recipient gets at one time: one alert, or many in one (告警汇总).

    ``recipient`` is ``staff:<id>`` or ``endpoint:<id>``. ``body_id`` and ``city_code`` are set where
    all its alerts share them. ``content`` holds the worst of them, ready to be written out.
    """

    __tablename__ = "alert_message"
    __table_args__ = (
        Index("ix_alert_message_recipient", "recipient", "created_at"),
        Index("ix_alert_message_created", "created_at"),
    )

    id: Mapped[int] = key_column()
    recipient: Mapped[str] = mapped_column(String(RECIPIENT_MAX))
    kind: Mapped[MessageKind]
    severity: Mapped[Severity]
    title: Mapped[str] = mapped_column(String(TITLE_MAX))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    alert_count: Mapped[int]
    body_id: Mapped[int | None] = mapped_column(ForeignKey("body.id"), index=True)
    city_code: Mapped[str | None] = mapped_column(String(CITY_MAX))
    created_at: Mapped[datetime]


class Notice(Model):
    """That one recipient is to know of one alert; ``message_id`` says in which message they were told.

    ``matter`` is the alert's group and body: what is told of one body says nothing of another's.
    ``dropped``: why they were not told, e.g. a recovery after an outage that never reached them.
    """

    __tablename__ = "alert_notice"
    __table_args__ = (
        UniqueConstraint("recipient", "alert_id", name="uq_alert_notice_once"),
        Index("ix_alert_notice_waiting", "recipient", "message_id", "due_at"),
        Index("ix_alert_notice_matter", "matter", "recipient"),
    )

    id: Mapped[int] = key_column()
    recipient: Mapped[str] = mapped_column(String(RECIPIENT_MAX))
    alert_id: Mapped[int] = mapped_column(ForeignKey("alert.id"), index=True)
    topic: Mapped[str] = mapped_column(String(TOPIC_MAX))
    matter: Mapped[str] = mapped_column(String(MATTER_MAX))
    due_at: Mapped[datetime]
    message_id: Mapped[int | None] = mapped_column(ForeignKey("alert_message.id"), index=True)
    dropped: Mapped[str | None] = mapped_column(String(20))


class Delivery(Model):
    """One message on one way: the proof of delivery.

    ``address_ref`` names the binding, the mailbox or the endpoint, never the address itself.
    """

    __tablename__ = "alert_delivery"
    __table_args__ = (
        UniqueConstraint("message_id", "address_ref", name="uq_alert_delivery_once"),
        Index("ix_alert_delivery_created", "created_at"),
        Index("ix_alert_delivery_platform", "address_ref", "platform_id"),
    )

    id: Mapped[int] = key_column()
    message_id: Mapped[int] = mapped_column(ForeignKey("alert_message.id"))
    way: Mapped[Way | None]
    address_ref: Mapped[str] = mapped_column(String(ADDRESS_REF_MAX))
    state: Mapped[DeliveryState]
    attempts: Mapped[int]
    platform_id: Mapped[str] = mapped_column(String(PLATFORM_ID_MAX))
    error: Mapped[str] = mapped_column(String(ERROR_MAX))
    created_at: Mapped[datetime]
    tried_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class Preference(Model):
    """How one member of staff wants to be told; quiet hours in minutes after midnight, Guangdong."""

    __tablename__ = "alert_preference"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True, autoincrement=False)
    ways: Mapped[list[str]] = mapped_column(JSON)
    quiet_from: Mapped[int | None] = mapped_column(SmallInteger)
    quiet_until: Mapped[int | None] = mapped_column(SmallInteger)
    digest: Mapped[Digest]
    min_severity: Mapped[Severity]
    muted: Mapped[list[str]] = mapped_column(JSON)
    email_token: Mapped[str | None] = mapped_column(VAULT_TOKEN)
    version: Mapped[int]
    changed_at: Mapped[datetime]


class StaffBinding(Model):
    """A member of staff's own user id on a platform account; the id is in the vault."""

    __tablename__ = "staff_binding"
    __table_args__ = (UniqueConstraint("staff_id", "account_id", name="uq_staff_binding_account"),)

    id: Mapped[int] = key_column()
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    openid_token: Mapped[str] = mapped_column(VAULT_TOKEN, unique=True)
    bound_at: Mapped[datetime]


class BindingCode(Model):
    """The code that a member of staff has on the screen, for a few minutes; it lies in the vault."""

    __tablename__ = "staff_binding_code"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True, autoincrement=False)
    code_token: Mapped[str] = mapped_column(VAULT_TOKEN, unique=True)
    expires_at: Mapped[datetime]


class Endpoint(Model):
    """Another system that wants to know (Webhook); address and secret are in the vault.

    For the province (both None), a city, or a body. While its circuit is open nothing is sent.
    """

    __tablename__ = "alert_endpoint"

    id: Mapped[int] = key_column()
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    format: Mapped[EndpointFormat]
    host: Mapped[str] = mapped_column(String(HOST_MAX))
    url_token: Mapped[str] = mapped_column(VAULT_TOKEN)
    secret_token: Mapped[str | None] = mapped_column(VAULT_TOKEN)
    city_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"), index=True)
    body_id: Mapped[int | None] = mapped_column(ForeignKey("body.id"), index=True)
    min_severity: Mapped[Severity]
    active: Mapped[bool]
    failure_count: Mapped[int]
    open_until: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(ACTOR_MAX))
    removed_at: Mapped[datetime | None] = mapped_column(index=True)
    last_sent_at: Mapped[datetime | None]
