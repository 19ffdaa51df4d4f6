"""What a version of an item says (实施清单): the guide of residents and the yardstick of acceptance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.catalogue import conditions
from app.catalogue.domain import (
    DAYS_MAX,
    LEVEL_MAX,
    NAME_MAX,
    SUMMARY_MAX,
    TEXT_MAX,
    VARIANT_CODE,
    VARIANTS_MAX,
    CaseType,
    Delivery,
    Handing,
    ServedKind,
)
from app.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """设定依据. Only what is certain: an empty number or clause says that it was not looked up."""

    name: str
    number: str = ""
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Material:
    """One material of the application.

    Attributes:
        code: unique inside the version.
        handings: how it may be handed in.
        source: who has it: the applicant, or the authority that issues it (出具机构).
        variants: codes of the variants (情形) that ask for it; empty: all of them.
    """

    code: str
    name: str
    handings: tuple[Handing, ...]
    source: str = "申请人自备"
    original_count: int = 1
    copy_count: int = 0
    required: bool = True
    note: str = ""
    variants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """情形: one of the ways in which the item is applied for.

    Attributes:
        code: unique inside the version.
        when: condition over the form's answers, in the language of ``visible_if``; None where only the
            applicant can tell.
    """

    code: str
    name: str
    when: Mapping[str, Any] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the handling (办理环节); ``days`` are working days."""

    name: str
    days: int
    by: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True)
class Fee:
    """One charge; ``fen`` is None where the standard is no single sum."""

    name: str
    fen: int | None
    standard: str
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What the applicant gets (审批结果)."""

    name: str
    kind: str = "证照"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one goes in person."""

    name: str
    address: str
    hours: str


@dataclass(frozen=True, slots=True)
class Question:
    """常见问题."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Content:
    """The whole of a version but its form.

    Attributes:
        lawful_days: 法定办结时限 in working days; None where the law names none.
        promised_days: 承诺办结时限 in working days; 0 is the same day (即办件).
        pauses: kinds of special procedures (特别程序) that may lawfully stop the clock.
        supplement_days: working days the applicant has to mend the application.
        visits: 到办事现场次数; more than 0 needs ``visit_reason``.
        synonyms: everyday words under which people look for it.
        fees: empty is free of charge.
        variants: 情形; empty where there is but one way.
        level: how sure the hall must be of who applies (实名等级): 1 channel, 2 real name, 3 face.
        second_person: a decision needs somebody besides who handles the case.
    """

    name: str
    summary: str
    served: tuple[ServedKind, ...]
    case_type: CaseType
    promised_days: int
    lawful_days: int | None
    conditions: tuple[str, ...]
    materials: tuple[Material, ...]
    steps: tuple[Step, ...]
    results: tuple[Result, ...]
    deliveries: tuple[Delivery, ...]
    hotline: str
    complaint_line: str
    places: tuple[Place, ...]
    online: bool
    full_process: bool
    visits: int
    visit_reason: str = ""
    supplement_days: int = 15
    pauses: tuple[str, ...] = ()
    fees: tuple[Fee, ...] = ()
    questions: tuple[Question, ...] = ()
    synonyms: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    level: int = 1
    second_person: bool = False


@dataclass(frozen=True, slots=True)
class QualityProblem:
    """A standard check that a version does not pass."""

    field: str
    code: str
    text: str


def to_json(content: Content) -> dict[str, Any]:
    """Return what is stored."""
    return asdict(content)


def from_json(raw: Mapping[str, Any]) -> Content:
    """Read what :func:`to_json` wrote, or a file of the same shape.

    Raises:
        ValueError: a field is missing, unknown, or not one of its codes.
    """
    lists: dict[str, Callable[[Any], Any]] = {
        "served": ServedKind,
        "deliveries": Delivery,
        "conditions": str,
        "pauses": str,
        "synonyms": str,
        "materials": _material,
        "steps": lambda row: Step(**row),
        "results": lambda row: Result(**row),
        "places": lambda row: Place(**row),
        "fees": lambda row: Fee(**row),
        "questions": lambda row: Question(**row),
        "variants": lambda row: Variant(**row),
    }
    try:
        read = {name: tuple(map(lists[name], value)) for name, value in raw.items() if name in lists}
        return Content(**{**raw, **read, "case_type": CaseType(raw["case_type"])})
    except (TypeError, KeyError) as error:
        raise ValueError(f"not an item's content: {error}") from None


def _material(row: Mapping[str, Any]) -> Material:
    handings = tuple(Handing(one) for one in row["handings"])
    return Material(**{**row, "handings": handings, "variants": tuple(row.get("variants", ()))})


def variant_for(content: Content, answers: Mapping[str, Any]) -> str:
    """Return the code of the first variant (情形) whose condition the answers fulfil; ``""`` for none.

    The answers are those that are asked for; variants that only the applicant can tell are left out.
    """
    fits = (
        one.code for one in content.variants if one.when is not None and conditions.holds(one.when, answers)
    )
    return next(fits, "")


def materials_for(content: Content, variant: str) -> tuple[Material, ...]:
    """Return the materials of one variant (情形); with ``""`` those that every applicant hands in.

    Raises:
        Invalid: the item has no such variant.
    """
    if variant and variant not in {one.code for one in content.variants}:
        raise Invalid("这个事项没有这种情形", fields={"variant": ["没有这种情形"]})
    return tuple(one for one in content.materials if not one.variants or variant in one.variants)


def _variant_problems(content: Content, form: Mapping[str, Any] | None) -> Iterator[tuple[str, str, str]]:
    """Yield field, code and text of what is wrong with the variants."""
    codes = [one.code for one in content.variants]
    if len(codes) != len(set(codes)):
        yield "variants", "variant_twice", "情形编号重复"
    if len(codes) > VARIANTS_MAX or not all(VARIANT_CODE.fullmatch(one) for one in codes):
        yield "variants", "variant_codes", f"情形编号是小写字母、数字和下划线，最多 {VARIANTS_MAX} 种情形"
    if not all(0 < len(one.name) <= NAME_MAX and len(one.note) <= TEXT_MAX for one in content.variants):
        yield "variants", "variant_names", f"每种情形要有名称，不超过 {NAME_MAX} 字"
    for one in content.variants:
        fault = _when_problem(one.when, form) if one.when is not None else None
        if fault:
            yield "variants", "variant_condition", f"情形“{one.name}”：{fault}"
    named = {code for material in content.materials for code in material.variants}
    if not named <= set(codes):
        yield (
            "materials",
            "material_variant",
            f"材料写了不存在的情形：{'、'.join(sorted(named - set(codes)))}",
        )


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


def quality_problems(content: Content, form: Mapping[str, Any] | None) -> list[QualityProblem]:
    """Return which standard checks (标准化要求) the version does not pass, in reading order."""
    found = []

    def check(passes: bool, field: str, code: str, text: str) -> None:
        if not passes:
            found.append(QualityProblem(field, code, text))

    check(0 < len(content.name) <= NAME_MAX, "name", "name_length", f"名称应有 1 至 {NAME_MAX} 个字")
    check(0 < len(content.summary) <= SUMMARY_MAX, "summary", "summary_length", "要有一句话说明")
    check(bool(content.served), "served", "served_missing", "服务对象不能为空")
    check(0 <= content.promised_days <= DAYS_MAX, "promised_days", "days_range", "承诺时限不在允许范围内")
    lawful = content.lawful_days
    check(
        lawful is None or content.promised_days <= lawful,
        "promised_days",
        "promise_over_law",
        "承诺时限不能长于法定时限",
    )
    on_the_spot = content.case_type is CaseType.ON_THE_SPOT
    check(
        on_the_spot == (content.promised_days == 0),
        "promised_days",
        "on_the_spot_days",
        "即办件的承诺时限是 0，其他办件的大于 0",
    )
    check(bool(content.conditions), "conditions", "conditions_missing", "受理条件不能为空")
    check(bool(content.results), "results", "results_missing", "办理结果不能为空")
    check(bool(content.deliveries), "deliveries", "deliveries_missing", "要说明结果怎样送达")
    check(bool(content.hotline), "hotline", "hotline_missing", "咨询电话不能为空")
    check(
        content.visits == 0 or bool(content.visit_reason),
        "visit_reason",
        "visit_reason",
        "要到现场的，说明为什么必须到现场",
    )
    check(
        content.visits > 0 or content.full_process,
        "full_process",
        "zero_visits",
        "零跑动的事项应当可以网上全流程办理",
    )
    check(
        content.visits == 0 or bool(content.places), "places", "places_missing", "要到现场的，说明地点和时间"
    )
    check(
        content.online == (form is not None), "online", "online_form", "可网办的事项要有表单，不可网办的没有"
    )
    codes = [one.code for one in content.materials]
    check(len(codes) == len(set(codes)), "materials", "material_twice", "材料编号重复")
    for field, code, text in _variant_problems(content, form):
        check(False, field, code, text)
    check(1 <= content.level <= LEVEL_MAX, "level", "level_range", "实名等级是 1 至 3")
    check(all(one.handings for one in content.materials), "materials", "handings", "材料要说明怎样提交")
    check(
        all(len(text) <= TEXT_MAX for text in content.conditions),
        "conditions",
        "conditions_length",
        f"每条受理条件不超过 {TEXT_MAX} 字",
    )
    check(
        content.case_type is not CaseType.PROMISED
        or sum(step.days for step in content.steps) <= content.promised_days,
        "steps",
        "steps_over_promise",
        "各环节时限之和不能超过承诺时限",
    )
    return found
