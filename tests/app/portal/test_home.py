"""The front page: what waits for a resident, everything for the chosen place, languages and settings."""

from __future__ import annotations

import re

import pytest

from app.applications.service import State
from app.core import clock, db
from app.core.runner import Worker
from app.core.viewing import Choice, Edition, Language
from app.identity import service as identity
from app.mobile_access.service import State as PageState
from app.portal import preferences, todos
from app.portal.todos import Kind
from tests.app.applications.builders import a_case, a_draft, an_open_item
from tests.app.applications.builders import a_resident as an_applicant
from tests.app.catalogue.builders import an_item
from tests.app.identity.builders import a_resident, an_account, signed_in
from tests.app.mobile_access.builders import a_page
from tests.builders import a_body, a_region, submit

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
TIANHE, GUANGZHOU, SHENZHEN = "440106", "440100", "440300"


@pytest.fixture
def me(app, given):
    return signed_in(app, given, given(lambda: a_resident(an_account())))


def cases(resident, *states):
    item = an_open_item()
    for state in states:
        a_case(state, item_id=item, resident_id=resident, now=clock.system_clock())
    a_draft(item, resident, now=clock.system_clock())
    return resident


def test_what_waits_stands_first_the_most_urgent_first(app, given, client):
    resident = given(lambda: cases(an_applicant(), State.SUBMITTED, State.COMPLETED, State.SUPPLEMENT_DUE))

    home = signed_in(app, given, resident).get("/").text

    assert home.index("等您办的事") < home.index("要办什么事")
    assert re.findall(r"请补正|结果已出|草稿", home) == ["请补正", "结果已出", "草稿"]
    assert "办理中的 1 件" in home
    assert "等您办的事" not in client.get("/").text


def test_more_than_five_are_counted(app, given):
    resident = given(lambda: cases(an_applicant(), *[State.COMPLETED] * 6))

    with app.app_context():
        waiting = todos.todos_of(resident)

    assert [one.kind for one in waiting.shown] == [Kind.RESULT] * 5
    assert waiting.more_count == 2


def test_a_chosen_place_narrows_items_and_departments_pages(client, given):
    for code in (GUANGZHOU, TIANHE, SHENZHEN):
        given(a_region, code)
    given(an_item, "天河区", TIANHE, code="T1", name="天河的事", domain="tax")
    given(an_item, "深圳市", SHENZHEN, code="T2", name="深圳的事", domain="tax")
    given(a_page, state=PageState.ONLINE, name="广州公交", body=given(a_body, "广州市", GUANGZHOU))
    given(a_page, state=PageState.ONLINE, name="深圳公交", body=given(a_body, "深圳市", SHENZHEN))

    chosen = client.get(f"/view?region={TIANHE}&return_to=/")
    home, items, field = client.get("/").text, client.get("/items").text, client.get("/?theme=tax").text

    assert chosen.status_code == 303
    assert "广州市天河区" in home
    assert ("广州公交" in home, "深圳公交" in home) == (True, False)
    assert ("天河的事" in items, "深圳的事" in items) == (True, False)
    assert ("天河的事" in field, "深圳的事" in field) == (True, False)


@pytest.mark.parametrize("region", ["999999", "44010", "x", "440106x"])
def test_a_place_that_there_is_not_is_refused_or_ignored(client, tables, region):
    answer = client.get(f"/view?region={region}&return_to=/items")

    assert answer.status_code in {303, 422}
    assert client.get("/items").status_code == 200


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", ""])
def test_a_choice_leads_nowhere_but_back_into_the_hall(client, tables, target):
    answer = client.get("/view", query_string={"style": "elder", "return_to": target})

    assert answer.location == "/"


def test_a_resident_keeps_a_choice_for_all_devices(app, given, me):
    page = me.get("/").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token

    me.post("/view", data={"csrf_token": token[1], "lang": "en", "return_to": "/"})
    me.delete_cookie("hall_view")

    assert '<html lang="en"' in me.get("/").text


def test_a_link_changes_nothing_that_a_resident_keeps(app, given, me):
    submit(me, "/me/settings", style="elder", lang="zh-Hans", region="")

    me.get("/view?style=standard&return_to=/")

    assert "phone-page elder" in me.get("/").text


def test_a_stranger_cannot_post_a_choice(client, me):
    assert me.post("/view", data={"lang": "en"}).status_code == 400
    assert '<html lang="zh-Hans"' in me.get("/").text


def test_what_was_chosen_is_forgotten_with_the_account(app, given):
    resident = given(lambda: a_resident(an_account()))
    with app.app_context():
        now = clock.system_clock()
        wanted = Choice(Language.ENGLISH, Edition.ELDER, "")
        db.transaction(lambda: preferences.choose(resident, wanted, now=now))
        db.transaction(lambda: identity.close(resident, now=now))
        Worker(app, app.extensions["hall_jobs"]).drain()

        assert preferences.choice_of(resident) == Choice()
