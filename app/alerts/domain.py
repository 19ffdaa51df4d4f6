"""What an alert is, how bad, for whom; ways of telling and the words for them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

TOPIC_MAX = 40
TITLE_MAX = 120
TEXT_MAX = 1000
GROUP_KEY_MAX = 120
MATTER_MAX = GROUP_KEY_MAX + 20
LINK_MAX = 300
RECIPIENT_MAX = 30
ADDRESS_REF_MAX = 40
PLATFORM_ID_MAX = 100
ERROR_MAX = 200
NAME_MAX = 40
HOST_MAX = 255
URL_MAX = 1000
EMAIL_MAX = 254
ACTOR_MAX = 80
LIST_MAX = 100
SECRET_MAX = 200
CODE_MINUTES_MAX = 10
CITY_MAX = 20

HOLD = timedelta(seconds=20)
"""How long the first alert waits for others, so that a storm makes one message."""

PACE = timedelta(minutes=2)
"""Nobody gets messages closer together than this; what comes meanwhile goes into the next one."""

REPEAT_AFTER = timedelta(minutes=30)
"""Within this an alert of the same topic and group is counted, not told again."""

WORST_SHOWN = 10
DELIVERY_TRIES = 7
"""As many as the outbox makes: at once and once per step of its ladder."""

GIVE_UP_AFTER = timedelta(hours=24)
"""A delivery that is not settled by then never will be of use."""

KEEP = timedelta(days=400)
"""How long alerts and proofs of delivery are kept: a year of reports and a month to dispute them."""


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """How bad: 0, 1, 2."""
        return list(Severity).index(self)


class Audience(IntEnum):
    """Who is to be told first; each escalation goes one level up."""

    CONTACT = 1  # the department's own operators (联系人)
    BODY = 2  # all operators of the body and those who watch its city
    PROVINCE = 3  # the province's watch (省级值守)


class Topic(StrEnum):
    """What alerts are about; recipients may turn single ones off."""

    INCIDENT_OPENED = "incident.opened"
    INCIDENT_ESCALATED = "incident.escalated"
    INCIDENT_RESOLVED = "incident.resolved"
    PROBER_OFFLINE = "prober.offline"
    CERTIFICATE_EXPIRING = "certificate.expiring"
    PAGE_CHANGED = "page.changed"
    WEBHOOK_PAUSED = "webhook.paused"
    EXCHANGE_HELD = "exchange.held"
    CASES_DUE = "cases.due"
    SLO_BURN = "slo.burn"


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that people should know.

    Attributes:
        topic: one of :class:`Topic`.
        group_key: what belongs together, e.g. ``"incident:123"``. With the same body and topic it is
            the same thing said again; a recovery carries key and body of its outage, and reaches those
            who were told of that.
        link: path inside the hall, e.g. ``"/wall/page/123"``.
        body_id: the body it is about; None for a city or the province as a whole.
        at: when it happened.
    """

    topic: str
    severity: Severity
    title: str
    text: str
    body_id: int | None
    city_code: str | None
    group_key: str
    link: str
    at: datetime
    audience: Audience = Audience.CONTACT


class Way(StrEnum):
    """How somebody is told."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    EMAIL = "email"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    """``sent``: the other side took it over; ``delivered``: it said that it arrived."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


class Digest(StrEnum):
    """How often somebody is told of what is not critical."""

    AT_ONCE = "at_once"
    HOURLY = "hourly"
    DAILY = "daily"


class EndpointFormat(StrEnum):
    GENERIC = "generic"
    DINGTALK = "dingtalk"
    WECOM = "wecom"


class MessageKind(StrEnum):
    ALERT = "alert"
    TEST = "test"


STAFF_WAYS = (Way.WECHAT, Way.ALIPAY, Way.EMAIL)


@dataclass(frozen=True, slots=True)
class NewSettings:
    """What somebody asks for; the defaults are what holds for who never asked.

    Attributes:
        ways: the preferred first; those left out are not used.
        quiet_from: minutes after midnight, with ``quiet_until``; None for no quiet hours.
        email: ``""`` for none.
    """

    ways: tuple[Way, ...] = STAFF_WAYS
    quiet_from: int | None = None
    quiet_until: int | None = None
    digest: Digest = Digest.AT_ONCE
    min_severity: Severity = Severity.WARNING
    muted: tuple[str, ...] = ()
    email: str = ""


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """What is asked for.

    Attributes:
        secret: DingTalk's 加签 secret; for the generic format one is made, WeCom has none.
        body_id, city_code: at most one of them; both None is the whole province.
    """

    name: str
    format: EndpointFormat
    url: str
    secret: str = ""
    min_severity: Severity = Severity.WARNING
    body_id: int | None = None
    city_code: str | None = None


SEVERITY_LABELS = {Severity.INFO: "通知", Severity.WARNING: "警告", Severity.CRITICAL: "紧急"}
TOPIC_LABELS = {
    Topic.INCIDENT_OPENED: "网页故障",
    Topic.INCIDENT_ESCALATED: "故障升级",
    Topic.INCIDENT_RESOLVED: "故障恢复",
    Topic.PROBER_OFFLINE: "探测机离线",
    Topic.CERTIFICATE_EXPIRING: "证书将到期",
    Topic.PAGE_CHANGED: "网页有变化",
    Topic.WEBHOOK_PAUSED: "事件推送已停止",
    Topic.EXCHANGE_HELD: "办件报文待处理",
    Topic.CASES_DUE: "办件临期或超期",
    Topic.SLO_BURN: "可用率目标消耗过快",
}
WAY_LABELS = {Way.WECHAT: "微信", Way.ALIPAY: "支付宝", Way.EMAIL: "电子邮件", Way.WEBHOOK: "Webhook"}
STATE_LABELS = {
    DeliveryState.QUEUED: "等待发送",
    DeliveryState.SENT: "已发出",
    DeliveryState.DELIVERED: "已送达",
    DeliveryState.FAILED: "未送达",
    DeliveryState.SUPPRESSED: "没有发送",
}
DIGEST_LABELS = {Digest.AT_ONCE: "随时", Digest.HOURLY: "每小时汇总", Digest.DAILY: "每天早上汇总"}
FORMAT_LABELS = {
    EndpointFormat.GENERIC: "通用 JSON（HMAC 签名）",
    EndpointFormat.DINGTALK: "钉钉群机器人",
    EndpointFormat.WECOM: "企业微信群机器人",
}
