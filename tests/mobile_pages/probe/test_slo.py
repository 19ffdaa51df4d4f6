from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.slo import LENGTHS, PAIRS, Urgency, budget, burn_rate, burns
from mobile_pages.probe.uptime import Tally

HOUR = timedelta(hours=1)


def spent(down: float, up: float, unknown: float = 0.0) -> Tally:
    return Tally(up=up * HOUR, down=down * HOUR, unknown=unknown * HOUR)


def test_a_month_at_99_5_percent_may_be_down_for_three_hours_and_36_minutes():
    left = budget(spent(down=1, up=719), 0.995)

    assert left.allowed == timedelta(hours=3, minutes=36)
    assert left.left == timedelta(hours=2, minutes=36)


def test_time_not_known_earns_no_budget():
    assert budget(spent(down=0, up=100, unknown=900), 0.99).allowed == HOUR


def test_a_missed_target_leaves_less_than_nothing():
    missed = budget(spent(down=10, up=90), 0.99)

    assert missed.left == -9 * HOUR
    assert missed.spent_rate == 10


def test_nothing_known_spends_nothing():
    nothing = budget(Tally(unknown=HOUR), 0.99)

    assert (nothing.spent_rate, nothing.availability_rate) == (None, None)


def test_a_burn_rate_of_one_spends_the_budget_exactly():
    assert burn_rate(spent(down=0.5, up=99.5), 0.995) == 1.0


def test_a_target_of_everything_burns_without_end():
    assert burn_rate(spent(down=1, up=99), 1.0) == float("inf")


@pytest.mark.parametrize("target", [-0.1, 1.1])
def test_a_target_that_is_no_fraction_is_refused(target):
    with pytest.raises(ValueError, match="fraction"):
        budget(spent(1, 1), target)


@pytest.mark.parametrize(
    ("down_rate", "expected"),
    [
        pytest.param(0.0, [], id="nothing"),
        pytest.param(0.0049, [], id="within the budget"),
        pytest.param(0.005, [1.0], id="exactly the budget"),
        pytest.param(0.03, [6.0, 1.0], id="six times"),
        pytest.param(0.072, [14.4, 6.0, 1.0], id="fourteen times"),
    ],
)
def test_steady_loss_calls_as_loudly_as_it_is_fast(down_rate, expected):
    due = burns(lambda length: Tally(up=length * (1 - down_rate), down=length * down_rate), 0.995)

    assert [one.pair.factor for one in due] == expected


def test_a_loss_that_is_over_calls_nobody():
    over = {length: spent(down=0, up=1) for length in LENGTHS} | {HOUR: spent(down=0.5, up=0.5)}

    assert burns(over.__getitem__, 0.995) == ()


def test_the_slow_burn_waits_for_the_next_working_day():
    assert [pair.urgency for pair in PAIRS] == [Urgency.PAGE, Urgency.PAGE, Urgency.TICKET]


@given(st.integers(0, 10_000), st.integers(1, 10_000), st.sampled_from([0.9, 0.99, 0.995, 0.999]))
def test_the_budget_is_gone_exactly_when_the_target_is_missed(down, up, target):
    left = budget(Tally(up=up * HOUR, down=down * HOUR), target)

    met = up * 1000 >= round(target * 1000) * (up + down)
    assert (left.left >= timedelta()) == met
