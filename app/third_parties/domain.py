"""Rules of third-party access (第三方接入): states of an application, scopes, limits, ladder. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.core.errors import Conflict

NAME_MAX = 40
PURPOSE_MIN, PURPOSE_MAX = 10, 300
CONTACT_MAX = 60
URL_MAX = 500
HOST_MAX = 253
HOSTS_MAX = 10
REASON_MAX = 200
KEY_ID_MAX = 40
VAULT_TOKEN_MAX = 32
ERROR_MAX = 80
ACTOR_MAX = 80
STATE_MAX = 200
"""What an application gets back after the consent page, to know its own visitor again."""

KEYS_MAX = 4
"""Keys that may be in force at once in one environment: a rotation needs two."""
KEY_LIFE = timedelta(days=365)
KEY_OVERLAP = timedelta(days=7)
"""How long the keys of before stay in force after a rotation, unless ended at once."""

SKEW = timedelta(seconds=100)
NONCE_MIN, NONCE_MAX = 8, 80

SAMPLES = 5
"""Made-up people in the sandbox of every application."""

CONSENT_DAYS_MAX = 365
CONSENT_REQUEST_LIFE = timedelta(minutes=10)
USES_SHOWN = 50

PER_MINUTE_MAX = 6000
PER_DAY_MAX = 5_000_000

WEBHOOKS_MAX = 5
SECRET_OVERLAP = timedelta(hours=24)
"""How long both secrets sign after a rotation."""
LADDER = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
)
"""Waits between tries. Source: Standard Webhooks specification, "Deliverability and reliability"."""

KEEP_DELIVERIES = timedelta(days=30)
KEEP_USES = timedelta(days=365)
KEEP_USAGE = timedelta(days=400)
DELIVERIES_SHOWN = 50
USAGE_DAYS_SHOWN = 14

HOST = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class AppState(StrEnum):
    """Where an application stands between draft and end."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class AppEvent(StrEnum):
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    RETURN = "return"
    SUSPEND = "suspend"
    RESUME = "resume"
    CLOSE = "close"


class Stage(StrEnum):
    """Which of the two environments a key, a consent or a webhook belongs to."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class Scope(StrEnum):
    """What an application may do; each is asked for and approved by itself."""

    SELF_READ = "self.read"
    PAGES_READ = "pages.read"
    ITEMS_READ = "items.read"
    SSO = "sso"
    MESSAGES_SEND = "messages.send"
    APPLICATIONS_READ = "applications.read"
    WEBHOOKS = "webhooks"
    EXCHANGE = "exchange"
    IDENTITY_READ = "identity.read"


class ScopeState(StrEnum):
    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


class EventKind(StrEnum):
    """What a webhook may tell."""

    PAGE_PUBLISHED = "page.published"
    PAGE_SUSPENDED = "page.suspended"
    PAGE_RETIRED = "page.retired"
    CONSENT_GRANTED = "consent.granted"
    CONSENT_ENDED = "consent.ended"
    APPLICATION_CHANGED = "application.changed"
    EXCHANGE_MESSAGE = "exchange.message"
    PING = "ping"


class WebhookState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    REMOVED = "removed"


class DeliveryState(StrEnum):
    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"


class Decision(StrEnum):
    """What became of a request for consent."""

    OPEN = "open"
    GRANTED = "granted"
    DENIED = "denied"


GIVEN = frozenset({Scope.SELF_READ})
"""Every application has these without asking."""
CHOOSABLE = tuple(scope for scope in Scope if scope not in GIVEN)
PERSONAL = frozenset({Scope.MESSAGES_SEND, Scope.APPLICATIONS_READ, Scope.IDENTITY_READ})
"""These touch one resident, who must agree first."""
SUBSCRIBABLE = tuple(kind for kind in EventKind if kind is not EventKind.PING)

APP_STATE_LABELS: Mapping[AppState, str] = {
    AppState.DRAFT: "草稿",
    AppState.SUBMITTED: "待审核",
    AppState.APPROVED: "已开通",
    AppState.SUSPENDED: "已暂停",
    AppState.CLOSED: "已关闭",
}
STAGE_LABELS: Mapping[Stage, str] = {Stage.SANDBOX: "测试环境", Stage.PRODUCTION: "正式环境"}
SCOPE_LABELS: Mapping[Scope, str] = {
    Scope.SELF_READ: "查看自己的接入情况",
    Scope.PAGES_READ: "查询已发布的移动网页",
    Scope.ITEMS_READ: "查询办事事项和指南",
    Scope.SSO: "单点登录",
    Scope.MESSAGES_SEND: "给同意的群众发送通知",
    Scope.APPLICATIONS_READ: "查看同意的群众的办件进度",
    Scope.WEBHOOKS: "接收事件推送（Webhook）",
    Scope.EXCHANGE: "办件数据对接（对接规范）",
    Scope.IDENTITY_READ: "登录时读取同意的群众的实名信息",
}
CONSENT_LABELS: Mapping[Scope, str] = {
    Scope.MESSAGES_SEND: "给您发送办事通知",
    Scope.APPLICATIONS_READ: "查看您的办件进度",
    Scope.IDENTITY_READ: "登录时读取您的姓名和证件号码",
}
"""What a resident reads on the consent page."""
SCOPE_STATE_LABELS: Mapping[ScopeState, str] = {
    ScopeState.ASKED: "待审核",
    ScopeState.GRANTED: "已开通",
    ScopeState.REFUSED: "未通过",
}
EVENT_LABELS: Mapping[EventKind, str] = {
    EventKind.PAGE_PUBLISHED: "网页上线",
    EventKind.PAGE_SUSPENDED: "网页下线",
    EventKind.PAGE_RETIRED: "网页停用",
    EventKind.CONSENT_GRANTED: "群众同意授权",
    EventKind.CONSENT_ENDED: "群众结束授权",
    EventKind.APPLICATION_CHANGED: "办件进度变化",
    EventKind.EXCHANGE_MESSAGE: "有新的办件报文待取",
    EventKind.PING: "测试",
}
WEBHOOK_STATE_LABELS: Mapping[WebhookState, str] = {
    WebhookState.ACTIVE: "正常",
    WebhookState.PAUSED: "已停推",
    WebhookState.REMOVED: "已删除",
}
DELIVERY_STATE_LABELS: Mapping[DeliveryState, str] = {
    DeliveryState.QUEUED: "待推送",
    DeliveryState.DELIVERED: "已送达",
    DeliveryState.FAILED: "失败",
}

_MOVES: Mapping[tuple[AppState, AppEvent], AppState] = {
    (AppState.DRAFT, AppEvent.SUBMIT): AppState.SUBMITTED,
    (AppState.SUBMITTED, AppEvent.WITHDRAW): AppState.DRAFT,
    (AppState.SUBMITTED, AppEvent.RETURN): AppState.DRAFT,
    (AppState.SUBMITTED, AppEvent.APPROVE): AppState.APPROVED,
    (AppState.APPROVED, AppEvent.SUSPEND): AppState.SUSPENDED,
    (AppState.SUSPENDED, AppEvent.RESUME): AppState.APPROVED,
    (AppState.DRAFT, AppEvent.CLOSE): AppState.CLOSED,
    (AppState.SUBMITTED, AppEvent.CLOSE): AppState.CLOSED,
    (AppState.APPROVED, AppEvent.CLOSE): AppState.CLOSED,
    (AppState.SUSPENDED, AppEvent.CLOSE): AppState.CLOSED,
}
_MAY_CALL: Mapping[Stage, frozenset[AppState]] = {
    Stage.SANDBOX: frozenset({AppState.DRAFT, AppState.SUBMITTED, AppState.APPROVED}),
    Stage.PRODUCTION: frozenset({AppState.APPROVED}),
}


class MoveNotAllowed(Conflict):
    code = "move_not_allowed"
    title = "当前状态不能这样操作"
    title_en = "Not possible in the present state"


@dataclass(frozen=True, slots=True)
class Quota:
    """How often an application may call in one environment."""

    per_minute: int
    per_day: int


DEFAULT_QUOTA: Mapping[Stage, Quota] = {
    Stage.SANDBOX: Quota(per_minute=60, per_day=5_000),
    Stage.PRODUCTION: Quota(per_minute=300, per_day=100_000),
}


def move(state: AppState, event: AppEvent) -> AppState:
    """Return the state after ``event``.

    Raises:
        MoveNotAllowed: the event has no place in this state.
    """
    after = _MOVES.get((state, event))
    if after is None:
        raise MoveNotAllowed
    return after


def may_call(state: AppState, stage: Stage) -> bool:
    """Tell whether keys of an environment work while the application is in ``state``."""
    return state in _MAY_CALL[stage]


def scopes_in_force(stage: Stage, scopes: Mapping[Scope, ScopeState]) -> frozenset[Scope]:
    """Return what a key may do: what was granted; in the sandbox also what was only asked for."""
    enough = {ScopeState.GRANTED} | ({ScopeState.ASKED} if stage is Stage.SANDBOX else set())
    return GIVEN | {scope for scope, state in scopes.items() if state in enough}


def next_try(attempts: int, at: datetime) -> datetime | None:
    """Return when to deliver again after ``attempts`` failed tries; None when the ladder has ended."""
    return at + LADDER[attempts - 1] if attempts <= len(LADDER) else None


def hosts_in(text: str) -> tuple[list[str], list[str]]:
    """Return the host names in ``text`` (one a line, or with commas), and those that are none."""
    words = dict.fromkeys(text.lower().replace(",", " ").replace("，", " ").split())
    good = [word for word in words if HOST.fullmatch(word)]
    return good, [word for word in words if not HOST.fullmatch(word)]
