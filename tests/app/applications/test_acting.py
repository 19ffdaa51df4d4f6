"""Applying for others: who may, for which items, on which days, and who sees what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from app.applications import service
from app.applications.models import Application
from app.applications.service import AnswersRefused, Channel, State
from app.core import audit, clock, db
from app.core.clock import day_of
from app.core.errors import Forbidden, Invalid, NotFound
from app.identity import service as identity
from app.notices import service as notices
from tests.app.applications.builders import an_open_item, version_of
from tests.app.catalogue.builders import good_answers
from tests.app.identity.people_builders import COMPANY, LI, a_person, a_register, an_offer, set_up, somebody

NOW = clock.system_clock()
TODAY = day_of(NOW)
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def register():
    with a_register() as running:
        yield running


@pytest.fixture
def by(register, app, context):
    with set_up(app, register):
        db.transaction(lambda: notices.ensure_standard(now=NOW))
        yield register.provider()


@dataclass
class Pair:
    principal: int
    agent: int
    delegation: int
    item: int


def do(work, *args, **details):
    return db.transaction(lambda: work(*args, **details))


def a_pair(by, **offer):
    principal, agent = a_person(by), a_person(by, LI)
    delegation_id = do(identity.give_delegation, principal, an_offer(**offer), now=NOW)
    do(identity.accept_delegation, agent, delegation_id, now=NOW)
    return Pair(principal, agent, delegation_id, do(an_open_item))


def begin(pair, *, fill=True):
    started = do(
        service.start_draft,
        pair.agent,
        pair.item,
        on_behalf_of=pair.delegation,
        channel=Channel.WECHAT,
        now=NOW,
    )
    if fill:
        ways = {"m2": "promise"}
        do(service.save_draft, pair.agent, started.id, good_answers(), materials=ways, version=1, now=NOW)
    return started.id


def submit(resident_id, case_id, **details):
    do(service.submit, resident_id, case_id, version=version_of(case_id), now=NOW, **details)


def test_the_case_is_the_principals_and_says_who_acted(by):
    pair = a_pair(by)
    case_id = begin(pair)

    submit(pair.agent, case_id)

    seen = service.my_case(pair.principal, case_id)
    assert (seen.state, seen.acting) == (State.SUBMITTED, "由**示代办")
    assert [one.id for one in service.mine(pair.principal).items] == [case_id]
    assert [one.id for one in service.mine(pair.agent, acting=True).items] == [case_id]
    assert service.mine(pair.agent).items == []
    assert audit.history("application", case_id)[0].actor == identity.actor_of(pair.agent)
    assert notices.messages(pair.principal).items != []


def test_a_delegation_that_ended_stops_the_agent_at_once(by):
    pair = a_pair(by)
    case_id = begin(pair)
    do(identity.end_delegation, pair.principal, pair.delegation, now=NOW)

    with pytest.raises(NotFound):
        submit(pair.agent, case_id)
    with pytest.raises(NotFound):
        service.my_case(pair.agent, case_id)
    with pytest.raises(Forbidden):
        begin(pair)
    assert service.mine(pair.agent, acting=True).items == []
    submit(pair.principal, case_id)


def test_a_delegation_counts_on_its_days_only(by):
    pair = a_pair(by, days=30)
    case_id = begin(pair)

    assert service.my_case(pair.agent, case_id, on=TODAY + timedelta(days=30)).id == case_id
    with pytest.raises(NotFound):
        service.my_case(pair.agent, case_id, on=TODAY + timedelta(days=31))


def test_a_delegation_counts_for_its_items_only(by):
    pair = a_pair(by, scope=(4711,))

    with pytest.raises(Forbidden):
        begin(pair)


def test_somebody_elses_delegation_is_no_right(by):
    pair = a_pair(by)
    case_id = begin(pair)
    pair.agent, stranger = somebody(), pair.agent

    with pytest.raises(Forbidden):
        begin(pair)
    with pytest.raises(NotFound):
        service.my_case(pair.agent, case_id)
    assert service.my_case(stranger, case_id).id == case_id


def test_what_the_hall_knows_of_the_principal_is_not_the_agents_to_see(by):
    pair = a_pair(by)
    case_id = begin(pair, fill=False)

    done = do(service.prefill, pair.agent, case_id, version=1, now=NOW)

    assert done.filled == []


def test_one_goes_on_with_ones_own_draft_beside_that_for_another(by):
    pair = a_pair(by)
    theirs = begin(pair)

    own = do(service.start_draft, pair.agent, pair.item, channel=Channel.WECHAT, now=NOW)

    assert own.id != theirs
    assert not own.continued
    assert begin(pair, fill=False) == theirs


def test_an_enterprise_applies_through_its_people_who_stand_in_for_each_other(by):
    chief, clerk = a_person(by), a_person(by, LI)
    enterprise_id = identity.verify_enterprise(chief, *COMPANY, by=by, now=NOW)
    kind = identity.DelegationKind.CLERK
    offer = an_offer(kind=kind, enterprise_id=enterprise_id)
    delegation_id = do(identity.give_delegation, chief, offer, now=NOW)
    do(identity.accept_delegation, clerk, delegation_id, now=NOW)
    case_id = begin(Pair(chief, clerk, delegation_id, do(an_open_item)))

    submit(clerk, case_id)

    assert service.my_case(clerk, case_id).acting == f"以“{COMPANY[1]}”的名义申请"
    assert service.my_case(chief, case_id).enterprise
    assert [one.id for one in service.mine(clerk, acting=True).items] == [case_id]
    assert service.mine(clerk).items == []
    do(identity.end_delegation, chief, delegation_id, now=NOW)
    with pytest.raises(NotFound):
        service.my_case(clerk, case_id)


def test_one_applies_in_one_go_for_oneself_and_for_another(by):
    pair = a_pair(by)
    ways = {"m2": "promise"}
    agent = identity.may_act(pair.agent, pair.delegation, directory_id=1, on=TODAY)
    told = {"channel": Channel.OTHER, "now": NOW}

    own = do(service.apply_with, pair.principal, pair.item, good_answers(), ways, **told)
    theirs = do(service.apply_with, pair.agent, pair.item, good_answers(), ways, agent=agent, **told)

    rows = {one: db.session().get_one(Application, one) for one in (own, theirs)}
    assert {one.resident_id for one in rows.values()} == {pair.principal}
    assert [rows[own].agent_id, rows[theirs].agent_id] == [None, pair.agent]
    assert {one.state for one in rows.values()} == {State.SUBMITTED}


@pytest.mark.parametrize(
    ("answers", "ways", "variant", "error"),
    [
        pytest.param({"since": "2090-01-01"}, {"m2": "promise"}, "", AnswersRefused, id="a wrong answer"),
        pytest.param({"rooms": 3}, {"m2": "promise"}, "", AnswersRefused, id="an answer nobody asked for"),
        pytest.param({}, {}, "", AnswersRefused, id="a material missing"),
        pytest.param({}, {"m2": "upload"}, "", AnswersRefused, id="a way that is none"),
        pytest.param({}, {"m2": "promise"}, "gone", Invalid, id="no such variant"),
    ],
)
def test_what_does_not_fit_leaves_nothing(by, answers, ways, variant, error):
    me, item_id = somebody(), do(an_open_item)

    with pytest.raises(error):
        do(
            service.apply_with,
            me,
            item_id,
            good_answers(**answers),
            ways,
            variant=variant,
            channel=Channel.WAP,
            now=NOW,
        )

    assert service.mine(me).items == []
