"""Standard checks of a version (标准化检查) as rules. Pure.

A rule of severity ``must`` keeps a version from being handed in; one of severity ``should`` costs points.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.catalogue import conditions
from app.catalogue.content import Content
from app.catalogue.domain import (
    DAYS_MAX,
    LEVEL_MAX,
    NAME_MAX,
    SUMMARY_MAX,
    TEXT_MAX,
    VARIANT_CODE,
    VARIANTS_MAX,
    CaseType,
    ItemType,
)

EDITION = 1
"""Counted up when a rule is added, dropped or weighed anew: stored scores are then made again."""
_STANDARD = "标准化要求"
_LICENSING_LAW = "行政许可法"
_PHONE = re.compile(r"1[0-9]{2,5}|0[0-9]{2,3}-[0-9]{5,8}(-[0-9]{1,6})?|400-?[0-9]{3}-?[0-9]{4}")
_VAGUE = (
    "其他材料",
    "其它材料",
    "其他资料",
    "其他证明",
    "其他有关",
    "其他相关",
    "相关材料",
    "有关材料",
    "有关部门要求",
    "部门要求的",
    "法律法规规定的其他",
    "需要提供的其他",
    "等材料",
)
_LICENCE_DAYS = 20


class Severity(StrEnum):
    """What a breach means."""

    MUST = "must"
    SHOULD = "should"


SEVERITY_LABELS: Mapping[Severity, str] = {Severity.MUST: "必须", Severity.SHOULD: "建议"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged: a version, and what the directory says of its item."""

    content: Content
    form: Mapping[str, Any] | None
    legal_basis: Sequence[Mapping[str, str]] = ()
    item_type: ItemType | None = None


Finds = Callable[[Subject], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One standard check.

    Attributes:
        field: the field of the content that is to be mended, ``form`` or ``legal_basis``.
        text: what is asked for; ``advice``: how to mend a breach.
        source: the law, where one asks for it, else the requirements of standardisation.
        weight: how much of the score hangs on it.
        finds: yields a sentence per breach.
    """

    code: str
    field: str
    text: str
    severity: Severity
    source: str
    weight: int
    advice: str
    finds: Finds


def _unless(passes: Callable[[Subject], bool], text: str) -> Finds:
    def finds(subject: Subject) -> Iterator[str]:
        if not passes(subject):
            yield text

    return finds


def _must(
    code: str,
    field: str,
    text: str,
    passes: Callable[[Content], bool],
    *,
    source: str = _STANDARD,
    advice: str = "",
) -> Rule:
    finds = _unless(lambda subject: passes(subject.content), text)
    return Rule(code, field, text, Severity.MUST, source, 6, advice or text, finds)


def _should(
    code: str, field: str, text: str, finds: Finds, *, weight: int, advice: str, source: str = _STANDARD
) -> Rule:
    return Rule(code, field, text, Severity.SHOULD, source, weight, advice, finds)


def _online_form(subject: Subject) -> Iterator[str]:
    if subject.content.online and subject.form is None:
        yield "可网办的事项要有表单"
    if not subject.content.online and subject.form is not None:
        yield "不可网办的事项不能有表单"


def _variant_names(subject: Subject) -> Iterator[str]:
    variants = subject.content.variants
    if not all(0 < len(one.name) <= NAME_MAX and len(one.note) <= TEXT_MAX for one in variants):
        yield f"每种情形要有名称，不超过 {NAME_MAX} 字"


def _variant_conditions(subject: Subject) -> Iterator[str]:
    for one in subject.content.variants:
        fault = _when_problem(one.when, subject.form) if one.when is not None else None
        if fault:
            yield f"情形“{one.name}”：{fault}"


def _when_problem(when: Mapping[str, Any], form: Mapping[str, Any] | None) -> str | None:
    fault = conditions.problem(when)
    if fault:
        return fault
    if form is None:
        return "没有表单，条件无从判断"
    properties = form["schema"]["properties"]
    for name in conditions.fields_of(when):
        if name not in properties:
            return f"表单里没有 {name} 这一项"
        if "x-personal" in properties[name]:
            return "条件不能看个人信息"
    return None


def _material_variants(subject: Subject) -> Iterator[str]:
    content = subject.content
    named = {code for material in content.materials for code in material.variants}
    unknown = sorted(named - {one.code for one in content.variants})
    if unknown:
        yield f"材料写了不存在的情形：{'、'.join(unknown)}"


def _vague_words(subject: Subject) -> Iterator[str]:
    content = subject.content
    said = [("材料", f"{one.name} {one.note}") for one in content.materials]
    said += [("受理条件", one) for one in content.conditions]
    for where, text in said:
        found = next((word for word in _VAGUE if word in text), None)
        if found:
            yield f"{where}“{text.strip()[:30]}”含有“{found}”，申请人不知道要准备什么"


def _phone_shapes(subject: Subject) -> Iterator[str]:
    for label, number in (
        ("咨询电话", subject.content.hotline),
        ("投诉电话", subject.content.complaint_line),
    ):
        if number and not _PHONE.fullmatch(number):
            yield f"{label} {number[:30]} 不像可以直接拨打的号码"


def _shorter_than_law(subject: Subject) -> Iterator[str]:
    lawful = subject.content.lawful_days
    if lawful and subject.content.promised_days >= lawful:
        yield f"承诺时限 {subject.content.promised_days} 个工作日，没有比法定时限 {lawful} 个工作日短"


def _licence_days(subject: Subject) -> Iterator[str]:
    lawful = subject.content.lawful_days
    if subject.item_type is ItemType.LICENSING and lawful is None:
        yield f"行政许可没有写法定时限；法律、法规没有另外规定的，是 {_LICENCE_DAYS} 个工作日"


def _sources(subject: Subject) -> Iterator[str]:
    for one in subject.content.materials:
        if not one.source.strip():
            yield f"材料“{one.name}”没有写由谁出具"


def _fee_bases(subject: Subject) -> Iterator[str]:
    for one in subject.content.fees:
        if not one.basis.strip():
            yield f"收费“{one.name}”没有写收费依据"


def _step_words(subject: Subject) -> Iterator[str]:
    content = subject.content
    if content.case_type is CaseType.PROMISED and not content.steps:
        yield "承诺件没有写办理环节"


def _legal_basis(subject: Subject) -> Iterator[str]:
    if not any(one.get("name", "").strip() for one in subject.legal_basis):
        yield "没有写设定依据"
    elif not any(
        one.get("number", "").strip() or one.get("clause", "").strip() for one in subject.legal_basis
    ):
        yield "设定依据没有文号和条款"


def _field_help(subject: Subject) -> Iterator[str]:
    fields = subject.form["fields"] if subject.form else {}
    bare = [told["label"] for told in fields.values() if not (told.get("help") or told.get("placeholder"))]
    if len(bare) > len(fields) / 2:
        yield f"表单 {len(fields)} 项里有 {len(bare)} 项没有填写说明或示例"


RULES: tuple[Rule, ...] = (
    _must("name_length", "name", f"名称应有 1 至 {NAME_MAX} 个字", lambda it: 0 < len(it.name) <= NAME_MAX),
    _must("summary_length", "summary", "要有一句话说明", lambda it: 0 < len(it.summary) <= SUMMARY_MAX),
    _must("served_missing", "served", "服务对象不能为空", lambda it: bool(it.served)),
    _must(
        "days_range",
        "promised_days",
        "承诺时限不在允许范围内",
        lambda it: 0 <= it.promised_days <= DAYS_MAX,
        advice=f"填 0 至 {DAYS_MAX} 个工作日",
    ),
    _must(
        "promise_over_law",
        "promised_days",
        "承诺时限不能长于法定时限",
        lambda it: it.lawful_days is None or it.promised_days <= it.lawful_days,
        source=f"{_LICENSING_LAW}第四十二条",
        advice="缩短承诺时限，或核对法定时限",
    ),
    _must(
        "on_the_spot_days",
        "promised_days",
        "即办件的承诺时限是 0，其他办件的大于 0",
        lambda it: (it.case_type is CaseType.ON_THE_SPOT) == (it.promised_days == 0),
    ),
    _must(
        "conditions_missing",
        "conditions",
        "受理条件不能为空",
        lambda it: bool(it.conditions),
        source=f"{_LICENSING_LAW}第三十条",
    ),
    _must("results_missing", "results", "办理结果不能为空", lambda it: bool(it.results)),
    _must("deliveries_missing", "deliveries", "要说明结果怎样送达", lambda it: bool(it.deliveries)),
    _must("hotline_missing", "hotline", "咨询电话不能为空", lambda it: bool(it.hotline)),
    _must(
        "visit_reason",
        "visit_reason",
        "要到现场的，说明为什么必须到现场",
        lambda it: it.visits == 0 or bool(it.visit_reason),
    ),
    _must(
        "zero_visits",
        "full_process",
        "零跑动的事项应当可以网上全流程办理",
        lambda it: it.visits > 0 or it.full_process,
    ),
    _must(
        "places_missing",
        "places",
        "要到现场的，说明地点和时间",
        lambda it: it.visits == 0 or bool(it.places),
    ),
    Rule(
        "online_form",
        "online",
        "可网办的事项要有表单，不可网办的没有",
        Severity.MUST,
        _STANDARD,
        6,
        "补上表单，或改“可以网上申请”",
        _online_form,
    ),
    _must(
        "material_twice",
        "materials",
        "材料编号重复",
        lambda it: len({one.code for one in it.materials}) == len(it.materials),
        advice="每种材料用自己的编号",
    ),
    _must(
        "variant_twice",
        "variants",
        "情形编号重复",
        lambda it: len({one.code for one in it.variants}) == len(it.variants),
    ),
    _must(
        "variant_codes",
        "variants",
        f"情形编号是小写字母、数字和下划线，最多 {VARIANTS_MAX} 种情形",
        lambda it: (
            len(it.variants) <= VARIANTS_MAX and all(VARIANT_CODE.fullmatch(one.code) for one in it.variants)
        ),
    ),
    Rule(
        "variant_names",
        "variants",
        "每种情形要有名称",
        Severity.MUST,
        _STANDARD,
        6,
        "补上情形的名称",
        _variant_names,
    ),
    Rule(
        "variant_condition",
        "variants",
        "情形的条件要能由表单判断",
        Severity.MUST,
        _STANDARD,
        6,
        "改条件，或改表单",
        _variant_conditions,
    ),
    Rule(
        "material_variant",
        "materials",
        "材料只能写已有的情形",
        Severity.MUST,
        _STANDARD,
        6,
        "改材料的情形，或补上情形",
        _material_variants,
    ),
    _must("level_range", "level", "实名等级是 1 至 3", lambda it: 1 <= it.level <= LEVEL_MAX),
    _must(
        "handings",
        "materials",
        "材料要说明怎样提交",
        lambda it: all(one.handings for one in it.materials),
    ),
    _must(
        "conditions_length",
        "conditions",
        f"每条受理条件不超过 {TEXT_MAX} 字",
        lambda it: all(len(text) <= TEXT_MAX for text in it.conditions),
    ),
    _must(
        "steps_over_promise",
        "steps",
        "各环节时限之和不能超过承诺时限",
        lambda it: (
            it.case_type is not CaseType.PROMISED or sum(step.days for step in it.steps) <= it.promised_days
        ),
    ),
    _should(
        "promise_not_shorter",
        "promised_days",
        "承诺时限应当短于法定时限",
        _shorter_than_law,
        weight=6,
        advice="按“限时办结”要求压缩承诺时限",
    ),
    _should(
        "lawful_days_missing",
        "lawful_days",
        "行政许可应当写明法定时限",
        _licence_days,
        weight=4,
        advice="写明法定时限，没有另外规定的写 20",
        source=f"{_LICENSING_LAW}第四十二条",
    ),
    _should(
        "vague_words",
        "materials",
        "材料和条件不应有兜底说法",
        _vague_words,
        weight=10,
        advice="逐项写明要什么；说不明的删去",
        source=f"{_LICENSING_LAW}第三十条",
    ),
    _should(
        "material_source",
        "materials",
        "材料应当写明由谁出具",
        _sources,
        weight=6,
        advice="写明出具机构，或“申请人自备”",
    ),
    _should(
        "fee_basis",
        "fees",
        "收费应当写明依据",
        _fee_bases,
        weight=8,
        advice="写明收费依据的名称和文号；没有依据的不得收费",
        source=f"{_LICENSING_LAW}第五十九条",
    ),
    _should(
        "steps_missing",
        "steps",
        "承诺件应当写明办理环节",
        _step_words,
        weight=4,
        advice="写明受理、审查、决定等环节和各自的时限",
    ),
    _should(
        "legal_basis",
        "legal_basis",
        "应当有设定依据",
        _legal_basis,
        weight=6,
        advice="在基本目录里补上依据的名称、文号和条款",
        source=f"{_LICENSING_LAW}第三十条",
    ),
    _should(
        "places_advised",
        "places",
        "应当写明办理地点",
        _unless(lambda it: bool(it.content.places), "没有写办理地点和时间"),
        weight=4,
        advice="写明可以当面咨询和办理的地点、时间",
    ),
    _should(
        "questions_missing",
        "questions",
        "应当有常见问题",
        _unless(lambda it: bool(it.content.questions), "没有常见问题"),
        weight=6,
        advice="从咨询电话最常问的问题里选几条写上",
    ),
    _should(
        "synonyms_missing",
        "synonyms",
        "应当有群众常用的叫法",
        _unless(lambda it: bool(it.content.synonyms), "没有俗称，群众用平常的说法搜不到"),
        weight=6,
        advice="写上群众平常的叫法，例如“暂住证”",
    ),
    _should(
        "phone_shape",
        "hotline",
        "电话应当可以直接拨打",
        _phone_shapes,
        weight=6,
        advice="写成 12345 或 020-12345678 的样子，一栏只写一个号码",
    ),
    _should(
        "complaint_missing",
        "complaint_line",
        "应当有投诉电话",
        _unless(lambda it: bool(it.content.complaint_line), "没有投诉电话"),
        weight=4,
        advice="写上本单位的监督投诉电话，没有的写 12345",
    ),
    _should(
        "form_help",
        "form",
        "表单应当有填写说明",
        _field_help,
        weight=4,
        advice="给容易填错的项目写上说明或示例",
    ),
)
"""Every rule, in reading order."""
