"""Tables of third-party access."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Key, Model, key_column
from app.third_parties.domain import (
    ACTOR_MAX,
    ERROR_MAX,
    HOST_MAX,
    KEY_ID_MAX,
    NAME_MAX,
    PURPOSE_MAX,
    REASON_MAX,
    STATE_MAX,
    URL_MAX,
    VAULT_TOKEN_MAX,
    AppState,
    Decision,
    DeliveryState,
    EventKind,
    Scope,
    ScopeState,
    Stage,
    WebhookState,
)

DIGEST = String(64)
VAULT_TOKEN = String(VAULT_TOKEN_MAX)
SUBJECT = String(80)


class App(Model):
    """A department's system that may call; name and telephone of its contact are in the vault."""

    __tablename__ = "partner_app"

    id: Mapped[int] = key_column()
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"), index=True)
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    contact_token: Mapped[str] = mapped_column(VAULT_TOKEN)
    callback_url: Mapped[str] = mapped_column(String(URL_MAX))
    sso_hosts: Mapped[list[str]] = mapped_column(JSON)
    purpose_version: Mapped[int]
    state: Mapped[AppState] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(REASON_MAX))
    version: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(ACTOR_MAX))
    changed_at: Mapped[datetime]


class Purpose(Model):
    """What an application says it is for; a consent is given to one version of it."""

    __tablename__ = "partner_purpose"

    app_id: Mapped[int] = mapped_column(ForeignKey("partner_app.id"), primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(String(PURPOSE_MAX))
    created_at: Mapped[datetime]


class AppScope(Model):
    """A scope that an application asked for, and what was decided for production."""

    __tablename__ = "partner_scope"

    app_id: Mapped[int] = mapped_column(ForeignKey("partner_app.id"), primary_key=True, autoincrement=False)
    scope: Mapped[Scope] = mapped_column(primary_key=True)
    state: Mapped[ScopeState]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(ACTOR_MAX))


class AppQuota(Model):
    """How often an application may call in one environment, where it differs from the default."""

    __tablename__ = "partner_quota"

    app_id: Mapped[int] = mapped_column(ForeignKey("partner_app.id"), primary_key=True, autoincrement=False)
    stage: Mapped[Stage] = mapped_column(primary_key=True)
    per_minute: Mapped[int]
    per_day: Mapped[int]


class AppKey(Model):
    """A key of one environment; its secret is in the vault, since an HMAC needs it in clear."""

    __tablename__ = "partner_key"

    id: Mapped[int] = key_column()
    app_id: Mapped[int] = mapped_column(ForeignKey("partner_app.id"), index=True)
    stage: Mapped[Stage]
    key_id: Mapped[str] = mapped_column(String(KEY_ID_MAX), unique=True)
    secret_token: Mapped[str] = mapped_column(VAULT_TOKEN)
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(ACTOR_MAX))


class Nonce(Model):
    """A nonce that was used under a key; forgotten when its time window has passed."""

    __tablename__ = "partner_nonce"

    key_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Usage(Model):
    """How often an application called on one day of Guangdong, and how often it was refused for quota."""

    __tablename__ = "partner_usage"

    app_id: Mapped[int] = mapped_column(ForeignKey("partner_app.id"), primary_key=True, autoincrement=False)
    stage: Mapped[Stage] = mapped_column(primary_key=True)
    on: Mapped[date] = mapped_column(Date, primary_key=True)
    count: Mapped[int]
    refused: Mapped[int]


class Subject(Model):
    """Under which name an application knows a resident, since their first sign-in there."""

    __tablename__ = "partner_subject"
    __table_args__ = (
        UniqueConstraint("app_id", "stage", "subject", name="uq_partner_subject_name"),
        UniqueConstraint("app_id", "stage", "resident_id", name="uq_partner_subject_resident"),
    )

    id: Mapped[int] = key_column()
    app_id: Mapped[int] = mapped_column(ForeignKey("partner_app.id"))
    stage: Mapped[Stage]
    subject: Mapped[str] = mapped_column(SUBJECT)
    resident_id: Mapped[int] = mapped_column(Key, index=True)
    seen_at: Mapped[datetime]


class SampleResident(Model):
    """A made-up resident that the sandbox of one application works on."""

    __tablename__ = "partner_sample_resident"
    __table_args__ = (UniqueConstraint("app_id", "number", name="uq_partner_sample_resident_number"),)

    resident_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    app_id: Mapped[int] = mapped_column(ForeignKey("partner_app.id"))
    number: Mapped[int]
    ticket_digest: Mapped[str | None] = mapped_column(DIGEST, index=True)
    ticket_until: Mapped[datetime | None]


class ConsentRequest(Model):
    """A question to one resident, for a few minutes; only the digest of its link is kept."""

    __tablename__ = "partner_consent_request"

    id: Mapped[int] = key_column()
    token_digest: Mapped[str] = mapped_column(DIGEST, unique=True)
    app_id: Mapped[int] = mapped_column(ForeignKey("partner_app.id"), index=True)
    stage: Mapped[Stage]
    resident_id: Mapped[int] = mapped_column(Key)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    days: Mapped[int]
    state: Mapped[str] = mapped_column(String(STATE_MAX))
    decision: Mapped[Decision]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Consent(Model):
    """What a resident agreed to, for how long, on which version of the purpose."""

    __tablename__ = "partner_consent"
    __table_args__ = (
        Index("ix_partner_consent_resident", "resident_id", "granted_at"),
        Index("ix_partner_consent_app", "app_id", "stage", "resident_id"),
    )

    id: Mapped[int] = key_column()
    app_id: Mapped[int] = mapped_column(ForeignKey("partner_app.id"))
    stage: Mapped[Stage]
    resident_id: Mapped[int] = mapped_column(Key)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    purpose_version: Mapped[int]
    granted_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(String(ACTOR_MAX))


class Use(Model):
    """That an application used a consent; the person sees it."""

    __tablename__ = "partner_use"
    __table_args__ = (Index("ix_partner_use_consent", "consent_id", "at"),)

    id: Mapped[int] = key_column()
    consent_id: Mapped[int] = mapped_column(ForeignKey("partner_consent.id"))
    scope: Mapped[Scope]
    what: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(index=True)


class Webhook(Model):
    """Where events of one environment go; address and secrets are in the vault."""

    __tablename__ = "partner_webhook"

    id: Mapped[int] = key_column()
    app_id: Mapped[int] = mapped_column(ForeignKey("partner_app.id"), index=True)
    stage: Mapped[Stage]
    host: Mapped[str] = mapped_column(String(HOST_MAX))
    url_token: Mapped[str] = mapped_column(VAULT_TOKEN)
    secret_token: Mapped[str] = mapped_column(VAULT_TOKEN)
    previous_token: Mapped[str | None] = mapped_column(VAULT_TOKEN)
    previous_until: Mapped[datetime | None]
    events: Mapped[list[str]] = mapped_column(JSON)
    state: Mapped[WebhookState]
    last_error: Mapped[str] = mapped_column(String(ERROR_MAX))
    last_sent_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    version: Mapped[int]
    created_at: Mapped[datetime]


class EventRow(Model):
    """Something that happened; for everybody, or for one application where ``app_id`` is set."""

    __tablename__ = "partner_event"

    id: Mapped[int] = key_column()
    kind: Mapped[EventKind]
    app_id: Mapped[int | None] = mapped_column(ForeignKey("partner_app.id"), index=True)
    stage: Mapped[Stage | None]
    webhook_id: Mapped[int | None] = mapped_column(ForeignKey("partner_webhook.id"), index=True)
    happening: Mapped[str | None] = mapped_column(String(120), unique=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(index=True)


class Delivery(Model):
    """One event for one webhook, and how it stands."""

    __tablename__ = "partner_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "event_id", name="uq_partner_delivery_once"),
        Index("ix_partner_delivery_created", "created_at"),
    )

    id: Mapped[int] = key_column()
    webhook_id: Mapped[int] = mapped_column(ForeignKey("partner_webhook.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("partner_event.id"), index=True)
    state: Mapped[DeliveryState]
    attempts: Mapped[int]
    rung: Mapped[int]
    next_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Attempt(Model):
    """One try of a delivery; ``status`` is 0 when no answer came."""

    __tablename__ = "partner_attempt"

    delivery_id: Mapped[int] = mapped_column(
        ForeignKey("partner_delivery.id"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    status: Mapped[int]
    duration_ms: Mapped[int]
    error: Mapped[str] = mapped_column(String(ERROR_MAX))
