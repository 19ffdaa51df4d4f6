"""The lawful clock against an oracle that walks from day to day; 20,000 random cases and more."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from app.applications.clock import Limit, Pause, due_on, used_days
from app.applications.domain import MoveNotAllowed
from app.core.working_time import WorkingCalendar, calendar
from config import working_days
from config.working_days import Table, Year

CASES = 4_000
FIRST, LAST = date(2016, 1, 1), date(2029, 12, 31)


def a_calendar(chance: random.Random) -> WorkingCalendar:
    """Return a calendar with holidays and exchanged weekends anywhere."""
    years = {}
    for number in range(2016, 2028):
        days = [date(number, 1, 1) + timedelta(days=day) for day in range(365)]
        off = frozenset(chance.sample(days, 25))
        weekends = [day for day in days if day.weekday() >= 5 and day not in off]
        years[number] = Year(number, False, "x", off, frozenset(chance.sample(weekends, 6)))
    return WorkingCalendar(Table(working_days.load().hours, years))


def cases(seed: int) -> Iterator[tuple[WorkingCalendar, date, int, list[Pause]]]:
    """Yield calendars, starts, limits of up to 45 days and up to four pauses, overlapping or not."""
    chance = random.Random(seed)
    known = [calendar(), a_calendar(chance), a_calendar(chance)]
    for _ in range(CASES):
        start = FIRST + timedelta(days=chance.randrange((LAST - FIRST).days))
        pauses = []
        for _ in range(chance.choice((0, 0, 1, 2, 4))):
            began = start + timedelta(days=chance.randrange(-5, 60))
            pauses.append(Pause("听证", began, began + timedelta(days=chance.randrange(40))))
        yield chance.choice(known), start, chance.randrange(46), pauses


def slow_due(start: date, days: int, pauses: list[Pause], known: WorkingCalendar) -> date:
    day = start
    while days:
        day += timedelta(days=1)
        if known.is_workday(day) and not any(pause.covers(day) for pause in pauses):
            days -= 1
    return day


def slow_used(start: date, end: date, pauses: list[Pause], known: WorkingCalendar) -> int:
    days = (start + timedelta(days=number) for number in range(1, (end - start).days + 1))
    return sum(known.is_workday(day) and not any(one.covers(day) for one in pauses) for day in days)


def test_a_limit_is_due_where_walking_day_by_day_leads():
    for known, start, days, pauses in cases(1):
        assert due_on(start, days, pauses, known) == slow_due(start, days, pauses, known)


def test_days_used_are_those_that_walking_day_by_day_counts():
    for known, start, days, pauses in cases(2):
        end = start + timedelta(days=days * 2)
        assert used_days(start, end, pauses, known) == slow_used(start, end, pauses, known)


def test_a_limit_is_used_up_on_the_working_day_it_is_due_and_not_before():
    for known, start, days, pauses in cases(3):
        due = due_on(start, days, pauses, known)

        assert due is not None
        assert used_days(start, due, pauses, known) == days
        if days:
            assert known.is_workday(due)
            assert not any(pause.covers(due) for pause in pauses)
            assert used_days(start, due - timedelta(days=1), pauses, known) == days - 1


def test_pauses_that_overlap_count_once_in_whatever_order():
    for known, start, days, pauses in cases(4):
        paused = {day for one in pauses for day in days_of(one)}
        single = [Pause("检测", day - timedelta(days=1), day) for day in paused]

        expected = due_on(start, days, single, known)

        assert due_on(start, days, [*pauses, *pauses], known) == expected
        assert due_on(start, days, pauses[::-1], known) == expected


def days_of(pause: Pause) -> list[date]:
    return [
        pause.began_on + timedelta(days=day) for day in range(1, (pause.ended_on - pause.began_on).days + 1)
    ]


def test_the_first_day_never_counts_and_more_days_are_never_due_sooner():
    for known, start, days, pauses in cases(5):
        due, later = (due_on(start, count, pauses, known) for count in (days, days + 1))

        assert due is not None
        assert later is not None
        assert (due == start) == (days == 0)
        assert due < later


def test_an_open_pause_leaves_no_due_date_and_a_limit_is_put_off_once_and_not_meanwhile():
    chance = random.Random(6)
    for known, start, days, pauses in cases(6):
        limit = Limit(start, days, pauses=tuple(pauses))
        put_off, on = chance.randrange(1, 11), start + timedelta(days=chance.randrange(30))
        stopped = limit.stopped("鉴定", on)

        assert stopped.due_on(known) is None
        with pytest.raises(MoveNotAllowed):
            stopped.extended(put_off)
        extended = stopped.resumed(on + timedelta(days=3)).extended(put_off)
        with pytest.raises(MoveNotAllowed):
            extended.extended(1)
        assert extended.due_on(known) == due_on(start, days + put_off, extended.pauses, known)


def test_a_pause_begins_once_and_ends_once():
    limit = Limit(date(2026, 3, 2), 20)

    with pytest.raises(MoveNotAllowed):
        limit.resumed(date(2026, 3, 4))
    with pytest.raises(MoveNotAllowed):
        limit.stopped("鉴定", date(2026, 3, 4)).stopped("听证", date(2026, 3, 5))


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        pytest.param(date(2026, 12, 15), 20, date(2027, 1, 13), id="into a year not published yet"),
        pytest.param(date(2033, 12, 30), 3, date(2034, 1, 4), id="beyond every year of the table"),
        pytest.param(date(2040, 6, 1), 10, date(2040, 6, 15), id="far beyond"),
        pytest.param(date(2001, 6, 1), 10, date(2001, 6, 15), id="before the table"),
    ],
)
def test_years_outside_the_table_keep_their_ordinary_weeks(start, days, due):
    assert due_on(start, days, [], calendar()) == due


def test_a_start_no_case_can_have_is_refused():
    with pytest.raises(ValueError, match="begins after"):
        due_on(date(1900, 1, 1), 5, [], calendar())
