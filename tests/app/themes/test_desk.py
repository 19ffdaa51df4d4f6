"""Themes on the console and over the API of staff."""

import re

import pytest
import yaml

from app.themes import service
from tests.app.themes import builders as build
from tests.builders import a_principal, sign_in

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
WRITTEN = yaml.safe_dump(dict(build.DEFINITION), allow_unicode=True)


@pytest.fixture
def reviewer(client, given):
    """A browser of a provincial reviewer; the items are there."""
    given(build.the_items)
    sign_in(client, given, given(a_principal, "province_reviewer"))
    return client


def post(browser, page, path="", **fields):
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(page).text)[1]
    return browser.post(path or page, data={"csrf_token": token, **fields})


def test_a_theme_is_written_checked_published_and_retired(reviewer):
    page = post(reviewer, "/console/themes/new", definition=WRITTEN).location

    checked = reviewer.get(page).text
    post(reviewer, page, f"{page}/publish", version="1")
    listed = reviewer.get("/themes").text
    post(reviewer, page, f"{page}/retire", version="2", reason="不再办理")

    assert "没有发现问题" in checked
    assert "开餐饮店一件事" in listed
    assert "开餐饮店一件事" not in reviewer.get("/themes").text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("- a\n- b", id="no object"),
        pytest.param("a: [", id="no YAML"),
        pytest.param("a: &x [1]\nb: [*x, *x]", id="references"),
        pytest.param("a: " + "x" * 70_000, id="too long"),
        pytest.param("1: x", id="a name that is no text"),
        pytest.param("code: X", id="half of it"),
        pytest.param("code: 2016-01-01\nname: x\nsummary: x\nitems: []\nsections: []", id="days are no text"),
    ],
)
def test_what_is_no_definition_is_refused_and_kept_on_the_page(reviewer, text):
    answer = post(reviewer, "/console/themes/new", definition=text)

    assert answer.status_code == 422
    assert "定义有误" in answer.text


def test_a_stale_page_publishes_nothing(reviewer):
    page = post(reviewer, "/console/themes/new", definition=WRITTEN).location

    post(reviewer, page, f"{page}/publish", version="7")

    assert service.VERSION_LABELS["draft"] in reviewer.get(page).text


def test_who_may_not_review_items_sees_nothing(client, given):
    sign_in(client, given, given(a_principal, "city_operator", region_code="440100"))

    assert client.get("/console/themes", headers={"Accept": "text/html"}).status_code == 403
