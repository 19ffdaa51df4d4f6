"""What a notice to a resident is, how it may go out and how it ends. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from app.core.errors import Conflict, DomainError, NotFound
from app.core.quiet import Quiet

KEY_MAX = 60
NAME_MAX = 40
TITLE_MAX = 40
BODY_MAX = 600
VARIABLES_MAX = 20
VALUES_MAX = 1500
"""Of all values of a message together, so that the vault can take them in one piece."""
VARIABLE_NAME_MAX = 20
VALUE_MAX = 300
FIELDS_MAX = 20
FIELD_TEXT_MAX = 200
FORMS_MAX = 40
PLATFORM_TEMPLATE_MAX = 100
PLATFORM_ID_MAX = 100
WAY_MAX = 50
CODE_MAX = 64
LINK_MAX = 300
DEDUP_KEY_MAX = 120
LANGUAGE_MAX = 20
ACTOR_MAX = 80
LANGUAGE = "zh-Hans"
VALUES_FIELD = "notice_values"

VALID_HOURS = 72
VALID_HOURS_MAX = 24 * 60
QUIET = Quiet(22 * 60, 8 * 60)
"""Held for who never said otherwise: from 22:00 to 08:00."""

KEEP_TEXT = timedelta(days=180)
"""How long a message can be read in the hall; then its text is deleted and what became of it stays."""

KEEP_PROOF = timedelta(days=400)
"""How long it is known what became of a message: a year of reports and a month to dispute them."""

CALL_LEASE = timedelta(seconds=60)
"""Longer than one bounded call to a platform, the renewal of its token included."""

RETRY_AFTER = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
"""Waits between tries on one way, give or take a fifth; after the last the next way is taken."""

REPEATABLE_FOR = timedelta(minutes=9)
"""WeChat shows repeats of one client_msg_id once, for ten minutes."""

SERVICE_WINDOW = timedelta(hours=47, minutes=50)
"""A customer-service message is taken 48 hours after the resident last wrote; some minutes for our clock."""

FORGOTTEN_AFTER = timedelta(minutes=10)


class VersionState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class VariableType(StrEnum):
    TEXT = "text"
    CODE = "code"
    NUMBER = "number"
    AMOUNT = "amount"
    DATE = "date"
    PHONE = "phone"


class Right(StrEnum):
    """By what right a platform lets us write to somebody."""

    SUBSCRIBE = "subscribe"
    TEMPLATE = "template"
    SERVICE = "service"


class DeliveryState(StrEnum):
    """How far a message has come, on one way and as a whole.

    ``accepted``: the platform took it. ``delivered``: it said that it arrived. ``refused``: the resident
    does not want it there. ``failed``: it could not be sent. ``expired``: it had lost its meaning.
    """

    CREATED = "created"
    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    REFUSED = "refused"
    FAILED = "failed"
    EXPIRED = "expired"


MOVES: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.CREATED: frozenset({DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.EXPIRED}),
    DeliveryState.QUEUED: frozenset({DeliveryState.SENDING, DeliveryState.FAILED, DeliveryState.EXPIRED}),
    DeliveryState.SENDING: frozenset(
        {DeliveryState.QUEUED, DeliveryState.ACCEPTED, DeliveryState.REFUSED, DeliveryState.FAILED}
    ),
    DeliveryState.ACCEPTED: frozenset({DeliveryState.DELIVERED, DeliveryState.REFUSED, DeliveryState.FAILED}),
    DeliveryState.DELIVERED: frozenset(),
    DeliveryState.REFUSED: frozenset(),
    DeliveryState.FAILED: frozenset(),
    DeliveryState.EXPIRED: frozenset(),
}
"""The only moves there are of one message on one way."""

OPEN_STATES = (DeliveryState.CREATED, DeliveryState.QUEUED, DeliveryState.SENDING)


class Topic(StrEnum):
    """What notices are about; residents may turn single ones off, channel by channel."""

    PROGRESS = "progress"
    CORRECTION = "correction"
    DECISION = "decision"
    SERVED = "served"
    APPOINTMENT = "appointment"
    CONSULTATION = "consultation"
    ACCOUNT = "account"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class Way:
    """One right on one kind of channel, e.g. ``wechat.subscribe``; ``hall`` is the message in the hall."""

    kind: str
    right: Right

    def __str__(self) -> str:
        return f"{self.kind}.{self.right}"


HALL = "hall"
_WAY = re.compile(r"([a-z][a-z0-9_]{0,31})\.(subscribe|template|service)")

DEFAULT_ORDER = (
    "wechat_mini.subscribe",
    "wechat.subscribe",
    "wechat.template",
    "wechat.service",
    "alipay_mini.subscribe",
    "alipay.template",
    "alipay.service",
)
"""Tried from the left; the message in the hall stands behind them all."""

REPEATABLE = frozenset({"wechat.template"})
"""Where the platform itself shows a repeat once, so that an unknown result may be tried again."""


def way_of(text: str) -> Way | None:
    """Return the way that ``text`` names; None for what is none."""
    found = _WAY.fullmatch(text)
    return Way(found[1], Right(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class Variable:
    """A place in a text that each message fills (变量).

    Attributes:
        chars_max: how long the value may be; what is longer is cut.
        sample: shown in previews, checked when the template is saved.
    """

    name: str
    type: VariableType
    chars_max: int
    sample: str


@dataclass(frozen=True, slots=True)
class PlatformForm:
    """One account's form on its platform (平台模板) and what goes into each of its fields.

    Attributes:
        fields: the platform's field name to a text with ``{变量}``.
        long_term: one consent of a resident is good for ever, not for one message.
    """

    account_id: int
    right: Right
    platform_template: str
    fields: Mapping[str, str]
    long_term: bool = False


@dataclass(frozen=True, slots=True)
class Wording:
    """What a version of a template says and where it goes."""

    title: str
    body: str
    variables: tuple[Variable, ...] = ()
    order: tuple[str, ...] = DEFAULT_ORDER
    forms: tuple[PlatformForm, ...] = ()


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """What is asked for.

    Attributes:
        urgent: goes out in quiet hours as well.
        binding: has legal effect (送达); residents choose its channel but cannot turn it off.
        valid_hours: after that nobody is told any more.
    """

    key: str
    name: str
    topic: Topic
    urgent: bool = False
    binding: bool = False
    valid_hours: int = VALID_HOURS


@dataclass(frozen=True, slots=True)
class Settings:
    """How a resident wants to be told; the defaults hold for who never said.

    Attributes:
        channels: kinds of channels, the preferred first; those left out follow.
        quiet: None for no quiet hours.
        muted: topic to the kinds of channels on which it is not wanted.
    """

    channels: tuple[str, ...] = ()
    quiet: Quiet | None = QUIET
    muted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    version: int = 0


class UnknownTemplate(NotFound):
    code = "unknown_notice_template"
    title = "没有这个通知模板，或还没有发布"
    title_en = "No such notice template, or none is published"


class NotDraft(Conflict):
    """What was published never changes again; make a new version."""

    code = "not_a_draft"
    title = "已发布的版本不能修改，请新建版本"
    title_en = "A published version cannot be changed"


class NotReachable(DomainError):
    """There is nobody to send a test to."""

    code = "not_reachable"
    title = "没有可以接收测试的账号"
    title_en = "There is no account to send a test to"


TOPIC_LABELS = {
    Topic.PROGRESS: "办件进度",
    Topic.CORRECTION: "补正材料",
    Topic.DECISION: "办理结果",
    Topic.SERVED: "文书送达",
    Topic.APPOINTMENT: "预约提醒",
    Topic.CONSULTATION: "咨询答复",
    Topic.ACCOUNT: "账号安全",
    Topic.GENERAL: "服务通知",
}
STATE_LABELS = {
    DeliveryState.CREATED: "待发",
    DeliveryState.QUEUED: "排队",
    DeliveryState.SENDING: "发送中",
    DeliveryState.ACCEPTED: "平台已接收",
    DeliveryState.DELIVERED: "已送达",
    DeliveryState.REFUSED: "对方拒收",
    DeliveryState.FAILED: "未送达",
    DeliveryState.EXPIRED: "已过期",
}
VERSION_LABELS = {
    VersionState.DRAFT: "草稿",
    VersionState.PUBLISHED: "已发布",
    VersionState.RETIRED: "已停用",
}
RIGHT_LABELS = {Right.SUBSCRIBE: "订阅消息", Right.TEMPLATE: "模板消息", Right.SERVICE: "客服消息"}
TYPE_LABELS = {
    VariableType.TEXT: "文字",
    VariableType.CODE: "编号（字母、数字、符号）",
    VariableType.NUMBER: "数字",
    VariableType.AMOUNT: "金额",
    VariableType.DATE: "日期、时间",
    VariableType.PHONE: "电话",
}


def has_lost_its_meaning(valid_until: datetime, now: datetime) -> bool:
    """Tell whether nobody needs to be told any more."""
    return now >= valid_until
