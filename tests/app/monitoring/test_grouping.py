"""Incidents that fail together: what they share, who joins later, when a group ends."""

from datetime import timedelta

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st
from sqlalchemy import select

from app.core import db
from app.monitoring import escalation, grouping
from app.monitoring.models import Incident, IncidentGroup
from tests.app.monitoring.builders import a_watched_page, at, looks, tell
from tests.builders import NOW, a_body


def an_incident(number=1, *, host="www.example.test", address="", body=1, minute=0.0, **columns):
    evidence = {"host": host, "address": address, **columns.pop("evidence", {})}
    details = {"phase": "connect", "cause": "connect_timeout", "evidence": evidence, **columns}
    return Incident(id=number, body_id=body, opened_at=at(minute), **details)


def keys(incidents):
    return [(shared.key, sorted(one.id for one in members)) for shared, members in grouping.plan(incidents)]


def test_two_pages_of_one_host_are_a_group():
    assert keys([an_incident(1), an_incident(2, body=2)]) == [("host:www.example.test", [1, 2])]


def test_hosts_of_one_network_are_a_group_from_three_on():
    hosts = [an_incident(n, host=f"h{n}", address=f"203.0.113.{n}", body=n) for n in (1, 2, 3)]

    assert keys(hosts) == [("network:203.0.113.0/24", [1, 2, 3])]
    assert keys(hosts[:2]) == []


def test_a_certificate_explains_failing_handshakes_only():
    same = {"certificate": "ab"}
    tls = [an_incident(n, host=f"h{n}", body=n, phase="tls", evidence=same) for n in (1, 2)]
    other = [an_incident(n, host=f"h{n}", body=n, evidence=same) for n in (3, 4)]

    assert keys(tls + other) == [("certificate:ab", [1, 2])]


def test_incidents_far_apart_in_time_have_nothing_to_do_with_each_other():
    early, late = an_incident(1), an_incident(2, minute=6)

    assert grouping.runs([late, early]) == [[early], [late]]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        pytest.param("203.0.113.77", "203.0.113.0/24", id="IPv4"),
        pytest.param("2001:db8:1:2::3", "2001:db8:1::/48", id="IPv6"),
        pytest.param("::ffff:203.0.113.77", "203.0.113.0/24", id="IPv4 in IPv6"),
        pytest.param("", "", id="none"),
        pytest.param("not an address", "", id="nonsense"),
    ],
)
def test_the_network_of_an_address(address, network):
    assert grouping.network_of(address) == network


numbers = st.integers(0, 3)
some = st.lists(st.tuples(numbers, numbers, numbers), max_size=30)


@examples(shape=some)
def test_every_incident_is_in_one_group_at_most_and_no_group_is_too_small(shape):
    incidents = [
        an_incident(n, host=f"h{host}", address=f"203.0.{net}.9", body=body)
        for n, (host, net, body) in enumerate(shape)
    ]

    groups = grouping.plan(incidents)

    taken = [one.id for _, members in groups for one in members]
    assert len(taken) == len(set(taken))
    assert all(len(members) >= shared.fewest for shared, members in groups)
    assert all(shared in grouping.shared_by(one) for shared, members in groups for one in members)


def pages_down(count, *, minute=1.0, first=0, host="gateway.example.test", **details):
    """Take pages of one host down; each is confirmed after two more minutes."""
    made = [
        a_watched_page(url=f"https://{host}/{first + number}", name=f"网页{first + number}", **details)
        for number in range(count)
    ]
    tell([look for page in made for look in looks(page.id, "UDDD", minute=minute)])
    return made


def tend(minute):
    while escalation.tend(at(minute)):
        pass


def groups():
    return list(db.session().scalars(select(IncidentGroup).order_by(IncidentGroup.opened_at)))


def of(page):
    return db.session().scalar(select(Incident).where(Incident.page_id == page.id))


def test_pages_that_fail_together_become_one_group(app, given):
    pages = given(pages_down, 4)

    given(tend, 5)

    with app.app_context():
        (made,) = groups()
        assert (made.member_count, made.body_count, made.label) == (4, 1, "同一台服务器 gateway.example.test")
        assert {of(page).group_id for page in pages} == {made.id}


def test_a_late_one_joins(app, given):
    given(pages_down, 2)
    given(tend, 5)

    late = given(pages_down, 1, minute=60, first=5)
    given(tend, 70)

    with app.app_context():
        (made,) = groups()
        assert (of(late[0]).group_id, made.member_count) == (made.id, 3)


def test_a_group_ends_with_its_last_incident(app, given):
    one, other = given(pages_down, 2)
    given(tend, 5)

    given(tell, looks(one.id, "UU", minute=6))
    with app.app_context():
        assert groups()[0].resolved_at is None
    given(tell, looks(other.id, "UU", minute=8))

    with app.app_context():
        (made,) = groups()
        assert (made.open_key, made.resolved_at) == (None, at(8))


def test_after_its_end_the_same_host_makes_a_new_group(app, given):
    pages = given(pages_down, 2)
    given(tend, 5)
    given(tell, [look for page in pages for look in looks(page.id, "UU", minute=6)])

    given(tell, [look for page in pages for look in looks(page.id, "DDD", minute=20)])
    given(tend, 23)

    with app.app_context():
        assert [one.open_key is None for one in groups()] == [True, False]


def test_a_small_young_group_is_absorbed_by_the_network_it_stands_in(app, given):
    first = given(pages_down, 2)
    given(with_address, "203.0.113.9")
    given(tend, 4.5)

    for number in range(3):
        city = given(a_body, "广州市", "440100")
        given(pages_down, 1, minute=1.5, first=10 + number, host=f"h{number}.example.test", body=city)
    given(with_address, "203.0.113.9")
    given(tend, 5)

    with app.app_context():
        lasting = [one for one in groups() if one.open_key]
        assert [(one.group_key, one.member_count) for one in lasting] == [("network:203.0.113.0/24", 5)]
        assert of(first[0]).group_id == lasting[0].id


def with_address(address):
    for row in db.writing().scalars(select(Incident)):
        row.evidence = row.evidence | {"address": address}


def test_nobody_is_grouped_twice_by_two_at_once(app, given):
    given(pages_down, 3)

    given(tend, 5)
    given(tend, 5)

    with app.app_context():
        assert [one.member_count for one in groups()] == [3]
        assert NOW + timedelta(minutes=5) == at(5)
