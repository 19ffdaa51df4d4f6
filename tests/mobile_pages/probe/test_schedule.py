from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.base import ProbeTarget
from mobile_pages.probe.schedule import Scheduler, next_due, phase_seconds

T0 = 1_472_688_000.0
ids = st.text(min_size=1, max_size=20)
intervals = st.integers(1, 86_400)
moments = st.floats(0, 4e9)


def a_target(name="page", interval=60, timeout=15.0) -> ProbeTarget:
    return ProbeTarget(name, "http://page.gd.example/", interval, timeout_seconds=timeout)


def a_scheduler(*targets: ProbeTarget, grace=5.0, now=T0) -> Scheduler:
    scheduler = Scheduler(grace)
    scheduler.load(targets, now)
    return scheduler


def first_due(scheduler: Scheduler) -> float:
    due = scheduler.next_at()
    assert due is not None
    return due


@given(ids, intervals, moments)
def test_the_next_turn_comes_within_one_interval(name, interval, after):
    due = next_due(name, interval, after)

    assert after < due <= after + interval + 0.001


@given(ids, intervals, moments)
def test_turns_keep_their_place_in_the_interval_over_a_restart(name, interval, after):
    first = next_due(name, interval, after)

    assert next_due(name, interval, first) == pytest.approx(first + interval, abs=0.002)
    assert (first - phase_seconds(name, interval)) % interval == pytest.approx(0, abs=0.002) or (
        first - phase_seconds(name, interval)
    ) % interval == pytest.approx(interval, abs=0.002)


def test_many_pages_spread_over_the_interval():
    seconds = Counter(int(phase_seconds(f"page-{number}", 60)) for number in range(12_600))

    assert len(seconds) == 60
    assert max(seconds.values()) < 2 * 12_600 / 60


def test_a_start_makes_no_herd():
    scheduler = a_scheduler(*(a_target(f"page-{number}") for number in range(600)))

    assert len(scheduler.take(T0 + 1)) < 30


def test_every_page_is_due_once_in_each_interval():
    scheduler = a_scheduler(*(a_target(f"page-{number}") for number in range(40)))
    seen: Counter[str] = Counter()

    for second in range(1, 181):
        for due in scheduler.take(T0 + second):
            seen[due.target.id] += 1
            scheduler.done(due.target.id, T0 + second)

    assert set(seen.values()) == {3}
    assert len(seen) == 40


def test_what_is_not_due_is_not_taken():
    scheduler = a_scheduler(a_target())

    assert scheduler.take(first_due(scheduler) - 0.5) == []


def test_a_look_still_running_covers_its_next_turn():
    scheduler = a_scheduler(a_target())
    first = first_due(scheduler)
    scheduler.take(first)

    assert scheduler.take(first + 60.1) == []


def test_after_a_covered_turn_the_next_one_is_looked_at_again():
    scheduler = a_scheduler(a_target())
    first = first_due(scheduler)
    scheduler.take(first)
    scheduler.take(first + 60.1)

    scheduler.done("page", first + 70)

    assert [due.missed for due in scheduler.take(first + 120.1)] == [False]


def test_a_turn_slept_through_is_missed_once_and_never_queued():
    scheduler = a_scheduler(a_target())
    first = first_due(scheduler)

    late = scheduler.take(first + 3600.5)

    assert [due.missed for due in late] == [True]
    assert first_due(scheduler) > first + 3600.5


def test_a_change_is_looked_at_again_after_half_an_interval():
    scheduler = a_scheduler(a_target())
    first = first_due(scheduler)
    scheduler.take(first)

    scheduler.done("page", first + 15, confirm=True)

    extra = scheduler.take(first + 30)
    assert [(due.confirming, due.missed) for due in extra] == [(True, False)]
    assert first_due(scheduler) == pytest.approx(first + 60, abs=0.002)


def test_three_failing_looks_in_a_row_take_one_interval():
    scheduler = a_scheduler(a_target())
    first, clock, starts = first_due(scheduler), 0.0, []

    while len(starts) < 3:
        if scheduler.take(first + clock):
            starts.append(clock)
            scheduler.done("page", first + clock + 15, confirm=True)
        clock += 0.5

    assert starts[0] == 0
    assert starts[-1] <= 60.5


def test_an_extra_look_that_could_run_into_the_regular_one_is_left_out():
    scheduler = a_scheduler(a_target(interval=20))
    first = first_due(scheduler)
    scheduler.take(first)

    scheduler.done("page", first + 1, confirm=True)

    assert first_due(scheduler) == pytest.approx(first + 20, abs=0.002)


def test_a_late_extra_look_is_dropped_without_a_word():
    scheduler = a_scheduler(a_target())
    first = first_due(scheduler)
    scheduler.take(first)
    scheduler.done("page", first + 1, confirm=True)

    assert scheduler.take(first + 45) == []


def test_a_page_taken_off_the_list_is_not_looked_at_any_more():
    scheduler = a_scheduler(a_target("a"), a_target("b"))

    scheduler.load([a_target("b")], T0)

    assert {due.target.id for due in scheduler.take(T0 + 61)} == {"b"}
    assert len(scheduler) == 1


def test_loading_the_same_list_again_moves_nobody():
    scheduler = a_scheduler(a_target("a"), a_target("b"))
    before = scheduler.next_at()

    scheduler.load([a_target("a"), a_target("b")], T0 + 0.001)

    assert scheduler.next_at() == before


def test_a_changed_interval_and_address_count_from_the_next_turn():
    scheduler = a_scheduler(a_target())
    changed = ProbeTarget("page", "http://other.gd.example/", 10)

    scheduler.load([changed], T0)

    assert [due.target for due in scheduler.take(T0 + 10)] == [changed]


def test_the_end_of_a_look_at_a_page_gone_meanwhile_is_nothing():
    scheduler = a_scheduler(a_target())
    scheduler.load([], T0)

    scheduler.done("page", T0, confirm=True)

    assert scheduler.next_at() is None


@given(st.lists(st.tuples(st.floats(0.1, 90), st.booleans(), st.booleans()), max_size=60))
def test_a_page_never_has_two_looks_running_whatever_happens(steps):
    scheduler = a_scheduler(a_target())
    now, running = T0, 0
    for wait, ends, confirm in steps:
        now += wait
        running += sum(not due.missed for due in scheduler.take(now))
        assert running <= 1
        if ends and running:
            scheduler.done("page", now, confirm=confirm)
            running = 0
