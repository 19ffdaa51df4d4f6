"""Texts with ``{变量}``: what may stand in them, what they become, what a platform takes of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from string import Formatter

from app.core.clock import HALL_TIME
from app.core.errors import Invalid
from app.notices.domain import (
    FIELD_TEXT_MAX,
    VALUE_MAX,
    VALUES_MAX,
    VARIABLE_NAME_MAX,
    VARIABLES_MAX,
    Variable,
    VariableType,
    Wording,
    way_of,
)

_NAME = re.compile(rf"[^\W\d]\w{{0,{VARIABLE_NAME_MAX - 1}}}")
_TYPES = {
    VariableType.CODE: re.compile(r"[\x21-\x7e]+"),
    VariableType.NUMBER: re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?"),
    VariableType.AMOUNT: re.compile(r"[¥￥]?[0-9]{1,10}(?:\.[0-9]{1,2})?元?"),
    VariableType.DATE: re.compile(r"(?=.*[0-9])[0-9年月日时分秒点:：\-/.~至 T+]{4,40}"),
    VariableType.PHONE: re.compile(r"[0-9+() -]{3,17}"),
}
# What WeChat shows of each type of field at most; what has no limit here is cut at 200.
_FIELD_CHARS = {"thing": 20, "const": 20, "phrase": 5, "name": 10, "character_string": 32, "number": 32}
_FIELD_TYPE = re.compile(r"([a-z_]+?)[0-9]*")


class BadText(ValueError):
    """A text holds something that is no ``{变量}``; the message says what, in Chinese."""


def pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield a literal and the name of the variable after it, ``None`` at the end.

    The standard library's reader of format strings does the reading; of what it knows only bare names
    are allowed, so that no text can reach into an object.

    Raises:
        BadText: a brace stands alone, or something but a name stands in braces.
    """
    try:
        for literal, name, form, conversion in Formatter().parse(text):
            if name is not None and (form or conversion or not _NAME.fullmatch(name)):
                raise BadText(f"{{{name[:VARIABLE_NAME_MAX]}}} 不是变量名")
            yield literal, name
    except BadText:
        raise
    except ValueError:
        raise BadText("大括号没有成对；要写大括号本身，请写两个") from None


def names_in(text: str) -> set[str]:
    """Return the variables that a text uses.

    Raises:
        BadText: as :func:`pieces`.
    """
    return {name for _, name in pieces(text) if name is not None}


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its variables filled; values are never read as text with variables."""
    return "".join(literal + (values[name] if name is not None else "") for literal, name in pieces(text))


def written_time(at: datetime) -> str:
    """Return a moment as notices write it, on Guangdong's clock, e.g. ``2026年3月2日 09:00``."""
    local = at.astimezone(HALL_TIME)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def samples(wording: Wording) -> dict[str, str]:
    return {one.name: one.sample for one in wording.variables}


def checked_values(variables: tuple[Variable, ...], given: Mapping[str, str]) -> dict[str, str]:
    """Return what a message is filled with: each declared value, on one line, cut to its length.

    Raises:
        Invalid: a value is missing, empty, undeclared, or of a form its type does not have.
    """
    known = {one.name: one for one in variables}
    problems = {name: "模板没有这个变量" for name in given if name not in known}
    made: dict[str, str] = {}
    for name, variable in known.items():
        if name not in given:
            problems[name] = "缺少这个变量的值"
            continue
        problem, made[name] = _value(variable, given[name])
        if problem:
            problems[name] = problem
    if problems:
        raise Invalid("通知内容与模板不符", fields=problems)
    return made


def _value(variable: Variable, given: str) -> tuple[str, str]:
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in given).split())
    if not shown:
        return "不能为空", ""
    form = _TYPES.get(variable.type)
    if form is not None:
        return ("" if form.fullmatch(shown) and len(shown) <= variable.chars_max else "格式不对"), shown
    return "", shown if len(shown) <= variable.chars_max else shown[: variable.chars_max - 1] + "…"


def problems_of(wording: Wording) -> dict[str, str]:
    """Return what is wrong with a wording, by field; empty when it may be saved.

    Every variable is declared, used, of a sane length and has a fitting sample; every text of a
    platform's form reads as text with variables, and its longest value fits the field's type.
    """
    found: dict[str, str] = {}
    declared = _check_variables(wording, found)
    used: set[str] = set()
    for field, text in _texts(wording):
        try:
            names = names_in(text)
        except BadText as error:
            found[field] = str(error)
            continue
        used |= names
        if missing := sorted(names - set(declared)):
            found[field] = "没有声明的变量：" + "、".join(missing)
    for name in declared:
        if name not in used and "variables" not in found:
            found["variables"] = f"变量“{name}”没有用到"
    if not found:
        found |= _too_long(wording, declared)
    if any(way_of(one) is None for one in wording.order) or len(set(wording.order)) != len(wording.order):
        found["order"] = "发送顺序里有不认识或重复的方式"
    return found


def _check_variables(wording: Wording, found: dict[str, str]) -> dict[str, Variable]:
    declared: dict[str, Variable] = {}
    for one in wording.variables:
        if not _NAME.fullmatch(one.name) or one.name in declared:
            found["variables"] = f"变量名“{one.name[:VARIABLE_NAME_MAX]}”不能用或重复"
        elif not 1 <= one.chars_max <= VALUE_MAX:
            found["variables"] = f"变量“{one.name}”的长度须是 1 至 {VALUE_MAX}"
        elif (problem := _value(one, one.sample)[0]) or len(one.sample) > one.chars_max:
            found["variables"] = f"变量“{one.name}”的示例{problem or '太长'}"
        declared[one.name] = one
    if len(wording.variables) > VARIABLES_MAX:
        found["variables"] = f"变量不超过 {VARIABLES_MAX} 个"
    if sum(one.chars_max for one in wording.variables) > VALUES_MAX:
        found["variables"] = f"全部变量合计不超过 {VALUES_MAX} 个字"
    return declared


def _texts(wording: Wording) -> Iterator[tuple[str, str]]:
    yield "title", wording.title
    yield "body", wording.body
    for number, form in enumerate(wording.forms):
        for name, text in form.fields.items():
            yield f"forms.{number}.{name}", text


def _too_long(wording: Wording, declared: Mapping[str, Variable]) -> dict[str, str]:
    found = {}
    for number, form in enumerate(wording.forms):
        for name, text in form.fields.items():
            most, longest = field_chars(name), _longest(text, declared)
            if longest > most:
                found[f"forms.{number}.{name}"] = f"最长可能 {longest} 个字，平台只显示 {most} 个"
    return found


def field_chars(name: str) -> int:
    """Return how many characters a platform's field such as ``thing1`` shows at most."""
    found = _FIELD_TYPE.fullmatch(name)
    return _FIELD_CHARS.get(found[1], FIELD_TEXT_MAX) if found else FIELD_TEXT_MAX


def _longest(text: str, declared: Mapping[str, Variable]) -> int:
    return sum(
        len(literal) + (declared[name].chars_max if name is not None else 0) for literal, name in pieces(text)
    )
