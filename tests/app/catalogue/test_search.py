"""Finding items: everyday words, pinyin, initials, slips of the pen, by place."""

import pytest

from app.catalogue import searching, terms
from app.catalogue import service as catalogue
from app.core.errors import Invalid
from tests.app.catalogue.builders import an_item
from tests.builders import a_region

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
"""For rules that hang on no SQL."""


@pytest.fixture
def items(given):
    given(a_region, "440106")
    given(an_item, code="T001", name="居住证申领", summary="外来人员申领居住证", synonyms=["暂住证"])
    given(
        an_item,
        code="T002",
        name="食品经营许可",
        domain="business",
        summary="开餐馆之前取得许可",
        synonyms=["开餐馆", "卫生许可证"],
        materials=[{"code": "m1", "name": "经营场所平面图", "handings": ["paper"]}],
    )
    given(
        an_item,
        code="T003",
        name="机动车驾驶证换证",
        domain="transport",
        summary="驾驶证到期换新证",
        synonyms=["换驾照"],
    )


WORDS = {
    "居住证": "居住证申领",
    "我想办暂住证怎么办理": "居住证申领",  # everyday words in a sentence
    "居注证": "居住证申领",  # a wrong character
    "jzz": "居住证申领",
    "juzhuzheng": "居住证申领",
    "juzhuzhen": "居住证申领",  # as many in the south hear it
    "ＪＺＺ": "居住证申领",
    "换驾照": "机动车驾驶证换证",
    "平面图": "食品经营许可",  # a material
    "车": "机动车驾驶证换证",
    "开餐馆要什么手续？": "食品经营许可",
}
NOTHING = ["", "，。？", "量子纠缠", "zzzzzz", "'; DROP TABLE item_term; --", "%", "_" * 50]


def test_people_find_items_in_their_own_words(items, app):
    with app.app_context():
        found = {query: [one.name for one in catalogue.search(query)][:1] for query in WORDS}

    assert found == {query: [name] for query, name in WORDS.items()}


def test_nothing_is_found_for_what_nothing_fits(items, app):
    with app.app_context():
        assert {query: catalogue.search(query) for query in NOTHING} == {query: [] for query in NOTHING}


def test_each_item_comes_once_as_the_nearest_place_carries_it_out(given, app):
    given(an_item)
    given(an_item, "广州市", "440100")
    given(an_item, "天河区", "440106")

    with app.app_context():
        found = {
            place: [one.region_code for one in catalogue.search("居住证", place)]
            for place in (None, "440000", "440100", "440106", "440300")
            if place != "440300" or given(a_region, "440300")
        }

    assert found == {
        None: ["440000"],
        "440000": ["440000"],
        "440100": ["440100"],
        "440106": ["440106"],
        "440300": ["440000"],
    }


@on_sqlite
def test_a_city_finds_what_only_its_counties_carry_out(given, app):
    given(an_item, "天河区", "440106")

    with app.app_context():
        assert [one.region_code for one in catalogue.search("居住证", "440100")] == ["440106"]


def test_words_that_very_many_items_have_decide_between_those_of_the_rarer_ones(items, app, monkeypatch):
    # More than one item counts as very many: a thousand would take minutes to make.
    monkeypatch.setattr(searching, "_POSTINGS", 2)

    with app.app_context():
        found = {query: [one.name for one in catalogue.search(query)][:1] for query in WORDS}

    assert found == {query: [name] for query, name in WORDS.items()}


@on_sqlite
def test_a_rare_word_tells_more_than_one_that_many_items_have(given, app):
    for place in range(3):
        given(an_item, code=f"C{place}", name=f"公司登记{place}", synonyms=["公司"])
    given(an_item, code="C9", name="道路货物运输", synonyms=["跑货运"])

    with app.app_context():
        assert catalogue.search("货运公司")[0].name == "道路货物运输"


@on_sqlite
def test_what_only_a_material_a_result_or_a_variant_says_is_found_after_what_a_name_says(given, app):
    given(an_item, code="M1", name="工伤认定", results=[{"name": "护照复印说明"}])
    given(an_item, code="M2", name="护照签发")

    with app.app_context():
        assert [one.name for one in catalogue.search("护照")] == ["护照签发", "工伤认定"]


@on_sqlite
def test_of_what_fits_as_well_the_nearest_comes_first(given, app):
    given(an_item, "公安厅", "440000", code="N1", name="证件甲", synonyms=["办证件"])
    given(an_item, "广州市", "440100", code="N2", name="证件乙", synonyms=["办证件"])
    given(an_item, "天河区", "440106", code="N3", name="证件丙", synonyms=["办证件"])

    with app.app_context():
        found = [one.name for one in catalogue.search("证件", "440106")]

    assert found == ["证件丙", "证件乙", "证件甲"]


@on_sqlite
def test_an_unknown_place_is_refused(items, app):
    with app.app_context(), pytest.raises(Invalid) as refused:
        catalogue.search("居住证", "449999")

    assert "region" in refused.value.fields


def test_the_list_goes_on_where_it_stopped(items, app):
    with app.app_context():
        first, after = catalogue.listing(limit=2)
        rest, end = catalogue.listing(after=after, limit=2)

    assert [len(first), len(rest), end] == [2, 1, None]
    assert len({one.id for one in first + rest}) == 3


def test_names_that_sound_like_each_other_are_kept_apart():
    found = terms.terms_of([terms.Phrase("重庆", 6)])

    assert "i:cq" in found
    assert "i:zq" not in found


@on_sqlite
def test_the_api_finds_and_tells_items(items, client):
    found = client.get("/api/v1/items?q=jzz&region=440106").get_json()
    told = client.get(f"/api/v1/items/{found['items'][0]['id']}").get_json()

    assert found["items"][0]["online"] is True
    assert told["content"]["promised_days"] == 8
    assert told["form"]["sections"][0]["title"] == "申请人"


@on_sqlite
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/items/17", 404),
        ("/api/v1/items?limit=51", 422),
        ("/api/v1/items?q=" + "长" * 41, 422),
        ("/api/v1/items?region=449999", 422),
        ("/items/17", 404),
        ("/items?region=nowhere", 422),
    ],
)
def test_what_does_not_exist_is_refused(client, path, status):
    assert client.get(path).status_code == status


@on_sqlite
def test_the_pages_show_what_was_found_and_the_guide(items, client):
    page = client.get("/items?q=居住证&region=440106").text
    item_id = client.get("/api/v1/items?q=居住证").get_json()["items"][0]["id"]
    guide = client.get(f"/items/{item_id}").text

    assert "居住证申领" in page
    assert "示例数据" in page
    assert all(words in guide for words in ("8 个工作日", "住所证明", "国务院令第663号", f"/apply/{item_id}"))
