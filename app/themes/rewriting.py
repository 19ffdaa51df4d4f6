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
