"""How each material of an application is handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.applications.domain import AnswersRefused
from app.catalogue.service import Handing, Material

Needed = Sequence[Material]


def only_ways(needed: Needed) -> dict[str, str]:
    """Return the required materials that can be handed in one way only: nobody need be asked."""
    return {one.code: one.handings[0].value for one in needed if one.required and len(one.handings) == 1}


def chosen(needed: Needed, before: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return the choices with ``changes`` made; None takes one away.

    Raises:
        AnswersRefused: no such material, or it cannot be handed in like that.
    """
    known = {one.code: {way.value for way in one.handings} for one in needed}
    faults = {
        f"materials.{code}": ["这份材料不能这样提交"]
        for code, way in changes.items()
        if way is not None and way not in known.get(code, ())
    }
    if faults:
        raise AnswersRefused(fields=faults)
    merged = {**before, **changes}
    return {code: way for code, way in merged.items() if way is not None and code in known}


def still_taken(needed: Needed, changes: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return those choices of ``changes`` that can be made."""
    known = {(one.code, way.value) for one in needed for way in one.handings}
    return {code: way for code, way in changes.items() if way is None or (code, way) in known}


def missing(
    needed: Needed, choices: Mapping[str, str], files: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Return, per material, what is missing: the choice of a way, or the pictures of one to be uploaded."""
    found = {}
    for one in needed:
        if one.required and one.code not in choices:
            found[f"materials.{one.code}"] = [f"请选择怎样提交“{one.name}”"]
        elif choices.get(one.code) == Handing.UPLOAD and not files.get(one.code):
            found[f"materials.{one.code}"] = [f"请上传“{one.name}”的照片或文件"]
    return found
