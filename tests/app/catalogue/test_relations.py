"""Relations between items: said once, never a circle, written by who may."""

import threading

import pytest

from app.catalogue import service as catalogue
from app.catalogue.service import RelationCycle, RelationKind
from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from tests.app.catalogue.builders import a_directory, a_version, an_implementation
from tests.app.catalogue.test_variants import MATERIALS, VARIANTS
from tests.builders import NOW, a_principal

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
FIRST = RelationKind.PREREQUISITE


def directories(count):
    return [a_directory(f"R{place}", f"事项{place}") for place in range(count)]


def relate(one, other, kind=FIRST, variant=""):
    return catalogue.add_relation(one, kind, other, variant=variant, actor="system", now=NOW)


def test_what_was_said_is_read_from_both_ends(given, app):
    one, other = given(directories, 2)
    given(relate, one, other)
    given(relate, one, other, RelationKind.PARALLEL)

    with app.app_context():
        there = [(row.kind, row.backwards) for row in catalogue.all_relations_of(one)]
        back = [(row.kind, row.backwards) for row in catalogue.all_relations_of(other)]
        own = catalogue.relations_of(other)

    assert there == [(FIRST, False), (RelationKind.PARALLEL, False)]
    assert back == [(RelationKind.PARALLEL, False), (FIRST, True)]
    assert [row.other_directory_id for row in own] == [one]


@on_sqlite
def test_what_is_said_twice_stands_once(given, app):
    one, other = given(directories, 2)

    ids = [given(relate, one, other, RelationKind.EXCLUSIVE) for _ in range(2)]
    ids.append(given(relate, other, one, RelationKind.EXCLUSIVE))

    assert len(set(ids)) == 1


@on_sqlite
@pytest.mark.parametrize("length", [2, 3, 5])
def test_items_never_wait_for_each_other(given, app, length):
    ids = given(directories, length)
    for one, other in zip(ids, ids[1:], strict=False):
        given(relate, one, other)

    with pytest.raises(RelationCycle):
        given(relate, ids[-1], ids[0])


def test_halves_of_a_circle_are_not_added_side_by_side(given, app):
    # A->B and C->D stand; B->C and D->A come at the same time: together they close the circle.
    a, b, c, d = given(directories, 4)
    given(relate, a, b)
    given(relate, c, d)
    ready, outcomes = threading.Barrier(2, timeout=20), []

    def add(one, other):
        with app.app_context():
            ready.wait()
            try:
                outcomes.append(db.transaction(lambda: relate(one, other)))
            except RelationCycle:
                outcomes.append(None)

    threads = [threading.Thread(target=add, args=pair) for pair in ((b, c), (d, a))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(outcomes) == 2
    assert outcomes.count(None) == 1


@on_sqlite
def test_unsound_relations_are_refused(given, app):
    one, other = given(directories, 2)
    given(relate, one, other)

    with pytest.raises(Invalid):
        given(relate, one, one)
    with pytest.raises(NotFound):
        given(relate, one, 12345)
    with pytest.raises(Invalid):
        given(relate, one, other, FIRST, "moon")
    with pytest.raises(Conflict):
        given(relate, other, one, RelationKind.EXCLUSIVE)


@on_sqlite
def test_a_relation_may_hold_for_one_variant_only(given, app):
    one, other = given(directories, 2)
    implementation = given(an_implementation, directory_id=one)
    given(a_version, implementation, variants=VARIANTS, materials=MATERIALS)

    given(relate, one, other, FIRST, "work")

    with app.app_context():
        assert [row.variant for row in catalogue.relations_of(one)] == ["work"]


@on_sqlite
def test_a_relation_is_taken_away_where_it_is_written(given, app):
    one, other = given(directories, 2)
    relation = given(relate, one, other)

    with pytest.raises(NotFound):
        given(catalogue.remove_relation, other, relation, actor="system")
    given(catalogue.remove_relation, one, relation, actor="system")

    with app.app_context():
        assert catalogue.all_relations_of(one) == []


@on_sqlite
@pytest.mark.parametrize(
    ("role", "may"),
    [
        pytest.param("province_reviewer", True, id="reviewer"),
        pytest.param("department_operator", True, id="operator of the highest body"),
        pytest.param("city_operator", False, id="operator of a city below"),
        pytest.param("auditor", False, id="auditor"),
    ],
)
def test_relations_hold_for_all_and_are_written_by_the_highest(given, app, role, may):
    (one,) = given(directories, 1)
    given(an_implementation, directory_id=one)
    given(an_implementation, "广州市", "440100", one)
    person = given(a_principal, role)

    with app.app_context():
        if may:
            catalogue.demand_editor(person, one)
        else:
            with pytest.raises(NotFound):
                catalogue.demand_editor(person, one)
