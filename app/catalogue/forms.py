"""Forms of items: is a form sound, which of its fields are asked for, are the answers good.

A form is one JSON document: ``schema`` (JSON Schema 2020-12, the closed part that
``config/items/form.schema.json`` describes), ``sections`` (the order) and ``fields`` (the words, and
``visible_if``), and ``rules`` over several fields. The phone reads the same document.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from app.catalogue import conditions, rules
from app.core import citizen_number
from config import items

Form = Mapping[str, Any]
Answers = Mapping[str, Any]
Problems = dict[str, list[str]]

ANSWERS_MAX = 100
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# As core.fields: nothing that a person types, everything that breaks exports.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NOT_ASKED = "这一项不需要填写"
_THE_PAGES = frozenset({"csrf_token", "version", "key", "shown", "then", "variant", "statement"})
"""What the page of a form sends besides the answers: a field of that name would get the page's own value."""

_WHOLE_MAX = 2**53 - 1
"""The greatest whole number that a phone's JavaScript counts with."""


@lru_cache(maxsize=1)
def _meta() -> Draft202012Validator:
    return Draft202012Validator(items.form_schema())


def form_problems(form: Form) -> list[str]:
    """Return what is wrong with a form, in Chinese; an item with such a form is not accepted."""
    faults = [f"{'/'.join(map(str, one.instance_path))}: {one.message}" for one in _meta().iter_errors(form)]
    taken = sorted(_THE_PAGES & set(form["schema"]["properties"])) if not faults else ()
    faults += [f"{name}: 这个字段名是网页自己用的，请换一个，例如 my_{name}" for name in taken]
    return faults or list(_inner_problems(form))


def _inner_problems(form: Form) -> Iterator[str]:
    properties, words = form["schema"]["properties"], form["fields"]
    order = field_order(form)
    if len(order) != len(set(order)) or set(order) != set(properties) or set(words) != set(properties):
        yield "每个字段应当正好在一个小节里，并有说明文字"
        return
    if not set(form["schema"]["required"]) <= set(properties):
        yield "必填字段里有不存在的字段"
    for place, name in enumerate(order):
        condition = words[name].get("visible_if")
        if condition is None:
            continue
        fault = conditions.problem(condition)
        if fault:
            yield f"{name}: {fault}"
            continue
        seen = set(conditions.fields_of(condition))
        # Only earlier fields: nothing asked before appears or vanishes, and there is no circle.
        if not seen <= set(order[:place]):
            yield f"{name}: 条件只能看前面的字段"
        elif any("x-personal" in properties[one] for one in seen):
            yield f"{name}: 条件不能看个人信息"
    for number, rule in enumerate(form.get("rules", ()), start=1):
        fault = rules.problem(rule, properties)
        if fault:
            yield f"第 {number} 条规则：{fault}"


def field_order(form: Form) -> list[str]:
    """Return the names of all fields in the order of the form."""
    return [name for section in form["sections"] for name in section["fields"]]


def personal_fields(form: Form) -> frozenset[str]:
    """Return the fields whose answers belong into the vault."""
    properties = form["schema"]["properties"]
    return frozenset(name for name, told in properties.items() if "x-personal" in told)


def visible_fields(form: Form, answers: Answers) -> list[str]:
    """Return which fields are asked for with these answers, in order.

    The answer to a field that is not asked for counts as not given.
    """
    asked: dict[str, Any] = {}
    found = []
    for name in field_order(form):
        condition = form["fields"][name].get("visible_if")
        if condition is None or conditions.holds(condition, asked):
            found.append(name)
            if name in answers:
                asked[name] = answers[name]
    return found


def still_asked(
    former: Form, form: Form, answers: Answers, changes: Answers
) -> tuple[dict[str, Any], list[str]]:
    """Part what was sent for ``former`` into what ``form`` asks too, and the fields of the rest.

    Args:
        answers: what is there already; ``changes`` come on top.
    """
    before, properties = former["schema"]["properties"], form["schema"]["properties"]
    known = {
        name: normalised(form, name, value)
        for name, value in changes.items()
        if name in properties and before.get(name, properties[name]) == properties[name]
    }
    visible = visible_fields(form, {**answers, **known})
    kept = {name: value for name, value in known.items() if value is None or name in visible}
    return kept, [name for name, value in changes.items() if name not in kept and value not in (None, "", [])]


def normalised(form: Form, name: str, value: Any) -> Any:
    """Return an answer as it is kept; None when there is none (an empty text, an empty choice)."""
    told = form["schema"]["properties"].get(name, {})
    if isinstance(value, float) and told.get("type") == "integer" and value.is_integer():
        # JSON knows one kind of number: to schema and phone 5.0 is whole, and rules must find it so.
        return int(value)
    if isinstance(value, str):
        if told.get("format") == "cn-id-number":
            value = citizen_number.normalised(value)
        elif told.get("format") == "cn-mobile":
            value = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", value)).removeprefix("+86")
        value = value.strip().replace("\r\n", "\n")
    return None if value in ("", []) else value


def shape_problems(form: Form, answers: Answers) -> Problems:
    """Return, per field, why an answer cannot even be kept in a draft: unknown, wrong kind, too long."""
    properties = form["schema"]["properties"]
    found: Problems = {}
    for name, value in answers.items():
        if name not in properties:
            found[name] = ["表单里没有这一项"]
        elif isinstance(value, str) and _UNWANTED.search(value):
            found[name] = ["含有不允许的控制字符"]
        elif isinstance(value, int) and abs(value) > _WHOLE_MAX:
            found[name] = ["数字太大"]
        elif value is not None:
            faults = _validator_of(properties[name]).iter_errors(value)
            kept = [_words_for(one) for one in faults if one.schema_path[-1] not in _MAY_WAIT]
            if kept:
                found[name] = kept[:1]
    return found


_MAY_WAIT = frozenset({"minLength", "minItems", "minimum", "maximum", "const"})
"""What may still be wrong in a draft: a number half typed is kept, and named as a problem."""


def problems(form: Form, answers: Answers, today: date) -> Problems:
    """Return, per field, what keeps the answers from being submitted; nothing when they are good.

    Answers to fields that are not asked for are refused: departments never get them.
    """
    asked = visible_fields(form, answers)
    properties = form["schema"]["properties"]
    schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: properties[name] for name in asked},
    }
    found: Problems = {}
    for name in form["schema"]["required"]:
        if name in asked and answers.get(name) is None:
            found[name] = ["请填写这一项"]
    for name in answers:
        if name not in asked:
            found[name] = [_NOT_ASKED]
    for one in _validator_of(schema).iter_errors({name: answers[name] for name in asked if name in answers}):
        found.setdefault(str(one.instance_path[0]) if one.instance_path else "", [_words_for(one)])
    for name in asked:
        if name in answers and name not in found:
            fault = _meaning_problem(properties[name], answers[name], today)
            if fault:
                found[name] = [fault]
    for name, message in rules.broken(form.get("rules", ()), answers, asked):
        found.setdefault(name, [message])
    in_order = [name for name in field_order(form) if name in found]
    return {name: found[name] for name in (*in_order, *(one for one in found if one not in properties))}


def _validator_of(schema: Mapping[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(dict(schema), validate_formats=False)


def _meaning_problem(told: Mapping[str, Any], value: Any, today: date) -> str | None:
    match told.get("format"):
        case "cn-id-number":
            return citizen_number.problem(value, today)
        case "cn-mobile":
            return None if _MOBILE.fullmatch(value) else "手机号码应为 11 位数字"
        case "date":
            return _day_problem(told, value, today)
    return None


def _day_problem(told: Mapping[str, Any], value: str, today: date) -> str | None:
    day = _day(value, today) if _DAY.fullmatch(value) else None
    if day is None:
        return "请填写存在的日期，例如 2026-01-31"
    first = _day(told.get("x-not-before", "1900-01-01"), today)
    last = _day(told.get("x-not-after", "2100-12-31"), today)
    if first and day < first:
        return f"日期不能早于 {first.isoformat()}"
    if last and day > last:
        return f"日期不能晚于 {last.isoformat()}"
    return None


def _day(text: str, today: date) -> date | None:
    if text == "today":
        return today
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _words_for(error: ValidationError) -> str:
    limit = getattr(error.kind, "limit", None)
    match error.schema_path[-1]:
        case "maxLength":
            return f"不能超过 {limit} 个字"
        case "minLength":
            return f"至少要有 {limit} 个字"
        case "minimum":
            return f"不能小于 {limit}"
        case "maximum":
            return f"不能大于 {limit}"
        case "oneOf" | "uniqueItems":
            return "请从选项中选择"
        case "minItems":
            return f"至少选 {limit} 项"
        case "maxItems":
            return f"最多选 {limit} 项"
        case "const":
            return "需要勾选才能继续"
    return "填写的内容不对"
