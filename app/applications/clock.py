"""The lawful clock (限时办结): working days, the first day not counted, lawful pauses left out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from app.applications.domain import EXTENSION_DAYS_MAX, MoveNotAllowed
from app.core.errors import Invalid
from app.core.working_time import WorkingCalendar, working_days_later


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
    if days == 0 or not pauses:
        return working_days_later(start, days, calendar)
    last = calendar.place(start) + days
    for began, ended in _stops(calendar.place(start), pauses, calendar):
        if began >= last:
            break
        last += ended - began
    return calendar.at_place(last)


def used_days(start: date, end: date, pauses: Sequence[Pause], calendar: WorkingCalendar) -> int:
    """Return how many working days of a limit were used after ``start``, ``end`` included.

    Days of a pause that still lasts do not count either.
    """
    if end <= start:
        return 0
    first, last = calendar.place(start), calendar.place(end)
    stopped = sum(
        min(ended, last) - began for began, ended in _stops(first, pauses, calendar) if began < last
    )
    return last - first - stopped


def _stops(first: int, pauses: Sequence[Pause], calendar: WorkingCalendar) -> Iterator[tuple[int, int]]:
    """Yield the pauses as places of the calendar after ``first``, in order, none overlapping another."""
    done = first
    for pause in sorted(pauses, key=lambda one: one.began_on):
        began = max(calendar.place(pause.began_on), done)
        ended = _FOR_EVER if pause.ended_on is None else calendar.place(pause.ended_on)
        if ended > began:
            yield began, ended
            done = ended


_FOR_EVER = 10**9


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of handling as it runs.

    Attributes:
        days: working days, without the extension.
    """

    start: date
    days: int
    extension_days: int = 0
    pauses: tuple[Pause, ...] = ()

    @property
    def paused(self) -> bool:
        return any(pause.ended_on is None for pause in self.pauses)

    def extended(self, days: int) -> Limit:
        """Return it put off by ``days`` working days; once only, and not while it is paused.

        Raises:
            MoveNotAllowed: it was put off before, or is paused.
            Invalid: not 1 to 10 days.

        Source: 行政许可法 42.
        """
        if self.extension_days:
            raise MoveNotAllowed("办理期限只能延长一次")
        if self.paused:
            raise MoveNotAllowed("特别程序期间不能延长办理期限")
        if not 0 < days <= EXTENSION_DAYS_MAX:
            raise Invalid(fields={"days": [f"可以延长 1 至 {EXTENSION_DAYS_MAX} 个工作日"]})
        return replace(self, extension_days=days)

    def stopped(self, kind: str, on: date) -> Limit:
        """Return it paused from ``on``.

        Raises:
            MoveNotAllowed: it is paused already.
        """
        if self.paused:
            raise MoveNotAllowed("已在特别程序中")
        return replace(self, pauses=(*self.pauses, Pause(kind, on)))

    def resumed(self, on: date) -> Limit:
        """Return it running again from the day after ``on``.

        Raises:
            MoveNotAllowed: it is not paused.
        """
        if not self.paused:
            raise MoveNotAllowed("不在特别程序中")
        pauses = (
            replace(one, ended_on=max(on, one.began_on)) if one.ended_on is None else one
            for one in self.pauses
        )
        return replace(self, pauses=tuple(pauses))

    def due_on(self, calendar: WorkingCalendar) -> date | None:
        """Return its last day; None while it is paused."""
        return due_on(self.start, self.days + self.extension_days, self.pauses, calendar)


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
