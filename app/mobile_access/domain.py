"""The life of a mobile page (移动网页接入) and the limits of what is registered. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from app.core.errors import Conflict

NAME_MAX = 40
URL_MAX = 500
DESCRIPTION_MAX = 300
HOTLINE_MAX = 40
ICP_MAX = 40
CONTACT_MAX = 40
NAME_REASON_MAX = 200
DOMAIN_MAX = 253
DOMAINS_MAX = 20
VERIFY_FILE_MAX = 100
REASON_MAX = 500
CHANNELS_MAX = 8

DOWN_GRACE = timedelta(seconds=60)
"""How long a page may be down before residents no longer find it in lists."""

DOWN_LIMIT = timedelta(hours=24)
"""How long a page may be down before it is taken offline; then only a recheck brings it back."""


CONFIRM_AFTER = timedelta(minutes=10)
"""How long after a recheck that newly fails the page is visited again, before anything is set going."""

RENEW_WITHIN = timedelta(days=1)
"""Over how long the visits are spread that collect what a version of the spec newly asks for."""

DRIFT_GRACE = timedelta(days=3)
"""How long an online page that a recheck found failing may stay with residents until it is mended."""

GRACE_DAYS_MAX = 365
WAIVER_DAYS_MAX = 365
CHANGELOG_MAX = 4000
NOTE_MAX = 1000
BECAUSE_MAX = 200
SPEC_VERSION_MAX = 20
CODE_MAX = 20
EVIDENCE_BYTES_MAX = 5 * 1024 * 1024
EVIDENCE_NAME_MAX = 100


class State(StrEnum):
    """States of a page, values as in ``config/notice/state_machines.yaml``."""

    REGISTERED = "registered"
    CHECKING = "checking"
    FAILED = "failed"
    PASSED = "passed"
    ONLINE = "online"
    DEGRADED = "degraded"
    SUSPENDED = "suspended"
    RETIRED = "retired"


STATE_LABELS = {
    State.REGISTERED: "已登记",
    State.CHECKING: "检测中",
    State.FAILED: "检测未过",
    State.PASSED: "检测通过待审",
    State.ONLINE: "已上线",
    State.DEGRADED: "异常",
    State.SUSPENDED: "已下线（可恢复）",
    State.RETIRED: "退出",
}


class Event(StrEnum):
    """What moves a page from one state to another."""

    CHECK = "check"
    FAIL = "fail"
    FIX = "fix"
    PASS = "pass"
    APPROVE = "approve"
    REJECT = "reject"
    PROBE_FAIL = "probe_fail"
    PROBE_OK = "probe_ok"
    TIMEOUT = "timeout"
    SUSPEND = "suspend"
    RECHECK = "recheck"
    SPEC_VERSION_CHANGED = "spec_version_changed"
    RETIRE = "retire"


EVENT_LABELS = {
    Event.CHECK: "提交检测",
    Event.FAIL: "检测未通过",
    Event.FIX: "修改登记",
    Event.PASS: "检测通过",
    Event.APPROVE: "审核通过并上线",
    Event.REJECT: "审核退回",
    Event.PROBE_FAIL: "监测发现异常",
    Event.PROBE_OK: "监测恢复正常",
    Event.TIMEOUT: "异常超时下线",
    Event.SUSPEND: "下线",
    Event.RECHECK: "重新检测",
    Event.SPEC_VERSION_CHANGED: "规范更新后重新检测",
    Event.RETIRE: "退出接入",
}


class Who(StrEnum):
    """Who may cause a move: department staff, provincial staff, or the clock and the system."""

    DEPARTMENT = "D"
    PROVINCE = "P"
    SYSTEM = "T"


class Move(NamedTuple):
    """One allowed move."""

    state: State
    event: Event
    to: State
    who: Who


MOVES = (
    Move(State.REGISTERED, Event.CHECK, State.CHECKING, Who.DEPARTMENT),
    Move(State.CHECKING, Event.FAIL, State.FAILED, Who.SYSTEM),
    Move(State.FAILED, Event.FIX, State.REGISTERED, Who.DEPARTMENT),
    Move(State.CHECKING, Event.PASS, State.PASSED, Who.SYSTEM),
    Move(State.PASSED, Event.APPROVE, State.ONLINE, Who.PROVINCE),
    Move(State.PASSED, Event.REJECT, State.FAILED, Who.PROVINCE),
    Move(State.ONLINE, Event.PROBE_FAIL, State.DEGRADED, Who.SYSTEM),
    Move(State.DEGRADED, Event.PROBE_OK, State.ONLINE, Who.SYSTEM),
    Move(State.DEGRADED, Event.TIMEOUT, State.SUSPENDED, Who.SYSTEM),
    Move(State.ONLINE, Event.SUSPEND, State.SUSPENDED, Who.PROVINCE),
    Move(State.SUSPENDED, Event.RECHECK, State.CHECKING, Who.DEPARTMENT),
    Move(State.ONLINE, Event.SPEC_VERSION_CHANGED, State.CHECKING, Who.SYSTEM),
    Move(State.SUSPENDED, Event.RETIRE, State.RETIRED, Who.DEPARTMENT),
    Move(State.ONLINE, Event.RETIRE, State.RETIRED, Who.DEPARTMENT),
    Move(State.FAILED, Event.RETIRE, State.RETIRED, Who.DEPARTMENT),
)
"""The whole machine. Source: config/notice/state_machines.yaml, ``mobile_page``."""

_BY_START = {(move.state, move.event): move for move in MOVES}

EDITABLE = frozenset({State.REGISTERED, State.FAILED, State.SUSPENDED})
"""Where what was registered may be changed: a check always comes before it is shown again."""


class MoveNotAllowed(Conflict):
    """The page stands where this cannot be done."""

    code = "move_not_allowed"
    title = "当前状态不能这样操作"
    title_en = "Not possible in the current state"


def move(state: State, event: Event) -> Move:
    """Return the move that ``event`` makes from ``state``.

    Raises:
        MoveNotAllowed: the table has no such move.
    """
    found = _BY_START.get((state, event))
    if found is None:
        raise MoveNotAllowed(f"网页处于“{STATE_LABELS[state]}”状态，不能“{EVENT_LABELS[event]}”")
    return found


def events_from(state: State) -> frozenset[Event]:
    """Return what may happen to a page in ``state``."""
    return frozenset(event for start, event in _BY_START if start is state)


class Theme(StrEnum):
    """办事领域: what a page is about."""

    HOUSEHOLD = "household"
    HEALTH = "health"
    TAX = "tax"
    EDUCATION = "education"
    EMPLOYMENT = "employment"
    HOUSING = "housing"
    MARRIAGE = "marriage"
    BUSINESS = "business"
    QUALITY = "quality"
    FAMILY_PLANNING = "family_planning"
    TRANSPORT = "transport"
    TOURISM = "tourism"
    GENERAL = "general"


THEME_LABELS = {
    Theme.HOUSEHOLD: "公安户籍",
    Theme.HEALTH: "医疗卫生",
    Theme.TAX: "税务",
    Theme.EDUCATION: "教育",
    Theme.EMPLOYMENT: "劳动就业",
    Theme.HOUSING: "住房保障",
    Theme.MARRIAGE: "婚姻登记",
    Theme.BUSINESS: "工商",
    Theme.QUALITY: "质监",
    Theme.FAMILY_PLANNING: "计划生育",
    Theme.TRANSPORT: "交通",
    Theme.TOURISM: "旅游",
    Theme.GENERAL: "综合",
}


class ChannelState(StrEnum):
    """How far a page has come on one channel."""

    WANTED = "wanted"
    APPROVED = "approved"
    REJECTED = "rejected"
    PUBLISHED = "published"


CHANNEL_STATE_LABELS = {
    ChannelState.WANTED: "待审核",
    ChannelState.APPROVED: "已同意",
    ChannelState.REJECTED: "已退回",
    ChannelState.PUBLISHED: "已发布",
}


class CheckVerdict(StrEnum):
    """What a check as a whole says.

    ``undecided``: nothing failed, but a must-rule could not be run; that is no pass.
    """

    PASS = "pass"
    FAIL = "fail"
    UNDECIDED = "undecided"


VERDICT_LABELS = {
    CheckVerdict.PASS: "通过",
    CheckVerdict.FAIL: "未通过",
    CheckVerdict.UNDECIDED: "未能完成检测",
}


class CheckKind(StrEnum):
    """Why a check was made. ``spec`` judges again what was collected before; all others visit the page.

    ``confirm`` looks a second time at what a recheck newly found failing; ``renew`` collects what a version
    of the spec asks for and an earlier visit did not collect.
    """

    ASKED = "asked"
    WEEKLY = "weekly"
    DRIFT = "drift"
    SPEC = "spec"
    GRACE = "grace"
    CONFIRM = "confirm"
    RENEW = "renew"


CHECK_KIND_LABELS = {
    CheckKind.ASKED: "提交检测",
    CheckKind.WEEKLY: "每周复检",
    CheckKind.DRIFT: "变化复检",
    CheckKind.SPEC: "重新判定",
    CheckKind.GRACE: "期满复检",
    CheckKind.CONFIRM: "复核",
    CheckKind.RENEW: "补充采集",
}


class GraceOutcome(StrEnum):
    """How a grace time (限期整改) ended; ``overtaken``: the page left residents' sight for another reason."""

    MENDED = "mended"
    TAKEN_OFFLINE = "taken_offline"
    OVERTAKEN = "overtaken"


class WaiverState(StrEnum):
    """How far leave to fail a rule (暂缓整改) has come."""

    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"
    ENDED = "ended"


WAIVER_STATE_LABELS = {
    WaiverState.REQUESTED: "待省级审批",
    WaiverState.APPROVED: "暂缓中",
    WaiverState.DECLINED: "未同意",
    WaiverState.ENDED: "已结束",
}


class Answer(StrEnum):
    """What a person answers to one question of a review form."""

    YES = "yes"
    NO = "no"
    NOT_APPLICABLE = "not_applicable"


ANSWER_LABELS = {Answer.YES: "是", Answer.NO: "否", Answer.NOT_APPLICABLE: "不适用"}


@dataclass(frozen=True, slots=True)
class Registration:
    """What a department registers (登记).

    Attributes:
        url: entry address; ``domains``: hosts it uses besides the entry's own.
        channels: channel kinds wanted, e.g. ``("wechat", "alipay")``.
        elder_url: address of the elder edition (长辈版), ``""`` when there is none.
        health_url: address that answers 200 while the back end works, ``""`` when there is none.
        name_reason: why the name is longer than six characters.
        signed_in_url: address at which a test identity is signed in, ``""`` when there is none.
        ticket_url: sandbox address with a sign-on ticket (票据) never used before; every check uses one up.
            ``expired_ticket_url`` the same with a ticket issued more than 60 s ago.
        wechat_file: name of the file by which WeChat proves the domain, ``wechat_file_text`` what it
            holds, ``""`` where the name says it; ``alipay_file`` the name of Alipay's, which always says it.
        may_probe_paths: the department allows the fixed paths of MAS-TRN-06 to be tried on its host.
        contact_name: person at the department, ``contact_phone`` its number; only sealed. Empty keeps
            what is sealed already, unless ``forget_contact``.
    """

    name: str
    url: str
    theme: Theme
    channels: tuple[str, ...]
    description: str = ""
    hotline: str = ""
    elder_url: str = ""
    health_url: str = ""
    domains: tuple[str, ...] = ()
    icp_number: str = ""
    name_reason: str = ""
    signed_in_url: str = ""
    ticket_url: str = ""
    expired_ticket_url: str = ""
    wechat_file: str = ""
    wechat_file_text: str = ""
    alipay_file: str = ""
    may_probe_paths: bool = False
    contact_name: str = ""
    contact_phone: str = ""
    forget_contact: bool = False


_WECHAT_NAMED = re.compile(r"MP_verify_([A-Za-z0-9_-]+)\.txt")


def wechat_text(name: str, text: str) -> str:
    """Return what the file ``name`` that WeChat gave must hold; ``""`` when neither says it.

    Files of official accounts, ``MP_verify_….txt``, hold what stands in their name; those of mini
    programs have a text of their own.
    """
    named = _WECHAT_NAMED.fullmatch(name)
    return text or (named[1] if named else "")


def verify_files(wechat_file: str, wechat_file_text: str, alipay_file: str) -> dict[str, tuple[str, str]]:
    """Return name and content of the file that each platform looks for, by channel kind."""
    found = {}
    if wechat_file:
        found["wechat"] = (wechat_file, wechat_text(wechat_file, wechat_file_text))
    if alipay_file:
        found["alipay"] = (alipay_file, alipay_file.removesuffix(".html"))
    return found
