"""From the one form back to each item: a body sees the fields of its own item's form, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.catalogue import service as catalogue
from app.catalogue.service import Form
from app.themes.merging import Merged

Answers = Mapping[str, Any]
Problems = dict[str, list[str]]


def projection(merged: Merged, item: str, form: Form, answers: Answers) -> dict[str, Any]:
    """Return the answers to an item's own form, under its own names; what it does not ask for is left out."""
    own = {field: answers[name] for name, field in merged.fields_of(item).items() if name in answers}
    return {field: own[field] for field in catalogue.visible_fields(form, own) if field in own}


def problems(merged: Merged, forms: Mapping[str, Form], answers: Answers, today: date) -> Problems:
    """Return, per question, what keeps the answers from being submitted.

    The merged form says most of it. Each item's own form has the last word, for what it says of several
    fields together; what a result fills later is not missed yet.
    """
    found = catalogue.problems(merged.form, answers, today)
    for item, form in forms.items():
        names = {field: name for name, field in merged.fields_of(item).items()}
        own = catalogue.problems(form, projection(merged, item, form, answers), today)
        for field, words in own.items():
            if field in names:
                found.setdefault(names[field], words)
    order = {name: place for place, name in enumerate(catalogue.field_order(merged.form))}
    return dict(sorted(found.items(), key=lambda one: order.get(one[0], len(order))))
