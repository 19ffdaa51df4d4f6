"""The machine: to the letter of the facts, and right for every way sub-cases may end."""

import random
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from app.themes import domain
from app.themes.domain import ENDED, LEFT, MOVES, STATE_LABELS, Event, MoveNotAllowed, PartStatus, State, Who

FACTS = yaml.safe_load(Path("config/notice/state_machines.yaml").read_text(encoding="utf-8"))[
    "theme_application"
]
OUTCOMES = [PartStatus.GRANTED, PartStatus.REFUSED, PartStatus.WITHDRAWN]


def test_the_table_is_the_one_of_the_facts():
    told = {tuple(row[:4]) for row in FACTS["t"]}

    assert {(one.state.value, one.event.value, one.to.value, one.who.value) for one in MOVES} == told
    assert {state.value: label for state, label in STATE_LABELS.items()} == FACTS["states"]
    assert {state.value for state in ENDED} == set(FACTS["end"])


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", list(Event))
def test_what_the_facts_do_not_list_cannot_happen(state, event):
    listed = {(one.state, one.event): one for one in MOVES}.get((state, event))

    for who in Who:
        if listed is not None and listed.who is who:
            assert domain.move(state, event, who).to is listed.to
        else:
            with pytest.raises(MoveNotAllowed):
                domain.move(state, event, who)


@st.composite
def graphs(draw):
    """Return needs of up to five items; each may wait for earlier ones only."""
    items = [f"T{number}" for number in range(draw(st.integers(1, 5)))]
    return {
        item: frozenset(draw(st.sets(st.sampled_from(items[:place])))) if place else frozenset()
        for place, item in enumerate(items)
    }


def settle(state, statuses, needs):
    """Do with statuses what following does; return the state and the events."""
    for item in domain.lost(statuses, needs):
        statuses[item] = PartStatus.RETURNED
    opened = domain.ready(statuses, needs)
    for item in opened:
        statuses[item] = PartStatus.OPEN
    fresh, events = bool(opened), []
    while event := domain.next_event(state, statuses, needs, opened=fresh):
        state = domain.move(state, event, Who.CLOCK).to
        events.append(event)
        fresh = False
    return state, events


@settings(max_examples=120, deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_whatever_the_parts_come_to_the_theme_ends_and_says_what_is_true(needs, chance: random.Random):
    statuses = dict.fromkeys(needs, PartStatus.WAITING)
    state, _ = settle(State.SPLIT, statuses, needs)

    while state not in ENDED:
        at_once = [item for item, status in statuses.items() if status is PartStatus.OPEN]
        assert at_once
        for item in chance.sample(at_once, chance.randint(1, len(at_once))):
            statuses[item] = chance.choice(OUTCOMES)
        state, _ = settle(state, statuses, needs)
        assert settle(state, statuses, needs)[1] == []

    assert not LEFT & set(statuses.values())
    assert (state is State.COMPLETED) == (set(statuses.values()) == {PartStatus.GRANTED})
    for item, status in statuses.items():
        if status is PartStatus.RETURNED:
            assert any(statuses[one] is not PartStatus.GRANTED for one in needs[item])


@settings(max_examples=120, deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_nothing_is_opened_before_all_it_waits_for_is_granted(needs, chance: random.Random):
    statuses = dict.fromkeys(needs, PartStatus.WAITING)
    state, _ = settle(State.SPLIT, statuses, needs)

    while state not in ENDED:
        for item, status in statuses.items():
            if status is PartStatus.OPEN:
                assert all(statuses[one] is PartStatus.GRANTED for one in needs[item])
        active = [item for item, status in statuses.items() if status is PartStatus.OPEN]
        statuses[chance.choice(active)] = chance.choice(OUTCOMES)
        state, _ = settle(state, statuses, needs)
