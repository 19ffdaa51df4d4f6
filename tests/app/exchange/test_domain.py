"""The exchange's machines, fields and ladder are those of the facts."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from app.core.errors import Conflict
from app.exchange.domain import (
    LADDER,
    MESSAGE_MOVES,
    OUT_MOVES,
    MessageEvent,
    MessageState,
    OutEvent,
    OutState,
    SystemEvent,
    SystemMoveNotAllowed,
    SystemState,
    message_after,
    move_system,
    next_try,
    out_after,
)
from config import exchange
from tests.builders import NOW

MACHINES = yaml.safe_load(Path("config/notice/state_machines.yaml").read_text(encoding="utf-8"))
FACTS = yaml.safe_load(exchange.FACTS.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "moves", "states"),
    [
        pytest.param("inbound_message", MESSAGE_MOVES, MessageState, id="from departments"),
        pytest.param("outbound_message", OUT_MOVES, OutState, id="to departments"),
    ],
)
def test_the_machine_is_the_facts_machine(name, moves, states):
    facts = MACHINES[name]

    assert {one.value for one in states} == set(facts["states"])
    assert [[one.state, one.event, one.to, one.who] for one in moves] == [one[:4] for one in facts["t"]]


def test_no_move_that_the_facts_do_not_list_is_made():
    tries = [(state, event) for state in MessageState for event in MessageEvent]
    more = [(state, event) for state in OutState for event in OutEvent]

    made = sum(worked(message_after, *one) for one in tries) + sum(worked(out_after, *one) for one in more)

    assert made == len(MESSAGE_MOVES) + len(OUT_MOVES)


def worked(machine, state, event):
    try:
        machine(state, event)
    except Conflict:
        return False
    return True


def test_every_field_of_the_facts_and_no_other_may_be_sent():
    common = set(FACTS["common"]) - {exchange.RESERVED} | {f"BYZD{one}" for one in "ABCD"}

    for told in FACTS["messages"]:
        spec = exchange.standard().messages[told["sptype"]]
        assert (spec.code, spec.name) == (told["code"], told["name"])
        assert set(spec.fields) == common | set(told["fields"])


def test_code_sets_are_those_of_the_facts():
    fields = exchange.standard().messages[2].fields

    assert fields["SLZTDM"].codes == FACTS["code_sets"]["accept_gd"]["values"]


def test_result_codes_of_two_systems_stay_apart():
    results = exchange.standard().results

    clashing = {code for code in results["gd"] if results["gd"][code] != results["inspur"][code]}
    assert clashing == {"1", "5", "6"}
    assert all(set(results[name]) == set(FACTS["code_sets"][f"result_{name}"]["values"]) for name in results)


def test_the_run_has_thirty_cases_or_more_and_each_message_among_them():
    _, cases = exchange.golden()

    sent = {one.message.get("kind") for one in cases if one.how == "send"}
    assert len(cases) >= 30
    assert sent == {one["code"] for one in FACTS["messages"]}
    assert len({one.code for one in cases}) == len(cases)


def test_the_ladder_climbs_a_little_off_the_even_and_ends():
    waits = [next_try(attempt, NOW) - NOW for attempt in range(1, 7)]

    assert all(0.9 * step <= wait <= 1.1 * step for wait, step in zip(waits, LADDER, strict=True))
    assert LADDER[-1] == timedelta(hours=20)
    assert next_try(7, NOW) is None


def test_a_system_goes_live_only_after_it_passed():
    with pytest.raises(SystemMoveNotAllowed):
        move_system(SystemState.TESTING, SystemEvent.GO_LIVE)

    assert move_system(SystemState.PASSED, SystemEvent.GO_LIVE) is SystemState.LIVE


def test_the_guide_tells_how_many_cases_there_are():
    guide = Path("docs/exchange.md").read_text(encoding="utf-8")

    assert f"共 {len(exchange.golden()[1])} 项" in guide
