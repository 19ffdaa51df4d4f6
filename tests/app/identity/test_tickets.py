"""Tickets of single sign-on: one use, one minute, one audience; no two audiences share a name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from sqlalchemy import select

from app.core import audit, clock, db
from app.core.errors import NotFound
from app.identity import service
from app.identity.models import SsoTicket
from app.identity.service import TicketRefused
from tests.app.identity.builders import a_resident, rows
from tests.builders import NOW

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
OURS, THEIRS = service.body_audience(1), service.body_audience(2)
LIFE = timedelta(seconds=60)


@pytest.fixture
def resident(context):
    return db.transaction(a_resident)


def issued(resident_id, audience=OURS, now=NOW):
    return db.transaction(lambda: service.issue_ticket(resident_id, audience, now=now))


def redeemed(ticket, audience=OURS, now=NOW):
    """Return whose ticket it is, None when it is refused."""
    try:
        return db.transaction(lambda: service.redeem_ticket(ticket, audience, now=now))
    except TicketRefused:
        return None


def test_a_ticket_tells_once_who_it_is(resident):
    ticket = issued(resident)

    assert [redeemed(ticket), redeemed(ticket)] == [resident, None]


@on_sqlite
def test_only_the_digest_of_a_ticket_is_kept(resident):
    ticket = issued(resident)

    kept = db.session().scalars(select(SsoTicket.digest)).one()

    assert len(ticket) == 43
    assert ticket not in kept


def test_a_ticket_is_worth_nothing_to_another_audience_and_stays_good_for_its_own(resident):
    ticket = issued(resident)

    assert [redeemed(ticket, THEIRS), redeemed(ticket)] == [None, resident]


@pytest.mark.parametrize(("after", "good"), [(LIFE - timedelta(seconds=1), True), (LIFE, False)])
def test_a_ticket_lives_a_minute(resident, after, good):
    assert (redeemed(issued(resident), now=NOW + after) is not None) == good


@on_sqlite
@pytest.mark.parametrize(
    "ticket", ["", "a" * 43, "a" * 9000, "\x00" * 43, "票" * 43, "\ud800" * 43, "' OR 1 --"]
)
def test_what_is_no_ticket_is_refused(resident, ticket):
    issued(resident)

    assert redeemed(ticket) is None


def test_of_ten_who_redeem_at_once_one_gets_in(app, given):
    resident_id = given(a_resident)
    ticket = given(service.issue_ticket, resident_id, OURS, now=NOW)

    def once(_number):
        with app.app_context():
            return redeemed(ticket)

    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(once, range(10)))

    assert sorted(found, key=str) == sorted([resident_id] + [None] * 9, key=str)


@on_sqlite
def test_a_closed_account_has_no_tickets(resident):
    ticket = issued(resident)
    db.transaction(lambda: service.close(resident, now=NOW))

    assert redeemed(ticket) is None
    with pytest.raises(NotFound):
        issued(resident)


@on_sqlite
@pytest.mark.parametrize("audience", ["", "x" * 81])
def test_a_ticket_is_for_somebody(resident, audience):
    with pytest.raises(ValueError, match="audience"):
        issued(resident, audience)


@on_sqlite
def test_issuing_and_redeeming_are_on_record(resident):
    redeemed(issued(resident))

    lines = audit.history("resident", resident)[:2]

    assert [(one.actor, one.action) for one in lines] == [
        (OURS, "sso.redeem"),
        (f"resident:{resident}", "sso.issue"),
    ]


@on_sqlite
def test_a_pseudonym_stays_the_same_and_is_shared_by_nobody(context):
    names = {
        (who, audience): service.subject_for(who, audience)
        for who in (1, 2, 11)
        for audience in (OURS, THEIRS, service.app_audience(1), service.body_audience(11))
    }

    assert len(set(names.values())) == len(names)
    assert names[1, OURS] == service.subject_for(1, OURS)
    assert all(len(name) == 64 for name in names.values())


@on_sqlite
def test_used_and_expired_tickets_are_deleted_after_a_day(resident):
    redeemed(issued(resident))

    soon = db.transaction(lambda: service.forget_expired(NOW + timedelta(hours=23)))
    later = db.transaction(lambda: service.forget_expired(NOW + timedelta(hours=25)))

    assert (soon, later, rows(SsoTicket)) == (0, 1, 0)


ACTS = st.one_of(
    st.tuples(st.just("issue"), st.sampled_from((OURS, THEIRS))),
    st.tuples(st.just("redeem"), st.integers(0, 5), st.sampled_from((OURS, THEIRS))),
    st.tuples(st.just("wait"), st.integers(1, 50)),
)


@on_sqlite
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@for_all(acts=st.lists(ACTS, max_size=12))
def test_whatever_happens_a_ticket_opens_its_audience_at_most_once_and_in_time(resident, acts):
    now, tickets = clock.system_clock(), []
    for act in acts:
        if act[0] == "issue":
            tickets.append([issued(resident, act[1], now), act[1], now + LIFE])
        elif act[0] == "wait":
            now += timedelta(seconds=act[1])
        elif act[1] < len(tickets):
            ticket, audience, until = tickets[act[1]]
            due = resident if act[2] == audience and now < until else None
            assert redeemed(ticket, act[2], now) == due
            if due is not None:
                tickets[act[1]][1] = "used"
