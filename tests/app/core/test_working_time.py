from datetime import UTC, date, datetime, time, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import HALL_TIME
from app.core.working_time import (
    calendar,
    working_days_later,
    working_minutes_later,
    working_time_between,
)
from config import working_days

CALENDAR = calendar()
DAY_MINUTES = 390  # 8:30-12:00 and 14:30-17:30


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HALL_TIME)


def moments() -> st.SearchStrategy[datetime]:
    first, last = datetime(2016, 1, 1), datetime(2028, 12, 1)  # noqa: DTZ001
    return st.datetimes(first, last, timezones=st.just(UTC))


def lengths() -> st.SearchStrategy[int]:
    return st.integers(0, 10 * DAY_MINUTES)


@pytest.mark.parametrize(
    ("at", "minutes", "due"),
    [
        pytest.param("2016-05-09 09:00", 30, "2016-05-09 09:30", id="in the morning"),
        pytest.param("2016-05-09 11:45", 30, "2016-05-09 14:45", id="over lunch"),
        pytest.param("2016-05-09 11:30", 30, "2016-05-09 12:00", id="ends with the morning"),
        pytest.param("2016-05-09 20:00", 30, "2016-05-10 09:00", id="at night"),
        pytest.param("2016-05-13 17:15", 30, "2016-05-16 08:45", id="over a weekend"),
        pytest.param("2016-09-30 17:15", 30, "2016-10-08 08:45", id="over the national holiday"),
        pytest.param("2016-10-08 09:00", 30, "2016-10-08 09:30", id="on an exchanged Saturday"),
        pytest.param("2020-01-23 17:15", 30, "2020-02-03 08:45", id="over the longer holiday of 2020"),
        pytest.param("2016-05-14 10:00", 0, "2016-05-14 10:00", id="no time at all"),
        pytest.param("2016-05-09 08:30", 2 * DAY_MINUTES, "2016-05-10 17:30", id="two whole days"),
    ],
)
def test_only_working_time_counts(at, minutes, due):
    assert working_minutes_later(local(at), minutes, CALENDAR) == local(due)


@pytest.mark.parametrize(
    ("day", "count", "due"),
    [
        pytest.param("2016-09-30", 1, "2016-10-08", id="over a holiday"),
        pytest.param("2016-05-09", 5, "2016-05-16", id="a week"),
        pytest.param("2016-05-14", 0, "2016-05-14", id="none"),
    ],
)
def test_the_day_itself_does_not_count(day, count, due):
    assert working_days_later(date.fromisoformat(day), count, CALENDAR) == date.fromisoformat(due)


def test_every_published_year_agrees_with_the_kept_library():
    days = [date(2016, 1, 1) + timedelta(days=number) for number in range(4018)]

    wrong = [day for day in days if CALENDAR.is_workday(day) != chinese_calendar.is_workday(day)]

    assert days[-1] == date(2026, 12, 31)
    assert wrong == []


def test_years_not_published_are_provisional_and_keep_the_statutory_days():
    assert not CALENDAR.is_provisional(date(2026, 12, 31))
    assert CALENDAR.is_provisional(date(2027, 1, 1))
    assert CALENDAR.is_provisional(date(2040, 1, 1))
    assert not CALENDAR.is_workday(date(2027, 10, 1))


def test_every_year_says_where_it_comes_from():
    years = working_days.load().years

    assert sorted(years) == list(range(2016, 2028))
    assert all(one.source for one in years.values())


@pytest.mark.parametrize(
    ("at", "minutes"),
    [
        pytest.param(datetime(2016, 5, 9), 1, id="naive"),  # noqa: DTZ001
        pytest.param(local("2016-05-09 09:00"), -1, id="backwards"),
    ],
)
def test_senseless_questions_are_refused(at, minutes):
    with pytest.raises(ValueError, match="aware"):
        working_minutes_later(at, minutes, CALENDAR)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("hours: [['12:00', '08:30']]\nyears: []", id="hours backwards"),
        pytest.param("hours: []\nyears: []", id="no hours"),
        pytest.param(
            "hours: [['08:30', '12:00']]\nyears:\n- {year: 2016, provisional: false, source: x,"
            " days_off: [], workdays: ['2016-05-09']}",
            id="a Monday as exchanged day",
        ),
        pytest.param(
            "hours: [['08:30', '12:00']]\nyears:\n- {year: 2016, provisional: false, source: x,"
            " days_off: [['2017-01-01', '2017-01-01']], workdays: []}",
            id="a day of another year",
        ),
    ],
)
def test_a_table_with_faults_is_refused(tmp_path, text):
    (tmp_path / "table.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match=r"."):
        working_days.load(tmp_path / "table.yaml")


@given(moments(), lengths())
def test_between_the_moment_and_what_is_due_lies_exactly_that_much_work(at, minutes):
    due = working_minutes_later(at, minutes, CALENDAR)

    assert working_time_between(at, due, CALENDAR) == timedelta(minutes=minutes)


@given(moments(), lengths(), lengths())
def test_two_lengths_after_each_other_are_their_sum(at, first, second):
    after = working_minutes_later(working_minutes_later(at, first, CALENDAR), second, CALENDAR)

    assert working_minutes_later(at, first + second, CALENDAR) == after or second == 0


@given(moments(), st.integers(1, 5000))
def test_what_is_due_falls_into_working_time_and_never_before(at, minutes):
    due = working_minutes_later(at, minutes, CALENDAR)

    local_due = due.astimezone(HALL_TIME)
    assert due >= at + timedelta(minutes=minutes)
    assert CALENDAR.is_workday(local_due.date())
    assert time(8, 30) < local_due.time() <= time(17, 30)


@given(moments(), moments(), lengths())
def test_who_begins_earlier_is_not_due_later(one, other, minutes):
    first, second = sorted((one, other))

    early, late = (working_minutes_later(at, minutes, CALENDAR) for at in (first, second))

    assert early <= late
