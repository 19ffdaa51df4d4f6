"""What a theme says: its items, how they hang together, the one form and the one list of materials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any

from jsonschema_rs import Draft202012Validator

from app.catalogue.service import OUR_SCHEME
from app.core.errors import Invalid
from app.themes.domain import Needs, RelationKind
from config import themes


@dataclass(frozen=True, slots=True)
class ThemeItem:
    """One item of a theme.

    Attributes:
        variant: 情形 of the item that the theme is about, where the answers do not tell it.
        optional: the applicant may leave the item out.
    """

    code: str
    scheme: str = OUR_SCHEME
    note: str = ""
    variant: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """How two items hang together; ``field`` or ``material`` of ``other`` is what a result feeds."""

    kind: RelationKind
    item: str
    other: str
    field: str = ""
    material: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One fact that is asked once.

    Attributes:
        uses: by item, the field of its own form; empty: every item that has a field of this name.
    """

    name: str
    label: str = ""
    help: str = ""
    uses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """One material that is handed in once; ``uses``: by item, the code of its own material."""

    code: str
    name: str
    uses: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Definition:
    """The whole of a theme's version.

    Attributes:
        joint: the authorities act jointly, so that the limit of 45 working days holds for all together.
    """

    code: str
    name: str
    summary: str
    items: tuple[ThemeItem, ...]
    sections: tuple[Section, ...]
    relations: tuple[Relation, ...] = ()
    slots: tuple[Slot, ...] = ()
    synonyms: tuple[str, ...] = ()
    joint: bool = False
    sample: bool = False

    def of(self, kind: RelationKind) -> list[Relation]:
        """Return the relations of one kind."""
        return [one for one in self.relations if one.kind is kind]


@lru_cache(maxsize=1)
def _schema() -> Draft202012Validator:
    return Draft202012Validator(themes.theme_schema())


def read(raw: Mapping[str, Any]) -> Definition:
    """Read a definition as it is written in YAML or JSON.

    Raises:
        Invalid: it does not follow ``config/themes/theme.schema.json``, or names an item it does not have.
    """
    faults: dict[str, list[str]] = {}
    for one in _schema().iter_errors(dict(raw)):
        faults.setdefault("/".join(map(str, one.instance_path)) or "definition", []).append(one.message)
    if faults:
        raise Invalid("主题定义的格式不对", fields=faults)
    made = Definition(
        code=raw["code"],
        name=raw["name"],
        summary=raw["summary"],
        items=tuple(ThemeItem(**one) for one in raw["items"]),
        sections=tuple(
            Section(one["title"], tuple(map(_question, one["questions"]))) for one in raw["sections"]
        ),
        relations=tuple(
            Relation(**{**one, "kind": RelationKind(one["kind"])}) for one in raw.get("relations", ())
        ),
        slots=tuple(Slot(**one) for one in raw.get("materials", ())),
        synonyms=tuple(raw.get("synonyms", ())),
        joint=raw.get("joint", False),
        sample=raw.get("sample", False),
    )
    problems = inner_problems(made)
    if problems:
        raise Invalid("主题定义有误", fields={"definition": problems})
    return made


def _question(raw: str | Mapping[str, Any]) -> Question:
    return Question(raw) if isinstance(raw, str) else Question(**raw)


def inner_problems(definition: Definition) -> list[str]:
    """Return what is wrong with a definition by itself, in Chinese."""
    known = [one.code for one in definition.items]
    names = [one.name for section in definition.sections for one in section.questions]
    codes = [one.code for one in definition.slots]
    found = [
        f"{what}重复：{name}"
        for what, listed in (("事项", known), ("字段", names), ("材料", codes))
        for name in sorted({one for one in listed if listed.count(one) > 1})
    ]
    named = {one.item for one in definition.relations} | {one.other for one in definition.relations}
    named |= {item for section in definition.sections for one in section.questions for item in one.uses}
    named |= {item for one in definition.slots for item in one.uses}
    found += [f"主题里没有这个事项：{code}" for code in sorted(named - set(known))]
    found += [f"事项不能和自己关联：{one.item}" for one in definition.relations if one.item == one.other]
    before = {(one.item, one.other) for one in definition.of(RelationKind.PREREQUISITE)}
    for one in definition.of(RelationKind.RESULT_FEEDS):
        if not one.field and not one.material:
            found.append(f"结果共享要说明给哪一项字段或材料：{one.item} → {one.other}")
        if (one.item, one.other) not in before:
            found.append(f"结果共享的两个事项要有前置关系：{one.item} → {one.other}")
    if not found and not is_acyclic(needs_of(definition)):
        found.append("前置关系成了环")
    return found


def needs_of(definition: Definition) -> Needs:
    """Return, per item, which items must be granted before it."""
    needs: dict[str, set[str]] = {one.code: set() for one in definition.items}
    for one in definition.of(RelationKind.PREREQUISITE):
        needs.setdefault(one.other, set()).add(one.item)
    return needs


def is_acyclic(needs: Needs) -> bool:
    """Tell whether every item can have its turn."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError:
        return False
    return True
