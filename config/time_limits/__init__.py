"""When cases are marked on the desk and people are reminded, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).parent / "time_limits.yaml"


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Rates are parts of a case's whole limit; days are working days unless said otherwise.

    Attributes:
        supplement_early, supplement_last: calendar days before a supplement is due.
        fetch_after: days after a result is ready.
    """

    warning_left_rate: float
    warning_left_days: int
    yellow_over_days: int
    red_over_rate: float
    red_over_days: int
    supplement_early: int
    supplement_last: int
    fetch_after: int


@lru_cache(maxsize=1)
def load(path: Path = TABLE) -> TimeLimits:
    """Return the table as written.

    Raises:
        ValueError: a figure is missing, or the figures do not follow each other.
    """
    raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        marks, reminders = raw["marks"], raw["reminders"]
        early, last = reminders["supplement_days_before"]
        found = TimeLimits(
            warning_left_rate=float(marks["warning"]["left_rate"]),
            warning_left_days=int(marks["warning"]["left_days"]),
            yellow_over_days=int(marks["yellow"]["over_days"]),
            red_over_rate=float(marks["red"]["over_rate"]),
            red_over_days=int(marks["red"]["over_days"]),
            supplement_early=int(early),
            supplement_last=int(last),
            fetch_after=int(reminders["fetch_after"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"督办和提醒的设置不完整：{error!r}") from None
    if not (
        0 <= found.warning_left_rate < 1
        and found.red_over_rate >= 0
        and 1 <= found.yellow_over_days <= found.red_over_days
        and found.supplement_early > found.supplement_last > 0
        and found.fetch_after > 0
    ):
        raise ValueError("督办和提醒的设置前后矛盾")
    return found
