"""The sample catalogue: enough of it, sound, of bodies that exist, its relations without a circle."""

from graphlib import TopologicalSorter

from app.catalogue.service import Domain
from config import items, notice

SAMPLES = {one.code: one for one in items.samples()}


def test_the_catalogue_has_sixty_items_of_every_domain_of_the_notice():
    domains = {one.domain for one in SAMPLES.values()}

    assert len(SAMPLES) >= 60
    assert domains == {one.value for one in Domain}
    assert all(sum(one.domain == domain for one in SAMPLES.values()) >= 4 for domain in domains)


def test_the_catalogue_shows_what_items_can_say():
    contents = [one.content for one in SAMPLES.values()]

    assert sum("variants" in one for one in contents) >= 12
    assert {one.get("level", 1) for one in contents} == {1, 2, 3}
    assert sum(one.get("second_person", False) for one in contents) >= 5
    assert sum(bool(one.get("pauses")) for one in contents) >= 10


def test_bodies_of_three_levels_carry_the_items_out():
    carried = {place.body for one in SAMPLES.values() for place in one.implementations}

    assert carried <= {name for body in notice.load().bodies for name in body.aliases}
    assert len([name for name in carried if name.startswith("省")]) >= 12
    assert {"广州市", "深圳市", "梅州市"} <= carried
    assert len([name for name in carried if name.endswith("人民政府")]) >= 5


def test_relations_name_items_and_variants_that_exist():
    rows = items.relations()
    variants = {
        code: {row["code"] for row in one.content.get("variants", ())} for code, one in SAMPLES.items()
    }

    assert {code for row in rows for code in (row.item, row.other)} <= set(SAMPLES)
    assert [row for row in rows if row.variant and row.variant not in variants[row.item]] == []
    assert {row.kind for row in rows} == {"prerequisite", "parallel", "exclusive", "result_feeds"}


def test_no_item_waits_for_itself():
    graph = {}
    for row in items.relations():
        if row.kind == "prerequisite":
            graph.setdefault(row.item, set()).add(row.other)

    assert list(TopologicalSorter(graph).static_order())
