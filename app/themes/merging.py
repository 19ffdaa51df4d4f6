"""From a theme and the items of one place: the merged form, the merged materials, and what is odd.

Everything is derived: the theme says which fields are one fact, the items' own versions say the rest. What
the theme does not name, or what cannot be one question, is asked on its own, so that no item misses a
field of its form, whatever a place has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from app.catalogue import service as catalogue
from app.catalogue.service import Form, Material
from app.themes.definition import Definition, Question
from app.themes.domain import RelationKind
from app.themes.rewriting import ItemConditions, any_of, names_in
from app.themes.strictness import stricter

NAME_LENGTH = 40
WORDS_LENGTH = 40
RULES_MAX = 40


@dataclass(frozen=True, slots=True)
class Source:
    """What one item asks for: its form and its materials, as one place carries it out."""

    item: str
    title: str
    form: Form
    materials: tuple[Material, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is odd about a theme; ``error`` keeps it from being published."""

    code: str
    text: str
    error: bool = True


@dataclass(frozen=True, slots=True)
class Feed:
    """A field or a material of ``other`` that the result of ``item`` fills."""

    item: str
    other: str
    field: str = ""
    material: str = ""


@dataclass(frozen=True, slots=True)
class MergedSlot:
    """One material, handed in once; ``uses``: by item, the code of its own material.

    Attributes:
        handings: the ways in which every item that uses it takes it.
    """

    code: str
    name: str
    handings: tuple[str, ...]
    source: str
    original_count: int
    copy_count: int
    required: bool
    note: str
    uses: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Merged:
    """One form and one list of materials for all items.

    Attributes:
        uses: by question, the items that use it and the field it is there.
    """

    form: Form
    uses: Mapping[str, Mapping[str, str]]
    slots: tuple[MergedSlot, ...]
    feeds: tuple[Feed, ...]
    findings: tuple[Finding, ...] = ()

    def fields_of(self, item: str) -> dict[str, str]:
        """Return the questions that an item uses, with the field each is in its own form."""
        return {name: told[item] for name, told in self.uses.items() if item in told}


@dataclass(slots=True)
class _Group:
    """A question in the making."""

    name: str
    section: str
    uses: dict[str, str]
    label: str = ""
    help: str = ""
    schema: dict[str, Any] = field(default_factory=dict)
    condition: dict[str, Any] | None = None


def merge(definition: Definition, sources: Sequence[Source]) -> Merged:
    """Merge what the items of one place ask for; items that are not among ``sources`` are left out."""
    findings: list[Finding] = []
    by_item = {one.item: one for one in sources}
    feeds = _feeds(definition, by_item, findings)
    groups = _grouped(definition, by_item, feeds, findings)
    groups = _ordered(groups, by_item, findings)
    form = _form(groups, by_item)
    faults = catalogue.form_problems(form)
    if faults:
        # Better each item's form one after another than none: a resident is not to wait for the author.
        findings += [Finding("form_unsound", fault) for fault in faults]
        groups = _alone(groups, by_item)
        form = _form(groups, by_item)
    uses = {one.name: one.uses for one in groups}
    slots = _slots(definition, by_item, feeds, findings)
    in_order = {name: uses[name] for name in catalogue.field_order(form)}
    return Merged(form, in_order, slots, tuple(feeds), tuple(findings))


def _feeds(definition: Definition, by_item: Mapping[str, Source], findings: list[Finding]) -> list[Feed]:
    found = []
    for one in definition.of(RelationKind.RESULT_FEEDS):
        if one.item not in by_item or one.other not in by_item:
            continue
        taking = by_item[one.other]
        conditions = _conditions_of(taking.form)
        told = taking.form["schema"]["properties"].get(one.field, {})
        ways = {mine.code: mine.handings for mine in taking.materials}.get(one.material, ())
        if one.field and (told.get("type") != "string" or {"oneOf", "format"} & set(told)):
            findings.append(Finding("feed_field", f"{one.other} 没有可以用结果填写的文字字段 {one.field}"))
        elif one.field and any(one.field in names_in(told) for told in conditions.values()):
            findings.append(Finding("feed_condition", f"{one.other} 的其他字段要看 {one.field} 怎么填"))
        elif one.material and catalogue.Handing.SHARED not in ways:
            findings.append(
                Finding("feed_material", f"{one.other} 的材料 {one.material} 不能由部门查验，结果不能代替")
            )
        else:
            found.append(Feed(one.item, one.other, one.field, one.material))
    return found


def _conditions_of(form: Form) -> dict[str, dict[str, Any]]:
    return {name: told["visible_if"] for name, told in form["fields"].items() if "visible_if" in told}


def _grouped(
    definition: Definition, by_item: Mapping[str, Source], feeds: list[Feed], findings: list[Finding]
) -> list[_Group]:
    """Return every field of every item in exactly one question."""
    fed = {(one.other, one.field) for one in feeds if one.field}
    free = {
        (item, name): told
        for item, source in by_item.items()
        for name, told in source.form["schema"]["properties"].items()
        if (item, name) not in fed
    }
    named = {use for section in definition.sections for one in section.questions for use in one.uses.items()}
    groups: list[_Group] = []
    for section in definition.sections:
        for question in section.questions:
            made = _group(section.title, question, by_item, free, named, findings)
            if made.uses:
                groups.append(made)
    taken = {one.name for one in groups}
    for item, name in list(free):
        own_name = name if name not in taken else _own_name(item, name, taken)
        taken.add(own_name)
        findings.append(
            Finding("not_placed", f"{by_item[item].title}的“{name}”没有排进主题表单，单独列出", error=False)
        )
        groups.append(_Group(own_name, _rest(by_item[item]), {item: name}, schema=dict(free[item, name])))
    return groups


def _group(
    section: str,
    question: Question,
    by_item: Mapping[str, Source],
    free: dict[tuple[str, str], dict[str, Any]],
    named: set[tuple[str, str]],
    findings: list[Finding],
) -> _Group:
    made = _Group(question.name, section, {}, question.label, question.help)
    wanted = question.uses or {item: question.name for item in by_item if (item, question.name) not in named}
    for item, name in wanted.items():
        own = free.get((item, name))
        if own is None:
            if question.uses and item in by_item:
                findings.append(Finding("no_such_field", f"{item} 的表单里没有可用的“{name}”", error=False))
            continue
        joined = stricter(made.schema, own) if made.uses else dict(own)
        if joined is None:
            findings.append(
                Finding("incompatible", f"{item} 的“{name}”和“{question.name}”的其他用处填法不同，不能合并")
            )
            continue
        made.schema, made.uses[item] = joined, name
        del free[item, name]
    return made


def _own_name(item: str, name: str, taken: set[str]) -> str:
    letters = "".join(letter for letter in item.lower() if letter.isascii() and letter.isalnum())
    stem = f"i{letters}"[:20]
    number = 1
    while (made := f"{stem}_{name}"[: NAME_LENGTH - 3] + (f"_{number}" if number > 1 else "")) in taken:
        number += 1
    return made


def _rest(source: Source) -> str:
    return f"{source.title}要另外填的"[:WORDS_LENGTH]


def _spoken(groups: Sequence[_Group], by_item: Mapping[str, Source]) -> dict[str, ItemConditions]:
    names: dict[str, dict[str, str]] = {item: {} for item in by_item}
    shared: dict[str, set[str]] = {item: set() for item in by_item}
    for group in groups:
        for item, name in group.uses.items():
            names[item][name] = group.name
            if len(group.uses) > 1:
                shared[item].add(name)
    return {
        item: ItemConditions(_conditions_of(source.form), names[item], frozenset(shared[item]))
        for item, source in by_item.items()
    }


def _say_conditions(groups: Sequence[_Group], by_item: Mapping[str, Source]) -> None:
    spoken = _spoken(groups, by_item)
    for group in groups:
        group.condition = any_of([spoken[item].of(name) for item, name in group.uses.items()])


def _rules(groups: Sequence[_Group], by_item: Mapping[str, Source]) -> list[dict[str, Any]]:
    """Return the items' rules over several fields that can be said of the questions as well.

    The others are not lost: each item's own form has the last word on its projection.
    """
    spoken = _spoken(groups, by_item)
    said = [
        spoken[item].rule(rule) for item, source in by_item.items() for rule in source.form.get("rules", ())
    ]
    found: list[dict[str, Any]] = []
    for one in said:
        if one is not None and one not in found:
            found.append(one)
    return found[:RULES_MAX]


def _ordered(groups: list[_Group], by_item: Mapping[str, Source], findings: list[Finding]) -> list[_Group]:
    """Return the questions so that each comes after those its condition looks at.

    The theme's order holds where it can. Questions that wait for each other are taken apart.
    """
    _say_conditions(groups, by_item)
    waiting, done, seen = list(groups), list[_Group](), set[str]()
    late: dict[str, None] = {}
    while waiting:
        turn = next((one for one in waiting if names_in(one.condition) <= seen), None)
        if turn is None:
            names = "、".join(one.name for one in waiting)
            findings.append(Finding("circle", f"合并后条件互相依赖：{names}"))
            return _alone(groups, by_item)
        if turn is not waiting[0]:
            late[waiting[0].name] = None
        waiting.remove(turn)
        done.append(turn)
        seen.add(turn.name)
    findings += [Finding("order", f"“{name}”要排在它的条件所看的字段后面") for name in late]
    return done


def _alone(groups: Sequence[_Group], by_item: Mapping[str, Source]) -> list[_Group]:
    """Return the questions with none shared, each item's in the order of its own form."""
    known = {(item, name) for group in groups for item, name in group.uses.items()}
    made: list[_Group] = []
    taken: set[str] = set()
    for item, source in by_item.items():
        for name in catalogue.field_order(source.form):
            if (item, name) in known:
                own_name = name if name not in taken else _own_name(item, name, taken)
                taken.add(own_name)
                schema = dict(source.form["schema"]["properties"][name])
                made.append(_Group(own_name, source.title[:WORDS_LENGTH], {item: name}, schema=schema))
    _say_conditions(made, by_item)
    return made


def _form(groups: Sequence[_Group], by_item: Mapping[str, Source]) -> dict[str, Any]:
    sections: list[dict[str, Any]] = []
    for group in groups:
        known = next((one for one in sections if one["title"] == group.section), None)
        # A section is gone on with only while nothing came between: the order of questions is kept.
        if known is None or known is not sections[-1]:
            sections.append(known := {"title": group.section, "fields": []})
        known["fields"].append(group.name)
    required = [
        group.name
        for group in groups
        if any(name in by_item[item].form["schema"]["required"] for item, name in group.uses.items())
    ]
    rules = _rules(groups, by_item)
    return {
        **({"rules": rules} if rules else {}),
        "schema": {
            "type": "object",
            "properties": {group.name: group.schema for group in groups},
            "required": required,
            "additionalProperties": False,
        },
        "sections": sections,
        "fields": {group.name: _words(group, by_item) for group in groups},
    }


def _words(group: _Group, by_item: Mapping[str, Source]) -> dict[str, Any]:
    item, name = next(iter(group.uses.items()))
    words = {key: told for key, told in by_item[item].form["fields"][name].items() if key != "visible_if"}
    said = {"label": group.label, "help": group.help, "visible_if": group.condition}
    return {**words, **{key: told for key, told in said.items() if told}}


def _slots(
    definition: Definition, by_item: Mapping[str, Source], feeds: list[Feed], findings: list[Finding]
) -> tuple[MergedSlot, ...]:
    """Return every material of every item in exactly one slot, but for those that a result feeds."""
    fed = {(one.other, one.material) for one in feeds if one.material}
    free = {
        (item, one.code): one
        for item, source in by_item.items()
        for one in source.materials
        if (item, one.code) not in fed
    }
    found: list[MergedSlot] = []
    for slot in definition.slots:
        made: MergedSlot | None = None
        for item, code in slot.uses.items():
            own = free.get((item, code))
            if own is None:
                if item in by_item:
                    findings.append(Finding("no_such_material", f"{item} 没有可用的材料 {code}", error=False))
                continue
            joined = _joined(made, own, item) if made else _single(slot.code, slot.name, own, item)
            if joined is None:
                findings.append(
                    Finding("no_common_way", f"{item} 的材料“{own.name}”和“{slot.name}”没有共同的提交方式")
                )
                continue
            made = joined
            del free[item, code]
        if made:
            found.append(made)
    taken = {one.code for one in found}
    for (item, code), own in free.items():
        own_code = code if code not in taken else f"{item}-{code}"[:NAME_LENGTH]
        taken.add(own_code)
        found.append(_single(own_code, own.name, own, item))
    return tuple(found)


def _single(code: str, name: str, own: Material, item: str) -> MergedSlot:
    return MergedSlot(
        code=code,
        name=name,
        handings=tuple(way.value for way in own.handings),
        source=own.source,
        original_count=own.original_count,
        copy_count=own.copy_count,
        required=own.required,
        note=own.note,
        uses={item: own.code},
    )


def _joined(made: MergedSlot, own: Material, item: str) -> MergedSlot | None:
    theirs = {way.value for way in own.handings}
    ways = tuple(way for way in made.handings if way in theirs)
    if not ways:
        return None
    notes = [note for note in (made.note, own.note) if note]
    return replace(
        made,
        handings=ways,
        # One original is looked at by all; every authority keeps its copies.
        original_count=max(made.original_count, own.original_count),
        copy_count=made.copy_count + own.copy_count,
        required=made.required or own.required,
        note="；".join(dict.fromkeys(notes)),
        uses={**made.uses, item: own.code},
    )


def to_json(merged: Merged) -> dict[str, Any]:
    """Return what is kept of a merge: everything but the findings."""
    return {
        "form": merged.form,
        "uses": {name: dict(told) for name, told in merged.uses.items()},
        "slots": [asdict(one) for one in merged.slots],
        "feeds": [asdict(one) for one in merged.feeds],
    }


def from_json(raw: Mapping[str, Any]) -> Merged:
    """Read what :func:`to_json` wrote."""
    slots = (MergedSlot(**{**one, "handings": tuple(one["handings"])}) for one in raw["slots"])
    return Merged(raw["form"], raw["uses"], tuple(slots), tuple(Feed(**one) for one in raw["feeds"]))
