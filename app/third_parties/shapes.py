"""What third_parties hands out: frozen views, never rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from app.third_parties.domain import (
    AppState,
    DeliveryState,
    EventKind,
    Scope,
    ScopeState,
    Stage,
    WebhookState,
)


@dataclass(frozen=True, slots=True)
class Registration:
    """What a department says of its application.

    Attributes:
        contact: name and telephone of a person; goes to the vault.
        callback_url: where the consent page sends people back to.
        sso_hosts: hosts that tickets may be carried to.
    """

    name: str
    purpose: str
    contact: str
    callback_url: str
    sso_hosts: tuple[str, ...]
    scopes: tuple[Scope, ...]


@dataclass(frozen=True, slots=True)
class AppView:
    id: int
    body_id: int
    body_name: str
    name: str
    purpose: str
    purpose_version: int
    callback_url: str
    sso_hosts: tuple[str, ...]
    state: AppState
    reason: str
    scopes: Mapping[Scope, ScopeState]
    version: int
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key without its secret; ``works`` tells whether it is in force at the moment asked for."""

    id: int
    stage: Stage
    key_id: str
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    works: bool


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key with its secret, shown once."""

    view: KeyView
    secret: str


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of a quota and in how many seconds it is whole again."""

    name: str
    quota: int
    window_seconds: int
    left: int
    reset_seconds: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed a request; implements ``core.access.Partner``.

    Attributes:
        id: of the application.
        key: database key of the key that signed.
    """

    id: int
    name: str
    body_id: int
    stage: Stage
    key: int
    scopes: frozenset[Scope]
    remaining: tuple[Remaining, ...]

    @property
    def actor(self) -> str:
        return f"partner:{self.id}"

    def may(self, scope: str) -> bool:
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class UsageDay:
    on: date
    count: int
    refused: int


@dataclass(frozen=True, slots=True)
class ConsentView:
    """A consent as the resident sees it, and as its application does."""

    id: int
    app_name: str
    body_name: str
    purpose: str
    stage: Stage
    scopes: tuple[Scope, ...]
    granted_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    in_force: bool
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class ConsentQuestion:
    """What the consent page asks.

    Attributes:
        purpose_version: which version of the purpose this is.
        days: how long the answer holds.
        until: that in a date of Guangdong.
        return_host: where the page leads back to.
    """

    app_name: str
    body_name: str
    purpose: str
    purpose_version: int
    stage: Stage
    scopes: tuple[Scope, ...]
    days: int
    until: date
    return_host: str


@dataclass(frozen=True, slots=True)
class UseView:
    scope: Scope
    what: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WebhookView:
    """A webhook without its secrets."""

    id: int
    app_id: int
    stage: Stage
    host: str
    url: str
    events: tuple[EventKind, ...]
    state: WebhookState
    last_error: str
    last_sent_at: datetime | None
    paused_at: datetime | None
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AttemptView:
    number: int
    at: datetime
    status: int
    duration_ms: int
    error: str


@dataclass(frozen=True, slots=True)
class DeliveryView:
    id: int
    webhook_id: int
    event_id: int
    kind: EventKind
    state: DeliveryState
    attempts: int
    next_at: datetime | None
    created_at: datetime
    tries: tuple[AttemptView, ...]
