"""Rules over several fields of a form: a closed language, the same answer here and on the phone.

``not_after`` and ``before`` compare two days, ``equal`` and ``different`` two answers, ``at_least_one``
wants one of several, ``sum`` compares a sum of whole numbers. Each has a ``message`` and may have a
``when`` in the language of ``visible_if``. A field that is not asked for counts as not answered, and what
is not answered breaks no comparison: that it is missing is said elsewhere. The same in JavaScript is
``clients/shared/lib/conditions.js``; ``clients/shared/test/form-vectors.json`` holds both to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.catalogue import conditions

Rule = Mapping[str, Any]

PAIRS = ("not_after", "before", "equal", "different")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COMPARE = ("equals", "at_most", "at_least")


def fields_of(rule: Rule) -> list[str]:
    """Return the fields that a rule is about, in its order; the message stands at the last of them."""
    if "sum" in rule:
        told = rule["sum"]
        goal = next(told[one] for one in _COMPARE if one in told)
        return [*told["of"], *([goal] if isinstance(goal, str) else [])]
    kind = next(one for one in (*PAIRS, "at_least_one") if one in rule)
    return list(rule[kind])


def broken(
    rules: Sequence[Rule], answers: Mapping[str, Any], visible: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield field and message of each rule that the answers break.

    Args:
        visible: the fields that are asked for with these answers.
    """
    asked = {name: answers[name] for name in visible if name in answers}
    for rule in rules:
        shown = [name for name in fields_of(rule) if name in visible]
        if not shown or ("when" in rule and not conditions.holds(rule["when"], asked)):
            continue
        if not _holds(rule, asked, shown):
            yield shown[-1], rule["message"]


def _holds(rule: Rule, answers: Mapping[str, Any], shown: Sequence[str]) -> bool:
    if "at_least_one" in rule:
        return any(_is_answered(answers.get(name)) for name in shown)
    if "sum" in rule:
        return _sum_holds(rule["sum"], answers)
    kind = next(one for one in PAIRS if one in rule)
    one, other = (answers.get(name) for name in rule[kind])
    if not _is_answered(one) or not _is_answered(other):
        return True
    if kind in {"equal", "different"}:
        return conditions.same(one, other) is (kind == "equal")
    if not (
        isinstance(one, str) and isinstance(other, str) and _DAY.fullmatch(one) and _DAY.fullmatch(other)
    ):
        return True
    return one <= other if kind == "not_after" else one < other


def _sum_holds(told: Mapping[str, Any], answers: Mapping[str, Any]) -> bool:
    compare = next(one for one in _COMPARE if one in told)
    goal = answers.get(told[compare]) if isinstance(told[compare], str) else told[compare]
    given = [answers[name] for name in told["of"] if answers.get(name) is not None]
    if not given or not all(_is_whole(one) for one in (*given, goal)):
        return True
    total = sum(given)
    if compare == "equals":
        return bool(total == goal)
    return bool(total <= goal) if compare == "at_most" else bool(total >= goal)


def _is_answered(value: Any) -> bool:
    return value is not None and value is not False and value not in ("", [])


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def problem(rule: Rule, properties: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return what is wrong with a rule that fits the schema of forms, in Chinese; None when it is sound."""
    names = fields_of(rule)
    if not set(names) <= set(properties):
        return "规则里有不存在的字段"
    if len(names) != len(set(names)):
        return "规则里同一个字段出现两次"
    told = [properties[name] for name in names]
    if ("not_after" in rule or "before" in rule) and any(one.get("format") != "date" for one in told):
        return "先后只能比较日期"
    if "sum" in rule and any(one["type"] != "integer" for one in told):
        return "求和只能用整数"
    if ("equal" in rule or "different" in rule) and (
        told[0]["type"] != told[1]["type"] or told[0]["type"] == "array"
    ):
        return "相同、不同只能比较同一类的单个回答"
    if "when" in rule:
        return _when_problem(rule["when"], properties)
    return None


def _when_problem(when: Any, properties: Mapping[str, Mapping[str, Any]]) -> str | None:
    fault = conditions.problem(when)
    if fault:
        return fault
    seen = set(conditions.fields_of(when))
    if not seen <= set(properties):
        return "条件里有不存在的字段"
    if any("x-personal" in properties[one] for one in seen):
        return "条件不能看个人信息"
    return None
