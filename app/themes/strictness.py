"""Two questions about one fact as one: the same kind of answer, and the stricter bound of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Property = Mapping[str, Any]

_SAME = ("type", "format", "x-personal", "uniqueItems")
_HIGHER = ("minLength", "minimum", "minItems")
_LOWER = ("maxLength", "maximum", "maxItems")
_EARLIEST, _LATEST = "x-not-before", "x-not-after"
_KNOWN = frozenset({*_SAME, *_HIGHER, *_LOWER, _EARLIEST, _LATEST, "oneOf", "items", "const"})


def stricter(one: Property, other: Property) -> dict[str, Any] | None:
    """Return the property whose answers fit both; None where there is no such thing.

    A choice keeps what both offer. A day that is fixed and ``today`` cannot be compared once for all.
    """
    if one == other:
        return dict(one)
    if not set(one) | set(other) <= _KNOWN or any(one.get(key) != other.get(key) for key in _SAME):
        return None
    if ("oneOf" in one) != ("oneOf" in other) or ("items" in one) != ("items" in other):
        return None
    days = _shared_days(one, other)
    if days is None:
        return None
    made = {**{key: one[key] for key in _SAME if key in one}, **_shared_bounds(one, other), **days}
    if "const" in one or "const" in other:
        made["const"] = True
    if "oneOf" in one:
        made["oneOf"] = _shared(one["oneOf"], other["oneOf"])
    if "items" in one:
        made["items"] = {**one["items"], "oneOf": _shared(one["items"]["oneOf"], other["items"]["oneOf"])}
    return made if _can_be_answered(made) else None


def _shared_bounds(one: Property, other: Property) -> dict[str, Any]:
    found = {}
    for keys, pick in ((_HIGHER, max), (_LOWER, min)):
        for key in keys:
            bounds = [told[key] for told in (one, other) if key in told]
            if bounds:
                found[key] = pick(bounds)
    return found


def _shared_days(one: Property, other: Property) -> dict[str, str] | None:
    found = {}
    for key, pick in ((_EARLIEST, max), (_LATEST, min)):
        days = {told[key] for told in (one, other) if key in told}
        if len(days) > 1 and "today" in days:
            return None
        if days:
            found[key] = pick(days)
    return found


def _shared(ours: list[dict[str, str]], theirs: list[dict[str, str]]) -> list[dict[str, str]]:
    known = {choice["const"] for choice in theirs}
    return [choice for choice in ours if choice["const"] in known]


def _can_be_answered(made: Property) -> bool:
    choices = made.get("oneOf", made.get("items", {}).get("oneOf"))
    if choices is not None and len(choices) < max(1, made.get("minItems", 0)):
        return False
    bounds = (("minLength", "maxLength"), ("minimum", "maximum"), ("minItems", "maxItems"))
    if any(low in made and high in made and made[low] > made[high] for low, high in bounds):
        return False
    days = [made.get(_EARLIEST, "today"), made.get(_LATEST, "today")]
    return "today" in days or days[0] <= days[1]


def as_strict(merged: Property, own: Property) -> bool:
    """Tell whether every answer that fits ``merged`` fits ``own``."""
    if any(merged.get(key) != own.get(key) for key in _SAME):
        return False
    if any(key in own and merged.get(key, own[key] - 1) < own[key] for key in _HIGHER):
        return False
    if any(key in own and merged.get(key, own[key] + 1) > own[key] for key in _LOWER):
        return False
    if "const" in own and merged.get("const") != own["const"]:
        return False
    if not _days_fit(merged, own):
        return False
    offered = {choice["const"] for choice in merged.get("oneOf", merged.get("items", {}).get("oneOf", ()))}
    known = {choice["const"] for choice in own.get("oneOf", own.get("items", {}).get("oneOf", ()))}
    return offered <= known


def _days_fit(merged: Property, own: Property) -> bool:
    for key, later in ((_EARLIEST, True), (_LATEST, False)):
        if key not in own or merged.get(key) == own[key]:
            continue
        if key not in merged or "today" in {merged[key], own[key]}:
            return False
        if (merged[key] < own[key]) is later:
            return False
    return True
