from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.base import Condition
from mobile_pages.probe.flapping import FlapRule
from mobile_pages.probe.holding import Hold, advance, disjoint
from mobile_pages.probe.state import Rule, Voided, WentDown
from mobile_pages.probe.uptime import Window, tally
from tests.mobile_pages.probe.watches import MINUTE, START, Told, minute

MAINTENANCE, PAUSED = Condition.MAINTENANCE, Condition.PAUSED


def holds(*stretches: tuple[float, float], condition: Condition = MAINTENANCE) -> tuple[Hold, ...]:
    return disjoint(Hold(minute(start), minute(end), condition) for start, end in stretches)


def some_holds() -> st.SearchStrategy[tuple[Hold, ...]]:
    one = st.builds(
        lambda start, length, condition: Hold(minute(start), minute(start + length), condition),
        st.integers(0, 80).map(lambda half: half / 2),
        st.integers(1, 30).map(lambda half: half / 2),
        st.sampled_from([MAINTENANCE, PAUSED]),
    )
    return st.lists(one, max_size=5).map(disjoint)


def test_a_window_is_held_to_the_second_between_looks():
    told = Told(holds=holds((2.25, 4.75))).told("uuuuuuu")

    assert told.story() == [("up", 0), ("maintenance", 2.25), ("unknown", 4.75), ("up", 5)]


def test_failures_in_it_are_no_outage():
    told = Told(holds=holds((1.5, 9))).told("u" + "d" * 8 + "uu")

    assert not [one for one in told.events if isinstance(one, WentDown)]


def test_a_window_noticed_late_takes_back_what_was_seen_since():
    told = Told().told("uudddd")
    told.holds = holds((1.5, 20))

    told.advanced(6)

    assert told.story() == [("up", 0), ("maintenance", 1.5)]
    assert told.events[-1] == Voided(minute(2), minute(2), "maintenance")
    assert told.state.incident is None


def test_a_window_missed_as_a_whole_is_laid_where_it_was():
    told = Told(Rule(longest_gap=3 * MINUTE)).told("uu")
    told.holds = holds((10, 20))

    told.advanced(30)

    assert told.story() == [("up", 0), ("unknown", 4), ("maintenance", 10), ("unknown", 20)]


def test_an_outage_that_began_before_stays_open():
    told = Told(holds=holds((4.5, 6.5))).told("udddd" + "..." + "d")

    assert told.state.incident.since == minute(1)
    assert told.story()[-1] == ("down", 8)


def test_a_cancelled_window_ends_where_it_was_cancelled():
    told = Told(holds=holds((2, 60))).told("uuuu")
    told.holds = holds((2, 5))

    told.told("....u")

    assert told.story() == [("up", 0), ("maintenance", 2), ("unknown", 5), ("up", 8)]


def test_a_window_nobody_knows_any_more_ends_now():
    told = Told(holds=holds((2, 60))).told("uuuu")
    told.holds = ()

    told.advanced(7)

    assert told.story()[-1] == ("unknown", 7)


def test_a_look_older_than_the_hold_does_not_end_it():
    told = Told(holds=holds((2, 60))).told("u").advanced(3)

    told.look("d", minute(1))

    assert told.state.hold is MAINTENANCE


def test_nothing_is_held_before_the_watch_began():
    told = Told(holds=(Hold(START - timedelta(days=1), minute(2), MAINTENANCE),)).told("...u")

    assert told.story() == [("maintenance", 0), ("unknown", 2), ("up", 3)]


def test_where_pause_and_maintenance_overlap_maintenance_counts():
    both = disjoint((*holds((1, 5), condition=PAUSED), *holds((3, 9))))

    assert [(one.start, one.end, one.condition) for one in both] == [
        (minute(1), minute(3), PAUSED),
        (minute(3), minute(9), MAINTENANCE),
    ]


def test_without_holds_nothing_is_touched():
    state = Told().told("uudd").state

    assert advance(state, (), minute(9), Rule(), begun_at=START).state is state


@pytest.mark.parametrize("end", [0, -1])
def test_a_hold_without_length_is_refused(end):
    with pytest.raises(ValueError, match="length"):
        Hold(minute(0), minute(end), MAINTENANCE)


@given(some_holds())
def test_disjoint_holds_lie_in_order_without_overlap(found):
    assert all(a.end <= b.start for a, b in zip(found, found[1:], strict=False))
    assert disjoint(found) == found


@given(st.text("ugd?.", min_size=1, max_size=60), some_holds())
def test_no_second_of_a_hold_is_ever_counted_up_or_down(letters, found):
    told = Told(Rule(flaps=FlapRule()), found).told(letters)
    now = minute(len(letters))
    told.take(advance(told.state, found, now, told.rule, begun_at=START))

    for one in found:
        within = Window(min(one.start, now), min(one.end, now))
        spent = tally(told.spans(), within)
        assert spent.maintenance + spent.paused == within.length


@given(st.text("ugd?.", min_size=1, max_size=60), some_holds(), st.integers(1, 9))
def test_spans_cover_all_time_once_however_late_holds_are_applied(letters, found, every):
    late = Told(holds=())
    for index, letter in enumerate(letters):
        late.told(letter)
        if index % every == 0:
            late.take(advance(late.state, found, minute(late.clock), late.rule, begun_at=START))

    spans = late.spans()
    assert spans[0].start == START
    assert [one.end for one in spans] == [one.start for one in spans[1:]] + [None]
    assert all(one.start < one.end for one in spans[:-1])


@given(st.text("ugd?.", min_size=1, max_size=60), some_holds())
def test_applying_holds_twice_changes_nothing(letters, found):
    told = Told(holds=found).told(letters)
    now = minute(told.clock)
    once = advance(told.state, found, now, told.rule, begun_at=START)

    again = advance(once.state, found, now, told.rule, begun_at=START)

    assert (again.state, again.spans, again.events) == (once.state, (), ())


@given(st.text("u.", min_size=1, max_size=60), st.integers(1, 5))
def test_time_without_looks_is_never_counted_as_up_beyond_the_longest_gap(letters, gap):
    told = Told(Rule(longest_gap=gap * MINUTE)).told(letters + "." * 9 + "u")

    end = minute(told.clock - 1)
    spent = tally(told.spans(), Window(START, end))
    seen = [index for index, letter in enumerate(letters) if letter == "u"]
    closer = [min(gap, after - at) for at, after in zip(seen, [*seen[1:], told.clock - 1], strict=False)]
    assert spent.up == sum(closer) * MINUTE
