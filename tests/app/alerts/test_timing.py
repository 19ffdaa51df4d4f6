"""Quiet hours and digests: nothing critical waits, nothing else comes at night, nothing waits for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerts.domain import Digest, Severity
from app.alerts.timing import due_at
from app.core.clock import HALL_TIME
from app.core.quiet import Quiet, clock_time, minutes_of

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 2 * 365 * 86_400_000).map(lambda ms: FIRST + timedelta(milliseconds=ms))
minutes = st.integers(0, 1439)
quiets = st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: Quiet(*pair))
lesser = st.sampled_from([Severity.INFO, Severity.WARNING])
digests = st.sampled_from(Digest)


def in_guangdong(hour, minute=0, day=2):
    return datetime(2026, 3, day, hour, minute, tzinfo=HALL_TIME).astimezone(UTC)


@given(moments, st.none() | quiets, digests)
def test_what_is_critical_is_told_at_once(now, quiet, digest):
    assert due_at(now, Severity.CRITICAL, quiet, digest) == now


@given(moments, lesser, quiets, digests)
def test_nothing_else_is_told_in_quiet_hours(now, severity, quiet, digest):
    assert not quiet.covers(due_at(now, severity, quiet, digest))


@given(moments, lesser, st.none() | quiets, digests)
def test_nothing_is_told_before_it_is_known_nor_later_than_two_days(now, severity, quiet, digest):
    assert now <= due_at(now, severity, quiet, digest) < now + timedelta(days=2)


@given(moments, st.integers(0, 86_400), lesser, st.none() | quiets, digests)
def test_what_comes_later_is_never_told_earlier(now, seconds, severity, quiet, digest):
    later = now + timedelta(seconds=seconds)

    assert due_at(now, severity, quiet, digest) <= due_at(later, severity, quiet, digest)


@given(moments, quiets)
def test_quiet_hours_end_when_they_say(now, quiet):
    end = quiet.end_after(now)

    local = end.astimezone(HALL_TIME)
    assert (local.hour * 60 + local.minute, local.second) == (quiet.ends, 0)
    assert timedelta() < end - now <= timedelta(days=1)


@pytest.mark.parametrize(
    ("now", "digest", "expected"),
    [
        pytest.param(in_guangdong(12), Digest.AT_ONCE, in_guangdong(12), id="by day at once"),
        pytest.param(
            in_guangdong(23), Digest.AT_ONCE, in_guangdong(7, 30, day=3), id="at night in the morning"
        ),
        pytest.param(in_guangdong(7, 30), Digest.AT_ONCE, in_guangdong(7, 30), id="the end is not quiet"),
        pytest.param(
            in_guangdong(21, 10), Digest.HOURLY, in_guangdong(7, 30, day=3), id="the full hour is quiet"
        ),
        pytest.param(in_guangdong(9, 10), Digest.HOURLY, in_guangdong(10), id="at the full hour"),
        pytest.param(in_guangdong(9, 10), Digest.DAILY, in_guangdong(8, 30, day=3), id="the next morning"),
        pytest.param(in_guangdong(8), Digest.DAILY, in_guangdong(8, 30), id="the same morning"),
    ],
)
def test_a_night_from_ten_to_half_past_seven(now, digest, expected):
    assert due_at(now, Severity.WARNING, Quiet(22 * 60, 7 * 60 + 30), digest) == expected


@given(minutes)
def test_a_time_of_day_is_written_and_read_alike(minute):
    assert minutes_of(clock_time(minute)) == minute


@pytest.mark.parametrize(
    "wrong", ["", "24:00", "7:30", "07:60", "07-30", "０7:30", "07:3", "-1:00", "07:30:00"]
)
def test_what_is_no_time_of_day_is_refused(wrong):
    with pytest.raises(ValueError, match="no time of day"):
        minutes_of(wrong)
