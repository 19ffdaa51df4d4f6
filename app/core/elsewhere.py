"""Looking further up: capabilities above are asked for a number that the one below does not know."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, current_app

Finder = Callable[[str, str], Any]
"""Is given a number and its query code; returns what it found, None for nothing."""


def init_app(app: Flask, finders: Iterable[Finder | None]) -> None:
    """Remember who knows numbers of its own."""
    app.extensions["hall_numbers"] = tuple(find for find in finders if find is not None)


def find_number(number: str, query_code: str) -> Any:
    """Return what a capability above knows of a number, None when none does.

    All are asked, also when one knows it, so that the time it takes does not tell which numbers exist.
    """
    found = [find(number, query_code) for find in current_app.extensions["hall_numbers"]]
    return next((one for one in found if one is not None), None)
