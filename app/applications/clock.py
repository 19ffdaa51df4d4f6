"""The lawful clock (限时办结): working days, the first day not counted, lawful pauses left out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.core.working_time import WorkingCalendar


@dataclass(frozen=True, slots=True)
class Pause:
    """A special procedure (特别程序): the days after ``began_on``, ``ended_on`` included, do not count.

    Attributes:
        ended_on: None while it lasts.
    """

    kind: str
    began_on: date
    ended_on: date | None = None

    def covers(self, day: date) -> bool:
        return self.began_on < day and (self.ended_on is None or day <= self.ended_on)


def due_on(start: date, days: int, pauses: Sequence[Pause], calendar: WorkingCalendar) -> date | None:
    """Return the last day of a limit of ``days`` working days; None while a pause lasts.

    The day of ``start`` does not count; 0 is the same day. A day in two pauses counts once.
    Source: 行政许可法 45, 82.
    """
    if any(pause.ended_on is None for pause in pauses):
        return None
    day = start
    while days:
        day += timedelta(days=1)
        if calendar.is_workday(day) and not any(pause.covers(day) for pause in pauses):
            days -= 1
    return day


def used_days(start: date, end: date, pauses: Sequence[Pause], calendar: WorkingCalendar) -> int:
    """Return how many working days of a limit were used after ``start``, ``end`` included."""
    days = (start + timedelta(days=number) for number in range(1, (end - start).days + 1))
    return sum(calendar.is_workday(day) and not any(one.covers(day) for one in pauses) for day in days)


def pauses_from(stored: Sequence[Mapping[str, Any]]) -> list[Pause]:
    """Read what :func:`pause_to_json` wrote."""
    return [
        Pause(
            one["kind"],
            date.fromisoformat(one["began_on"]),
            date.fromisoformat(one["ended_on"]) if one["ended_on"] else None,
        )
        for one in stored
    ]


def pause_to_json(pause: Pause) -> dict[str, Any]:
    """Return what is stored of a pause."""
    return {
        "kind": pause.kind,
        "began_on": pause.began_on.isoformat(),
        "ended_on": pause.ended_on.isoformat() if pause.ended_on else None,
    }
