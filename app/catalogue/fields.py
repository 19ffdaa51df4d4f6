"""The fields of a version as people write, compare and exchange them: labels, groups, kinds, bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.catalogue.domain import (
    CASE_TYPE_LABELS,
    CODE_MAX,
    DELIVERY_LABELS,
    HANDING_LABELS,
    NAME_MAX,
    SERVED_LABELS,
    SUMMARY_MAX,
    TEXT_MAX,
)

ROWS_MAX = 60
LINES_MAX = 60
NUMBER_MAX = 100_000_000
LEVEL_LABELS: Mapping[str, str] = {"1": "渠道账号", "2": "实名", "3": "实名并刷脸"}


class Kind(StrEnum):
    """How a value is written.

    ``lines`` is a list of texts, ``codes`` one of labelled codes, ``rows`` one of records, ``document`` an
    object of JSON.
    """

    LINE = "line"
    TEXT = "text"
    NUMBER = "number"
    YES = "yes"
    CODE = "code"
    LINES = "lines"
    CODES = "codes"
    WORDS = "words"
    DOCUMENT = "document"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a record.

    Attributes:
        empty: may be left out; a number is then None, or what ``default`` says.
        default: what is meant where nothing is written.
    """

    name: str
    label: str
    kind: Kind = Kind.LINE
    labels: Mapping[str, str] | None = None
    longest: int = NAME_MAX
    empty: bool = True
    default: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a version's content.

    Attributes:
        group: the page of the editor it stands on.
        key: of records, the column that tells them apart.
        optional: a number that may be None.
    """

    name: str
    label: str
    group: str
    kind: Kind = Kind.LINE
    labels: Mapping[str, str] | None = None
    longest: int = TEXT_MAX
    columns: tuple[Column, ...] = ()
    key: str = ""
    optional: bool = False
    help: str = ""


GROUP_LABELS: Mapping[str, str] = {
    "basic": "基本信息",
    "served": "服务对象和条件",
    "limits": "时限、环节和特别程序",
    "variants": "情形",
    "materials": "材料",
    "fees": "收费",
    "results": "结果和送达",
    "places": "地点和电话",
    "words": "常见问题和俗称",
    "form": "表单",
}
"""Pages of the editor, in order."""

_SERVED = {code.value: label for code, label in SERVED_LABELS.items()}
_CASES = {code.value: label for code, label in CASE_TYPE_LABELS.items()}
_DELIVERIES = {code.value: label for code, label in DELIVERY_LABELS.items()}
_HANDINGS = {code.value: label for code, label in HANDING_LABELS.items()}

FIELDS: tuple[Field, ...] = (
    Field("name", "事项名称", "basic", longest=NAME_MAX),
    Field("summary", "一句话说明", "basic", Kind.TEXT, longest=SUMMARY_MAX),
    Field("case_type", "办件类型", "basic", Kind.CODE, _CASES),
    Field("online", "可以网上申请", "basic", Kind.YES),
    Field("full_process", "网上全流程办理", "basic", Kind.YES),
    Field("visits", "到办事现场次数", "basic", Kind.NUMBER),
    Field("visit_reason", "必须到现场的原因", "basic", Kind.TEXT, help="次数大于 0 时填写"),
    Field("level", "实名等级", "basic", Kind.CODE, LEVEL_LABELS, help="提交申请时申请人要达到的等级"),
    Field("second_person", "决定需要第二人", "basic", Kind.YES),
    Field("served", "服务对象", "served", Kind.CODES, _SERVED),
    Field("conditions", "受理条件", "served", Kind.LINES, help="一行一条"),
    Field("promised_days", "承诺办结时限", "limits", Kind.NUMBER, help="工作日，即办件填 0"),
    Field(
        "lawful_days",
        "法定办结时限",
        "limits",
        Kind.NUMBER,
        optional=True,
        help="工作日，法律没有规定的留空",
    ),
    Field("supplement_days", "补正时限", "limits", Kind.NUMBER, help="工作日"),
    Field(
        "steps",
        "办理环节",
        "limits",
        Kind.ROWS,
        columns=(
            Column("name", "环节", empty=False),
            Column("days", "工作日", Kind.NUMBER, default="0"),
            Column("by", "办理人员"),
            Column("result", "环节结果"),
        ),
        key="name",
    ),
    Field(
        "pauses",
        "特别程序",
        "limits",
        Kind.LINES,
        longest=NAME_MAX,
        help="依法可以暂停计时的，一行一种，例如专家评审、检验、听证",
    ),
    Field(
        "variants",
        "情形",
        "variants",
        Kind.ROWS,
        columns=(
            Column("code", "编号", longest=40, empty=False),
            Column("name", "名称", empty=False),
            Column("when", "条件（JSON）", Kind.DOCUMENT, longest=TEXT_MAX),
            Column("note", "说明", longest=TEXT_MAX),
        ),
        key="code",
        help="条件只看表单里的字段；只有申请人自己清楚的，条件留空",
    ),
    Field(
        "materials",
        "材料",
        "materials",
        Kind.ROWS,
        columns=(
            Column("code", "编号", longest=40, empty=False),
            Column("name", "名称", empty=False),
            Column("handings", "提交方式", Kind.CODES, _HANDINGS),
            Column("source", "来源（出具机构）", default="申请人自备"),
            Column("original_count", "原件", Kind.NUMBER, default="1"),
            Column("copy_count", "复印件", Kind.NUMBER, default="0"),
            Column("required", "必要", Kind.YES, default="是"),
            Column("note", "说明", longest=TEXT_MAX),
            Column("variants", "情形", Kind.WORDS, longest=400),
        ),
        key="code",
    ),
    Field(
        "fees",
        "收费",
        "fees",
        Kind.ROWS,
        columns=(
            Column("name", "项目", empty=False),
            Column("fen", "金额（分）", Kind.NUMBER),
            Column("standard", "标准"),
            Column("basis", "依据", longest=TEXT_MAX),
        ),
        key="name",
        help="没有就是不收费",
    ),
    Field(
        "results",
        "办理结果",
        "results",
        Kind.ROWS,
        columns=(Column("name", "名称", empty=False), Column("kind", "类型", default="证照")),
        key="name",
    ),
    Field("deliveries", "送达方式", "results", Kind.CODES, _DELIVERIES),
    Field(
        "places",
        "办理地点",
        "places",
        Kind.ROWS,
        columns=(
            Column("name", "名称", empty=False),
            Column("address", "地址", longest=TEXT_MAX),
            Column("hours", "时间"),
        ),
        key="name",
    ),
    Field("hotline", "咨询电话", "places", longest=CODE_MAX),
    Field("complaint_line", "投诉电话", "places", longest=CODE_MAX),
    Field(
        "questions",
        "常见问题",
        "words",
        Kind.ROWS,
        columns=(
            Column("question", "问题", longest=SUMMARY_MAX, empty=False),
            Column("answer", "回答", Kind.TEXT, longest=TEXT_MAX),
        ),
        key="question",
    ),
    Field("synonyms", "俗称", "words", Kind.LINES, longest=NAME_MAX, help="群众平常的叫法，一行一个"),
)
"""Every field of the content, in reading order; the form is none of them."""

BY_NAME: Mapping[str, Field] = {one.name: one for one in FIELDS}
FORM_LABEL = "表单"
LABELS: Mapping[str, str] = {
    **{one.name: one.label for one in FIELDS},
    "form": FORM_LABEL,
    "legal_basis": "设定依据",
    "effective_on": "生效日期",
}


def in_group(group: str) -> tuple[Field, ...]:
    """Return the fields of a page of the editor."""
    return tuple(one for one in FIELDS if one.group == group)
