"""Registers a whole file of pages, or nothing of it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import marshmallow as ma

from app.channel_accounts import service as channel_accounts
from app.core import db
from app.core.errors import DomainError
from app.mobile_access import service
from app.mobile_access.domain import THEME_LABELS
from app.mobile_access.schemas import RegistrationSchema
from app.mobile_access.service import PageView, Registration
from app.mobile_access.tables import COLUMNS, ImportRefused, Row, RowError, read_table
from app.mobile_access.wording import texts
from app.organisations import service as organisations
from app.organisations.service import Principal
from mobile_pages.guard import Policy

_LABELS = {name: label for label, name in COLUMNS.items()}
_THEMES = {label: theme.value for theme, label in THEME_LABELS.items()}
_YES_NO = {"是": True, "否": False, "": False}
_SEPARATORS = re.compile(r"[,，、;；\s]+")
_SCHEMA = RegistrationSchema()


def import_pages(by: Principal, content: bytes, policy: Policy, *, now: datetime) -> list[PageView]:
    """Register every page of a file in one transaction.

    Names are not looked up here (a file may hold hundreds); the check of each page does that.

    Raises:
        ImportRefused: with every error found, by row and column.
    """
    rows = read_table(content)
    kinds = {word: kind for kind, known in channel_accounts.kinds().items() for word in (kind, known.label)}
    errors: list[RowError] = []
    ready: list[tuple[Row, int, Registration]] = []
    for row in rows:
        body_id, registration, wrong = _read(row, policy, kinds)
        errors += wrong
        if body_id is not None and registration is not None:
            ready.append((row, body_id, registration))
    if errors:
        raise ImportRefused(errors)
    return db.transaction(lambda: _register(by, ready, now))


def _register(by: Principal, ready: list[tuple[Row, int, Registration]], now: datetime) -> list[PageView]:
    made: list[PageView] = []
    errors: list[RowError] = []
    for row, body_id, registration in ready:
        try:
            made.append(service.register(by, body_id, registration, now=now))
        except service.AddressTaken as error:
            errors.append(RowError(row.number, _LABELS["url"], error.title))
        except DomainError as error:
            errors.append(RowError(row.number, _LABELS["body"], str(error)))
    if errors:
        raise ImportRefused(errors)
    return made


def _read(
    row: Row, policy: Policy, kinds: dict[str, str]
) -> tuple[int | None, Registration | None, list[RowError]]:
    errors: list[RowError] = []
    body_id = None
    try:
        body_id = organisations.find_body(row.cells.get("body", "")).id
    except DomainError as error:
        errors.append(RowError(row.number, _LABELS["body"], str(error)))
    try:
        loaded: Registration = _SCHEMA.load(_document(row, kinds))
        return body_id, service.normalised(loaded, policy), errors
    except ma.ValidationError as error:
        errors += _told(row.number, error.messages_dict)
    except service.AddressRefused as error:
        errors += [RowError(row.number, _LABELS[name], str(error)) for name in error.fields]
    return body_id, None, errors


def _document(row: Row, kinds: dict[str, str]) -> dict[str, Any]:
    cells = {name: cell for name, cell in row.cells.items() if name != "body"}
    theme = cells["theme"]
    return {
        **cells,
        "theme": _THEMES.get(theme, theme),
        "channels": [kinds.get(word, word) for word in _SEPARATORS.split(cells["channels"]) if word],
        "may_probe_paths": _YES_NO.get(cells.get("may_probe_paths", ""), cells.get("may_probe_paths", "")),
        "domains": [word for word in _SEPARATORS.split(cells.get("domains", "")) if word],
    }


def _told(number: int, messages: dict[str, Any]) -> list[RowError]:
    return [
        RowError(number, _LABELS.get(name, ""), "；".join(texts(said))) for name, said in messages.items()
    ]
