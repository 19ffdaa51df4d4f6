"""The exchange with departments' systems (对接规范): messages, fields, code sets, golden cases.

The ten messages and their fields are the facts of ``config/notice/exchange_objects.yaml``; what the hall
demands of them stands in ``messages.yaml``, the cases of the conformance run in ``golden.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
FACTS = FOLDER.parent / "notice" / "exchange_objects.yaml"
RESERVED = "BYZDA-D"
"""How the facts write the four reserve fields."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a message.

    Attributes:
        kind: ``text``, ``number``, ``money``, ``moment``, ``day``, ``region`` or ``materials``.
        longest: characters.
        codes: value to meaning, where only listed values may stand.
        personal: about a person: starred wherever it is shown.
    """

    code: str
    name: str
    kind: str
    longest: int
    codes: Mapping[str, str]
    personal: bool


@dataclass(frozen=True, slots=True)
class MessageSpec:
    """One of the ten messages.

    Attributes:
        number: SPTYPE of the standard.
        order: place in the life of a case.
        at: the field that says when it happened.
        required: fields that may not be missing; ``demands``: further ones, by field and value of another.
    """

    number: int
    code: str
    name: str
    order: int
    at: str
    fields: Mapping[str, FieldSpec]
    required: tuple[str, ...]
    demands: Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Standard:
    """The whole of the exchange standard as the hall reads it.

    Attributes:
        messages: by SPTYPE.
        material: fields of one entry of a list of materials.
        results: 办结结果代码 to what they mean to the hall, by the kind of system that sends them.
    """

    version: int
    messages: Mapping[int, MessageSpec]
    material: Mapping[str, FieldSpec]
    material_required: tuple[str, ...]
    materials_max: int
    results: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """One case of the conformance run.

    Attributes:
        say: what the department's system must do, in words.
        how: ``send``, ``again``, ``batch``, ``pull``, ``ack`` or ``tell``: what the hall looks at.
        message: what to send: ``case``, ``kind``, ``seq``, ``version`` and ``body``.
        expect: what must come of it: ``status``, and ``state``, ``code`` or ``findings``.
    """

    code: str
    title: str
    say: str
    how: str
    message: Mapping[str, Any]
    expect: Mapping[str, Any]


@cache
def standard() -> Standard:
    """Return the standard; read once.

    Raises:
        ValueError: the two files do not fit together.
    """
    facts = yaml.safe_load(FACTS.read_text(encoding="utf-8"))
    ours = yaml.safe_load((FOLDER / "messages.yaml").read_text(encoding="utf-8"))
    sets: dict[str, Mapping[str, str]] = {
        name: told.get("values", told) for name, told in facts["code_sets"].items()
    } | ours["code_sets"]
    common = _fields(_spelled_out(facts["common"]), ours["fields"], ours, sets)
    messages = {}
    for told in facts["messages"]:
        more = ours["messages"][told["code"]]
        fields = {**common, **_fields(told["fields"], ours["fields"], ours, sets)}
        named = {*more["required"], more["at"], *more.get("with", {})}
        if named - fields.keys():
            raise ValueError(f"{told['code']} has no field {sorted(named - fields.keys())}")
        messages[told["sptype"]] = MessageSpec(
            number=told["sptype"],
            code=told["code"],
            name=told["name"],
            order=more["order"],
            at=more["at"],
            fields=fields,
            required=(*ours["required"], *more["required"]),
            demands={
                field: {value: tuple(names) for value, names in by_value.items()}
                for field, by_value in more.get("with", {}).items()
            },
        )
    return Standard(
        version=ours["version"],
        messages=messages,
        material=_fields(facts["material_object"]["fields"], ours["material"]["fields"], ours, sets),
        material_required=tuple(ours["material"]["required"]),
        materials_max=ours["materials_max"],
        results=ours["results"],
    )


def _spelled_out(common: Mapping[str, str]) -> dict[str, str]:
    found = {code: name for code, name in common.items() if code != RESERVED}
    return found | {f"BYZD{letter}": f"备用字段{letter}" for letter in "ABCD"}


def _fields(
    names: Mapping[str, str],
    rules: Mapping[str, Mapping[str, Any]],
    ours: Mapping[str, Any],
    sets: Mapping[str, Mapping[str, str]],
) -> dict[str, FieldSpec]:
    found = {}
    for code, name in names.items():
        rule = rules.get(code, {})
        codes: dict[str, str] = {}
        for one in ("code_set", "also"):
            codes |= sets[rule[one]] if one in rule else {}
        found[code] = FieldSpec(
            code=code,
            name=name.partition("（")[0],
            kind=rule.get("kind", "text"),
            longest=rule.get("longest", ours["longest"]),
            codes=codes,
            personal=rule.get("personal", False),
        )
    return found


@cache
def golden() -> tuple[int, tuple[GoldenCase, ...]]:
    """Return version and cases of the conformance run, in the order they are run."""
    read = _golden_file()
    cases = tuple(
        GoldenCase(
            code=one["code"],
            title=one["title"],
            say=one["say"],
            how=one["how"],
            message=one.get("message", {}),
            expect=one["expect"],
        )
        for one in read["cases"]
    )
    return read["version"], cases


def examples() -> Mapping[str, Mapping[str, Any]]:
    """Return a message of each kind that follows the standard, by its code, with ``{@…}`` to be filled in."""
    found: Mapping[str, Mapping[str, Any]] = _golden_file()["examples"]
    return found


@cache
def _golden_file() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((FOLDER / "golden.yaml").read_text(encoding="utf-8"))
    return read
