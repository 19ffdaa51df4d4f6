import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.base import Condition
from mobile_pages.probe.flapping import FlapRule
from mobile_pages.probe.state import (
    Calmed,
    CameBack,
    Flapping,
    Rule,
    Voided,
    WentDown,
    from_dict,
    to_dict,
    void,
)
from tests.mobile_pages.probe.watches import Told, minute

FLAPS = Rule(flaps=FlapRule())


def damped(letters: str) -> Told:
    return Told(FLAPS).told(letters)


def of_kind(told: Told, *kinds: type) -> list[object]:
    return [one for one in told.events if isinstance(one, kinds)]


def test_four_flips_are_no_flapping():
    assert damped("ududu").state.flapping_since is None


def test_the_fifth_flip_in_fourteen_looks_is():
    told = damped("ududud")

    assert told.state.flapping_since == minute(5)
    assert of_kind(told, Flapping) == [Flapping(minute(5))]


def test_five_flips_in_fifteen_looks_are_not():
    assert damped("ud" + "u" * 7 + "d" + "uuuuu" + "du").state.flapping_since is None


def test_outages_meanwhile_are_marked_and_still_counted():
    told = damped("ududud" + "dd" + "uu" + "ddd")

    marked = of_kind(told, WentDown, CameBack)
    assert [one.flapping for one in marked] == [True, True, True]
    assert told.story() == [("up", 0), ("down", 5), ("up", 8), ("down", 10)]


def test_eight_looks_without_a_flip_end_it_where_they_began():
    told = damped("ududud" + "uuuuuuuuu")

    assert of_kind(told, Calmed) == [Calmed(minute(6), minute(14), Condition.UP)]
    assert told.state.flapping_since is None


def test_seven_do_not():
    assert damped("ududud" + "uuuuuuuu").state.flapping_since is not None


def test_a_page_that_stays_down_is_calm_too_and_says_so():
    told = damped("ududu" + "d" * 9)

    (calmed,) = of_kind(told, Calmed)
    assert (calmed.at, calmed.condition, calmed.cause) == (minute(5), Condition.DOWN, "timeout")


def test_after_the_calm_an_outage_is_one_of_its_own():
    told = damped("ududud" + "u" * 9 + "ddd")

    assert of_kind(told, WentDown)[-1].flapping is False


def test_looks_that_say_nothing_neither_flip_nor_calm():
    told = damped("u?d?u?d?u?d" + "?" * 20)

    assert told.state.flapping_since is not None


def test_slow_and_quick_are_both_open():
    assert damped("ugugugugug").state.flapping_since is None


def test_our_own_outage_takes_back_flapping_that_it_made():
    told = damped("u" * 6 + "dudud")

    told.take(void(told.state, minute(5), minute(11)))

    assert (told.state.flips, told.state.flapping_since) == (0, None)
    assert of_kind(told, Voided) == [Voided(minute(11), minute(10))]


def test_a_page_that_says_the_same_all_the_time_remembers_nothing_of_flips():
    assert {"flips", "flipped_at", "flapping_since"}.isdisjoint(to_dict(damped("u" * 30).state))


@pytest.mark.parametrize(("flips", "looks", "calm"), [(0, 14, 8), (15, 14, 8), (5, 14, 0)])
def test_senseless_rules_are_refused(flips, looks, calm):
    with pytest.raises(ValueError, match="flips"):
        FlapRule(flips, looks, calm)


@given(st.text("ugd?.", max_size=80))
def test_damping_changes_no_second_of_any_span(letters):
    assert damped(letters).spans() == Told().told(letters).spans()


@given(st.text("ud", max_size=80))
def test_flapping_is_where_five_of_the_last_fourteen_looks_flipped(letters):
    told = damped(letters)

    flips = [a != b for a, b in zip(letters, letters[1:], strict=False)]
    ever = any(sum(flips[max(0, i - 14) : i]) >= 5 for i in range(len(flips) + 1))
    assert bool(of_kind(told, Flapping)) == ever


@given(st.text("ud?", max_size=80))
def test_it_begins_and_ends_in_turns_and_survives_json(letters):
    told = damped(letters)

    turns = [type(one) for one in of_kind(told, Flapping, Calmed)]
    assert turns == [Flapping, Calmed] * (len(turns) // 2) + [Flapping] * (len(turns) % 2)
    assert (told.state.flapping_since is not None) == (len(turns) % 2 == 1)
    assert from_dict(json.loads(json.dumps(to_dict(told.state)))) == told.state


def test_the_start_of_a_watch_is_no_flip():
    assert damped("d").state.flips == 0
