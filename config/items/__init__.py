"""Items of the hall: the schema of their forms, common fields, and realistic samples.

Samples are files under ``samples/``, one per item, each with the bodies that carry it out. They are made
up for trying the hall; a legal basis is named only where it is certain.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class SampleImplementation:
    """Who carries an item out, and what differs there.

    Attributes:
        body: as bodies are found by name.
        page_name: name of the body's mobile page for it; ``""`` for none.
        changed: fields of the content that differ from the item's own.
    """

    body: str
    page_name: str
    changed: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SampleItem:
    """One item of the directory (基本目录) with its implementations (实施清单).

    Attributes:
        content: fields of a version's content.
        form: a form document; None for an item that one cannot apply for online.
    """

    code: str
    name: str
    item_type: str
    domain: str
    legal_basis: tuple[Mapping[str, str], ...]
    content: Mapping[str, Any]
    form: Mapping[str, Any] | None
    implementations: tuple[SampleImplementation, ...]


@dataclass(frozen=True, slots=True)
class SampleRelation:
    """How one sample item stands to another, by their codes; ``variant`` is one of ``item``."""

    item: str
    kind: str
    other: str
    variant: str = ""


def form_schema() -> dict[str, Any]:
    """Return the JSON Schema that every form follows."""
    read: dict[str, Any] = json.loads((FOLDER / "form.schema.json").read_text(encoding="utf-8"))
    return read


def scene_schema() -> dict[str, Any]:
    """Return the JSON Schema that every scene follows."""
    read: dict[str, Any] = json.loads((FOLDER / "scene.schema.json").read_text(encoding="utf-8"))
    return read


def scenes() -> dict[str, Any]:
    """Return the sample scenes (场景) by key, in the order of their list."""
    found = {path.stem: _read(path) for path in (FOLDER / "scenes").glob("*.yaml")}
    order = sorted(found, key=lambda key: found[key]["position"])
    return {key: {name: told for name, told in found[key].items() if name != "position"} for key in order}


def samples(folder: Path = FOLDER / "samples") -> list[SampleItem]:
    """Return the sample items, by code.

    Raises:
        ValueError: a code stands twice, or a form names a common field that does not exist.
    """
    common = _read(FOLDER / "common_fields.yaml")
    found = [_item(_read(path), common) for path in sorted(folder.glob("*.yaml"))]
    if len({one.code for one in found}) != len(found):
        raise ValueError("an item's code stands twice")
    return sorted(found, key=lambda one: one.code)


def relations() -> list[SampleRelation]:
    """Return how the sample items stand to each other."""
    rows = _read(FOLDER / "relations.yaml")
    return [SampleRelation(**row) for row in rows]


def _read(path: Path) -> Any:
    # The parser written in C: files by the hundred take a tenth of the time.
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def _item(raw: Mapping[str, Any], common: Mapping[str, Any]) -> SampleItem:
    content = {**raw["content"], "name": raw["name"]}
    content["materials"] = [
        {"code": f"m{place}", **row} for place, row in enumerate(content.get("materials", ()), start=1)
    ]
    return SampleItem(
        code=raw["code"],
        name=raw["name"],
        item_type=raw["item_type"],
        domain=raw["domain"],
        legal_basis=tuple(raw.get("legal_basis", ())),
        content={"materials": [], "steps": [], "places": [], **content},
        form=_form(raw["form"], common) if "form" in raw else None,
        implementations=tuple(
            SampleImplementation(row["body"], row.get("page", ""), row.get("changed", {}))
            for row in raw["implementations"]
        ),
    )


def _form(sections: list[Mapping[str, Any]], common: Mapping[str, Any]) -> dict[str, Any]:
    """Return the form document: a field is the name of a common one, or ``{name: definition}``."""
    properties, words, required, made = {}, {}, [], []
    for section in sections:
        names = []
        for told in section["fields"]:
            name, definition = (told, {}) if isinstance(told, str) else next(iter(told.items()))
            definition = {**common.get(name, {}), **definition}
            if not definition:
                raise ValueError(f"no such common field: {name}")
            properties[name] = definition["schema"]
            words[name] = {key: definition[key] for key in definition if key not in {"schema", "required"}}
            if definition.get("required", True):
                required.append(name)
            names.append(name)
        made.append({"title": section["title"], "fields": names})
    schema = {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
    return {"schema": schema, "sections": made, "fields": words}
