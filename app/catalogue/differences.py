"""What differs between two versions, field by field; applied to the older it gives the newer. Pure.

Lists are compared by what tells their members apart (code, name, the text itself), so that one that was
moved is no removal and no addition.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.catalogue.fields import BY_NAME

Record = dict[str, Any]
_FORM = "form"
_SCHEMA, _WORDS = "schema.", "words."


class ChangeKind(StrEnum):
    """What happened to a member of a list, or to a value."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


CHANGE_LABELS: Mapping[ChangeKind, str] = {
    ChangeKind.ADDED: "新增",
    ChangeKind.REMOVED: "删除",
    ChangeKind.CHANGED: "修改",
    ChangeKind.MOVED: "调整顺序",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        field: of the content, or ``form``, ``form.sections``, ``form.fields``, ``form.rest``.
        key: which member of a list; ``""`` for a value that is no list. A number after ``#`` tells apart
            members that share what they are known by.
        attribute: which part of a member changed; ``""`` where the whole did.
        place: where an added or moved member stands in the newer list, from 0.
    """

    field: str
    kind: ChangeKind
    key: str = ""
    attribute: str = ""
    old: Any = None
    new: Any = None
    place: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """What a version says: its content as stored, its form or None."""

    content: Mapping[str, Any]
    form: Mapping[str, Any] | None


def differences(old: Document, new: Document) -> list[Change]:
    """Return what differs, in reading order; nothing where both say the same."""
    found: list[Change] = []
    for name in _field_names(old.content, new.content):
        before, after = old.content.get(name), new.content.get(name)
        found += _of_field(name, before, after)
    return found + _of_forms(old.form, new.form)


def applied(old: Document, changes: Iterable[Change]) -> Document:
    """Return what :func:`differences` compared ``old`` with; forms in the order that ``normal`` gives."""
    by_field: dict[str, list[Change]] = {}
    for one in changes:
        by_field.setdefault(one.field, []).append(one)
    content = {**old.content}
    for name in by_field:
        if not name.startswith(_FORM):
            content[name] = _field_applied(name, old.content.get(name), by_field[name])
    return Document(content, _form_applied(old.form, by_field))


def _field_names(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    unknown = sorted((old.keys() | new.keys()) - BY_NAME.keys())
    return [*BY_NAME, *unknown]


def _of_field(name: str, old: Any, new: Any) -> list[Change]:
    if _is_list(old) and _is_list(new):
        return _of_lists(name, _keyed(name, old), _keyed(name, new))
    return [Change(name, ChangeKind.CHANGED, old=old, new=new)] if old != new else []


def _field_applied(name: str, old: Any, changes: Sequence[Change]) -> Any:
    if len(changes) == 1 and not changes[0].key:
        return changes[0].new
    return list(_list_applied(_keyed(name, old), changes).values())


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _keyed(name: str, members: Iterable[Any]) -> dict[str, Any]:
    """Return members by what tells them apart."""
    known = BY_NAME.get(name)
    key = known.key if known else ""
    return _by_key((_name_of(one, key), one) for one in members)


def _name_of(member: Any, key: str) -> str:
    return str(member.get(key, "")) if isinstance(member, Mapping) else str(member)


def _by_key(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    seen: Counter[str] = Counter()
    found = {}
    for key, member in members:
        seen[key] += 1
        found[f"{key}#{seen[key]}"] = member
    return found


def shown_key(key: str) -> str:
    """Return what people know a member by."""
    name, _, number = key.rpartition("#")
    return name if number == "1" else f"{name}（第 {number} 个）"


def _of_lists(field: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    found = [Change(field, ChangeKind.REMOVED, key, old=old[key]) for key in old if key not in new]
    places = {key: place for place, key in enumerate(new)}
    stays = _longest_run([key for key in old if key in new], places)
    for key, member in new.items():
        if key not in old:
            found.append(Change(field, ChangeKind.ADDED, key, new=member, place=places[key]))
            continue
        found += _of_members(field, key, old[key], member)
        if key not in stays:
            found.append(Change(field, ChangeKind.MOVED, key, place=places[key]))
    return found


def _of_members(field: str, key: str, old: Any, new: Any) -> list[Change]:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return [Change(field, ChangeKind.CHANGED, key, old=old, new=new)] if old != new else []
    # A part that is absent is not the same as one that is null.
    names = [*old, *(name for name in new if name not in old)]
    return [
        Change(field, ChangeKind.CHANGED, key, name, old.get(name, ABSENT), new.get(name, ABSENT))
        for name in names
        if old.get(name, ABSENT) != new.get(name, ABSENT)
    ]


class _Absent:
    """Stands for a part that a member does not have."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()


def _longest_run(keys: Sequence[Hashable], places: Mapping[Any, int]) -> set[Any]:
    """Return the most of ``keys`` that stand in the newer order already; the others were moved."""
    tails: list[int] = []
    chosen: list[tuple[int, Any]] = []
    before: dict[Any, Any] = {}
    for key in keys:
        at = bisect_left(tails, places[key])
        if at == len(tails):
            tails.append(places[key])
            chosen.append((places[key], key))
        else:
            tails[at] = places[key]
            chosen[at] = (places[key], key)
        before[key] = chosen[at - 1][1] if at else None
    run: set[Any] = set()
    last = chosen[-1][1] if chosen else None
    while last is not None:
        run.add(last)
        last = before[last]
    return run


def _list_applied(old: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    members = dict(old)
    coming: list[tuple[int, str, Any]] = []
    moved: dict[str, int] = {}
    for one in changes:
        if one.kind is ChangeKind.REMOVED:
            del members[one.key]
        elif one.kind is ChangeKind.ADDED:
            coming.append((one.place, one.key, one.new))
        elif one.kind is ChangeKind.MOVED:
            moved[one.key] = one.place
        else:
            members[one.key] = _member_applied(members[one.key], one)
    coming += [(place, key, members.pop(key)) for key, place in moved.items()]
    order = list(members.items())
    for place, key, member in sorted(coming, key=lambda one: one[0]):
        order.insert(place, (key, member))
    return dict(order)


def _member_applied(member: Any, change: Change) -> Any:
    if not change.attribute:
        return change.new
    made = {**member, change.attribute: change.new}
    return {name: value for name, value in made.items() if value is not ABSENT}


def _of_forms(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> list[Change]:
    if old is None or new is None:
        if old is new:
            return []
        kind = ChangeKind.ADDED if old is None else ChangeKind.REMOVED
        return [Change(_FORM, kind, old=old, new=normal(new) if new else None)]
    before, after = _parts(old), _parts(new)
    return [one for name in before for one in _of_lists(f"{_FORM}.{name}", before[name], after[name])]


def _form_applied(
    old: Mapping[str, Any] | None, by_field: Mapping[str, list[Change]]
) -> Mapping[str, Any] | None:
    whole = by_field.get(_FORM)
    if whole:
        found: Mapping[str, Any] | None = whole[0].new
        return found
    if old is None:
        return None
    parts = _parts(old)
    return _joined({name: _list_applied(parts[name], by_field.get(f"{_FORM}.{name}", ())) for name in parts})


def normal(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sound form with its parts in one order: that of the sections."""
    return _joined(_parts(form))


def _parts(form: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Take a sound form apart: sections, fields as flat records in the order of asking, and the rest."""
    schema, words = form["schema"], form["fields"]
    sections = _by_key((one["title"], one) for one in form["sections"])
    fields: dict[str, Any] = {}
    for title, section in sections.items():
        for name in section["fields"]:
            record: Record = {"section": title, "required": name in schema["required"]}
            record |= {f"{_WORDS}{key}": value for key, value in words[name].items()}
            record |= {f"{_SCHEMA}{key}": value for key, value in schema["properties"][name].items()}
            fields[f"{name}#1"] = record
    bare = {
        title: {key: value for key, value in one.items() if key != "fields"}
        for title, one in sections.items()
    }
    rest = {f"{key}#1": form[key] for key in form if key not in {"schema", "sections", "fields"}}
    rest |= {
        f"{_SCHEMA}{key}#1": value for key, value in schema.items() if key not in {"properties", "required"}
    }
    return {"sections": bare, "fields": fields, "rest": dict(sorted(rest.items()))}


def _joined(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    named = {key.rpartition("#")[0]: record for key, record in parts["fields"].items()}
    rest = {key.rpartition("#")[0]: value for key, value in parts["rest"].items()}
    sections = [
        {**bare, "fields": [name for name, record in named.items() if record["section"] == title]}
        for title, bare in parts["sections"].items()
    ]
    order = [name for section in sections for name in section["fields"]]
    schema = {key.removeprefix(_SCHEMA): value for key, value in rest.items() if key.startswith(_SCHEMA)}
    schema["properties"] = {name: _named(named[name], _SCHEMA) for name in order}
    schema["required"] = [name for name in order if named[name]["required"]]
    return {
        **{key: value for key, value in rest.items() if not key.startswith(_SCHEMA)},
        "schema": schema,
        "sections": sections,
        "fields": {name: _named(named[name], _WORDS) for name in order},
    }


def _named(record: Mapping[str, Any], prefix: str) -> Record:
    return {key.removeprefix(prefix): value for key, value in record.items() if key.startswith(prefix)}
