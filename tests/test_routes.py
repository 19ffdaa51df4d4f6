"""Every route demands a login, or says in the open why it does not."""

from app.core.access import mark_of

# Everything that a visitor without an account can reach. Adding a line here is a decision.
from tests.public_routes import OPEN_TO_ALL


def marks(app):
    for rule in app.url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            yield f"{method} {rule.rule}", mark_of(app.view_functions[rule.endpoint], method)


def test_every_route_has_a_guard(app):
    assert [name for name, mark in marks(app) if mark is None] == []


def test_only_the_listed_routes_are_open_and_each_says_why(app):
    open_routes = {name: mark.reason for name, mark in marks(app) if mark.public}

    assert set(open_routes) == OPEN_TO_ALL
    assert all(open_routes.values())


def test_every_route_demands_exactly_one_kind_of_caller(app):
    kinds = {
        name: (mark.public, mark.for_staff, mark.for_residents, mark.for_partners)
        for name, mark in marks(app)
    }

    assert [name for name, kind in kinds.items() if sum(kind) != 1] == []
