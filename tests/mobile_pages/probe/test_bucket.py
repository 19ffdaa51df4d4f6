"""Buckets: seconds from clipped spans, visits one a slot, sums that do not depend on the order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.base import Condition, Span, Verdict
from mobile_pages.probe.bucket import Bucket, Look, Pool, bucket_of
from mobile_pages.probe.histogram import LogHistogram
from mobile_pages.probe.uptime import Window, tally

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
AN_HOUR = Window(START, START + HOUR)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def history(borders: list[float], conditions: list[Condition]) -> list[Span]:
    ends = [at(border) for border in sorted(set(borders))]
    return [
        Span(start, end, condition) for start, end, condition in zip(ends, ends[1:], conditions, strict=False)
    ]


histories = st.builds(
    history,
    st.lists(st.floats(-7200, 14400), min_size=2, max_size=8),
    st.lists(st.sampled_from(Condition), min_size=8, max_size=8),
)
buckets = st.builds(
    Bucket,
    up_s=st.integers(0, 3600),
    down_s=st.integers(0, 3600),
    looks=st.integers(0, 60),
    total_ms=st.integers(0, 9000),
    histogram=st.builds(LogHistogram, st.lists(st.integers(0, 9000), max_size=5)),
)


@given(histories)
def test_the_parts_add_up_to_the_hour_and_differ_from_the_exact_time_by_no_more_than_their_borders(spans):
    bucket = bucket_of([*spans, Span(at(3599), None, Condition.UP)], AN_HOUR)

    exact = tally([*spans, Span(at(3599), None, Condition.UP)], AN_HOUR)
    assert bucket.tally.wall == HOUR
    assert abs(bucket.tally.down - exact.down) <= timedelta(seconds=len(spans))


@given(histories)
def test_hours_add_up_to_what_they_are_together(spans):
    hours = [Window(START + n * HOUR, START + (n + 1) * HOUR) for n in range(3)]

    apart = Pool()
    for hour in hours:
        one = bucket_of(spans, hour)
        apart.add(one.numbers() if one else Bucket(paused_s=3600).numbers())

    together = bucket_of(spans, Window(START, START + 3 * HOUR)) or Bucket(paused_s=3 * 3600)
    assert apart.bucket() == together


@given(buckets, buckets, buckets)
def test_the_order_of_adding_does_not_matter(one, two, three):
    assert (one + two) + three == three + (two + one)
    assert one + Bucket() == one


def test_time_no_span_speaks_of_is_unknown():
    bucket = bucket_of([Span(at(600), at(1200), Condition.DOWN)], AN_HOUR)

    assert (bucket.down_s, bucket.unknown_s, bucket.up_s) == (600, 3000, 0)
    assert bucket.availability_rate == 0.0
    assert bucket.coverage_rate == pytest.approx(1 / 6)


def test_an_hour_without_knowledge_has_no_availability():
    bucket = bucket_of([], AN_HOUR)

    assert bucket.availability_rate is None
    assert bucket.coverage_rate == 0.0


def test_an_hour_paused_throughout_is_none():
    assert bucket_of([Span(at(-9), None, Condition.PAUSED)], AN_HOUR) is None


def test_looks_are_told_apart_and_only_open_ones_are_timed():
    looks = [Look(0, Verdict.UP, 200), Look(60, Verdict.DOWN, 9), Look(120, Verdict.UNKNOWN, 0)]

    bucket = bucket_of([], AN_HOUR, looks, (1, 2, 3, 4, 20))

    assert (bucket.looks, bucket.failures, bucket.missed) == (2, 1, 1)
    assert bucket.histogram == LogHistogram([200])
    assert (bucket.phases.dns, bucket.phases.transfer, bucket.phases.total) == (1, 10, 20)


def test_a_slot_has_one_visit_its_first():
    looks = [Look(30, Verdict.DOWN, 9), Look(10, Verdict.UP, 9), Look(60, Verdict.DOWN, 9)]

    bucket = bucket_of([], AN_HOUR, looks)

    assert (bucket.visits, bucket.visit_failures) == (2, 1)


def test_a_visit_that_took_fifteen_seconds_failed():
    looks = [Look(0, Verdict.DEGRADED, 15_000), Look(60, Verdict.DEGRADED, 14_999)]

    assert bucket_of([], AN_HOUR, looks).visit_failures == 1


def test_a_page_never_found_open_has_no_phases():
    assert bucket_of([], AN_HOUR, [Look(0, Verdict.DOWN, 9)]).phases is None
