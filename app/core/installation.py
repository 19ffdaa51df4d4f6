"""What the edges (views, jobs, commands) may ask about the installation they run in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import current_app

from app.core.later import load
from app.core.own_data import Held
from config.settings import Settings


def settings() -> Settings:
    """Return the settings the application was made with."""
    found: Settings = current_app.extensions["hall_settings"]
    return found


def seen_of(page_id: int) -> Any:
    """Return what the watch saw of a page over time; None when nobody keeps one."""
    reference = current_app.extensions["hall_watch"]
    return load(reference)(page_id) if reference else None


def open_cases_of(version_id: int) -> int:
    """Return how many cases of a version of an item are open; 0 when nobody keeps cases."""
    reference = current_app.extensions["hall_open_cases"]
    return int(load(reference)(version_id)) if reference else 0


def item_names(text: str, ids: Collection[int]) -> dict[int, str]:
    """Return the names of items that fit words and of those with given ids, by directory id."""
    reference = current_app.extensions["hall_item_names"]
    return dict(load(reference)(text, ids)) if reference else {}


def links_of_residents() -> tuple[tuple[str, str], ...]:
    """Return what residents find under “我的” besides their account: words and endpoint of each page."""
    found: tuple[tuple[str, str], ...] = current_app.extensions["hall_mine"]
    return found


def held_of(resident_id: int) -> list[Held]:
    """Return what all capabilities hold of a resident, one after the other."""
    references: tuple[str, ...] = current_app.extensions["hall_held"]
    return [one for reference in references for one in load(reference)(resident_id)]


def case_paths(resident_id: int, numbers: Collection[str]) -> dict[str, str]:
    """Return the pages of those cases among ``numbers`` that are the resident's own, by number."""
    reference = current_app.extensions["hall_case_paths"]
    return dict(load(reference)(resident_id, numbers)) if reference and numbers else {}
