"""Histograms of latency: merged in any order, exact enough, unharmed by bytes from elsewhere."""

import random
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.histogram import MOST_MS, RELATIVE_ERROR, LogHistogram, pooled

latencies = st.lists(st.integers(0, 80_000), max_size=60)


def exact(values: list[int], rate: float) -> int:
    return sorted(values)[max(1, ceil(rate * len(values))) - 1]


@given(latencies, latencies, latencies)
def test_merging_gives_the_same_in_any_order(one, two, three):
    a, b, c = LogHistogram(one), LogHistogram(two), LogHistogram(three)

    assert (a + b) + c == a + (b + c) == pooled([c, b, a]) == LogHistogram(one + two + three)


@given(st.lists(st.integers(0, MOST_MS), min_size=1, max_size=200), st.floats(0, 1))
def test_a_quantile_is_within_two_per_cent_of_the_exact_one(values, rate):
    found = LogHistogram(values).quantile(rate)

    wanted = max(1, exact(values, rate))
    assert RELATIVE_ERROR < 0.02
    assert abs(found - wanted) <= wanted * RELATIVE_ERROR * 1.000001


@given(latencies)
def test_bytes_bring_the_histogram_back(values):
    histogram = LogHistogram(values)

    again = LogHistogram.from_bytes(histogram.to_bytes())

    assert again == histogram
    assert again.count == len(values)


@given(st.binary(max_size=40))
def test_foreign_bytes_are_refused_or_read_as_a_histogram_that_writes_the_same(raw):
    try:
        read = LogHistogram.from_bytes(raw)
    except ValueError:
        return

    assert read.to_bytes() == raw


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\x05", id="a bin without a count"),
        pytest.param(b"\x05\x00", id="a bin that counts nothing"),
        pytest.param(b"\x05\x01\x00\x01", id="the same bin twice"),
        pytest.param(b"\xff\x7f\x01", id="a bin beyond the last"),
        pytest.param(b"\x05\x80", id="cut off"),
        pytest.param(b"\x05\x81\x00", id="a number longer than need be"),
        pytest.param(b"\x05" + b"\xff" * 30 + b"\x01", id="a number without end"),
    ],
)
def test_bytes_that_no_histogram_wrote_are_refused_and_change_nothing(raw):
    histogram = LogHistogram([7])

    with pytest.raises(ValueError, match="histogram"):
        histogram.merge_bytes(raw)

    assert histogram == LogHistogram([7])


def test_nothing_counted_has_no_quantile():
    assert LogHistogram().quantile(0.95) is None


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_outside_its_range_is_refused(rate):
    with pytest.raises(ValueError, match="between 0 and 1"):
        LogHistogram([1]).quantile(rate)


def test_a_negative_latency_is_refused():
    with pytest.raises(ValueError, match="negative"):
        LogHistogram([-1])


def test_an_hour_of_looks_takes_less_than_a_hundred_bytes():
    chance = random.Random(5)
    hour = [round(200 * chance.lognormvariate(0, 0.4)) for _ in range(60)]

    assert len(LogHistogram(hour).to_bytes()) < 100
