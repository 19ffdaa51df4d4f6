"""Scenes: saved as versions, checked, walked to the item and variant of a place, or to an exit."""

import copy
import json
import re

import pytest

from app.catalogue import service as catalogue
from app.core.errors import Invalid, NotFound, Stale
from tests.app.catalogue.builders import an_item
from tests.app.catalogue.test_scene_script import SCRIPT
from tests.app.catalogue.test_variants import MATERIALS, VARIANTS
from tests.builders import NOW, a_bearer, a_principal, a_region, sign_in, submit

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
WAY = "/scenes/stay/permit/work"


def save(content=SCRIPT, *, key="stay", seen=0):
    return catalogue.save_scene(key, content, seen=seen, actor="system", now=NOW)


@pytest.fixture
def item(given):
    """The item that the scene ends at, carried out in a county of Guangzhou only."""
    return given(an_item, "天河区", "440106", variants=VARIANTS, materials=MATERIALS)


@pytest.fixture
def scene(given, item):
    given(save)
    return item


def with_name(name):
    return {**SCRIPT, "name": name}


def dead(**to):
    raw = copy.deepcopy(SCRIPT)
    raw["questions"]["ground"]["choices"][0]["to"] = {"scheme": "test", **to}
    return raw


def test_each_save_is_a_version_and_residents_see_the_newest(scene, given, app):
    given(save, with_name("住下来"), seen=1)

    with app.app_context():
        assert [(one.name, one.version) for one in catalogue.scenes()] == [("住下来", 2)]
        assert [(one.number, one.live) for one in catalogue.scene_versions("stay")] == [(2, True), (1, False)]


def test_who_saw_an_older_version_does_not_overwrite_the_newer(scene, given, app):
    given(save, with_name("住下来"), seen=1)

    with pytest.raises(Stale):
        given(save, seen=1)
    with pytest.raises(Stale):
        given(save, seen=0)


@on_sqlite
@pytest.mark.parametrize(
    ("content", "word"),
    [
        pytest.param(dead(item="T999"), "没有单位在办", id="an item that is not there"),
        pytest.param(dead(item="T001", variant="moon"), "没有情形", id="a variant that is not there"),
        pytest.param({"name": "空"}, "required", id="no script"),
    ],
)
def test_a_dead_end_is_not_saved(item, given, app, content, word):
    with pytest.raises(Invalid) as refused:
        given(save, content)

    assert word in " ".join(refused.value.fields["content"])


@on_sqlite
@pytest.mark.parametrize("key", ["", "Stay", "a/b", "checks?", "x" * 41])
def test_odd_keys_are_refused(item, given, app, key):
    with pytest.raises(Invalid):
        given(save, key=key)


@on_sqlite
def test_a_withdrawn_scene_is_gone_and_comes_back_with_the_next_save(scene, given, app):
    given(catalogue.withdraw_scene, "stay", seen=1, actor="system")

    with app.app_context():
        assert catalogue.scenes() == []
        with pytest.raises(NotFound):
            catalogue.stand("stay", [], None)
    assert given(save, seen=1) == 2


@on_sqlite
def test_the_way_ends_at_the_item_of_the_place_with_its_variant(scene, client):
    page = client.get(f"{WAY}?region=440106").text

    assert f'href="/items/{scene}?region=440106&amp;variant=work"' in page
    assert f'href="/apply/{scene}?region=440106&amp;variant=work"' in page
    assert "劳动合同" in page
    assert "租赁合同" not in page


@on_sqlite
def test_where_no_place_carries_the_item_out_people_are_told_who_does(scene, given, client):
    given(a_region, "440300")

    page = client.get(f"{WAY}?region=440300").text

    assert "还没有上网" in page
    assert f"/items/{scene}?region=440106" in page
    assert "tel:12345" in page


@on_sqlite
def test_an_exit_says_where_to_go_whom_to_call_and_what_to_bring(scene, client):
    page = client.get("/scenes/stay/other").text

    assert all(word in page for word in ("到窗口问", "街道", "tel:12345", "身份证"))


@on_sqlite
def test_one_question_a_page_with_links_back(scene, client):
    first, second = client.get("/scenes/stay").text, client.get("/scenes/stay/permit").text

    assert 'href="/scenes/stay/permit"' in first
    assert "第 1 个问题，最多 2 个" in first
    assert 'href="/scenes/stay/permit/work"' in second
    assert re.search(r'<a class="button button-plain" href="/scenes/stay">\s*上一步', second)


@on_sqlite
def test_an_old_link_leads_to_the_question_that_changed(scene, client):
    page = client.get("/scenes/stay/permit/gone")

    assert page.status_code == 200
    assert "问题有更新" in page.text
    assert "凭什么？" in page.text


@on_sqlite
def test_the_list_names_every_scene(scene, client):
    assert 'href="/scenes/stay"' in client.get("/scenes").text


@on_sqlite
@pytest.mark.parametrize(
    "path",
    [
        "/scenes/none",
        "/scenes/stay/" + "x/" * 300,
        "/scenes/stay/%00/..%2f",
        "/api/v1/scenes/none",
    ],
)
def test_odd_addresses_hurt_nobody(scene, client, path):
    assert client.get(path).status_code in {200, 404}


@on_sqlite
def test_mini_programs_walk_by_the_api(scene, client):
    start = client.get("/api/v1/scenes/stay").json
    end = client.get("/api/v1/scenes/stay?answers=permit.work&region=440106").json
    way_out = client.get("/api/v1/scenes/stay?answers=other").json

    assert [one["code"] for one in start["question"]["choices"]] == ["permit", "other"]
    assert (end["question"], end["exit"], end["most_left"]) == (None, None, 0)
    assert (end["arrival"]["item"]["id"], end["arrival"]["variant"]) == (str(scene), "work")
    assert [one["code"] for one in end["arrival"]["materials"]] == ["m1", "m2"]
    assert way_out["exit"]["bring"] == ["身份证"]


@on_sqlite
def test_reviewers_save_by_the_api_and_nobody_else_does(scene, given, client):
    reviewer, operator = (
        given(lambda r=r: a_bearer(a_principal(r))) for r in ("province_reviewer", "city_operator")
    )
    body = {"content": with_name("住下来"), "version": 1}

    saved = client.put("/api/v1/scene-scripts/stay", json=body, headers=reviewer)
    again = client.put("/api/v1/scene-scripts/stay", json=body, headers=reviewer)
    other = client.put("/api/v1/scene-scripts/stay", json=body, headers=operator)
    checked = client.post("/api/v1/scene-scripts/checks", json={"content": dead(item="T9")}, headers=reviewer)

    assert (saved.json, again.status_code, other.status_code) == ({"version": 2}, 409, 403)
    assert "没有单位在办" in checked.json["problems"][0]


@on_sqlite
def test_the_console_shows_what_became_a_dead_end_and_saves_only_what_is_sound(scene, given, client):
    sign_in(client, given, given(a_principal, "province_reviewer"))

    refused = submit(client, "/console/scenes/stay", content='{"name": "坏"}', seen="1")
    broken = submit(client, "/console/scenes/stay", content="{", seen="1")

    assert (refused.status_code, broken.status_code) == (422, 422)
    assert "不是有效的 JSON" in broken.text
    assert "都走得通" in client.get("/console/scenes").text


@on_sqlite
def test_a_new_scene_is_begun_at_the_console(item, given, client):
    sign_in(client, given, given(a_principal, "province_reviewer"))

    begun = client.get("/console/scenes?key=stay")
    unchanged = submit(client, begun.location)
    saved = submit(client, begun.location, content=json.dumps(SCRIPT), seen="0")

    assert (unchanged.status_code, saved.status_code) == (422, 302)
    assert client.get("/scenes/stay").status_code == 200


@on_sqlite
@pytest.mark.parametrize("seen", ["9" * 5000, "x", "", "٣"])
def test_odd_versions_at_the_console_are_stale(scene, given, client, seen):
    sign_in(client, given, given(a_principal, "province_reviewer"))

    assert submit(client, "/console/scenes/stay", content=json.dumps(SCRIPT), seen=seen).status_code == 422


@on_sqlite
def test_relations_are_written_at_the_console_and_by_the_api(given, client):
    item = given(an_item)
    given(an_item, code="T002", name="居住登记")
    operator = given(a_principal)
    sign_in(client, given, operator)
    directory = client.get(f"/api/v1/items/{item}").json["directory_id"]
    page = f"/console/item-directory/{directory}/relations"

    unknown = submit(client, page, kind="prerequisite", other="T9", scheme="test")
    added = submit(client, page, kind="prerequisite", other="T002", scheme="test")
    listed = client.get(
        f"/api/v1/item-directory/{directory}/relations", headers=given(lambda: a_bearer(operator))
    ).json

    assert (unknown.status_code, added.status_code) == (422, 302)
    assert [one["kind"] for one in listed] == ["prerequisite"]
    removed = submit(client, page, f"{page}/{listed[0]['id']}/removal")
    assert removed.status_code == 302
    assert "还没有写明" in client.get(page).text


@on_sqlite
def test_relations_of_items_of_others_cannot_be_written(given, client):
    item = given(an_item)
    directory = client.get(f"/api/v1/items/{item}").json["directory_id"]
    stranger = given(lambda: a_bearer(a_principal("city_operator")))
    body = {"kind": "parallel", "other_directory_id": directory}

    answers = [
        client.post(f"/api/v1/item-directory/{directory}/relations", json=body, headers=stranger),
        client.delete(f"/api/v1/item-directory/{directory}/relations/1", headers=stranger),
    ]

    assert [one.status_code for one in answers] == [404, 404]
