"""The life of an application (办件), its numbers and limits. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from app.core.errors import Conflict, DomainError, Invalid

INTAKE_DAYS = 5
"""Working days to take an application in or say what is missing. Source: 行政许可法 32."""

DELIVERY_DAYS = 10
"""Working days to hand a decision over. Source: 行政许可法 44."""

EXTENSION_DAYS_MAX = 10
"""Working days that a decision may be put off, once. Source: 行政许可法 42."""

DRAFTS_MAX = 30
DRAFT_DAYS = 60
"""A draft that nobody saved for so many days is given up, and what was typed is forgotten."""

DRAFT_REMINDER_DAYS = 7
"""So many days before its end its owner is reminded."""

FILE_BYTES_MAX = 12 * 1024 * 1024
FILES_PER_MATERIAL_MAX = 20
FILES_MAX = 60
PDF_PAGES_MAX = 100
UPLOADS_PER_HOUR = "300/hour"
TEXT_MAX = 1000
SUPPLEMENT_ITEMS_MAX = 30
STARTS_PER_HOUR = "60/hour"
PROGRESS_PER_ADDRESS = "20/minute"
PROGRESS_PER_NUMBER = "20/hour"
QUERY_CODE_DIGITS = 8
NUMBER_LENGTH = 21


class State(StrEnum):
    """States of an application, values as in ``config/notice/state_machines.yaml``."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    SUPPLEMENT_DUE = "supplement_due"
    ACCEPTED = "accepted"
    HANDLING = "handling"
    SUSPENDED = "suspended"
    DECIDED = "decided"
    COMPLETED = "completed"
    DELIVERED = "delivered"
    NOT_ACCEPTED = "not_accepted"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    VOIDED = "voided"
    CLOSED_NO_RESULT = "closed_no_result"


STATE_LABELS: Mapping[State, str] = {
    State.DRAFT: "草稿",
    State.SUBMITTED: "已申办（待预受理）",
    State.SUPPLEMENT_DUE: "待补正",
    State.ACCEPTED: "已受理",
    State.HANDLING: "办理中（承办/审核/批准）",
    State.SUSPENDED: "特别程序中",
    State.DECIDED: "已作出决定",
    State.COMPLETED: "已办结（待送达）",
    State.DELIVERED: "已送达/已领取",
    State.NOT_ACCEPTED: "不予受理",
    State.RETURNED: "退件",
    State.WITHDRAWN: "申请人撤回",
    State.VOIDED: "作废",
    State.CLOSED_NO_RESULT: "转报办结",
}
PLAIN_LABELS: Mapping[State, str] = {
    **STATE_LABELS,
    State.SUBMITTED: "已提交，等待受理",
    State.SUPPLEMENT_DUE: "需要您补正",
    State.HANDLING: "办理中",
    State.SUSPENDED: "特别程序中，暂停计时",
    State.COMPLETED: "已办结，等待领取",
    State.DELIVERED: "已领取",
    State.WITHDRAWN: "已撤回",
    State.CLOSED_NO_RESULT: "已转上级办理",
}
"""The same in the words of residents."""

ENDED = frozenset(
    {
        State.DELIVERED,
        State.NOT_ACCEPTED,
        State.RETURNED,
        State.WITHDRAWN,
        State.VOIDED,
        State.CLOSED_NO_RESULT,
    }
)
OPEN = frozenset(State) - ENDED - {State.DRAFT}


class Event(StrEnum):
    """What moves an application from one state to another."""

    SUBMIT = "submit"
    DISCARD = "discard"
    ACCEPT = "accept"
    REFUSE = "refuse"
    ASK_SUPPLEMENT = "ask_supplement"
    DEEM_ACCEPT = "deem_accept"
    SUPPLY = "supply"
    SUPPLEMENT_OVERDUE = "supplement_overdue"
    BEGIN = "begin"
    DECIDE_ON_SPOT = "decide_on_spot"
    STEP_PASS = "step_pass"
    STEP_RETURN = "step_return"
    EXTEND = "extend"
    SPECIAL_BEGIN = "special_begin"
    SPECIAL_END = "special_end"
    DECIDE = "decide"
    REFER_UP = "refer_up"
    COMPLETE = "complete"
    DELIVER = "deliver"
    WITHDRAW = "withdraw"
    VOID = "void"


EVENT_LABELS: Mapping[Event, str] = {
    Event.SUBMIT: "提交申请",
    Event.DISCARD: "放弃草稿",
    Event.ACCEPT: "受理",
    Event.REFUSE: "不予受理",
    Event.ASK_SUPPLEMENT: "告知补正",
    Event.DEEM_ACCEPT: "逾期未告知，视为受理",
    Event.SUPPLY: "提交补正",
    Event.SUPPLEMENT_OVERDUE: "逾期未补正，退件",
    Event.BEGIN: "开始办理",
    Event.DECIDE_ON_SPOT: "当场作出决定",
    Event.STEP_PASS: "环节通过",
    Event.STEP_RETURN: "退回上一环节",
    Event.EXTEND: "延长办理期限",
    Event.SPECIAL_BEGIN: "进入特别程序",
    Event.SPECIAL_END: "特别程序结束",
    Event.DECIDE: "作出决定",
    Event.REFER_UP: "转报上级",
    Event.COMPLETE: "办结",
    Event.DELIVER: "送达",
    Event.WITHDRAW: "撤回申请",
    Event.VOID: "作废",
}


class Who(StrEnum):
    """Who may cause a move: the applicant, department staff, a supervisor, the clock."""

    RESIDENT = "R"
    DEPARTMENT = "D"
    SUPERVISOR = "S"
    CLOCK = "T"


class Move(NamedTuple):
    """One allowed move."""

    state: State
    event: Event
    to: State
    who: Who


_R, _D, _V, _T = Who.RESIDENT, Who.DEPARTMENT, Who.SUPERVISOR, Who.CLOCK
MOVES = (
    Move(State.DRAFT, Event.SUBMIT, State.SUBMITTED, _R),
    Move(State.DRAFT, Event.DISCARD, State.WITHDRAWN, _R),
    Move(State.SUBMITTED, Event.ACCEPT, State.ACCEPTED, _D),
    Move(State.SUBMITTED, Event.REFUSE, State.NOT_ACCEPTED, _D),
    Move(State.SUBMITTED, Event.ASK_SUPPLEMENT, State.SUPPLEMENT_DUE, _D),
    Move(State.SUBMITTED, Event.DEEM_ACCEPT, State.ACCEPTED, _T),
    Move(State.SUPPLEMENT_DUE, Event.SUPPLY, State.SUBMITTED, _R),
    Move(State.SUPPLEMENT_DUE, Event.SUPPLEMENT_OVERDUE, State.RETURNED, _T),
    Move(State.ACCEPTED, Event.BEGIN, State.HANDLING, _D),
    Move(State.ACCEPTED, Event.DECIDE_ON_SPOT, State.DECIDED, _D),
    Move(State.HANDLING, Event.STEP_PASS, State.HANDLING, _D),
    Move(State.HANDLING, Event.STEP_RETURN, State.HANDLING, _D),
    Move(State.HANDLING, Event.EXTEND, State.HANDLING, _V),
    Move(State.HANDLING, Event.SPECIAL_BEGIN, State.SUSPENDED, _V),
    Move(State.SUSPENDED, Event.SPECIAL_END, State.HANDLING, _D),
    Move(State.HANDLING, Event.DECIDE, State.DECIDED, _D),
    Move(State.HANDLING, Event.REFER_UP, State.CLOSED_NO_RESULT, _D),
    Move(State.DECIDED, Event.COMPLETE, State.COMPLETED, _D),
    Move(State.COMPLETED, Event.DELIVER, State.DELIVERED, _D),
    Move(State.SUBMITTED, Event.WITHDRAW, State.WITHDRAWN, _R),
    Move(State.SUPPLEMENT_DUE, Event.WITHDRAW, State.WITHDRAWN, _R),
    Move(State.ACCEPTED, Event.WITHDRAW, State.WITHDRAWN, _R),
    Move(State.HANDLING, Event.WITHDRAW, State.WITHDRAWN, _R),
    Move(State.SUSPENDED, Event.WITHDRAW, State.WITHDRAWN, _R),
    Move(State.ACCEPTED, Event.VOID, State.VOIDED, _V),
    Move(State.HANDLING, Event.VOID, State.VOIDED, _V),
    Move(State.SUSPENDED, Event.VOID, State.VOIDED, _V),
)
"""The whole machine. Source: config/notice/state_machines.yaml, ``application``."""

_BY_START = {(move.state, move.event): move for move in MOVES}

MESSAGES: Mapping[Event, str] = {
    Event.SUBMIT: "SB",
    Event.ACCEPT: "SL",
    Event.REFUSE: "SL",
    Event.DEEM_ACCEPT: "SL",
    Event.ASK_SUPPLEMENT: "BJGZ",
    Event.SUPPLY: "BJSL",
    Event.STEP_PASS: "SPCL",
    Event.STEP_RETURN: "SPCL",
    Event.EXTEND: "TBCXSQ",
    Event.SPECIAL_BEGIN: "TBCXSQ",
    Event.SPECIAL_END: "TBCXJG",
    Event.COMPLETE: "BJ",
    Event.REFER_UP: "BJ",
    Event.SUPPLEMENT_OVERDUE: "BJ",
    Event.VOID: "BJ",
    Event.DELIVER: "LQDJ",
}
"""Which message of the exchange standard an event is told by."""


class MoveNotAllowed(Conflict):
    """The application stands where this cannot be done."""

    code = "application_move_not_allowed"
    title = "办件当前状态不能这样操作"
    title_en = "Not possible in the application's current state"


class ItemChanged(Conflict):
    """The item has a newer version than the draft was written for."""

    code = "item_changed"
    title = "这个事项的办理要求有更新，请核对后再提交"
    title_en = "The item has changed; check the draft and submit again"


class ItemClosed(Conflict):
    """The item cannot be applied for here at the moment."""

    code = "item_closed"
    title = "这个事项现在不能在网上申请"
    title_en = "The item is not open for applications"


class AnswersRefused(Invalid):
    """The answers do not fit the form; ``fields`` says where."""

    code = "answers_refused"
    title = "有几项要再看一下"
    title_en = "The answers do not fit the form"


class FileRefused(Invalid):
    """A file is none that may be kept; each kind says what to do instead."""

    code = "file_refused"
    title = "这个文件不能上传"
    title_en = "The file is not accepted"


class FileEmpty(FileRefused):
    code = "file_empty"
    title = "文件是空的，请重新选择"
    title_en = "The file is empty"


class FileTooLarge(FileRefused):
    code = "file_too_large"
    title = f"文件超过 {FILE_BYTES_MAX // 1024 // 1024} MB，请拍小一点，或截屏后上传"
    title_en = "The file is too large"


class FileTypeRefused(FileRefused):
    code = "file_type_refused"
    title = "只接受照片（JPEG、PNG、WebP）和 PDF 文件；其他文件请拍照或另存为 PDF"
    title_en = "Only JPEG, PNG, WebP and PDF are accepted"


class FileHeic(FileRefused):
    code = "file_heic"
    title = "这是苹果手机的 HEIC 照片。请在“设置—相机—格式”里选“兼容性最佳”后重拍，或截屏后上传"
    title_en = "HEIC pictures cannot be read; send a JPEG"


class FileDamaged(FileRefused):
    code = "file_damaged"
    title = "文件打不开或不完整，请重新拍照或重新选择"
    title_en = "The file is damaged"


class TooManyPixels(FileRefused):
    code = "file_too_many_pixels"
    title = "照片的尺寸太大，请用普通模式重拍，或截屏后上传"
    title_en = "The picture has too many pixels"


class FileLocked(FileRefused):
    code = "file_locked"
    title = "PDF 有密码，请去掉密码后上传，或拍照上传"
    title_en = "The PDF is encrypted"


class FileActive(FileRefused):
    code = "file_active"
    title = "PDF 里有脚本、动作或附件，请用“打印—存为 PDF”另存后上传，或拍照上传"
    title_en = "The PDF contains scripts, actions or files"


class FileEndless(FileRefused):
    code = "file_endless"
    title = "PDF 太复杂，无法检查，请打印后拍照上传"
    title_en = "The PDF is too complex to be checked"


class TooManyPages(FileRefused):
    code = "file_too_many_pages"
    title = f"PDF 超过 {PDF_PAGES_MAX} 页，请分开上传"
    title_en = "The PDF has too many pages"


class FileInfected(FileRefused):
    code = "file_infected"
    title = "安全检查没有通过，这个文件可能带有病毒，请换一个"
    title_en = "The virus scanner refused the file"


class TooManyFiles(FileRefused):
    code = "too_many_files"
    title = f"每份材料最多 {FILES_PER_MATERIAL_MAX} 个文件，一件申请最多 {FILES_MAX} 个"
    title_en = "Too many files"


class FileNotWanted(FileRefused):
    code = "file_not_wanted"
    title = "这份材料现在不需要上传"
    title_en = "No file is asked for here"


class ProgressUnknown(DomainError):
    """No such number, or not its query code: the two are not told apart."""

    code = "progress_unknown"
    title = "办件编号或查询码不对"
    title_en = "Unknown number or query code"


def move(state: State, event: Event, who: Who) -> Move:
    """Return the move that ``event`` by ``who`` makes from ``state``.

    Raises:
        MoveNotAllowed: the table has no such move, or it is not theirs to make.
    """
    found = _BY_START.get((state, event))
    if found is None or found.who is not who:
        raise MoveNotAllowed(f"办件处于“{STATE_LABELS[state]}”，不能“{EVENT_LABELS[event]}”")
    return found


def events_from(state: State, who: Who) -> tuple[Event, ...]:
    """Return what ``who`` may do with an application in ``state``, in the order of the table."""
    return tuple(one.event for one in MOVES if one.state is state and one.who is who)


def new_number(place: str, day: date, channel: str) -> str:
    """Return a new case number: region (6), day (6), channel (1), 7 random digits, a check digit.

    Sayable, of digits only, and nothing personal in it. Somebody may have it already.
    """
    body = f"{place[:6]}{day:%y%m%d}{channel}{secrets.randbelow(10**7):07}"
    return body + check_digit(body)


def is_number(text: str) -> bool:
    """Tell whether ``text`` is a case number with the right check digit."""
    fits = len(text) == NUMBER_LENGTH and text.isascii() and text.isdigit()
    return fits and check_digit(text[:-1]) == text[-1]


def check_digit(digits: str) -> str:
    """Return the digit that completes ``digits``. Source: ISO 7064 MOD 11,10."""
    rest = 10
    for digit in digits:
        rest = ((rest + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - rest) % 10)


class FileType(StrEnum):
    """What a file of a material is kept as; pictures of any kind become JPEG."""

    JPEG = "image/jpeg"
    PDF = "application/pdf"


class Channel(StrEnum):
    """网上申办渠道 (WSSBQD) of Guangdong's exchange standard; the codes are kept as they are."""

    PC = "0"
    APP = "1"
    WAP = "2"
    WECHAT = "3"
    ALIPAY = "4"
    OTHER = "9"


CHANNEL_LABELS: Mapping[Channel, str] = {
    Channel.PC: "PC端",
    Channel.APP: "手机版客户端",
    Channel.WAP: "手机WAP厅",
    Channel.WECHAT: "微信公众号",
    Channel.ALIPAY: "支付宝服务窗",
    Channel.OTHER: "其他",
}
