"""Reads what the editor's pages send into the raw shape that ``vetting`` judges."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from werkzeug.datastructures import MultiDict

from app.catalogue.domain import CODE_MAX, NAME_MAX, SCHEME_MAX, Domain, ItemType
from app.catalogue.editing import NewDirectory
from app.catalogue.fields import ROWS_MAX, Column, Field, Kind
from app.core.errors import Invalid

BASES_MAX = 20
BLANKS = 2
"""How many empty rows a page offers."""
_DIGITS = re.compile(r"[0-9]{1,12}")
_GAPS = re.compile(r"[\s,，、;；]+")
_REMOVE = "remove"
_PLACE = "at"


Sent = MultiDict[str, str]


def fields_sent(fields: Iterable[Field], sent: Sent) -> dict[str, Any]:
    """Return the fields of a page as they were sent; what cannot be read stays text, to be refused."""
    return {one.name: _field(one, sent) for one in fields}


def _field(field: Field, sent: Sent) -> Any:
    if field.kind is Kind.ROWS:
        return _rows(field, sent)
    if field.kind is Kind.LINES:
        return [line.strip() for line in sent.get(field.name, "").splitlines() if line.strip()]
    if field.kind is Kind.NUMBER and not sent.get(field.name, "").strip():
        return None
    return _value(field, field.name, sent)


def _rows(field: Field, sent: Sent) -> list[dict[str, Any]]:
    """Return the rows in the order their numbers say; those removed, or left empty, are out."""
    found, removed = [], set()
    for number in range(ROWS_MAX + BLANKS):
        name = f"{field.name}-{number}"
        filled = [one for one in field.columns if _is_filled(one, f"{name}-{one.name}", sent)]
        if sent.get(f"{name}-{_REMOVE}", ""):
            removed.add(sent.get(f"{name}-code", ""))
        if not filled or sent.get(f"{name}-{_REMOVE}", ""):
            continue
        row = {one.name: _value(one, f"{name}-{one.name}", sent) for one in field.columns}
        place = sent.get(f"{name}-{_PLACE}", "").strip()
        found.append((float(place) if _DIGITS.fullmatch(place) else number + 1.0, number, row))
    rows = [row for _, _, row in sorted(found, key=lambda one: one[:2])]
    if field.key == "code":
        _number_rows(field, rows, removed)
    return rows


def _is_filled(column: Column, name: str, sent: Sent) -> bool:
    # A tick, a number or what the page offers by itself says nothing.
    return column.kind in {Kind.LINE, Kind.TEXT} and sent.get(name, "").strip() not in {"", column.default}


def _number_rows(field: Field, rows: list[dict[str, Any]], removed: set[str]) -> None:
    """Give a code to the rows that have none: not one that meant something else until now."""
    taken = removed | {row["code"] for row in rows}
    free = (f"{field.name[0]}{number}" for number in range(1, 2 * ROWS_MAX + 2))
    for row in rows:
        if not row["code"]:
            row["code"] = next(code for code in free if code not in taken)
            taken.add(row["code"])


def _value(told: Field | Column, name: str, sent: Sent) -> Any:
    text = sent.get(name, "").strip()
    match told.kind:
        case Kind.YES:
            return bool(text)
        case Kind.CODES:
            return sent.getlist(name)
        case Kind.NUMBER:
            return int(text) if _DIGITS.fullmatch(text) else text
        case Kind.WORDS:
            return [word for word in _GAPS.split(text) if word]
        case Kind.DOCUMENT:
            return _document(text)
    return text


def _document(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def directory_sent(sent: Sent) -> NewDirectory:
    """Return the directory entry that a page sent.

    Raises:
        Invalid: with what is wrong, by field.
    """
    problems: dict[str, list[str]] = {}
    texts = {}
    for name, longest in (("code", CODE_MAX), ("code_scheme", SCHEME_MAX), ("name", NAME_MAX)):
        texts[name] = sent.get(name, "").strip()
        if not 0 < len(texts[name]) <= longest:
            problems[name] = [f"应有 1 至 {longest} 个字"]
    for name, codes in (("item_type", set(ItemType)), ("domain", set(Domain))):
        if sent.get(name, "") not in codes:
            problems[name] = ["请从选项中选择"]
    bases = []
    for number in range(BASES_MAX):
        row = {
            name: sent.get(f"basis-{number}-{name}", "").strip()[:NAME_MAX]
            for name in ("name", "number", "clause")
        }
        if row["name"]:
            bases.append(row)
    if problems:
        raise Invalid("有几处要改", fields=problems)
    return NewDirectory(
        **texts,
        item_type=ItemType(sent["item_type"]),
        domain=Domain(sent["domain"]),
        legal_basis=bases,
        sample=bool(sent.get("sample")),
    )
