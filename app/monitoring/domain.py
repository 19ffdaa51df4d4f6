"""Terms of the watch: when a failure is believed, how bad a condition is, what words say it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from app.core.errors import Conflict
from config.settings import Settings
from mobile_pages.probe.base import Cause, Condition
from mobile_pages.probe.flapping import FlapRule
from mobile_pages.probe.state import Rule

NAME_MAX = 40
URL_MAX = 500
CAUSE_MAX = 40
DETAIL_MAX = 200
PROBER_MAX = 20
QUEUE_PREFIX = "queue:"
"""Begins the names of those that take looks from a queue; they hold no leases."""
ACTOR_MAX = 80
NOTE_MAX = 1000
DEMANDS_MAX = 4000
SCOPE_REF_MAX = 20

KEEP_SAMPLES = timedelta(days=14)
BEAT_FRESH = timedelta(seconds=30)
"""A prober that has not reported for longer counts as standing still."""

BEATS_SHOWN = 60
INCIDENTS_SHOWN = 12
PAGES_SHOWN = 200
LIST_MAX = 100
SLOW_MS = 5000
FLAPPING = "flapping"
"""Cause of the one incident that is held open while a check flips all the time."""


class CheckKind(StrEnum):
    """What is looked at."""

    PAGE = "page"
    HEALTH = "health"  # the declared health address (健康检查地址)
    API = "api"  # the approval interface behind a page
    TASK = "task"  # several requests, as a resident signing in would make
    RENDERED = "rendered"  # the page in a browser, at a slower pace


class IncidentState(StrEnum):
    """Where an incident stands; a resolved one never opens again."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class IncidentMove(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


INCIDENT_MOVES = {
    (IncidentState.OPEN, IncidentMove.ACKNOWLEDGE): IncidentState.ACKNOWLEDGED,
    (IncidentState.OPEN, IncidentMove.RESOLVE): IncidentState.RESOLVED,
    (IncidentState.ACKNOWLEDGED, IncidentMove.RESOLVE): IncidentState.RESOLVED,
}


class EventKind(StrEnum):
    """What a line of an incident's timeline says."""

    OPENED = "opened"
    CHANGED = "changed"  # the cause is another one now
    GROUPED = "grouped"
    ASSIGNED = "assigned"
    NOTIFIED = "notified"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    NOTE = "note"
    HIDDEN = "hidden"
    SHOWN = "shown"
    RESOLVED = "resolved"
    ORDERED = "ordered"  # a reform order (整改通知) was issued


class OrderState(StrEnum):
    """Where a reform order stands."""

    ORDERED = "ordered"
    ANSWERED = "answered"
    RETURNED = "returned"  # the remedy was not enough; the body answers again
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


class OrderMove(StrEnum):
    ANSWER = "answer"
    ACCEPT = "accept"
    RETURN = "return"
    WITHDRAW = "withdraw"


ORDER_MOVES = {
    (OrderState.ORDERED, OrderMove.ANSWER): OrderState.ANSWERED,
    (OrderState.RETURNED, OrderMove.ANSWER): OrderState.ANSWERED,
    (OrderState.ANSWERED, OrderMove.ACCEPT): OrderState.ACCEPTED,
    (OrderState.ANSWERED, OrderMove.RETURN): OrderState.RETURNED,
    (OrderState.ORDERED, OrderMove.WITHDRAW): OrderState.WITHDRAWN,
    (OrderState.RETURNED, OrderMove.WITHDRAW): OrderState.WITHDRAWN,
}


class MoveNotAllowed(Conflict):
    """The incident or order stands where this cannot be done."""

    code = "move_not_allowed"
    title = "现在的状态不能这样操作"
    title_en = "Not possible in its current state"


def incident_move(state: IncidentState, move: IncidentMove) -> IncidentState:
    """Return where ``move`` leads.

    Raises:
        MoveNotAllowed: nowhere, from ``state``.
    """
    if (state, move) not in INCIDENT_MOVES:
        raise MoveNotAllowed(f"事件{INCIDENT_STATE_LABELS[state]}，不能再操作")
    return INCIDENT_MOVES[state, move]


def order_move(state: OrderState, move: OrderMove) -> OrderState:
    """Return where ``move`` leads.

    Raises:
        MoveNotAllowed: nowhere, from ``state``.
    """
    if (state, move) not in ORDER_MOVES:
        raise MoveNotAllowed(f"整改通知{ORDER_STATE_LABELS[state]}，不能这样操作")
    return ORDER_MOVES[state, move]


class MaintenanceScope(StrEnum):
    """What a maintenance window or a pause covers."""

    CHECK = "check"
    PAGE = "page"
    BODY = "body"
    CITY = "city"
    PROVINCE = "province"


class Outcome(StrEnum):
    """How an incident ended."""

    RECOVERED = "recovered"
    VOIDED = "voided"  # the prober's own connection had failed
    UNWATCHED = "unwatched"  # the page was taken offline


INCIDENT_STATE_LABELS = {
    IncidentState.OPEN: "未签收",
    IncidentState.ACKNOWLEDGED: "处理中",
    IncidentState.RESOLVED: "已结束",
}
EVENT_LABELS = {
    EventKind.OPENED: "确认故障",
    EventKind.CHANGED: "原因变化",
    EventKind.GROUPED: "并入同组",
    EventKind.ASSIGNED: "指派",
    EventKind.NOTIFIED: "通知",
    EventKind.ESCALATED: "升级",
    EventKind.ACKNOWLEDGED: "签收",
    EventKind.NOTE: "备注",
    EventKind.HIDDEN: "入口隐藏",
    EventKind.SHOWN: "入口恢复",
    EventKind.RESOLVED: "结束",
    EventKind.ORDERED: "整改通知",
}
CHECK_KIND_LABELS = {
    CheckKind.PAGE: "网页",
    CheckKind.HEALTH: "健康检查地址",
    CheckKind.API: "审批接口",
    CheckKind.TASK: "登录流程",
    CheckKind.RENDERED: "页面显示",
}
ORDER_STATE_LABELS = {
    OrderState.ORDERED: "已下达",
    OrderState.ANSWERED: "待复核",
    OrderState.RETURNED: "退回重改",
    OrderState.ACCEPTED: "已通过",
    OrderState.WITHDRAWN: "已撤回",
}
CONDITION_LABELS = {
    Condition.UP: "正常",
    Condition.DEGRADED: "缓慢",
    Condition.DOWN: "无法访问",
    Condition.UNKNOWN: "未知",
    Condition.MAINTENANCE: "维护",
    Condition.PAUSED: "停止监测",
}
OUTCOME_LABELS = {
    Outcome.RECOVERED: "已恢复",
    Outcome.VOIDED: "误报撤销（探测机网络中断）",
    Outcome.UNWATCHED: "网页已下线",
}
CAUSE_LABELS = {
    Cause.DNS_FAILURE: "域名解析失败",
    Cause.CONNECT_REFUSED: "服务器拒绝连接",
    Cause.CONNECT_TIMEOUT: "建立连接超时",
    Cause.UNREACHABLE: "网络不可达",
    Cause.TLS_INVALID: "证书或加密连接有误",
    Cause.TLS_EXPIRED: "证书已过期",
    Cause.HTTP_STATUS: "服务器返回错误状态码",
    Cause.WRONG_CONTENT: "页面内容不对",
    Cause.REDIRECT_LOOP: "不停跳转",
    Cause.BAD_REDIRECT: "跳转地址有误",
    Cause.BAD_ANSWER: "应答不合规范",
    Cause.CONNECTION_LOST: "连接中断",
    Cause.TIMEOUT: "打开超时",
    Cause.TOO_LARGE: "页面过大",
    Cause.SLOW: "打开缓慢",
    Cause.BLANK_PAGE: "打开后是空白页",
    Cause.SCRIPT_ERROR: "页面脚本出错",
    Cause.RESOURCE_FAILED: "页面引用的文件打不开",
    Cause.MAINTENANCE_PAGE: "部门挂出了停服维护页",
    Cause.MISSED: "未按时探测",
    Cause.PROBER_OFFLINE: "探测机网络中断",
    Cause.PROBER_FAULT: "探测程序出错",
}
_WORST_FIRST = (
    Condition.DOWN,
    Condition.DEGRADED,
    Condition.UNKNOWN,
    Condition.MAINTENANCE,
    Condition.PAUSED,
    Condition.UP,
)


def worst(conditions: Iterable[Condition]) -> Condition | None:
    """Return the worst of several conditions; None of none."""
    return min(conditions, key=_WORST_FIRST.index, default=None)


def cause_label(cause: str) -> str:
    """Return the cause in Chinese; a refusal of the outbound guard is told as one."""
    if cause == FLAPPING:
        return "反复中断（抖动）"
    if cause.startswith("guard_"):
        return "网址不再符合访问规定"
    return CAUSE_LABELS.get(Cause(cause), "") if cause in set(Cause) else cause


_PHASES = {
    "dns": (Cause.DNS_FAILURE,),
    "connect": (Cause.CONNECT_REFUSED, Cause.CONNECT_TIMEOUT, Cause.UNREACHABLE),
    "tls": (Cause.TLS_INVALID, Cause.TLS_EXPIRED),
    "status": (Cause.HTTP_STATUS, Cause.MAINTENANCE_PAGE, Cause.REDIRECT_LOOP, Cause.BAD_REDIRECT),
    "content": (
        Cause.WRONG_CONTENT,
        Cause.BAD_ANSWER,
        Cause.TOO_LARGE,
        Cause.BLANK_PAGE,
        Cause.SCRIPT_ERROR,
        Cause.RESOURCE_FAILED,
    ),
    "slow": (Cause.SLOW, Cause.TIMEOUT, Cause.CONNECTION_LOST),
}
_PHASE_OF = {str(cause): phase for phase, causes in _PHASES.items() for cause in causes}


def phase_of(cause: str) -> str:
    """Return where on the way a look failed: dns, connect, tls, status, content, slow, or other."""
    return _PHASE_OF.get(cause, "other")


@dataclass(frozen=True, slots=True)
class Terms:
    """How this installation watches.

    Attributes:
        timeout_seconds: for one look; short enough that a failure can be confirmed by a further
            look half an interval later.
        slow_ms: from this on an open page counts as slow.
        grace: how long a page may be down before its entry is hidden.
        hide_kinds: kinds of checks whose outage hides it.
    """

    interval_seconds: int
    timeout_seconds: float
    slow_ms: int
    grace: timedelta
    rule: Rule
    hide_kinds: frozenset[CheckKind] = frozenset({CheckKind.PAGE})

    @property
    def fresh(self) -> timedelta:
        """How long after the last look its word still stands."""
        assert self.rule.longest_gap is not None
        return self.rule.longest_gap


def terms(settings: Settings) -> Terms:
    """Return the terms under ``settings``."""
    interval = settings.probe_interval_seconds
    timeout = min(settings.probe_timeout_seconds, interval * 0.4)
    return Terms(
        interval_seconds=interval,
        timeout_seconds=timeout,
        slow_ms=min(SLOW_MS, round(timeout * 750)),
        grace=timedelta(seconds=settings.down_grace_seconds),
        rule=Rule(longest_gap=timedelta(seconds=3 * interval + timeout), flaps=FlapRule()),
    )
