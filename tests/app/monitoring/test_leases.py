"""Shares of the schedule: fair, taken over from the dead, given back by those who leave."""

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import given as examples
from hypothesis import strategies as st
from sqlalchemy import select

from app.core import db
from app.monitoring import leases, service
from app.monitoring.leases import LEASE, SHARDS
from app.monitoring.models import ShardLease
from mobile_pages.probe.runner import Stats
from tests.builders import NOW

HEALTH = Stats(0, 0, 0, 0, 0, 0, False, 0.0, 0.0)
EVERY = frozenset(range(SHARDS))


def turn(name, seconds):
    """Let a prober report and renew, ``seconds`` after NOW."""
    now = NOW + timedelta(seconds=seconds)
    service.beat(name, HEALTH, now=now)
    return leases.renew(name, now=now).shards


def owners():
    return {row.shard: row.owner for row in db.session().scalars(select(ShardLease))}


def test_a_prober_alone_looks_at_everything(app, given):
    assert given(turn, "a", 0) == EVERY


def test_two_probers_share_evenly_as_soon_as_both_have_reported(app, given):
    given(turn, "a", 0)
    assert given(turn, "b", 1) == frozenset()

    first, second = given(turn, "a", 4), given(turn, "b", 5)

    assert (len(first), first | second, first & second) == (SHARDS // 2, EVERY, frozenset())


def test_three_probers_differ_by_little(app, given):
    for second in range(0, 12, 4):
        shares = [given(turn, name, second + number) for number, name in enumerate("abc")]

    assert frozenset().union(*shares) == EVERY
    assert max(map(len, shares)) - min(map(len, shares)) <= 2


def test_what_a_dead_prober_held_is_taken_over_when_its_lease_has_lapsed(app, given):
    for second in (0, 4):
        given(turn, "a", second)
        given(turn, "b", second + 1)

    still = given(turn, "a", 10)
    after = given(turn, "a", 5 + LEASE.total_seconds())

    assert (len(still), after) == (SHARDS // 2, EVERY)


def test_what_a_leaving_prober_held_is_free_at_once(app, given):
    for second in (0, 4):
        given(turn, "a", second)
        given(turn, "b", second + 1)

    given(leases.leave, "b", now=NOW + timedelta(seconds=6))

    assert given(turn, "a", 8) == EVERY


def test_a_lease_that_lapsed_and_was_taken_is_not_taken_back_by_its_old_owner(app, given):
    given(turn, "a", 0)
    given(turn, "b", 20)

    assert given(turn, "a", 21) == frozenset()
    assert set(given(owners).values()) == {"b"}


def test_ids_are_spread_over_all_shards():
    assert {leases.shard_of(number * 7919) for number in range(1000)} == EVERY


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@examples(steps=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 8)), min_size=1, max_size=25))
def test_no_shard_has_two_owners_whoever_comes_and_goes(app, given, steps):
    second, held = 0, {}
    for name, wait in steps:
        second += wait
        held[name] = (given(turn, name, second), second)

        working = [shards for shards, at in held.values() if second - at < LEASE.total_seconds()]
        assert sum(map(len, working)) == len(frozenset().union(*working))
