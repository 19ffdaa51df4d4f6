"""The working-time clock: nights, lunch, weekends, holidays and weekends worked in exchange."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from app.core.clock import HALL_TIME
from app.monitoring import working_time


def hall(text):
    return datetime.fromisoformat(text).replace(tzinfo=HALL_TIME)


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        pytest.param("2026-03-02T09:00", 30, "2026-03-02T09:30", id="inside the morning"),
        pytest.param("2026-03-02T11:45", 30, "2026-03-02T14:15", id="over lunch"),
        pytest.param("2026-03-02T17:15", 30, "2026-03-03T08:45", id="over a night"),
        pytest.param("2026-03-06T17:00", 60, "2026-03-09T09:00", id="over a weekend"),
        pytest.param("2026-09-30T17:00", 60, "2026-10-08T09:00", id="over the National Day holiday"),
        pytest.param("2026-10-09T17:00", 60, "2026-10-10T09:00", id="into a Saturday that is worked"),
        pytest.param("2026-03-02T03:00", 0, "2026-03-02T03:00", id="nothing to wait for"),
        pytest.param("2026-03-02T11:30", 30, "2026-03-02T12:00", id="to the minute"),
    ],
)
def test_working_time_passes_in_office_hours_only(start, minutes, end):
    assert working_time.after(hall(start).astimezone(UTC), minutes) == hall(end)


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        pytest.param("2026-10-01", False, id="National Day"),
        pytest.param("2026-10-10", True, id="Saturday worked in exchange"),
        pytest.param("2026-10-11", False, id="Sunday"),
        pytest.param("2026-10-12", True, id="Monday"),
    ],
)
def test_a_working_day_is_chinas(day, worked):
    assert working_time.is_working_day(date.fromisoformat(day)) is worked


START = datetime(2025, 1, 1, tzinfo=UTC)
instants = st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))


@examples(start=instants, first=st.integers(1, 900), second=st.integers(0, 900))
def test_waiting_twice_is_waiting_for_the_sum(start, first, second):
    between = working_time.after(start, first)

    assert working_time.after(between, second) == working_time.after(start, first + second)


@examples(start=instants, minutes=st.integers(1, 2000))
def test_it_never_takes_less_than_real_time_and_ends_in_office_hours(start, minutes):
    end = working_time.after(start, minutes)

    assert end - start >= timedelta(minutes=minutes)
    local = end.astimezone(HALL_TIME)
    assert working_time.is_working_day(local.date())
    assert any(opens <= local.time() <= closes for opens, closes in working_time.OFFICE_HOURS)
