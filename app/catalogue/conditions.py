"""When a field is asked for: a closed part of JSON Logic, the same answer here and on the phone.

Six operators of https://jsonlogic.com: ``var``, ``===``, ``!==``, ``in``, ``and``, ``or``, ``!``. All of
them strict, so that any JSON Logic library decides alike; the loose ones (``==``, ``<``) depend on a
language's ideas of truth and number, and are refused when a form is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Condition = Any
_DEPTH_MAX = 5
_LIST_MAX = 50


def holds(condition: Condition, answers: Mapping[str, Any]) -> bool:
    """Tell whether a checked condition holds for ``answers``; an unanswered field is null."""
    return bool(_value(condition, answers))


def _value(node: Any, answers: Mapping[str, Any]) -> Any:
    if not isinstance(node, Mapping):
        return node
    ((operator, told),) = node.items()
    match operator:
        case "var":
            return answers.get(told)
        case "and":
            return all(_value(one, answers) for one in told)
        case "or":
            return any(_value(one, answers) for one in told)
        case "!":
            return not _value(told, answers)
        case "===" | "!==":
            return same(_value(told[0], answers), _value(told[1], answers)) is (operator == "===")
        case "in":
            held = _value(told[1], answers)
            wanted = _value(told[0], answers)
            return isinstance(held, list) and any(same(wanted, one) for one in held)
    raise ValueError(f"unknown operator {operator!r}")


def same(one: Any, other: Any) -> bool:
    """Tell whether two plain answers are the same."""
    # As === in JavaScript: to Python True is 1 besides.
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def problem(condition: Condition) -> str | None:
    """Return what is wrong with a condition, in Chinese; None when it lies in the language."""
    return _problem(condition, _DEPTH_MAX)


def _problem(node: Any, depth: int) -> str | None:
    if not depth or not isinstance(node, Mapping) or len(node) != 1:
        return "条件应是只有一个运算的对象，层数不能太多"
    ((operator, told),) = node.items()
    if operator in {"and", "or"}:
        if not isinstance(told, list) or not 0 < len(told) <= _LIST_MAX:
            return "and、or 要有条件"
        return next((found for one in told if (found := _problem(one, depth - 1))), None)
    if operator == "!":
        return _problem(told, depth - 1)
    if operator in {"===", "!=="} and isinstance(told, list) and len(told) == 2:
        return None if _is_var(told[0]) and _is_plain(told[1]) else "比较的左边是字段，右边是固定值"
    if operator == "in" and isinstance(told, list) and len(told) == 2:
        one_of = _is_var(told[0]) and _is_plain_list(told[1])
        among = _is_plain(told[0]) and _is_var(told[1])
        return None if one_of or among else "in 的一边是字段，另一边是固定值"
    return "不支持这种运算"


def _is_var(node: Any) -> bool:
    return isinstance(node, Mapping) and list(node) == ["var"] and isinstance(node["var"], str)


def _is_plain(node: Any) -> bool:
    return isinstance(node, str | bool | int)


def _is_plain_list(node: Any) -> bool:
    return isinstance(node, list) and 0 < len(node) <= _LIST_MAX and all(map(_is_plain, node))


def fields_of(condition: Condition) -> Iterator[str]:
    """Yield the fields that a checked condition looks at."""
    if isinstance(condition, Mapping):
        for operator, told in condition.items():
            if operator == "var":
                yield told
            else:
                yield from fields_of(told)
    elif isinstance(condition, list):
        for one in condition:
            yield from fields_of(one)
