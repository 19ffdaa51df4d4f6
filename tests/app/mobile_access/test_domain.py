from pathlib import Path

import pytest
import yaml
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.mobile_access.domain import (
    EVENT_LABELS,
    MOVES,
    STATE_LABELS,
    THEME_LABELS,
    Event,
    MoveNotAllowed,
    State,
    Theme,
    events_from,
    move,
)

NOTICE = Path(__file__).parents[3] / "config" / "notice" / "state_machines.yaml"


def the_machine():
    return yaml.safe_load(NOTICE.read_text(encoding="utf-8"))["mobile_page"]


def test_the_table_of_moves_is_the_one_of_the_notice():
    listed = [tuple(row[:4]) for row in the_machine()["t"]]

    assert [(step.state, step.event, step.to, step.who) for step in MOVES] == listed


def test_states_and_their_names_are_those_of_the_notice():
    assert {state.value: label for state, label in STATE_LABELS.items()} == the_machine()["states"]


def test_a_page_begins_registered_and_nothing_leads_out_of_retirement():
    machine = the_machine()

    assert machine["start"] == State.REGISTERED
    assert [state for state in State if not events_from(state)] == machine["end"]


def test_every_event_and_theme_has_a_chinese_name():
    assert set(EVENT_LABELS) == set(Event)
    assert set(THEME_LABELS) == set(Theme)
    assert len(set(THEME_LABELS.values())) == len(Theme)


def test_a_refused_move_names_the_state_in_chinese():
    with pytest.raises(MoveNotAllowed, match="检测中.*审核通过"):
        move(State.CHECKING, Event.APPROVE)


class LifeOfAPage(RuleBasedStateMachine):
    """Throws every event at a page in any order."""

    def __init__(self):
        super().__init__()
        self.state = State.REGISTERED
        self.trail = [State.REGISTERED]

    @rule(event=st.sampled_from(Event))
    def happen(self, event):
        if event in events_from(self.state):
            self.state = move(self.state, event).to
            self.trail.append(self.state)
        else:
            with pytest.raises(MoveNotAllowed):
                move(self.state, event)

    @invariant()
    def nobody_is_online_without_a_check_and_a_review(self):
        if State.ONLINE in self.trail:
            first = self.trail.index(State.ONLINE)
            assert self.trail[first - 2 : first] == [State.CHECKING, State.PASSED]

    @invariant()
    def a_retired_page_stays_retired(self):
        assert State.RETIRED not in self.trail[:-1]


TestLifeOfAPage = LifeOfAPage.TestCase
