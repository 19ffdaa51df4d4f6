"""The machine of the facts, case numbers, the lawful clock."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from app.applications import domain
from app.applications.clock import Pause, due_on, pause_to_json, pauses_from, used_days
from app.applications.domain import Event, MoveNotAllowed, State, Who
from app.core.working_time import calendar

FACTS = yaml.safe_load(Path("config/notice/state_machines.yaml").read_text(encoding="utf-8"))["application"]
CALENDAR = calendar()
days = st.dates(date(2016, 1, 1), date(2026, 6, 30))


def test_the_machine_is_that_of_the_facts():
    moves = {(move.state.value, move.event.value, move.to.value, move.who.value) for move in domain.MOVES}

    assert moves == {tuple(row[:4]) for row in FACTS["t"]}
    assert {state.value: label for state, label in domain.STATE_LABELS.items()} == FACTS["states"]
    assert {state.value for state in domain.ENDED} == set(FACTS["end"])


@pytest.mark.parametrize("state", list(State))
def test_nothing_is_allowed_that_the_facts_do_not_list(state):
    listed = {(row[0], row[1], row[3]) for row in FACTS["t"]}

    for event in Event:
        for who in Who:
            if (state.value, event.value, who.value) not in listed:
                with pytest.raises(MoveNotAllowed):
                    domain.move(state, event, who)


def test_a_number_says_where_when_and_how_it_was_made():
    number = domain.new_number("440106", date(2026, 3, 2), "3")

    assert number[:13] == "4401062603023"
    assert domain.is_number(number)


@given(st.integers(0, 20), st.integers(1, 9), st.integers(0, 10**7 - 1))
def test_one_wrong_digit_makes_no_number(place, more, serial):
    body = f"4401062603023{serial:07}"
    number = body + domain.check_digit(body)
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]

    assert not domain.is_number(wrong)


@pytest.mark.parametrize("text", ["", "1" * 20, "1" * 22, "４" * 21, "a" * 21])
def test_other_texts_are_no_numbers(text):
    assert not domain.is_number(text)


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        pytest.param(date(2026, 3, 2), 5, date(2026, 3, 9), id="over a weekend"),
        pytest.param(date(2026, 9, 30), 1, date(2026, 10, 8), id="over the National Day holiday"),
        pytest.param(date(2026, 2, 13), 1, date(2026, 2, 14), id="a Saturday that is worked on"),
        pytest.param(date(2026, 3, 7), 5, date(2026, 3, 13), id="received on a Saturday"),
        pytest.param(date(2026, 3, 2), 0, date(2026, 3, 2), id="on the spot"),
    ],
)
def test_limits_run_over_holidays_and_exchanged_weekends(start, limit, due):
    assert due_on(start, limit, [], CALENDAR) == due


@st.composite
def pauses(draw):
    began = draw(days)
    return Pause("实地核查", began, began + timedelta(days=draw(st.integers(0, 30))))


@settings(max_examples=50)
@given(days, st.integers(1, 30), st.lists(pauses(), max_size=3))
def test_a_limit_is_used_up_on_the_day_it_is_due(start, limit, stops):
    due = due_on(start, limit, stops, CALENDAR)

    assert used_days(start, due, stops, CALENDAR) == limit
    assert CALENDAR.is_workday(due)
    assert not any(stop.covers(due) for stop in stops)


@settings(max_examples=50)
@given(days, st.integers(1, 30), pauses())
def test_pauses_that_overlap_count_once_and_an_open_one_has_no_end(start, limit, stop):
    once, twice = due_on(start, limit, [stop], CALENDAR), due_on(start, limit, [stop, stop], CALENDAR)

    assert once == twice
    assert once >= due_on(start, limit, [], CALENDAR)
    assert due_on(start, limit, [Pause("听证", stop.began_on)], CALENDAR) is None


@given(st.lists(pauses(), max_size=3))
def test_pauses_are_stored_as_they_are(stops):
    assert pauses_from([pause_to_json(stop) for stop in stops]) == stops
