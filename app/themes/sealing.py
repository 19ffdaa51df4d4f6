"""Answers of the merged form at rest: personal ones in the vault, the others in the row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.catalogue import service as catalogue
from app.catalogue.service import Form
from app.core import vault
from app.themes.models import ThemeApplication

MASKED = frozenset({"id_number", "phone"})


def _kind(form: Form, name: str) -> str:
    return str(form["schema"]["properties"][name]["x-personal"])


def put(row: ThemeApplication, form: Form, name: str, value: Any) -> None:
    """Keep one answer; None takes it away."""
    drop(row, name)
    if value is not None and name in catalogue.personal_fields(form):
        row.sealed = {**row.sealed, name: vault.seal(f"theme.{_kind(form, name)}", value)}
    elif value is not None:
        row.answers = {**row.answers, name: value}


def drop(row: ThemeApplication, name: str) -> None:
    """Forget one answer."""
    if name in row.sealed:
        vault.forget(row.sealed[name])
        row.sealed = {key: token for key, token in row.sealed.items() if key != name}
    if name in row.answers:
        row.answers = {key: value for key, value in row.answers.items() if key != name}


def forget_personal(row: ThemeApplication) -> None:
    """Forget every personal answer: the sub-cases have their own, and nothing more is opened with these."""
    for token in row.sealed.values():
        vault.forget(token)
    row.sealed = {}


def opened(row: ThemeApplication, form: Form) -> dict[str, Any]:
    """Return all answers in clear text, in the order of the form."""
    return _in_order(row, form, lambda _kind, value: value)


def shown(row: ThemeApplication, form: Form) -> dict[str, Any]:
    """Return all answers as their giver may see them: numbers of people with stars."""
    return _in_order(row, form, lambda kind, value: vault.mask(value) if kind in MASKED else value)


def _in_order(row: ThemeApplication, form: Form, show: Callable[[str, str], str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in catalogue.field_order(form):
        if name in row.answers:
            found[name] = row.answers[name]
        elif name in row.sealed:
            kind = _kind(form, name)
            found[name] = show(kind, vault.unseal(f"theme.{kind}", row.sealed[name]))
    return found
