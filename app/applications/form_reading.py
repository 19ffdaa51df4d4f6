"""What a page's form says, as answers: the browser knows texts only."""

from __future__ import annotations

import re
from typing import Any

from werkzeug.datastructures import MultiDict

from app.applications.service import CaseView

_WHOLE = re.compile(r"-?[0-9]{1,15}")
MATERIAL = "material-"


def answers_from(case: CaseView, sent: MultiDict[str, str]) -> dict[str, Any]:
    """Return the answers to the fields that the page showed.

    An empty text takes the answer away, but for a starred number: left empty it stays as it is.
    """
    found: dict[str, Any] = {}
    properties = case.form["schema"]["properties"]
    for name in sent.getlist("shown"):
        told = properties.get(name)
        if told is None:
            continue
        value = _value(told, name, sent)
        kept = starred(case, name) and name in case.answers
        if value is not None or not kept:
            found[name] = value
    return found


def _value(told: dict[str, Any], name: str, sent: MultiDict[str, str]) -> Any:
    match told["type"]:
        case "boolean":
            return True if sent.get(name) == "yes" else None
        case "array":
            return sent.getlist(name) or None
        case "integer":
            text = sent.get(name, "").strip()
            return int(text) if _WHOLE.fullmatch(text) else text or None
    return sent.get(name, "").strip() or None


def starred(case: CaseView, name: str) -> bool:
    """Tell whether the answer is shown with stars only, so that the page cannot send it back."""
    kind = case.form["schema"]["properties"][name].get("x-personal")
    return kind in {"id_number", "phone"}


def materials_from(case: CaseView, sent: MultiDict[str, str]) -> dict[str, str | None]:
    """Return how the materials are handed in, as chosen on the page."""
    codes = [one.code for one in case.item.content.materials]
    return {code: sent[MATERIAL + code] or None for code in codes if MATERIAL + code in sent}
