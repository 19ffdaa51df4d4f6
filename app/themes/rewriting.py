"""Visibility of an item's field, said in the names of the merged form; the meaning stays the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Condition = Mapping[str, Any]


class ItemConditions:
    """The conditions of one item's form under the names of the merged one.

    In the item's form an answer to a hidden field counts as null. In the merged form the same question
    may be asked for another item's sake; then its answer must not count for this item. Each comparison
    with such a field is therefore bound to the field's own condition.
    """

    def __init__(
        self, own: Mapping[str, Condition], names: Mapping[str, str], shared: frozenset[str]
    ) -> None:
        """Take the item's own form.

        Args:
            own: conditions of its fields; a field without one is always asked for.
            names: its fields in the merged form; a fed field has none.
            shared: its fields that other items use as well.
        """
        self._own, self._names, self._shared = own, names, shared

    def of(self, field: str) -> dict[str, Any] | None:
        """Return when the item asks for ``field``; None is always.

        Raises:
            KeyError: the condition looks at a field that nobody is asked for.
        """
        condition = self._own.get(field)
        return None if condition is None else self._rewritten(condition)

    def rule(self, rule: Condition) -> dict[str, Any] | None:
        """Return a rule over several fields; None where a field may be hidden from this item alone."""
        fields = names_of_rule(rule)
        hidden = [name for name in fields if name in self._shared and name in self._own]
        if hidden or not set(fields) <= set(self._names):
            return None
        made = {key: self._renamed(told) for key, told in rule.items() if key not in {"when", "message"}}
        when = {"when": self._rewritten(rule["when"])} if "when" in rule else {}
        return {**made, **when, "message": rule["message"]}

    def _renamed(self, told: Any) -> Any:
        if isinstance(told, Mapping):
            return {key: self._renamed(one) for key, one in told.items()}
        if isinstance(told, list):
            return [self._renamed(one) for one in told]
        return self._names[told] if isinstance(told, str) else told

    def _rewritten(self, node: Condition) -> dict[str, Any]:
        ((operator, told),) = node.items()
        if operator in {"and", "or"}:
            return {operator: [self._rewritten(one) for one in told]}
        if operator == "!":
            return {"!": self._rewritten(told)}
        asked: list[str] = [one["var"] for one in told if isinstance(one, Mapping)]
        compared = {
            operator: [{"var": self._names[one["var"]]} if isinstance(one, Mapping) else one for one in told]
        }
        for field in asked:
            seen_when = self.of(field) if field in self._shared else None
            if seen_when is not None and operator == "!==":
                compared = {"or": [{"!": seen_when}, compared]}
            elif seen_when is not None:
                compared = {"and": [seen_when, compared]}
        return compared


def names_of_rule(rule: Condition) -> list[str]:
    """Return the fields that a rule compares or looks at."""
    told = [one for key, one in rule.items() if key not in {"when", "message"}]
    return [*_texts_in(told), *names_in(rule.get("when"))]


def _texts_in(node: Any) -> list[str]:
    if isinstance(node, Mapping):
        return [name for one in node.values() for name in _texts_in(one)]
    if isinstance(node, list):
        return [name for one in node for name in _texts_in(one)]
    return [node] if isinstance(node, str) else []


def any_of(conditions: list[dict[str, Any] | None]) -> dict[str, Any] | None:
    """Return the condition that holds when one of them does; None, always, when one of them is None."""
    flat: list[dict[str, Any]] = []
    for one in conditions:
        if one is None:
            return None
        for choice in one["or"] if list(one) == ["or"] else [one]:
            if choice not in flat:
                flat.append(choice)
    return flat[0] if len(flat) == 1 else {"or": flat}


def names_in(node: Any) -> set[str]:
    """Return the fields that a condition looks at."""
    if isinstance(node, Mapping):
        found = {node["var"]} if isinstance(node.get("var"), str) else set()
        return found.union(*(names_in(one) for one in node.values()))
    if isinstance(node, list):
        return set().union(*(names_in(one) for one in node))
    return set()
