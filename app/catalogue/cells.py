"""What a version says, one field per cell of a table, and back. Pure.

Members of a list stand on lines of their own, parts of a record are set apart by ``|``; ``\\|``, ``\\n`` and
``\\\\`` mean the sign itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.catalogue.fields import FIELDS, Column, Field, Kind

CELL_MAX = 30_000
"""Workbooks hold 32,767 characters in a cell."""
_GAP = "|"
_SAID = {"\\": "\\\\", _GAP: "\\|", "\n": "\\n"}
_MEANT = {"\\": "\\", _GAP: _GAP, "n": "\n"}
_LIST_GAPS = re.compile(r"[、,，;；\s]+")
_DIGITS = re.compile(r"[0-9]{1,12}")
_YES_NO: Mapping[str, bool] = {"是": True, "否": False}


def heading(field: Field) -> str:
    """Return what stands above the cells of a field: its label and, of records, their parts."""
    if not field.columns:
        return field.label
    return f"{field.label}（{_GAP.join(column.label for column in field.columns)}）"


HEADINGS: Mapping[str, str] = {one.name: heading(one) for one in FIELDS}


def cells_of(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the cells of a content as it is stored, by field."""
    return {one.name: _written(one, content[one.name]) for one in FIELDS}


def raw_of(cells: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields that cells write, for ``vetting``; what cannot be read stays text, to be refused."""
    return {one.name: _read(one, cells[one.name]) for one in FIELDS if one.name in cells}


def _written(field: Field, value: Any) -> str:
    if field.kind is Kind.LINES:
        return "\n".join(_escaped(one) for one in value)
    if field.kind is Kind.ROWS:
        return "\n".join(
            _GAP.join(_escaped(_plain(column, row.get(column.name))) for column in field.columns)
            for row in value
        )
    return _plain(field, value)


def _plain(told: Field | Column, value: Any) -> str:
    if value is None:
        return ""
    match told.kind:
        case Kind.YES:
            return "是" if value else "否"
        case Kind.CODE:
            return (told.labels or {}).get(str(value), str(value))
        case Kind.CODES:
            return "、".join((told.labels or {}).get(one, one) for one in value)
        case Kind.WORDS:
            return "、".join(value)
        case Kind.DOCUMENT:
            return json.dumps(value, ensure_ascii=False)
    return str(value)


def _escaped(text: str) -> str:
    return "".join(_SAID.get(one, one) for one in text)


def _parts(line: str) -> Iterator[str]:
    """Yield what stands between the gaps of a line, escapes resolved."""
    part, signs = [], iter(line)
    for sign in signs:
        if sign == "\\":
            escaped = next(signs, "")
            part.append(_MEANT.get(escaped, f"\\{escaped}"))
        elif sign == _GAP:
            yield "".join(part)
            part = []
        else:
            part.append(sign)
    yield "".join(part)


def _read(field: Field, cell: str) -> Any:
    lines = [line for line in cell.replace("\r\n", "\n").split("\n") if line.strip()]
    if field.kind is Kind.LINES:
        return ["".join(_unescaped(line)) for line in lines]
    if field.kind is Kind.ROWS:
        return [_record(field.columns, list(_parts(line))) for line in lines]
    if field.kind is Kind.NUMBER and not cell.strip():
        return None
    return _value(field, cell)


def _unescaped(line: str) -> Iterator[str]:
    # A gap is nothing special in a line that is no record.
    signs = iter(line)
    for sign in signs:
        if sign == "\\":
            escaped = next(signs, "")
            yield _MEANT.get(escaped, f"\\{escaped}")
        else:
            yield sign


def _record(columns: Sequence[Column], parts: Sequence[str]) -> dict[str, Any]:
    record = {one.name: _value(one, part) for one, part in zip(columns, parts, strict=False)}
    if len(parts) > len(columns):
        # Under a name that is no column: the refusal then names what is too much.
        record[parts[len(columns)][:20] or _GAP] = ""
    return record


def _value(told: Field | Column, text: str) -> Any:
    text = text.strip()
    match told.kind:
        case Kind.YES:
            return _YES_NO.get(text, text)
        case Kind.CODE:
            return _code(told, text)
        case Kind.CODES:
            return [_code(told, one) for one in text.split("、") if one.strip()]
        case Kind.WORDS:
            return [one for one in _LIST_GAPS.split(text) if one]
        case Kind.NUMBER:
            return int(text) if _DIGITS.fullmatch(text) else text
        case Kind.DOCUMENT:
            return _document(text)
    return text


def _code(told: Field | Column, text: str) -> str:
    codes = {label: code for code, label in (told.labels or {}).items()}
    return codes.get(text.strip(), text.strip())


def _document(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
