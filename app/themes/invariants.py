"""What must hold of a merge, looked at apart from how it was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from app.catalogue import service as catalogue
from app.themes.definition import Definition, is_acyclic, needs_of
from app.themes.merging import Finding, Merged, Source
from app.themes.strictness import as_strict


def broken(definition: Definition, sources: Sequence[Source], merged: Merged) -> list[Finding]:
    """Return which invariants a merge breaks; none when a theme may be published over it."""
    found = [Finding("form_unsound", fault) for fault in catalogue.form_problems(merged.form)]
    if not is_acyclic(needs_of(definition)):
        found.append(Finding("circle", "前置关系成了环"))
    for source in sources:
        found += _of_fields(source, merged)
        found += _of_materials(source, merged)
    items = {source.item for source in sources}
    for name, uses in merged.uses.items():
        if not uses or not set(uses) <= items:
            found.append(Finding("projection", f"“{name}”没有事项使用"))
    return found


def _of_fields(source: Source, merged: Merged) -> Iterator[Finding]:
    properties = source.form["schema"]["properties"]
    used = list(merged.fields_of(source.item).values())
    fed = [one.field for one in merged.feeds if one.other == source.item and one.field]
    if Counter(used + fed) != Counter(list(properties)):
        yield Finding("projection", f"{source.title}的投影和它自己的表单不一致")
        return
    for name, field in merged.fields_of(source.item).items():
        asked = merged.form["schema"]["properties"][name]
        if not as_strict(asked, properties[field]):
            yield Finding("incompatible", f"“{name}”允许{source.title}的“{field}”不允许的回答")
        needed = field in source.form["schema"]["required"]
        if needed and name not in merged.form["schema"]["required"]:
            yield Finding("not_required", f"{source.title}的“{field}”必填，主题表单里不是")


def _of_materials(source: Source, merged: Merged) -> Iterator[Finding]:
    used = [slot.uses[source.item] for slot in merged.slots if source.item in slot.uses]
    fed = [one.material for one in merged.feeds if one.other == source.item and one.material]
    if Counter(used + fed) != Counter(one.code for one in source.materials):
        yield Finding("materials", f"{source.title}的材料和主题材料清单不一致")
    ways = {one.code: {way.value for way in one.handings} for one in source.materials}
    for slot in merged.slots:
        if source.item in slot.uses and not set(slot.handings) <= ways.get(slot.uses[source.item], set()):
            yield Finding("no_common_way", f"“{slot.name}”有{source.title}不接受的提交方式")
