"""What a page's form says, as answers to a form document: browsers know texts only."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Protocol

from app.catalogue.forms import Form

SHOWN = "shown"
"""Name of the hidden fields that say which questions the page asked."""
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_STARRED = frozenset({"id_number", "phone"})


class Texts(Protocol):
    """What a browser sent: per name, what was typed there."""

    def getlist(self, key: str, /) -> list[str]: ...


def typed_answers(form: Form, sent: Texts, given: Collection[str]) -> dict[str, Any]:
    """Return the answers to the fields that the page showed.

    An empty text takes the answer away, but for a starred number that is ``given``: left empty it stays
    as it is.
    """
    found: dict[str, Any] = {}
    properties = form["schema"]["properties"]
    for name in sent.getlist(SHOWN):
        if name not in properties:
            continue
        value = _value(properties[name], name, sent)
        if value is not None or not (is_starred(form, name) and name in given):
            found[name] = value
    return found


def _value(told: dict[str, Any], name: str, sent: Texts) -> Any:
    typed = sent.getlist(name)
    text = typed[0].strip() if typed else ""
    match told["type"]:
        case "boolean":
            return True if text == "yes" else None
        case "array":
            return typed or None
        case "integer":
            return int(text) if _WHOLE.fullmatch(text) else text or None
    return text or None


def is_starred(form: Form, name: str) -> bool:
    """Tell whether the answer is shown with stars only, so that the page cannot send it back."""
    return form["schema"]["properties"][name].get("x-personal") in _STARRED


def page_shape(form: Form, given: Collection[str]) -> dict[str, Any]:
    """Return what the page's script must know of a form to show and hide fields as the server does."""
    return {
        "sections": [{"fields": one["fields"]} for one in form["sections"]],
        "fields": {
            name: {"visible_if": told["visible_if"]} if "visible_if" in told else {}
            for name, told in form["fields"].items()
        },
        "types": {name: told["type"] for name, told in form["schema"]["properties"].items()},
        "rules": form.get("rules", []),
        # Their answers stand on the page as stars: rules about them are the server's to check.
        "unknown": [name for name in form["fields"] if is_starred(form, name) and name in given],
    }
