"""Takes what people and files say of a version, field by field, and says what is wrong with it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.catalogue.content import Content, from_json
from app.catalogue.fields import (
    BY_NAME,
    FIELDS,
    LINES_MAX,
    NUMBER_MAX,
    ROWS_MAX,
    Column,
    Field,
    Kind,
)
from app.core.errors import Invalid

Raw = dict[str, Any]
Problems = dict[str, list[str]]
_MAY_MISS = frozenset(
    {
        "visit_reason",
        "supplement_days",
        "pauses",
        "fees",
        "questions",
        "synonyms",
        "variants",
        "level",
        "second_person",
    }
)
# What neither a page nor a table can hold.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_GAPS = re.compile(r"[、,，;；\s]")
_EMPTY: Mapping[Kind, Any] = {Kind.YES: False, Kind.NUMBER: 0, Kind.CODES: [], Kind.WORDS: []}


def content_of(raw: Mapping[str, Any]) -> Content:
    """Return the content that ``raw`` says, in the shape that is stored.

    Raises:
        Invalid: with what is wrong, by field.
    """
    clean, problems = vetted(raw)
    if problems:
        raise Invalid("有几处要改", fields=problems)
    return from_json(clean)


def vetted(raw: Mapping[str, Any]) -> tuple[Raw, Problems]:
    """Return ``raw`` cleaned, and what is wrong with it by field; only without problems is it a content."""
    clean: Raw = {}
    problems: Problems = {name: ["没有这个字段"] for name in raw if name not in BY_NAME}
    for field in FIELDS:
        if field.name not in raw:
            if field.name not in _MAY_MISS:
                problems[field.name] = ["缺少这个字段"]
            continue
        faults: list[str] = []
        clean[field.name] = _field(field, raw[field.name], faults)
        if faults:
            problems[field.name] = faults[:20]
    return clean, problems


def _field(field: Field, value: Any, faults: list[str]) -> Any:
    if field.name == "level":
        value = int(value) if isinstance(value, str) and value in (field.labels or {}) else value
        if value not in {int(one) for one in field.labels or {}} or isinstance(value, bool):
            faults.append("请从选项中选择")
        return value
    match field.kind:
        case Kind.NUMBER:
            return _number(value, field.optional, faults)
        case Kind.LINES:
            return _lines(field, value, faults)
        case Kind.ROWS:
            return _rows(field, value, faults)
        case _:
            return _plain(field, value, faults)


def _lines(field: Field, value: Any, faults: list[str]) -> list[str]:
    if not isinstance(value, list | tuple):
        faults.append("应是列表")
        return []
    if len(value) > LINES_MAX:
        faults.append(f"最多 {LINES_MAX} 条")
    found = [_text(one, field.longest, faults) for one in value[:LINES_MAX]]
    return [one for one in found if one]


def _rows(field: Field, value: Any, faults: list[str]) -> list[Raw]:
    if not isinstance(value, list | tuple):
        faults.append("应是列表")
        return []
    if len(value) > ROWS_MAX:
        faults.append(f"最多 {ROWS_MAX} 行")
    rows = []
    for number, row in enumerate(value[:ROWS_MAX], start=1):
        said: list[str] = []
        if isinstance(row, Mapping):
            rows.append(_row(field, row, said))
        else:
            said.append("应是对象")
        faults += [f"第 {number} 行：{one}" for one in said]
    return rows


def _row(field: Field, row: Mapping[str, Any], faults: list[str]) -> Raw:
    columns = {one.name: one for one in field.columns}
    faults += [f"没有“{name}”这一栏" for name in row if name not in columns]
    made: Raw = {}
    for name, column in columns.items():
        said: list[str] = []
        value = row.get(name)
        if value is None or value == "":
            made[name] = _left_out(column, said)
        elif column.kind is Kind.NUMBER:
            made[name] = _number(value, False, said)
        else:
            made[name] = _plain(column, value, said)
        faults += [f"{column.label}{one}" for one in said]
    return made


def _left_out(column: Column, faults: list[str]) -> Any:
    if not column.empty:
        faults.append("不能为空")
    if column.kind is Kind.NUMBER:
        return int(column.default) if column.default else None
    if column.kind is Kind.YES:
        return column.default == "是"
    if column.kind is Kind.DOCUMENT:
        return None
    return _EMPTY.get(column.kind, column.default)


def _plain(told: Field | Column, value: Any, faults: list[str]) -> Any:
    match told.kind:
        case Kind.YES:
            if not isinstance(value, bool):
                faults.append("应是“是”或“否”")
            return value
        case Kind.CODE:
            if not isinstance(value, str) or value not in (told.labels or {}):
                faults.append("请从选项中选择")
            return value
        case Kind.CODES:
            return _codes(told.labels or {}, value, faults)
        case Kind.WORDS:
            return list(_words(told, value, faults))
        case Kind.DOCUMENT:
            if not isinstance(value, Mapping):
                faults.append("应是 JSON 对象")
            return value
    return _text(value, told.longest, faults)


def _codes(labels: Mapping[str, str], value: Any, faults: list[str]) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        faults.append("应是列表")
        return []
    unknown = [one for one in value if one not in labels]
    if unknown:
        faults.append(f"没有“{unknown[0][:20]}”这个选项")
    if len(value) != len(set(value)):
        faults.append("有重复的选项")
    return list(value)


def _words(told: Field | Column, value: Any, faults: list[str]) -> Iterator[str]:
    if not isinstance(value, list | tuple) or len(value) > ROWS_MAX:
        faults.append("应是列表")
        return
    for one in value:
        text = _text(one, told.longest, faults)
        if _GAPS.search(text):
            faults.append("里的编号不能有空格和标点")
        yield text


def _number(value: Any, optional: bool, faults: list[str]) -> Any:
    if value is None and optional:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        faults.append("应是整数")
    elif not 0 <= value <= NUMBER_MAX:
        faults.append(f"应在 0 至 {NUMBER_MAX} 之间")
    return value


def _text(value: Any, longest: int, faults: list[str]) -> str:
    if not isinstance(value, str):
        faults.append("应是文字")
        return ""
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if _UNWANTED.search(text):
        faults.append("含有不允许的控制字符")
    if len(text) > longest:
        faults.append(f"不能超过 {longest} 个字")
    return text


def clean_bases(bases: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return legal bases on one line each, without the sign that sets their parts apart in tables."""
    return [
        {
            name: " ".join(one.get(name, "").replace("|", "｜").split())
            for name in ("name", "number", "clause")
        }
        for one in bases
    ]
