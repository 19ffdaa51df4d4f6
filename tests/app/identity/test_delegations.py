"""Acting for others: given, accepted, in force on its days and for its items, ended by either side."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from app.core import audit, clock, db, vault
from app.core.clock import day_of
from app.core.errors import Invalid, NotFound
from app.identity import enterprises, service
from app.identity.delegations import represent
from app.identity.service import DelegationKind, DelegationState, IdKind
from tests.app.identity.people_builders import (
    CHEN,
    COMPANY,
    HE,
    LI,
    NUMBERS,
    a_person,
    a_register,
    an_offer,
    set_up,
    somebody,
)

NOW = clock.system_clock
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
TODAY = day_of(NOW())
PASSPORT_ITEM, OTHER_ITEM = 41, 42


@pytest.fixture(scope="module")
def register():
    with a_register() as running:
        yield running


@pytest.fixture
def by(register, app, context):
    with set_up(app, register):
        yield register.provider()


def give(principal, offer):
    return db.transaction(lambda: service.give_delegation(principal, offer, now=NOW()))


def accept(agent, delegation_id, *, now=None):
    db.transaction(lambda: service.accept_delegation(agent, delegation_id, now=now or NOW()))


def end(resident_id, delegation_id):
    db.transaction(lambda: service.end_delegation(resident_id, delegation_id, now=NOW()))


def in_force(by, offer=None):
    """Return a principal, an agent, and the delegation between them."""
    principal, agent = a_person(by), a_person(by, LI)
    delegation_id = give(principal, offer or an_offer())
    accept(agent, delegation_id)
    return principal, agent, delegation_id


def may(agent, delegation_id, *, item=PASSPORT_ITEM, on=None):
    return service.may_act(agent, delegation_id, directory_id=item, on=on or TODAY)


def test_what_was_accepted_lets_the_agent_act_and_names_the_principal(by):
    principal, agent, delegation_id = in_force(by)

    found = may(agent, delegation_id)

    assert (found.kind, found.id, found.name) == ("resident", principal, CHEN[2])
    assert service.acting_for(agent, on=TODAY) == [found]
    assert service.acting_for(principal, on=TODAY) == []


def test_what_was_only_offered_lets_nobody_act(by):
    principal, agent = a_person(by), a_person(by, LI)
    delegation_id = give(principal, an_offer())

    assert may(agent, delegation_id) is None
    assert [one.mine_to_give for one in service.delegations(agent)] == [False]
    assert [one.agent_name for one in service.delegations(principal)] == ["**示"]


def test_an_offer_waits_for_an_agent_whom_the_hall_does_not_know_yet(by):
    delegation_id = give(a_person(by), an_offer())

    accept(agent := a_person(by, LI), delegation_id)

    assert may(agent, delegation_id) is not None


def test_an_offer_under_another_name_is_nobodys(by):
    principal, agent = a_person(by), a_person(by, LI)
    delegation_id = give(principal, an_offer((*LI[:2], "王演示")))

    assert service.delegations(agent) == []
    with pytest.raises(NotFound):
        accept(agent, delegation_id)


@pytest.mark.parametrize("who", ["a stranger", "somebody without a name", "the principal"])
def test_what_was_offered_to_another_is_not_there(by, who):
    principal = a_person(by)
    delegation_id = give(principal, an_offer())
    one = {"a stranger": lambda: a_person(by, HE), "the principal": lambda: principal}.get(who, somebody)()

    with pytest.raises(NotFound):
        accept(one, delegation_id)
    with pytest.raises(NotFound):
        db.transaction(lambda: service.decline_delegation(one, delegation_id, now=NOW()))


def test_strangers_neither_see_nor_end_it(by):
    _, _, delegation_id = in_force(by)
    stranger = a_person(by, HE)

    assert may(stranger, delegation_id) is None
    with pytest.raises(NotFound):
        service.delegation(stranger, delegation_id)
    with pytest.raises(NotFound):
        end(stranger, delegation_id)


def test_a_scope_holds_for_its_items_only(by):
    _, agent, delegation_id = in_force(by, an_offer(scope=(PASSPORT_ITEM,)))

    assert may(agent, delegation_id) is not None
    assert may(agent, delegation_id, item=OTHER_ITEM) is None


@pytest.mark.parametrize(("offset", "holds"), [(4, False), (5, True), (35, True), (36, False)])
def test_the_dates_are_asked_at_every_use(by, offset, holds):
    start = TODAY + timedelta(days=5)
    _, agent, delegation_id = in_force(by, an_offer(today=start))

    assert (may(agent, delegation_id, on=TODAY + timedelta(days=offset)) is not None) == holds


@pytest.mark.parametrize("side", [0, 1], ids=["principal", "agent"])
def test_either_side_ends_it_at_once(by, side):
    both = in_force(by)
    delegation_id = both[2]

    end(both[side], delegation_id)

    assert may(both[1], delegation_id) is None
    assert service.delegation(both[0], delegation_id).state is DelegationState.ENDED
    with pytest.raises(service.NotAllowedNow):
        end(both[0], delegation_id)


def test_an_agent_who_declined_cannot_accept_later(by):
    principal, agent = a_person(by), a_person(by, LI)
    delegation_id = give(principal, an_offer())
    db.transaction(lambda: service.decline_delegation(agent, delegation_id, now=NOW()))

    with pytest.raises(service.NotAllowedNow):
        accept(agent, delegation_id)

    assert service.delegation(principal, delegation_id).state is DelegationState.DECLINED


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"starts_on": TODAY - timedelta(days=1)}, "starts_on", id="began yesterday"),
        pytest.param({"ends_on": TODAY - timedelta(days=1)}, "ends_on", id="ends before it begins"),
        pytest.param({"ends_on": TODAY + timedelta(days=2000)}, "ends_on", id="for five years"),
        pytest.param({"kind": DelegationKind.CLERK}, "kind", id="a clerk of no enterprise"),
        pytest.param({"kind": DelegationKind.LEGAL}, "kind", id="by law"),
        pytest.param({"scope": tuple(range(101))}, "scope", id="too many items"),
        pytest.param({"agent_number": "123"}, "number", id="no number"),
        pytest.param({"agent_name": "李1"}, "name", id="no name"),
        pytest.param({"agent_number": CHEN[1], "agent_name": CHEN[2]}, "agent_number", id="to oneself"),
    ],
)
def test_an_offer_that_will_not_do_says_where(by, changes, field):
    with pytest.raises(Invalid) as caught:
        give(a_person(by), an_offer(**changes))

    assert list(caught.value.fields) == [field]
    assert vault.find("real_name", LI[2]) == []


def test_nobody_gives_without_a_name(by):
    with pytest.raises(NotFound):
        give(somebody(), an_offer())


def test_one_gives_fifty_at_most(by):
    principal = a_person(by)
    for _ in range(50):
        give(principal, an_offer())

    with pytest.raises(service.NotAllowedNow):
        give(principal, an_offer())


def test_the_legal_representative_acts_for_the_enterprise_and_sends_clerks(by):
    legal, clerk = a_person(by), a_person(by, LI)
    enterprise_id = service.verify_enterprise(legal, *COMPANY, by=by, now=NOW())
    offer = an_offer(kind=DelegationKind.CLERK, enterprise_id=enterprise_id)
    delegation_id = give(legal, offer)
    accept(clerk, delegation_id)

    own = service.acting_for(legal, on=TODAY + timedelta(days=5000))
    sent = may(clerk, delegation_id)

    assert [(one.kind, one.id, one.name) for one in own] == [("enterprise", enterprise_id, COMPANY[1])]
    assert (sent.kind, sent.id, sent.name) == ("enterprise", enterprise_id, COMPANY[1])


def test_nobody_else_speaks_for_the_enterprise(by):
    enterprise_id = service.verify_enterprise(a_person(by), *COMPANY, by=by, now=NOW())
    clerk = a_person(by, LI)

    with pytest.raises(NotFound):
        give(clerk, an_offer(HE, kind=DelegationKind.CLERK, enterprise_id=enterprise_id))


def test_the_representatives_own_right_is_not_ended_by_hand(by):
    legal = a_person(by)
    service.verify_enterprise(legal, *COMPANY, by=by, now=NOW())
    own = service.acting_for(legal, on=TODAY)[0]

    with pytest.raises(NotFound):
        end(legal, own.delegation_id)


def test_closing_one_of_two_merged_accounts_leaves_the_rights_with_the_other(by):
    legal = a_person(by)
    enterprise_id = service.verify_enterprise(legal, *COMPANY, by=by, now=NOW())
    offered = give(legal, an_offer())
    other = a_person(by)
    link_id = service.links(other)[0].id
    for one in (legal, other):
        db.transaction(partial(service.prove_link, one, 2, link_id, now=NOW()))
    db.transaction(lambda: service.merge_proved(NOW()))

    db.transaction(lambda: service.close(legal, now=NOW()))

    assert [one.id for one in service.acting_for(other, on=TODAY)] == [enterprise_id]
    assert service.delegation(other, offered).state is DelegationState.OFFERED


def test_another_representative_takes_the_place_of_the_first(by):
    legal, later = a_person(by), a_person(by, LI)
    enterprise_id = service.verify_enterprise(legal, *COMPANY, by=by, now=NOW())

    db.transaction(lambda: enterprises.register(later, *COMPANY, now=NOW()))
    db.transaction(lambda: represent(later, enterprise_id, now=NOW()))

    assert service.acting_for(legal, on=TODAY) == []
    assert [one.id for one in service.acting_for(later, on=TODAY)] == [enterprise_id]


def test_a_second_account_of_the_representative_takes_nothing_from_the_first(by):
    legal, second = a_person(by), a_person(by)

    for one in (legal, second, legal):
        service.verify_enterprise(one, *COMPANY, by=by, now=NOW())

    assert [len(service.acting_for(one, on=TODAY)) for one in (legal, second)] == [1, 1]


def test_closing_an_account_ends_what_it_gave_and_may_do(by):
    principal, agent, delegation_id = in_force(by)

    db.transaction(lambda: service.close(principal, now=NOW()))

    assert may(agent, delegation_id) is None
    assert service.delegation(agent, delegation_id).state is DelegationState.ENDED


def test_offers_and_rights_whose_time_is_over_are_marked_so(by):
    principal, _, delegation_id = in_force(by)
    offered = give(principal, an_offer(days=300))
    later = NOW() + timedelta(days=40)

    assert db.transaction(lambda: service.expire_delegations(later)) == 2

    states = {one.id: one.state for one in service.delegations(principal)}
    assert states == {delegation_id: DelegationState.EXPIRED, offered: DelegationState.EXPIRED}


def test_an_offer_is_answered_within_thirty_days(by):
    principal, agent = a_person(by), a_person(by, LI)
    delegation_id = give(principal, an_offer(days=300))

    with pytest.raises(service.NotAllowedNow):
        accept(agent, delegation_id, now=NOW() + timedelta(days=31))


def test_every_change_is_in_the_audit_trail_without_names(by):
    principal, _, delegation_id = in_force(by)
    end(principal, delegation_id)

    lines = audit.history("delegation", delegation_id)
    assert [one.action for one in lines][::-1] == [f"delegation.{one}" for one in ("give", "accept", "end")]
    assert [one for one in (*NUMBERS, CHEN[2], LI[2]) if one in str(lines)] == []


def test_a_number_of_another_kind_is_another_person(by):
    principal, agent = a_person(by), a_person(by, LI)

    give(principal, an_offer((IdKind.FOREIGN_PERMANENT, "ABC440123850707", LI[2])))

    assert service.delegations(agent) == []
