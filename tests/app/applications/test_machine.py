"""Every move of the facts works, for those who may; every other is refused. Tried on real cases."""

from datetime import timedelta
from pathlib import Path

import yaml

from app.applications import service
from app.applications.service import Event, State, Told, Who
from app.core import db
from app.core.errors import DomainError
from tests.app.applications.builders import (
    LATER,
    WORDS,
    a_case,
    a_handler,
    a_head,
    a_supervisor,
    an_open_item,
    owner_of,
    row_of,
    version_of,
)
from tests.builders import NOW

FACTS = yaml.safe_load(Path("config/notice/state_machines.yaml").read_text(encoding="utf-8"))["application"]
LISTED = {(row[0], row[1], row[3]): row[2] for row in FACTS["t"]}


def attempt(case_id, event, who, people):
    """Try one move; return the state it led to, None when it was refused. Nothing stays."""
    owner, now, version = owner_of(case_id), NOW + timedelta(hours=1), version_of(case_id)
    said = Told(version=version, **WORDS.get(event, {}))
    if who in people:
        by = people[event] if who is Who.SUPERVISOR and event in people else people[who]
        act = lambda: service.step(by, case_id, event, said, now=now)  # noqa: E731
    elif who is Who.CLOCK:
        by_clock = {
            Event.DEEM_ACCEPT: service.deem_accepted,
            Event.SUPPLEMENT_OVERDUE: service.return_overdue,
        }
        act = lambda: by_clock[event](case_id, now=now + LATER)  # noqa: E731
    else:
        own = {
            Event.SUBMIT: lambda: service.submit(owner, case_id, version=version, now=now),
            Event.DISCARD: lambda: service.discard(owner, case_id, now=now),
            Event.WITHDRAW: lambda: service.withdraw(owner, case_id, version=version, now=now),
            Event.SUPPLY: lambda: service.supply(
                owner, case_id, {"employer": "示例工厂有限公司"}, {}, "", version=version, now=now
            ),
        }
        act = own[event]
    return tried(act, case_id)


def tried(act, case_id):
    with db.writing().begin_nested() as savepoint:
        try:
            act()
            row = row_of(case_id)
            return row.state if row.event_count > counted[case_id] else None
        except DomainError:
            return None
        finally:
            savepoint.rollback()


counted = {}
TRIES = {
    Who.RESIDENT: (Event.SUBMIT, Event.DISCARD, Event.WITHDRAW, Event.SUPPLY),
    Who.DEPARTMENT: tuple(Event),
    Who.SUPERVISOR: tuple(Event),
    Who.CLOCK: (Event.DEEM_ACCEPT, Event.SUPPLEMENT_OVERDUE),
}


def test_every_move_of_the_facts_works_and_no_other(context):
    item_id = db.transaction(an_open_item)
    cases = {state: db.transaction(lambda state=state: a_case(state, item_id=item_id)) for state in State}
    counted.update({case_id: row_of(case_id).event_count for case_id in cases.values()})
    people = db.transaction(
        lambda: {
            Who.DEPARTMENT: a_handler(cases[State.SUBMITTED]),
            Who.SUPERVISOR: a_supervisor(),
            Event.EXTEND: a_head(cases[State.HANDLING]),
            Event.SPECIAL_BEGIN: a_head(cases[State.HANDLING]),
        }
    )

    def every_try():
        for state, case_id in cases.items():
            for who, events in TRIES.items():
                for event in events:
                    yield (state, event, who), attempt(case_id, event, who, people)

    tries = db.transaction(lambda: dict(every_try()))

    expected = {(state, event, who): LISTED.get((state, event, who.value)) for state, event, who in tries}
    assert tries == expected
    assert len([to for to in tries.values() if to]) == len(FACTS["t"])
