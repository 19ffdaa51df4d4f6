"""The sample catalogue as a newcomer finds it: people's own words, every scene to its ends."""

from pathlib import Path

import pytest
import yaml

from app import create_app
from app.catalogue import service as catalogue
from app.catalogue.scene_script import walk
from app.core import db, migrate
from app.demo.catalogue import add_items, add_scenes, relate_items
from app.organisations import service as organisations
from config import items, notice
from tests.builders import NOW, settings_for

QUERIES = yaml.safe_load((Path(__file__).parent / "queries.yaml").read_text(encoding="utf-8"))
TOP = 3


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    """The hall with the notice's bodies and all samples; made once."""
    folder = tmp_path_factory.mktemp("var")
    url = f"sqlite:///{folder}/hall.sqlite"
    migrate.upgrade(url)
    made = create_app(settings_for(url, folder))
    with made.app_context():
        db.transaction(lambda: organisations.import_notice(notice.load(), lambda _done, _all: None))
        db.transaction(lambda: add_items(items.samples(), NOW))
        db.transaction(lambda: relate_items(items.relations(), NOW))
        db.transaction(lambda: add_scenes(items.scenes(), NOW))
    yield made
    made.extensions["hall_db"].dispose()


def test_people_find_what_they_need_in_their_own_words(hall):
    with hall.app_context():
        found = {query: [one.name for one in catalogue.search(query, limit=TOP)] for query in QUERIES}

    missed = {query: found[query] for query, wanted in QUERIES.items() if wanted not in found[query]}
    assert len(QUERIES) >= 150
    assert missed == {}


def test_everybody_finds_the_item_as_their_own_place_carries_it_out(hall):
    with hall.app_context():
        found = {
            region: [one.region_code for one in catalogue.search("上户口", region, limit=1)]
            for region in ("440106", "440306", "440606", "441402")
        }

    assert found == {region: [region] for region in found}


def test_every_way_through_every_scene_ends_at_an_item_or_an_exit(hall):
    ends = []
    with hall.app_context():
        for scene in catalogue.scenes():
            for answers in ways(scene.script, []):
                stand = catalogue.stand(scene.key, answers, None)
                here = stand.arrival.item is not None if stand.arrival else stand.exit is not None
                named = not stand.walk.target.variant or stand.arrival.variant == stand.walk.target.variant
                ends.append((scene.key, answers, here, named))

    assert len(ends) >= 120
    assert [one for one in ends if not (one[2] and one[3])] == []


def ways(script, answers):
    """Yield the answers of every way from here to its end."""
    found = walk(script, answers)
    if found.question is None:
        yield answers
        return
    for choice in found.question.choices:
        yield from ways(script, [*answers, choice.code])


def test_no_sample_scene_has_a_dead_end(hall):
    with hall.app_context():
        assert [fault for one in catalogue.scenes() for fault in catalogue.dead_leaves(one.script)] == []


def test_who_needs_a_city_is_not_sent_to_another(hall):
    with hall.app_context():
        stand = catalogue.stand("school", ["transfer", "other_city"], "440300")

    assert stand.arrival.item is None
    assert stand.arrival.elsewhere
