"""What a page's form says of a case, as answers and materials."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from app.applications.service import CaseView
from app.catalogue import service as catalogue

MATERIAL = "material-"


def answers_from(case: CaseView, sent: MultiDict[str, str]) -> dict[str, Any]:
    """Return the answers to the fields that the page showed."""
    return catalogue.typed_answers(case.form, sent, case.answers)


def starred(case: CaseView, name: str) -> bool:
    """Tell whether the answer is shown with stars only, so that the page cannot send it back."""
    return catalogue.is_starred(case.form, name)


def materials_from(case: CaseView, sent: MultiDict[str, str]) -> dict[str, str | None]:
    """Return how the materials are handed in, as chosen on the page."""
    codes = [one.code for one in case.item.content.materials]
    return {code: sent[MATERIAL + code] or None for code in codes if MATERIAL + code in sent}
