from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.base import Condition, Span, Verdict
from mobile_pages.probe.uptime import (
    OfficialVerdict,
    Tally,
    Visit,
    Window,
    clip,
    day_window,
    month_window,
    official_figure,
    pool,
    tally,
)

NOON = datetime(2016, 9, 1, 4, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WEEK = day_window(date(2016, 9, 5), 7)


def minutes(start: int, end: int | None, condition: Condition = Condition.UP) -> Span:
    return Span(NOON + start * MINUTE, None if end is None else NOON + end * MINUTE, condition)


def window(start: int, end: int) -> Window:
    return Window(NOON + start * MINUTE, NOON + end * MINUTE)


spans = st.lists(
    st.builds(
        lambda start, length, condition: minutes(
            start, None if length is None else start + length, condition
        ),
        st.integers(-500, 500),
        st.none() | st.integers(0, 400),
        st.sampled_from(Condition),
    ),
    max_size=12,
)
windows = st.builds(
    lambda start, length: window(start, start + length), st.integers(-500, 500), st.integers(0, 900)
)


def a_week_of_visits(every: timedelta, failing: int = 0) -> list[Visit]:
    count = WEEK.length // every
    return [
        Visit(WEEK.start + number * every, Verdict.DOWN if number < failing else Verdict.UP, 200)
        for number in range(count)
    ]


@given(spans, windows)
def test_the_parts_of_a_tally_add_up_to_the_window(told, asked):
    assert tally(told, asked).wall == asked.length


@given(spans, windows)
def test_clipped_parts_lie_in_the_window_in_order_without_overlap(told, asked):
    parts = clip(told, asked)

    edges = [asked.start, *(edge for part in parts for edge in (part.start, part.end)), asked.end]
    assert edges == sorted(edges)


@given(spans, windows, st.floats(0, 1))
def test_two_halves_of_a_window_pool_to_the_whole(told, asked, where):
    cut = asked.start + asked.length * where

    halves = [tally(told, Window(asked.start, cut)), tally(told, Window(cut, asked.end))]

    assert pool(halves) == tally(told, asked)


@given(st.lists(spans, max_size=4), windows)
def test_pooling_adds_every_member_second_for_second(groups, asked):
    members = [tally(one, asked) for one in groups]

    whole = pool(members)

    assert whole.wall == asked.length * len(groups)
    assert whole.known == sum((one.known for one in members), timedelta())


@given(spans, windows)
def test_telling_every_span_twice_changes_nothing(told, asked):
    assert tally([*told, *told], asked) == tally(told, asked)


def test_an_hour_down_of_four_known_is_seventy_five_percent():
    told = [minutes(0, 60), minutes(60, 120, Condition.DOWN), minutes(120, 240, Condition.DEGRADED)]

    sums = tally(told, window(0, 240))

    assert (sums.availability_rate, sums.coverage_rate) == (0.75, 1.0)


@pytest.mark.parametrize("aside", [Condition.MAINTENANCE, Condition.PAUSED, Condition.UNKNOWN])
def test_time_set_aside_stands_in_neither_half_of_the_fraction(aside):
    told = [minutes(0, 30), minutes(30, 90, aside), minutes(90, 120, Condition.DOWN)]

    sums = tally(told, window(0, 120))

    assert (sums.availability_rate, sums.coverage_rate) == (0.5, 0.5)


def test_nothing_known_is_no_percentage_at_all():
    assert tally([], window(0, 10)).availability_rate is None
    assert Tally().coverage_rate is None


def test_groups_pool_seconds_and_not_percentages():
    always_up = tally([minutes(0, 900)], window(0, 900))
    briefly_down = tally([minutes(0, 100, Condition.DOWN)], window(0, 900))

    assert pool([always_up, briefly_down]).availability_rate == 0.9


def test_an_outage_left_open_months_ago_ends_where_the_next_span_begins():
    forgotten = Span(NOON - timedelta(days=90), None, Condition.DOWN)

    sums = tally([forgotten, minutes(0, None)], window(-10, 10))

    assert (sums.down, sums.up) == (10 * MINUTE, 10 * MINUTE)


def test_a_day_begins_at_midnight_in_guangdong():
    assert day_window(date(2016, 9, 1)).start == datetime(2016, 8, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(("month", "days"), [(2, 29), (4, 30), (12, 31)])
def test_a_month_has_its_own_length(month, days):
    assert month_window(2016, month).length == timedelta(days=days)


def test_a_window_in_the_future_has_not_passed_at_all():
    assert window(10, 20).until(NOON).length == timedelta()


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: Window(NOON, NOON - MINUTE), id="window backwards"),
        pytest.param(lambda: Window(NOON.replace(tzinfo=None), NOON), id="window without zone"),
        pytest.param(lambda: minutes(1, 0), id="span backwards"),
        pytest.param(lambda: Span(NOON.replace(tzinfo=None), None, Condition.UP), id="span without zone"),
    ],
)
def test_senseless_times_are_refused(build):
    with pytest.raises(ValueError, match=r"window|span"):
        build()


@pytest.mark.parametrize(
    ("failing", "verdict"),
    [
        pytest.param(302, OfficialVerdict.PASS, id="just under three percent"),
        pytest.param(303, OfficialVerdict.WARN, id="three percent"),
        pytest.param(503, OfficialVerdict.WARN, id="just under five percent"),
        pytest.param(504, OfficialVerdict.VETO, id="five percent"),
    ],
)
def test_five_percent_of_a_week_of_minutes_is_the_veto(failing, verdict):
    assert official_figure(a_week_of_visits(MINUTE, failing), WEEK).verdict is verdict


def test_fifteen_seconds_count_as_not_opened():
    slow = [Visit(one.at, Verdict.UP, 15_000) for one in a_week_of_visits(timedelta(hours=1))]

    assert official_figure(slow, WEEK).rate == 1.0


def test_a_week_without_failures_leaves_eight_hours_and_twenty_four_minutes():
    figure = official_figure(a_week_of_visits(MINUTE), WEEK)

    assert (figure.failures_left, figure.minutes_left) == (504, 504.0)


def test_closer_looks_during_an_outage_count_once_a_slot():
    visits = a_week_of_visits(MINUTE, failing=100)
    repeats = [Visit(one.at + MINUTE / 2, Verdict.DOWN) for one in visits[:100]]

    assert official_figure(visits + repeats, WEEK).failure_count == 100


def test_a_day_with_nineteen_visits_proves_nothing():
    visits = a_week_of_visits(timedelta(hours=1))[5:]

    figure = official_figure(visits, WEEK)

    assert figure.verdict is OfficialVerdict.TOO_FEW_VISITS
    assert figure.thin_days == (date(2016, 9, 5),)


def test_days_to_come_are_not_thin():
    now = WEEK.start + timedelta(days=2)
    visits = [one for one in a_week_of_visits(MINUTE) if one.at < now]

    assert official_figure(visits, WEEK, now).verdict is OfficialVerdict.PASS


def test_one_failure_of_two_visits_is_no_veto():
    visits = [Visit(WEEK.start, Verdict.UP, 90), Visit(WEEK.start + MINUTE, Verdict.DOWN)]

    figure = official_figure(visits, WEEK, WEEK.start + 2 * MINUTE)

    assert figure.verdict is OfficialVerdict.TOO_FEW_VISITS


def test_looks_that_say_nothing_are_no_visits():
    unknown = [Visit(one.at, Verdict.UNKNOWN) for one in a_week_of_visits(MINUTE)]

    figure = official_figure(unknown, WEEK)

    assert (figure.visit_count, figure.rate) == (0, None)


@given(st.integers(0, 168), st.integers(1, 4))
def test_the_veto_falls_exactly_at_five_percent_of_the_visits(failing, per_hour):
    visits = a_week_of_visits(timedelta(hours=1) / per_hour, failing)

    figure = official_figure(visits, WEEK)

    vetoed = Fraction(failing, 168 * per_hour) >= Fraction(5, 100)
    assert (figure.verdict is OfficialVerdict.VETO) == vetoed
