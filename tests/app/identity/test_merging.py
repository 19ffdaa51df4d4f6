"""Two accounts of one person: proposed, proved from both, merged by the clock, parted by staff."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import audit, clock, db
from app.core.errors import DomainError, Invalid, LevelTooLow, NotFound
from app.core.outbox import JobRow
from app.core.runner import Worker
from app.identity import jobs, service, sessions
from app.identity.people_domain import LINK_MOVES, LinkEvent
from app.identity.people_models import AccountLink
from app.identity.service import LinkState
from tests.app.identity.builders import a_session
from tests.app.identity.people_builders import (
    CHEN,
    LI,
    a_person,
    a_register,
    an_old_account,
    set_up,
    somebody,
)

NOW = clock.system_clock
JOBS = {one.name: one.run for one in jobs.JOBS}
REASON = "两个人共用一部手机，弄错了"
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def register():
    with a_register() as running:
        yield running


@pytest.fixture
def by(register, app, context):
    with set_up(app, register):
        yield register.provider()


def two_accounts(by):
    """Return two accounts of one person, and the merger that was proposed."""
    first, second = a_person(by), a_person(by)
    return first, second, service.links(second)[0].id


def prove(resident_id, link_id, *, now=None, level=2):
    return db.transaction(lambda: service.prove_link(resident_id, level, link_id, now=now or NOW()))


def merged(by):
    first, second, link_id = two_accounts(by)
    prove(first, link_id)
    prove(second, link_id)
    db.transaction(lambda: service.merge_proved(NOW()))
    return first, second, link_id


def undo(link_id, *, reason=REASON, release=None, version=None):
    row = service.merged_link(link_id)
    known = row.version if version is None else version

    def work():
        service.undo_link(link_id, version=known, reason=reason, release=release, actor="staff:1", now=NOW())

    db.transaction(work)


def state(link_id):
    return db.session().get(AccountLink, link_id, populate_existing=True).state


def test_a_second_account_of_a_person_is_proposed_to_be_merged_and_sees_nothing_yet(by):
    first, second, link_id = two_accounts(by)

    assert service.accounts_of(second) == (second,)
    assert [(one.other_id, one.state) for one in service.links(first)] == [(second, LinkState.PROPOSED)]
    assert service.link(second, link_id).expires_at > NOW() + timedelta(days=6)


def test_it_is_merged_by_the_clock_once_both_accounts_agreed(by):
    first, second, link_id = two_accounts(by)

    assert prove(first, link_id) is LinkState.PROPOSED
    assert prove(second, link_id) is LinkState.PROVED
    assert service.accounts_of(first) == (first,)
    assert db.session().query(JobRow).filter_by(name="identity.merge-proved").count() == 1
    assert db.transaction(lambda: service.merge_proved(NOW())) == 1

    assert (service.accounts_of(first), service.accounts_of(second)) == ((first, second), (second, first))


def test_the_worker_merges_and_ends_what_is_over(by, app):
    first, second, link_id = two_accounts(by)
    for one in (first, second):
        prove(one, link_id)

    Worker(app, app.extensions["hall_jobs"]).drain()
    JOBS["identity.forget-expired"]({})

    assert service.accounts_of(first) == (first, second)


def test_one_account_that_agrees_twice_is_not_both(by):
    _, second, link_id = two_accounts(by)

    assert [prove(second, link_id) for _ in range(2)] == [LinkState.PROPOSED] * 2


def test_only_the_two_accounts_know_of_the_proposal(by):
    _, _, link_id = two_accounts(by)
    stranger = a_person(by, LI)

    with pytest.raises(NotFound):
        prove(stranger, link_id)
    with pytest.raises(NotFound):
        service.link(stranger, link_id)


def test_a_session_that_is_not_sure_who_it_is_proves_nothing(by):
    first, _, link_id = two_accounts(by)

    with pytest.raises(LevelTooLow) as caught:
        prove(first, link_id, level=1)

    assert caught.value.level_needed == 2


def test_a_proposal_whose_time_is_over_is_no_good_and_verifying_again_makes_a_new_one(by):
    first, second, link_id = two_accounts(by)
    later = NOW() + timedelta(days=7, seconds=1)

    with pytest.raises(service.LinkExpired):
        prove(first, link_id, now=later)
    assert db.transaction(lambda: service.expire_links(later)) == 1
    service.verify_name(second, *CHEN, by=by, now=later)

    assert state(link_id) is LinkState.EXPIRED
    assert [one.state for one in service.links(second)] == [LinkState.PROPOSED]


def test_verifying_twice_proposes_once_and_never_an_account_to_itself(by):
    _, second, link_id = two_accounts(by)

    service.verify_name(second, *CHEN, by=by, now=NOW())

    assert [one.id for one in service.links(second)] == [link_id]


def test_a_third_account_gets_one_proposal_for_the_two_that_are_merged(by):
    first, second, _ = merged(by)

    third = a_person(by)
    link = service.links(third)[0]
    prove(third, link.id)
    prove(link.other_id, link.id)
    db.transaction(lambda: service.merge_proved(NOW()))

    assert len(service.links(third)) == 1
    assert set(service.accounts_of(second)) == {first, second, third}


def test_staff_part_two_accounts_and_each_keeps_its_own(by):
    first, second, link_id = merged(by)

    undo(link_id)

    row = service.merged_link(link_id)
    assert (row.state, row.undone_by, row.reason) == (
        LinkState.UNDONE,
        "staff:1",
        "两个人共用一部手机，弄错了",
    )
    assert (service.accounts_of(first), service.accounts_of(second)) == ((first,), (second,))
    assert service.real_name(second).number == CHEN[1]


def test_an_account_that_was_wrongly_merged_loses_the_name(by):
    first, second, link_id = merged(by)

    undo(link_id, release=second)

    assert (service.person_of(second), service.person_of(first).level) == (None, 2)


@pytest.mark.parametrize(
    ("details", "refusal"),
    [
        pytest.param({"reason": "  "}, Invalid, id="no reason"),
        pytest.param({"release": 1}, Invalid, id="an account of others"),
        pytest.param({"version": 1}, service.NotAllowedNow, id="somebody was first"),
    ],
)
def test_parting_needs_a_reason_and_the_merger_as_it_stands(by, details, refusal):
    _, _, link_id = merged(by)

    with pytest.raises(refusal):
        undo(link_id, **details)

    assert state(link_id) is LinkState.MERGED


def test_what_was_parted_is_not_parted_twice(by):
    _, _, link_id = merged(by)
    undo(link_id)

    with pytest.raises(service.NotAllowedNow):
        undo(link_id)


def test_sessions_of_merged_accounts_are_seen_and_ended_from_either(by):
    first, second, _ = merged(by)
    there = db.transaction(lambda: a_session(second))

    assert [one.id for one in service.sessions(first, now=NOW())] == [there.id]
    db.transaction(lambda: service.end_session(first, there.id))

    assert service.find_session(there.token, now=NOW()) is None


def test_closing_one_of_two_leaves_the_person_and_their_cases_with_the_other(by):
    first, second, _ = merged(by)

    db.transaction(lambda: service.close(first, now=NOW()))

    assert service.real_name(second).number == CHEN[1]
    assert service.accounts_of(second) == (second, first)


def test_who_claims_an_account_or_closes_one_is_told_of_its_cases_where_they_sign_in(by):
    old = db.transaction(an_old_account)
    first, second, _ = merged(by)
    stranger = somebody()

    before = [service.reached_at(one) for one in (old, first, second, stranger)]
    db.transaction(lambda: service.close(first, now=NOW()))

    assert before == [first, first, second, stranger]
    assert [service.reached_at(one) for one in (old, first)] == [second, second]


def test_closing_one_of_two_accounts_that_were_not_merged_leaves_old_cases_to_the_other(by):
    old = db.transaction(an_old_account)
    first, second, _ = two_accounts(by)

    db.transaction(lambda: service.close(first, now=NOW()))

    assert service.is_open(old)
    assert set(service.accounts_of(second)) == {second, old}


def test_an_account_closed_before_the_merger_ends_it(by):
    first, second, link_id = two_accounts(by)
    prove(first, link_id)
    prove(second, link_id)

    db.transaction(lambda: service.close(first, now=NOW()))

    assert state(link_id) is LinkState.EXPIRED
    assert service.accounts_of(second) == (second,)


def test_the_accounts_that_waited_stay_with_whoever_claimed_them_first(by):
    old = db.transaction(an_old_account)
    first, second = a_person(by), a_person(by)

    assert service.accounts_of(first) == (first, old)
    assert service.accounts_of(second) == (second,)
    assert len(service.links(second)) == 1


def test_an_account_that_turns_out_a_strangers_takes_nothing_of_the_person_with_it(by):
    old = db.transaction(an_old_account)
    stranger, owner, link_id = merged(by)
    before = set(service.accounts_of(stranger))

    undo(link_id, release=stranger)

    assert before == {old, stranger, owner}
    assert service.accounts_of(stranger) == (stranger,)
    assert set(service.accounts_of(owner)) == {owner, old}


def test_a_merger_that_waits_ends_with_the_real_name_of_one_of_its_accounts(by):
    first, second, link_id = merged(by)
    third = a_person(by)
    waiting = service.links(third)[0]

    undo(link_id, release=waiting.other_id)

    assert state(waiting.id) is LinkState.EXPIRED


def test_a_face_counts_no_more_once_the_real_name_is_taken_away(by):
    first, second, link_id = merged(by)
    session = db.transaction(lambda: a_session(second))
    db.transaction(lambda: sessions.count_face(second, session.id, NOW() + timedelta(minutes=30)))

    undo(link_id, release=second)
    service.verify_name(second, *LI, by=by, now=NOW())

    assert service.find_session(session.token, now=NOW()).level == 2


def test_every_move_is_in_the_audit_trail(by):
    _, _, link_id = merged(by)
    undo(link_id)

    actions = {one.action for one in audit.history("account_link", link_id)}
    assert actions == {f"account-link.{one}" for one in ("propose", "prove", "prove-both", "merge", "undo")}


def test_strangers_are_never_brought_together(by):
    a_person(by), a_person(by, LI), somebody()

    assert db.session().query(AccountLink).count() == 0


STEPS = st.lists(
    st.tuples(st.sampled_from(["prove", "merge", "undo", "expire", "verify"]), st.integers(0, 1)), max_size=8
)


def take(step, resident_id, link_id):
    """Try one step of the machine; whoever may not is refused."""
    now = NOW()
    with suppress(DomainError):
        if step == "prove":
            prove(resident_id, link_id)
        elif step == "merge":
            db.transaction(lambda: service.merge_proved(now))
        elif step == "undo":
            undo(link_id)
        elif step == "expire":
            db.transaction(lambda: service.expire_links(now + timedelta(days=8)))
    return state(link_id)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_no_row_of_steps_leaves_the_machine(by, steps):
    both = first, second, link_id = two_accounts(by)

    known = [LinkState.PROPOSED, *(take(step, both[which], link_id) for step, which in steps)]

    moves = {(one, to) for (one, _), to in LINK_MOVES.items()}
    assert {(one, to) for one, to in pairwise(known) if one is not to} <= moves
    assert (service.accounts_of(first) == (first, second)) == (known[-1] is LinkState.MERGED)
    for one in (first, second):
        db.transaction(partial(service.close, one, now=NOW()))


def test_the_machine_is_that_of_the_facts(app):
    told = {(f"{one}", f"{event}", f"{to}") for (one, event), to in LINK_MOVES.items()}

    assert told == {
        ("proposed", "prove_both", "proved"),
        ("proposed", "timeout", "expired"),
        ("proved", "merge", "merged"),
        ("proved", "timeout", "expired"),
        ("merged", "undo", "undone"),
    }
    assert {event for _, event in LINK_MOVES} == set(LinkEvent)
