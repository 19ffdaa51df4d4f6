"""The versions of the access spec that come with this release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

VERSIONS_YAML = Path(__file__).parent / "versions.yaml"


class PinchZoom(StrEnum):
    """Which side a version takes over pinch zoom: pages must allow it, or may forbid it."""

    ALLOW = "allow"
    FORBID = "forbid"


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version as written.

    Attributes:
        grace_days: how long a page that newly fails stays with residents.
    """

    version: str
    effective_on: date
    grace_days: int
    pinch_zoom: PinchZoom
    changelog: str
    source: str


def load_versions(path: Path = VERSIONS_YAML) -> list[VersionRow]:
    """Return the versions, the first first; there is at least one.

    Raises:
        ValueError: a row lacks something, holds something unknown, or there is none.
    """
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"{path.name}: holds no versions")
    return [_row(path.name, number, row) for number, row in enumerate(rows, start=1)]


def version_on(day: date, rows: Sequence[VersionRow]) -> VersionRow:
    """Return the version that holds on ``day`` (Guangdong); before the first day it is the first.

    Args:
        rows: at least one, the first first.
    """
    return next((row for row in reversed(rows) if row.effective_on <= day), rows[0])


def _row(name: str, number: int, row: Any) -> VersionRow:
    try:
        made = VersionRow(**{**row, "pinch_zoom": PinchZoom(row["pinch_zoom"])})
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{name}: row {number}: {error}") from None
    if not isinstance(made.effective_on, date) or not isinstance(made.version, str):
        raise ValueError(f"{name}: row {number}: version is text, effective_on a date")
    return made
