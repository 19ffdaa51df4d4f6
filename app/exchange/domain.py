"""Rules of the exchange (对接规范): who may send, what becomes of a message either way. Pure."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import NamedTuple

from app.core.errors import Conflict, Forbidden, Invalid

CODE_MAX = 30
NAME_MAX = 60
NUMBER_MAX = 50
REASON_MAX = 200
ITEMS_MAX = 200
ACTOR_MAX = 80
DIGEST_LENGTH = 64
VERSION_MAX = 999_999
SEQ_MAX = 9_999
BATCH_MAX = 50
INBOX_MAX = 100
BODY_MAX_BYTES = 64 * 1024
"""Of one message; more than any case needs."""

CODE = re.compile(r"[A-Z][A-Z0-9-]{2,29}")
CASE_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")

QUARANTINE_LIFE = timedelta(hours=24)
"""How long a message waits for the one before it until people are told."""

ACK_WITHIN = timedelta(minutes=5)
LADDER = (
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=20),
)
"""Waits between tries to hand a message over. Source: state_machines.yaml, ``outbound_message``."""
JITTER = 0.1

HEALTH_DAYS = 7
QUEUE_SHOWN = 50


class Kind(IntEnum):
    """The ten messages; the numbers are SPTYPE of the standard."""

    SB = 0
    WSYSL = 1
    SL = 2
    SPCL = 3
    BJ = 4
    TBCXSQ = 5
    TBCXJG = 6
    BJGZ = 7
    BJSL = 8
    LQDJ = 9


class SystemState(StrEnum):
    """Where a department's system stands on its way into the exchange."""

    REGISTERED = "registered"
    TESTING = "testing"
    PASSED = "passed"
    LIVE = "live"
    SUSPENDED = "suspended"


SYSTEM_LABELS: Mapping[SystemState, str] = {
    SystemState.REGISTERED: "已登记",
    SystemState.TESTING: "联调中",
    SystemState.PASSED: "联调通过",
    SystemState.LIVE: "已上线",
    SystemState.SUSPENDED: "已暂停",
}


class SystemEvent(StrEnum):
    TEST = "test"
    PASS = "pass"
    GO_LIVE = "go_live"
    SUSPEND = "suspend"
    RESUME = "resume"


_SYSTEM_MOVES: Mapping[tuple[SystemState, SystemEvent], SystemState] = {
    (SystemState.REGISTERED, SystemEvent.TEST): SystemState.TESTING,
    (SystemState.TESTING, SystemEvent.TEST): SystemState.TESTING,
    (SystemState.PASSED, SystemEvent.TEST): SystemState.TESTING,
    (SystemState.LIVE, SystemEvent.TEST): SystemState.LIVE,
    (SystemState.SUSPENDED, SystemEvent.TEST): SystemState.SUSPENDED,
    (SystemState.TESTING, SystemEvent.PASS): SystemState.PASSED,
    (SystemState.LIVE, SystemEvent.PASS): SystemState.LIVE,
    (SystemState.SUSPENDED, SystemEvent.PASS): SystemState.SUSPENDED,
    (SystemState.PASSED, SystemEvent.GO_LIVE): SystemState.LIVE,
    (SystemState.LIVE, SystemEvent.SUSPEND): SystemState.SUSPENDED,
    (SystemState.SUSPENDED, SystemEvent.RESUME): SystemState.LIVE,
}
"""A live system may run the tests of a new version and stays live meanwhile."""


class MessageState(StrEnum):
    """States of a message from a department, values as in ``config/notice/state_machines.yaml``."""

    RECEIVED = "received"
    VALID = "valid"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"
    APPLIED = "applied"
    DUPLICATE = "duplicate"
    DEAD = "dead"


MESSAGE_LABELS: Mapping[MessageState, str] = {
    MessageState.RECEIVED: "已收",
    MessageState.VALID: "校验通过",
    MessageState.QUARANTINED: "待补前序",
    MessageState.REJECTED: "校验未过",
    MessageState.APPLIED: "已入账",
    MessageState.DUPLICATE: "重复",
    MessageState.DEAD: "人工关闭",
}


class MessageEvent(StrEnum):
    SAME_KEY_SAME_BODY = "same_key_same_body"
    SAME_KEY_OTHER_BODY = "same_key_other_body"
    SCHEMA_OK = "schema_ok"
    SCHEMA_BAD = "schema_bad"
    APPLY = "apply"
    GAP = "gap"
    GAP_FILLED = "gap_filled"
    TIMEOUT = "timeout"
    RESEND = "resend"
    GIVE_UP = "give_up"


class Move(NamedTuple):
    """One allowed move; ``who``: T the hall itself, X the department's system, P people."""

    state: StrEnum
    event: StrEnum
    to: StrEnum
    who: str


_M, _E = MessageState, MessageEvent
MESSAGE_MOVES = (
    Move(_M.RECEIVED, _E.SAME_KEY_SAME_BODY, _M.DUPLICATE, "T"),
    Move(_M.RECEIVED, _E.SAME_KEY_OTHER_BODY, _M.REJECTED, "T"),
    Move(_M.RECEIVED, _E.SCHEMA_OK, _M.VALID, "T"),
    Move(_M.RECEIVED, _E.SCHEMA_BAD, _M.REJECTED, "T"),
    Move(_M.VALID, _E.APPLY, _M.APPLIED, "T"),
    Move(_M.VALID, _E.GAP, _M.QUARANTINED, "T"),
    Move(_M.QUARANTINED, _E.GAP_FILLED, _M.APPLIED, "T"),
    Move(_M.QUARANTINED, _E.TIMEOUT, _M.DEAD, "P"),
    Move(_M.REJECTED, _E.RESEND, _M.RECEIVED, "X"),
    Move(_M.REJECTED, _E.GIVE_UP, _M.DEAD, "P"),
)
"""The whole machine. Source: config/notice/state_machines.yaml, ``inbound_message``."""


class OutState(StrEnum):
    """States of a message to a department, values as in ``config/notice/state_machines.yaml``."""

    QUEUED = "queued"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    RETRY = "retry"
    DEAD = "dead"


OUT_LABELS: Mapping[OutState, str] = {
    OutState.QUEUED: "待发",
    OutState.SENT: "已发",
    OutState.ACKNOWLEDGED: "已确认",
    OutState.RETRY: "待重发",
    OutState.DEAD: "转人工",
}


class OutEvent(StrEnum):
    SEND = "send"
    ACK = "ack"
    TIMEOUT_OR_5XX = "timeout_or_5xx"
    REFUSE_4XX = "refuse_4xx"
    DUE = "due"
    LADDER_END = "ladder_end"
    REQUEUE = "requeue"


_O, _F = OutState, OutEvent
OUT_MOVES = (
    Move(_O.QUEUED, _F.SEND, _O.SENT, "T"),
    Move(_O.SENT, _F.ACK, _O.ACKNOWLEDGED, "X"),
    Move(_O.SENT, _F.TIMEOUT_OR_5XX, _O.RETRY, "T"),
    Move(_O.SENT, _F.REFUSE_4XX, _O.DEAD, "T"),
    Move(_O.RETRY, _F.DUE, _O.SENT, "T"),
    Move(_O.RETRY, _F.LADDER_END, _O.DEAD, "T"),
    Move(_O.DEAD, _F.REQUEUE, _O.QUEUED, "P"),
)
"""The whole machine. Source: config/notice/state_machines.yaml, ``outbound_message``."""

_NEXT: Mapping[tuple[StrEnum, StrEnum], StrEnum] = {
    (one.state, one.event): one.to for one in (*MESSAGE_MOVES, *OUT_MOVES)
}


class Outcome(StrEnum):
    """What a 办结结果代码 means to the hall, whatever its number is in the system it comes from."""

    GRANTED = "granted"
    DONE = "done"
    DENIED = "denied"
    RETURNED = "returned"
    NOT_ACCEPTED = "not_accepted"
    OVERDUE = "overdue"
    REFERRED = "referred"
    VOIDED = "voided"
    DELETED = "deleted"


OUTCOME_LABELS: Mapping[Outcome, str] = {
    Outcome.GRANTED: "出证办结",
    Outcome.DONE: "办结（不出证）",
    Outcome.DENIED: "不予许可",
    Outcome.RETURNED: "退回、退件",
    Outcome.NOT_ACCEPTED: "不予受理",
    Outcome.OVERDUE: "补正超时驳回",
    Outcome.REFERRED: "转报办结",
    Outcome.VOIDED: "作废办结",
    Outcome.DELETED: "删除办结",
}


class RunState(StrEnum):
    """How a conformance run stands."""

    OPEN = "open"
    PASSED = "passed"
    ABANDONED = "abandoned"


class SystemMoveNotAllowed(Conflict):
    code = "system_move_not_allowed"
    title = "系统当前状态不能这样操作"
    title_en = "Not possible in the system's present state"


class NotLive(Forbidden):
    """The system may not send real messages yet, or not any more."""

    code = "system_not_live"
    title = "系统没有上线，不能收发正式报文"
    title_en = "The system is not live"


class VersionTaken(Conflict):
    """The same version came with another body before; ``fields`` says what differs."""

    code = "version_taken"
    title = "同一数据版本号已有不同内容，更正请把数据版本号加 1"
    title_en = "This data version came with another body; correct it under a higher one"


class VersionTooLow(Conflict):
    code = "version_too_low"
    title = "已有更高的数据版本，较低的版本不再接收"
    title_en = "A higher data version is held"


class MessageInvalid(Invalid):
    """The message breaks the standard; ``fields`` says where."""

    code = "message_invalid"
    title = "报文不符合规范"
    title_en = "The message does not follow the standard"


class TooLarge(Invalid):
    code = "message_too_large"
    title = "一条报文最多 64 KB"
    title_en = "A message has 64 KB at most"


class NoOpenRun(Conflict):
    code = "no_open_run"
    title = "没有进行中的联调测试，请先开始"
    title_en = "No conformance run is open"


class Gap(Exception):
    """A message cannot be applied yet; the text says what is missing, for people."""


def move_system(state: SystemState, event: SystemEvent) -> SystemState:
    """Return the state after ``event``.

    Raises:
        SystemMoveNotAllowed: the event has no place in this state.
    """
    after = _SYSTEM_MOVES.get((state, event))
    if after is None:
        raise SystemMoveNotAllowed(f"系统处于“{SYSTEM_LABELS[state]}”")
    return after


def message_after(state: MessageState, event: MessageEvent) -> MessageState:
    """Return the state of a message after ``event``.

    Raises:
        Conflict: the table has no such move.
    """
    found = _NEXT.get((state, event))
    if found is None:
        raise Conflict(f"报文处于“{MESSAGE_LABELS[state]}”，不能这样处理")
    return MessageState(found)


def out_after(state: OutState, event: OutEvent) -> OutState:
    """Return the state of a message to a department after ``event``.

    Raises:
        Conflict: the table has no such move.
    """
    found = _NEXT.get((state, event))
    if found is None:
        raise Conflict(f"报文处于“{OUT_LABELS[state]}”，不能这样处理")
    return OutState(found)


def next_try(attempts: int, at: datetime) -> datetime | None:
    """Return when to hand over again after ``attempts`` tries, a little off the even; None at the end."""
    if attempts > len(LADDER):
        return None
    return at + LADDER[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)
