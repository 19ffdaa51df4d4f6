"""How near a case is to its limit: days left, and the supervision mark. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.applications.desk_domain import Mark
from app.core.working_time import WorkingCalendar
from config.time_limits import TimeLimits


@dataclass(frozen=True, slots=True)
class Risk:
    """Where a case stands against its limits.

    Attributes:
        promise_left: working days until the limit that its department holds, negative when over;
            None while nobody has to act.
        lawful_left: the same of the lawful limit; None where there is none.
        provisional: a limit falls into a year whose holidays are not published yet.
    """

    mark: Mark
    promise_left: int | None
    lawful_left: int | None
    provisional: bool


def days_left(today: date, due: date, calendar: WorkingCalendar) -> int:
    """Return the working days after ``today`` up to ``due``; negative once it is over."""
    return calendar.place(due) - calendar.place(today)


def risk(
    today: date,
    due: date | None,
    lawful: date | None,
    begun: date | None,
    calendar: WorkingCalendar,
    rules: TimeLimits,
) -> Risk:
    """Return where a case stands.

    Args:
        due: the limit its department holds now; ``begun``: the day the limit began on.
        lawful: the lawful limit.
    """
    if due is None:
        return Risk(Mark.NONE, None, None, False)
    left = days_left(today, due, calendar)
    whole = days_left(begun, due, calendar) if begun is not None else 0
    lawful_left = days_left(today, lawful, calendar) if lawful is not None else None
    provisional = calendar.is_provisional(due)
    return Risk(_mark(left, whole, lawful_left, rules), left, lawful_left, provisional)


def _mark(left: int, whole: int, lawful_left: int | None, rules: TimeLimits) -> Mark:
    over = -left
    if lawful_left is not None and lawful_left < 0:
        return Mark.RED
    if over >= max(rules.red_over_days, rules.red_over_rate * whole):
        return Mark.RED
    if over >= rules.yellow_over_days:
        return Mark.YELLOW
    if left <= max(rules.warning_left_days, rules.warning_left_rate * whole):
        return Mark.WARNING
    return Mark.NONE
