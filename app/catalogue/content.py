"""What a version of an item says (实施清单): the guide of residents and the yardstick of acceptance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.catalogue import conditions
from app.catalogue.domain import CaseType, Delivery, Handing, ServedKind
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
