"""China's working days (工作日) year by year, and the working time of a day, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).parent / "working_days.yaml"


@dataclass(frozen=True, slots=True)
class Year:
    """One year's arrangement.

    Attributes:
        provisional: not published yet: statutory days only.
        days_off: days of rest; Saturdays and Sundays not named here are days of rest too.
        workdays: Saturdays and Sundays on which one works (调休上班).
    """

    number: int
    provisional: bool
    source: str
    days_off: frozenset[date]
    workdays: frozenset[date]


@dataclass(frozen=True, slots=True)
class Table:
    """``hours``: the stretches of working time of a day, in order, local time."""

    hours: tuple[tuple[time, time], ...]
    years: Mapping[int, Year]


def load(path: Path = TABLE) -> Table:
    """Return the table as written.

    Raises:
        ValueError: a day outside its year, a workday that is no Saturday or Sunday or also off, a
            year twice, hours that overlap or run backwards.
    """
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    hours = tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in raw["hours"])
    edges = [edge for stretch in hours for edge in stretch]
    if not edges or edges != sorted(set(edges)):
        raise ValueError("working hours must follow each other")
    years = [_year(one) for one in raw["years"]]
    if len({one.number for one in years}) != len(years):
        raise ValueError("a year stands twice")
    return Table(hours, {one.number: one for one in years})


def _year(raw: Mapping[str, Any]) -> Year:
    number = int(raw["year"])
    off = frozenset(day for start, end in raw["days_off"] for day in _days(start, end))
    workdays = frozenset(date.fromisoformat(day) for day in raw["workdays"])
    if any(day.year != number for day in off | workdays):
        raise ValueError(f"a day outside {number}")
    if off & workdays or any(day.weekday() < 5 for day in workdays):
        raise ValueError(f"a workday of {number} is none")
    return Year(number, bool(raw["provisional"]), str(raw["source"]), off, workdays)


def _days(start: str, end: str) -> list[date]:
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    if last < first:
        raise ValueError(f"a holiday runs backwards: {start}")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
