"""How each material of an application is handed in."""

from __future__ import annotations

from collections.abc import Mapping

from app.applications.domain import AnswersRefused
from app.catalogue.service import ItemView


def only_ways(item: ItemView) -> dict[str, str]:
    """Return the required materials that can be handed in one way only: nobody need be asked."""
    return {
        one.code: one.handings[0].value
        for one in item.content.materials
        if one.required and len(one.handings) == 1
    }


def chosen(item: ItemView, before: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return the choices with ``changes`` made; None takes one away.

    Raises:
        AnswersRefused: no such material, or it cannot be handed in like that.
    """
    known = {one.code: {way.value for way in one.handings} for one in item.content.materials}
    faults = {
        f"materials.{code}": ["这份材料不能这样提交"]
        for code, way in changes.items()
        if code not in known or (way is not None and way not in known[code])
    }
    if faults:
        raise AnswersRefused(fields=faults)
    merged = {**before, **changes}
    return {code: way for code, way in merged.items() if way is not None}


def missing(item: ItemView, choices: Mapping[str, str]) -> dict[str, list[str]]:
    """Return, per required material, that nobody said how it is handed in."""
    return {
        f"materials.{one.code}": [f"请选择怎样提交“{one.name}”"]
        for one in item.content.materials
        if one.required and one.code not in choices
    }
