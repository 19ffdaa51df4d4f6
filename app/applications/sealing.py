"""Answers at rest: personal ones in the vault, the others in the row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.applications.models import Application
from app.catalogue import service as catalogue
from app.catalogue.service import Form
from app.core import vault

MASKED = frozenset({"id_number", "phone"})
"""Kinds of personal answers that are shown with stars, also to who gave them."""


def _field(kind: str) -> str:
    return f"application.{kind}"


def _kind(form: Form, name: str) -> str:
    return str(form["schema"]["properties"][name]["x-personal"])


def put(row: Application, form: Form, name: str, value: Any) -> None:
    """Keep one answer; None takes it away."""
    answers, sealed = dict(row.answers), dict(row.sealed)
    answers.pop(name, None)
    former = sealed.pop(name, None)
    if former is not None:
        vault.forget(former)
    if value is not None and name in catalogue.personal_fields(form):
        kind = _kind(form, name)
        sealed[name] = vault.seal(_field(kind), value, findable=kind == "id_number")
    elif value is not None:
        answers[name] = value
    row.answers, row.sealed = answers, sealed


def drop(row: Application, name: str) -> None:
    """Take an answer away whose form is not known any more."""
    sealed = dict(row.sealed)
    vault.forget(sealed.pop(name, ""))
    row.answers = {key: value for key, value in row.answers.items() if key != name}
    row.sealed = sealed


def opened(row: Application, form: Form) -> dict[str, Any]:
    """Return all answers in clear text, in the order of the form."""
    return _in_order(row, form, lambda _kind, value: value)


def shown(row: Application, form: Form) -> dict[str, Any]:
    """Return all answers as they may be shown: numbers of people with stars."""
    return _in_order(row, form, lambda kind, value: vault.mask(value) if kind in MASKED else value)


def masked(row: Application, form: Form) -> dict[str, Any]:
    """Return all answers with every personal one starred."""
    return _in_order(row, form, lambda _kind, value: vault.mask(value))


def _in_order(row: Application, form: Form, show: Callable[[str, str], str]) -> dict[str, Any]:
    order = catalogue.field_order(form)
    wanted = {row.sealed[name]: _field(_kind(form, name)) for name in order if name in row.sealed}
    opened = vault.unseal_all(wanted)
    found: dict[str, Any] = {}
    for name in order:
        if name in row.answers:
            found[name] = row.answers[name]
        elif name in row.sealed:
            found[name] = show(_kind(form, name), opened[row.sealed[name]])
    return found


def copied(row: Application, form: Form) -> dict[str, str]:
    """Return new vault tokens for a second case with the same answers."""
    return {
        name: vault.seal(
            _field(_kind(form, name)),
            vault.unseal(_field(_kind(form, name)), token),
            findable=_kind(form, name) == "id_number",
        )
        for name, token in row.sealed.items()
    }
