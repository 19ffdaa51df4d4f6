"""The desk's own words: notes, papers, reminders, supervision marks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from app.core.errors import Conflict, Forbidden


class NoteKind(StrEnum):
    """What a line of a case's history is that is no step of it."""

    OPINION = "opinion"
    TAKE = "take"
    PUT_BACK = "put_back"
    HAND_OVER = "hand_over"
    PROPOSE = "propose"
    SEND_BACK = "send_back"
    LIMIT_MOVED = "limit_moved"


NOTE_LABELS: Mapping[NoteKind, str] = {
    NoteKind.OPINION: "内部意见",
    NoteKind.TAKE: "领取",
    NoteKind.PUT_BACK: "退回待领取",
    NoteKind.HAND_OVER: "转交",
    NoteKind.PROPOSE: "提出决定，等待复核",
    NoteKind.SEND_BACK: "复核退回",
    NoteKind.LIMIT_MOVED: "期限重新计算",
}


class Outcome(StrEnum):
    """What became of a decision that needs a second person."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    SENT_BACK = "sent_back"
    DROPPED = "dropped"


class LimitKind(StrEnum):
    INTAKE = "intake"
    SUPPLEMENT = "supplement"
    PROMISE = "promise"
    LAWFUL = "lawful"
    DELIVERY = "delivery"


LIMIT_LABELS: Mapping[LimitKind, str] = {
    LimitKind.INTAKE: "受理期限",
    LimitKind.SUPPLEMENT: "补正期限",
    LimitKind.PROMISE: "承诺办结期限",
    LimitKind.LAWFUL: "法定办结期限",
    LimitKind.DELIVERY: "送达期限",
}


class ReminderKind(StrEnum):
    """What an applicant is reminded of; each once per limit and day on which it ends."""

    SUPPLEMENT_EARLY = "supplement_early"
    SUPPLEMENT_LAST = "supplement_last"
    FETCH = "fetch"


class Mark(StrEnum):
    """督办标识: how near a case is to its limit, or how far beyond."""

    NONE = "none"
    WARNING = "warning"
    YELLOW = "yellow"
    RED = "red"


MARK_LABELS: Mapping[Mark, str] = {
    Mark.NONE: "正常",
    Mark.WARNING: "预警",
    Mark.YELLOW: "黄牌",
    Mark.RED: "红牌",
}


class DocumentKind(StrEnum):
    """Papers (文书); the values stand in their numbers."""

    ACCEPTANCE = "SL"
    REFUSAL = "BSL"
    SUPPLEMENT = "BZ"
    EXTENSION = "YQ"
    SPECIAL = "TB"
    DECISION = "JD"
    RETURNED = "TJ"


DOCUMENT_LABELS: Mapping[DocumentKind, str] = {
    DocumentKind.ACCEPTANCE: "受理通知书",
    DocumentKind.REFUSAL: "不予受理通知书",
    DocumentKind.SUPPLEMENT: "补正告知书",
    DocumentKind.EXTENSION: "延长办理期限告知书",
    DocumentKind.SPECIAL: "特别程序告知书",
    DocumentKind.DECISION: "决定书",
    DocumentKind.RETURNED: "退件通知书",
}


class SecondPersonNeeded(Conflict):
    """A decision about the case waits for a second person."""

    code = "second_person_needed"
    title = "这个办件的决定正在等待另一人复核"
    title_en = "A decision about the case waits for a second person"


class SamePerson(Conflict):
    """Who proposed a decision cannot confirm it."""

    code = "same_person"
    title = "提出决定的人不能自己复核"
    title_en = "Who proposed a decision cannot confirm it"


class NothingToTake(Conflict):
    """Nobody's work is left to take."""

    code = "nothing_to_take"
    title = "没有待领取的办件"
    title_en = "There is no case to take"


class CodeNeeded(Forbidden):
    """A one-time code must be shown again before personal answers are read."""

    code = "code_needed"
    title = "请先输入动态验证码，确认是您本人在查看"
    title_en = "Show a one-time code first"
