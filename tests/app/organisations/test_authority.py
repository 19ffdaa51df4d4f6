"""The query filter and the question in Python must say the same about every body."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as examples
from hypothesis import strategies as st
from sqlalchemy import select

from app.core import db
from app.core.access import Permission
from app.organisations import service
from app.organisations.domain import SCOPE_OF, Grant, Principal, Role, ScopeKind
from app.organisations.models import Body
from tests.builders import a_body, a_principal

PLACES = [
    ("公安厅", "440000"),
    ("教育厅", "440000"),
    ("广州市", "440100"),
    ("天河区", "440106"),
    ("佛山市", "440600"),
    ("顺德区", "440606"),
    ("横琴片区", "zone-hengqin"),
]


@pytest.fixture
def bodies(app, given):
    return [given(a_body, *place).id for place in PLACES]


def grants(body_ids):
    refs = {
        ScopeKind.PROVINCE: st.just(""),
        ScopeKind.CITY: st.sampled_from(["440100", "440400", "440600", "440300"]),
        ScopeKind.COUNTY: st.sampled_from(["440106", "440606", "zone-hengqin", "440105"]),
        ScopeKind.BODY: st.sampled_from([str(body_id) for body_id in body_ids]),
    }
    one = st.sampled_from(Role).flatmap(
        lambda role: refs[SCOPE_OF[role]].map(lambda ref: Grant(role, SCOPE_OF[role], ref))
    )
    return st.lists(one, max_size=3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@examples(data=st.data())
def test_the_filter_finds_exactly_the_bodies_that_are_covered(app, bodies, data):
    who = Principal(1, "测试", tuple(data.draw(grants(bodies))))
    permission = data.draw(st.sampled_from(Permission))

    with app.app_context():
        query = select(Body.id).where(service.scope_condition(who, permission, Body.id))
        found = set(db.session().scalars(query))
        covered = {body_id for body_id in bodies if service.covers(who, permission, body_id)}
        listed = {body.id for body in service.bodies_of(who, permission)}

    assert found == covered == listed


@pytest.mark.parametrize(
    ("role", "scope", "reached"),
    [
        pytest.param("province_reviewer", "", {name for name, _ in PLACES}, id="the province has all"),
        pytest.param("city_operator", "440600", {"佛山市", "顺德区"}, id="a city has its districts"),
        pytest.param("city_operator", "440400", {"横琴片区"}, id="a city has the zone in it"),
        pytest.param("county_operator", "440106", {"天河区"}, id="a county has itself"),
    ],
)
def test_a_scope_reaches_down(app, bodies, role, scope, reached):
    grant = service.grant_for(Role(role), scope)

    with app.app_context():
        covered = {
            name
            for body_id, (name, _) in zip(bodies, PLACES, strict=True)
            if service.covers(Principal(1, "测试", (grant,)), Permission.PAGES_READ, body_id)
        }

    assert covered == reached


def test_a_body_that_does_not_exist_is_covered_by_nobody(app, bodies):
    everywhere = Principal(1, "测试", (service.grant_for(Role.PROVINCE_REVIEWER),))

    with app.app_context():
        assert not service.covers(everywhere, Permission.PAGES_READ, 1)


def test_actors_are_shown_by_name_and_the_system_as_such(app, given):
    person = given(a_principal, "auditor")

    with app.app_context():
        names = service.names_of([person.actor, "system", "system:prober", "staff:0", "staff:12", "x"])

    assert names[person.actor] == "测试人员"
    assert [names[one] for one in ("system", "system:prober", "staff:0")] == ["系统"] * 3
    assert (names["staff:12"], names["x"]) == ("staff:12", "x")
