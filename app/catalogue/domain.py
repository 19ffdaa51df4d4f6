"""Codes of service items and the life of a version (事项版本). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from app.core.errors import Conflict

NAME_MAX = 100
CODE_MAX = 60
SCHEME_MAX = 60
SUMMARY_MAX = 200
TEXT_MAX = 1000
REASON_MAX = 500
QUERY_MAX = 40
LIMIT_MAX = 50
DAYS_MAX = 365
LEVEL_MAX = 3
VARIANTS_MAX = 30
VARIANT_MAX = 40
SCENE_KEY_MAX = 40
SCENE_KEY = re.compile(r"[a-z][a-z0-9_-]{0,39}")
SCENE_ANSWERS_MAX = 80
VARIANT_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
OUR_SCHEME = "hall-sample"
"""The scheme of codes made up for sample items; real ones keep the code and scheme they came with."""


class ItemType(StrEnum):
    """事项类型, codes of GB/T 39046-2020 A.1."""

    LICENSING = "01"
    PENALTY = "02"
    COERCION = "03"
    COLLECTION = "04"
    PAYMENT = "05"
    INSPECTION = "06"
    CONFIRMATION = "07"
    REWARD = "08"
    RULING = "09"
    OTHER_POWER = "10"
    PUBLIC_SERVICE = "20"


ITEM_TYPE_LABELS: Mapping[ItemType, str] = {
    ItemType.LICENSING: "行政许可",
    ItemType.PENALTY: "行政处罚",
    ItemType.COERCION: "行政强制",
    ItemType.COLLECTION: "行政征收",
    ItemType.PAYMENT: "行政给付",
    ItemType.INSPECTION: "行政检查",
    ItemType.CONFIRMATION: "行政确认",
    ItemType.REWARD: "行政奖励",
    ItemType.RULING: "行政裁决",
    ItemType.OTHER_POWER: "其他类别事项",
    ItemType.PUBLIC_SERVICE: "公共服务事项",
}


class ServedKind(StrEnum):
    """服务对象, codes of GB/T 39046-2020 A.4."""

    PERSON = "1"
    ENTERPRISE = "2"
    INSTITUTION = "3"
    SOCIAL_ORGANISATION = "4"
    AUTHORITY = "5"
    OTHER = "6"


SERVED_LABELS: Mapping[ServedKind, str] = {
    ServedKind.PERSON: "自然人",
    ServedKind.ENTERPRISE: "企业法人",
    ServedKind.INSTITUTION: "事业法人",
    ServedKind.SOCIAL_ORGANISATION: "社会组织法人",
    ServedKind.AUTHORITY: "行政机关",
    ServedKind.OTHER: "其他组织",
}


class CaseType(StrEnum):
    """办件类型, codes of GB/T 39046-2020 A.6."""

    ON_THE_SPOT = "1"
    PROMISED = "2"
    OTHER = "9"


CASE_TYPE_LABELS: Mapping[CaseType, str] = {
    CaseType.ON_THE_SPOT: "即办件",
    CaseType.PROMISED: "承诺件",
    CaseType.OTHER: "其他",
}


class Domain(StrEnum):
    """办事领域 that the notice names, 二(一)5."""

    BUSINESS = "business"
    TAX = "tax"
    QUALITY = "quality"
    EDUCATION = "education"
    HEALTH = "health"
    MARRIAGE = "marriage"
    EMPLOYMENT = "employment"
    FAMILY_PLANNING = "family_planning"
    HOUSING = "housing"
    HOUSEHOLD = "household"
    TRANSPORT = "transport"
    CIVIL_AFFAIRS = "civil_affairs"


DOMAIN_LABELS: Mapping[Domain, str] = {
    Domain.BUSINESS: "工商",
    Domain.TAX: "税务",
    Domain.QUALITY: "质监",
    Domain.EDUCATION: "教育",
    Domain.HEALTH: "医疗卫生",
    Domain.MARRIAGE: "婚姻登记",
    Domain.EMPLOYMENT: "劳动就业",
    Domain.FAMILY_PLANNING: "计划生育",
    Domain.HOUSING: "住房保障",
    Domain.HOUSEHOLD: "户籍",
    Domain.TRANSPORT: "交通",
    Domain.CIVIL_AFFAIRS: "民政",
}


class Handing(StrEnum):
    """How a material may be handed in."""

    PAPER = "paper"
    PROMISE = "promise"
    SHARED = "shared"
    UPLOAD = "upload"


HANDING_LABELS: Mapping[Handing, str] = {
    Handing.PAPER: "交纸质件（窗口或邮寄）",
    Handing.PROMISE: "书面承诺代替",
    Handing.SHARED: "由部门查验，免交",
    Handing.UPLOAD: "拍照或上传文件",
}


class Delivery(StrEnum):
    """How a result reaches the applicant."""

    PICK_UP = "pick_up"
    POST = "post"
    ELECTRONIC = "electronic"


DELIVERY_LABELS: Mapping[Delivery, str] = {
    Delivery.PICK_UP: "到窗口领取",
    Delivery.POST: "邮寄送达",
    Delivery.ELECTRONIC: "电子证照或电子文书",
}


class RelationKind(StrEnum):
    """事项关联: how one item stands to another."""

    PREREQUISITE = "prerequisite"
    PARALLEL = "parallel"
    EXCLUSIVE = "exclusive"
    RESULT_FEEDS = "result_feeds"


RELATION_LABELS: Mapping[RelationKind, str] = {
    RelationKind.PREREQUISITE: "先办",
    RelationKind.PARALLEL: "可同时办",
    RelationKind.EXCLUSIVE: "不能同时办",
    RelationKind.RESULT_FEEDS: "结果可用于",
}
MUTUAL = frozenset({RelationKind.PARALLEL, RelationKind.EXCLUSIVE})
"""Relations that hold in both directions."""


class RelationCycle(Conflict):
    """The items would wait for each other."""

    code = "relation_cycle"
    title = "事项互为前置"
    title_en = "The items would be prerequisites of each other"


class VersionState(StrEnum):
    """States of a version, values as in ``config/notice/state_machines.yaml``."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    FILED = "filed"
    PUBLISHED = "published"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    RETIRED = "retired"


VERSION_LABELS: Mapping[VersionState, str] = {
    VersionState.DRAFT: "编制中",
    VersionState.IN_REVIEW: "备案审查中",
    VersionState.RETURNED: "退回修改",
    VersionState.FILED: "已备案待生效",
    VersionState.PUBLISHED: "已发布",
    VersionState.SUSPENDED: "暂停办理",
    VersionState.SUPERSEDED: "被新版本取代",
    VersionState.RETIRED: "已取消",
}
LIVE = frozenset({VersionState.PUBLISHED, VersionState.SUSPENDED})
"""What residents are shown; at most one version of an implementation at any instant."""


class VersionEvent(StrEnum):
    """What moves a version from one state to another."""

    SUBMIT = "submit"
    RETURN = "return"
    EDIT = "edit"
    FILE = "file"
    EFFECTIVE_DATE = "effective_date"
    SUSPEND = "suspend"
    RESUME = "resume"
    NEW_VERSION_PUBLISHED = "new_version_published"
    LAST_CASE_CLOSED = "last_case_closed"
    CANCEL = "cancel"


class VersionMove(NamedTuple):
    """One allowed move; ``who`` as in the facts: D department, P province, S supervisor, T the clock."""

    state: VersionState
    event: VersionEvent
    to: VersionState
    who: str


EVENT_LABELS: Mapping[VersionEvent, str] = {
    VersionEvent.SUBMIT: "送审",
    VersionEvent.RETURN: "退回修改",
    VersionEvent.EDIT: "修改",
    VersionEvent.FILE: "备案",
    VersionEvent.EFFECTIVE_DATE: "到期生效",
    VersionEvent.SUSPEND: "暂停办理",
    VersionEvent.RESUME: "恢复办理",
    VersionEvent.NEW_VERSION_PUBLISHED: "被新版本取代",
    VersionEvent.LAST_CASE_CLOSED: "最后一件办结",
    VersionEvent.CANCEL: "取消",
}

_S, _E = VersionState, VersionEvent
VERSION_MOVES = (
    VersionMove(_S.DRAFT, _E.SUBMIT, _S.IN_REVIEW, "D"),
    VersionMove(_S.IN_REVIEW, _E.RETURN, _S.RETURNED, "P"),
    VersionMove(_S.RETURNED, _E.EDIT, _S.DRAFT, "D"),
    VersionMove(_S.IN_REVIEW, _E.FILE, _S.FILED, "P"),
    VersionMove(_S.FILED, _E.EFFECTIVE_DATE, _S.PUBLISHED, "T"),
    VersionMove(_S.PUBLISHED, _E.SUSPEND, _S.SUSPENDED, "S"),
    VersionMove(_S.SUSPENDED, _E.RESUME, _S.PUBLISHED, "S"),
    VersionMove(_S.PUBLISHED, _E.NEW_VERSION_PUBLISHED, _S.SUPERSEDED, "T"),
    VersionMove(_S.SUPERSEDED, _E.LAST_CASE_CLOSED, _S.RETIRED, "T"),
    VersionMove(_S.PUBLISHED, _E.CANCEL, _S.RETIRED, "P"),
    VersionMove(_S.SUSPENDED, _E.CANCEL, _S.RETIRED, "P"),
)
"""The whole machine. Source: config/notice/state_machines.yaml, ``item_version``."""

_BY_START = {(move.state, move.event): move for move in VERSION_MOVES}


class VersionMoveNotAllowed(Conflict):
    """The version stands where this cannot be done."""

    code = "version_move_not_allowed"
    title = "事项版本当前状态不能这样操作"
    title_en = "Not possible in the version's current state"


def version_move(state: VersionState, event: VersionEvent) -> VersionMove:
    """Return the move that ``event`` makes from ``state``.

    Raises:
        VersionMoveNotAllowed: the table has no such move.
    """
    found = _BY_START.get((state, event))
    if found is None:
        raise VersionMoveNotAllowed(f"事项版本处于“{VERSION_LABELS[state]}”状态，不能这样操作")
    return found
