"""The guide of an item: variants, their materials, how it stands to other items."""

import re

import pytest

from app.catalogue import service as catalogue
from app.catalogue.service import RelationKind
from tests.app.catalogue.builders import a_directory, an_item
from tests.app.catalogue.test_variants import MATERIALS, VARIANTS
from tests.builders import NOW, a_region

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
KINDS = {
    "居住登记": RelationKind.PREREQUISITE,
    "社会保障卡申领": RelationKind.PARALLEL,
    "户口迁移": RelationKind.EXCLUSIVE,
}


@pytest.fixture
def item(given):
    """An item with variants, and others that stand in relation to it."""
    made = given(an_item, variants=VARIANTS, materials=MATERIALS)
    for place, (name, kind) in enumerate(KINDS.items()):
        given(an_item, code=f"O{place}", name=name)
        given(relate, "T001", kind, f"O{place}")
    return made


def relate(one, kind, other, variant=""):
    return catalogue.add_relation(
        a_directory(one), kind, a_directory(other), variant=variant, actor="system", now=NOW
    )


def words_of(page):
    return re.sub(r"<[^>]+>|\s+", "", page)


def test_without_a_choice_the_guide_offers_variants_and_all_materials(item, client):
    page = client.get(f"/items/{item}").text

    assert f"/items/{item}?variant=home#variants" in page
    assert all(name in page for name in ("身份证", "劳动合同", "租赁合同"))


def test_a_chosen_variant_shows_its_materials_only(item, client):
    page = client.get(f"/items/{item}?variant=home").text

    assert "租赁合同" in page
    assert "劳动合同" not in page
    assert f'href="/apply/{item}?variant=home"' in page


def test_a_variant_that_was_taken_away_shows_the_choice_again(item, client):
    page = client.get(f"/items/{item}?variant=gone")

    assert page.status_code == 200
    assert "您是哪种情形" in page.text


def test_relations_are_told_in_plain_words_with_links(item, client):
    page = words_of(client.get(f"/items/{item}").text)

    assert "先办居住登记" in page
    assert "可同时办社会保障卡申领" in page
    assert "不能与下面的事项同时办户口迁移" in page


def test_the_other_end_tells_what_comes_next(item, given, client):
    with client.application.app_context():
        other = catalogue.search("居住登记")[0].id

    assert "办完以后可以接着办居住证申领" in words_of(client.get(f"/items/{other}").text)


def test_a_relation_of_another_variant_is_not_told(item, given, client):
    given(an_item, code="O9", name="房屋租赁备案")
    given(relate, "T001", RelationKind.PREREQUISITE, "O9", "home")

    assert "房屋租赁备案" in client.get(f"/items/{item}?variant=home").text
    assert "房屋租赁备案" not in client.get(f"/items/{item}?variant=work").text


def test_the_api_tells_variants_and_relations(item, client):
    content = client.get(f"/api/v1/items/{item}").json["content"]
    related = client.get(f"/api/v1/items/{item}/relations?variant=work").json

    assert [one["code"] for one in content["variants"]] == ["work", "home", "lost"]
    assert content["materials"][1]["variants"] == ["work"]
    assert (content["level"], content["second_person"]) == (1, False)
    assert [(one["words"], one["item"]["name"]) for one in related][:2] == [
        ("先办", "居住登记"),
        ("可同时办", "社会保障卡申领"),
    ]


def test_relations_lead_to_the_nearest_place(item, given, client):
    given(an_item, "广州市", "440100", code="O0", name="居住登记")
    given(a_region, "440300")

    found = {
        place: client.get(f"/api/v1/items/{item}/relations?region={place}").json[0]["item"]["region_code"]
        for place in ("440100", "440300")
    }

    assert found == {"440100": "440100", "440300": "440000"}


def test_an_unknown_place_is_refused(item, client):
    assert client.get(f"/api/v1/items/{item}/relations?region=449999").status_code == 422
