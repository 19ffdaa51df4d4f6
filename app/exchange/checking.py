"""Judging a message by the standard: one finding per fault, with the field's Chinese name. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.core.clock import HALL_TIME
from config.exchange import FieldSpec, MessageSpec, Standard

SKEW = timedelta(minutes=5)
_NUMBER = re.compile(r"[0-9]+")
_MONEY = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_CODE = re.compile(r"[A-Za-z][A-Za-z_]{0,29}")
UNNAMED = "?"
"""Stands for the name of an unknown field that looks like no field's code."""
_EARLIEST = date(2000, 1, 1)
SHAPES = {"number": "只能是数字", "money": "应是金额，如 12.50", "region": "应是六位行政区划代码"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a message; the text never repeats a value.

    Attributes:
        field: code of the field, ``""`` for the message as a whole.
        code: stable, e.g. ``required``, ``too_long``, ``unknown_code``.
    """

    field: str
    name: str
    code: str
    text: str

    def as_json(self) -> dict[str, str]:
        return {"field": self.field, "name": self.name, "code": self.code, "text": self.text}


def find_faults(
    spec: MessageSpec,
    body: Mapping[str, Any],
    *,
    sblsh: str,
    version: int,
    regions: Set[str],
    rules: Standard,
    now: datetime,
) -> list[Finding]:
    """Return what is wrong with a message, field by field; nothing when it follows the standard.

    Args:
        sblsh, version: what the address says; the body must say the same.
        regions: codes of places that there are.
    """
    found = [
        Finding(_named(code), "", "unknown_field", "规范里没有这个字段")
        for code in body.keys() - spec.fields.keys()
    ]
    found += _missing(spec, body)
    for code, field in spec.fields.items():
        if code in body and body[code] != "":
            found += _field_faults(field, body[code], regions, rules)
    found += _other_than_address(spec, body, sblsh, version)
    at = business_time(spec, body)
    if at is not None and at > now + SKEW:
        found.append(_fault(spec.fields[spec.at], "in_future", "不能晚于现在"))
    return sorted(found, key=lambda one: one.field)


def business_time(spec: MessageSpec, body: Mapping[str, Any]) -> datetime | None:
    """Return when a message says that it happened; of a mere day its first moment.

    None where it says nothing that can be: a refused message is kept, and years that a database cannot
    hold must not keep it out.
    """
    given = body.get(spec.at)
    if not isinstance(given, str) or not (_is_moment(given) or _is_day(given)):
        return None
    return datetime.fromisoformat(given).replace(tzinfo=HALL_TIME)


def same_text(body: Mapping[str, Any]) -> str:
    """Return the one spelling of a body: two that differ only in order or blanks have the same."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def differing(before: Mapping[str, Any], after: Mapping[str, Any], spec: MessageSpec) -> list[Finding]:
    """Return the fields in which two bodies differ, without their values."""
    codes = sorted(code for code in {*before, *after} if before.get(code) != after.get(code))
    return [
        Finding(
            _named(code),
            spec.fields[code].name if code in spec.fields else "",
            "differs",
            "与已收到的内容不同",
        )
        for code in codes
    ]


def _named(code: str) -> str:
    """Return the code of a field as it may be told and kept: what is no code may be a person's number."""
    return code if _CODE.fullmatch(code) else UNNAMED


def _missing(spec: MessageSpec, body: Mapping[str, Any]) -> Iterator[Finding]:
    wanted = dict.fromkeys(spec.required)
    for field, by_value in spec.demands.items():
        value = body.get(field)
        wanted |= dict.fromkeys(by_value.get(value, ()) if isinstance(value, str) else ())
    for code in wanted:
        if body.get(code) in (None, "", []):
            yield _fault(spec.fields[code], "required", "必填")


def _other_than_address(
    spec: MessageSpec, body: Mapping[str, Any], sblsh: str, version: int
) -> Iterator[Finding]:
    told = body.get("SBLSH")
    if told and told != sblsh:
        yield _fault(spec.fields["SBLSH"], "other_than_address", "与网址里的申办流水号不一致")
    told = body.get("SJBBH")
    if isinstance(told, str) and _NUMBER.fullmatch(told) and told.lstrip("0") != str(version):
        yield _fault(spec.fields["SJBBH"], "other_than_address", "与网址里的 version 不一致")


def _field_faults(field: FieldSpec, value: Any, regions: Set[str], rules: Standard) -> Iterator[Finding]:
    if field.kind == "materials":
        yield from _list_faults(field, value, regions, rules)
        return
    if not isinstance(value, str):
        yield _fault(field, "not_text", "应是文本（加引号）")
    elif _UNWANTED.search(value):
        yield _fault(field, "control_character", "含有不允许的控制字符")
    elif len(value) > field.longest:
        yield _fault(field, "too_long", f"最多 {field.longest} 个字，现在是 {len(value)} 个")
    elif field.codes and value not in field.codes:
        known = "、".join(f"{code} {meaning}" for code, meaning in field.codes.items())
        yield _fault(field, "unknown_code", f"代码只能是：{known}")
    else:
        yield from _shape_faults(field, value, regions)


def _shape_faults(field: FieldSpec, value: str, regions: Set[str]) -> Iterator[Finding]:
    match field.kind:
        case "number" if not (_NUMBER.fullmatch(value) and value.isascii()):
            yield _fault(field, "bad_format", SHAPES["number"])
        case "money" if not _MONEY.fullmatch(value):
            yield _fault(field, "bad_format", SHAPES["money"])
        case "region" if value not in regions:
            yield _fault(field, "unknown_region", "没有这个行政区划代码")
        case "moment" if not _is_moment(value):
            yield _fault(field, "bad_date", "应是 2026-03-02 09:00:00 这样的时间（北京时间）")
        case "day" if not _is_day(value):
            yield _fault(field, "bad_date", "应是 2026-03-02 这样的日期")


def _is_moment(value: str) -> bool:
    if not _MOMENT.fullmatch(value):
        return False
    try:
        return datetime.fromisoformat(value).date() >= _EARLIEST
    except ValueError:
        return False


def _is_day(value: str) -> bool:
    if not _DAY.fullmatch(value):
        return False
    try:
        return date.fromisoformat(value) >= _EARLIEST
    except ValueError:
        return False


def _list_faults(field: FieldSpec, value: Any, regions: Set[str], rules: Standard) -> Iterator[Finding]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        yield _fault(field, "not_list", '应是材料的列表：[{"CLMC": "…"}]')
        return
    if len(value) > rules.materials_max:
        yield _fault(field, "too_many", f"最多 {rules.materials_max} 份材料")
        return
    for place, one in enumerate(value):
        where = f"{field.code}[{place}]"
        for code in sorted(one.keys() - rules.material.keys()):
            yield Finding(f"{where}.{_named(code)}", "", "unknown_field", "规范里没有这个字段")
        for code in rules.material_required:
            if one.get(code) in (None, ""):
                yield Finding(f"{where}.{code}", rules.material[code].name, "required", "必填")
        for code, inner in rules.material.items():
            if code in one and one[code] != "":
                for fault in _field_faults(inner, one[code], regions, rules):
                    yield Finding(f"{where}.{code}", fault.name, fault.code, fault.text)


def _fault(field: FieldSpec, code: str, text: str) -> Finding:
    return Finding(field.code, field.name, code, text)
