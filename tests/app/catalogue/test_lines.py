"""The list that is asked for most of all, written past its schema."""

import json

import pytest

from app.catalogue import schemas, service
from tests.api.test_gates import statements
from tests.app.catalogue.builders import an_item
from tests.builders import a_region

LIST = "/api/v1/items"


@pytest.fixture
def three_places(given):
    """One item of the province and of two cities, and another that one city has alone."""
    given(an_item)
    given(an_item, "广州市", "440100")
    given(an_item, "深圳市", "440300")
    given(an_item, "深圳市", "440300", code="T002", name="教师资格认定")
    given(a_region, "440106")
    given(a_region, "440500")


def test_the_list_says_what_its_schema_says(app, client, given, three_places):
    found, after = given(service.listing, "440300", limit=2)

    told = client.get(f"{LIST}?region=440300&limit=2").json

    assert told == json.loads(
        schemas.ServiceItemListSchema().dumps({"items": found, "next_after": after}, ensure_ascii=False)
    )
    assert [one["region_code"] for one in told["items"]] == ["440300", "440300"]


def test_a_page_of_the_list_takes_one_statement_besides_the_regions(app, client, three_places):
    client.get(f"{LIST}?region=440100")

    with statements(app) as sent:
        told = client.get(f"{LIST}?region=440100&limit=20").json

    assert [one["region_code"] for one in told["items"]] == ["440100"]
    assert len(sent) == 1, sent


@pytest.mark.parametrize(
    ("region", "place"), [("440106", "440100"), ("440100", "440100"), ("440500", "440000"), ("", "440000")]
)
def test_each_item_comes_once_from_the_nearest_place(client, three_places, region, place):
    told = client.get(f"{LIST}?region={region}" if region else LIST).json["items"]

    places = {one["name"]: one["region_code"] for one in told}

    assert places["居住证申领"] == place
    assert len(places) == len(told)


def test_the_guide_says_what_its_schema_says_when_kept_too(client, given, three_places):
    item_id = client.get(LIST).json["items"][0]["id"]
    schema = schemas.ServiceItemSchema()

    first, kept = (client.get(f"{LIST}/{item_id}").json for _ in range(2))

    assert first == kept == json.loads(schema.dumps(given(service.item, int(item_id)), ensure_ascii=False))
