from datetime import timedelta

import pytest

from app.core import outbox
from app.core.errors import NotFound
from app.mobile_access import service
from app.mobile_access.publication import PUBLISH_JOB
from app.mobile_access.service import State, Theme
from tests.app.mobile_access.builders import a_page
from tests.builders import NOW, a_body, a_principal

LIST = "/api/v1/published-pages"


def names(answer):
    return [one["name"] for one in answer.json["items"]]


def forget_hot(app):
    """Play a process that starts new, so that a test need not wait for a second to pass."""
    app.extensions["hall_hot"].clear()


@pytest.mark.parametrize("state", [state for state in State if state not in (State.ONLINE, State.DEGRADED)])
def test_only_online_pages_are_published(app, client, given, state):
    given(a_page, state=state)
    forget_hot(app)

    assert names(client.get(LIST)) == []


def test_the_public_list_holds_nothing_but_what_residents_need(app, client, given):
    given(a_page, state=State.ONLINE, contact_phone="020-00000000")
    forget_hot(app)

    (page,) = client.get(LIST).json["items"]

    assert set(page) == {
        "id",
        "name",
        "description",
        "theme",
        "hotline",
        "body_id",
        "body_name",
        "region_code",
        "region_name",
    }


def test_the_list_is_narrowed_by_theme_words_and_region(app, client, given):
    body = given(a_body)
    given(a_page, body=body, name="车管服务", description="", theme=Theme.TRANSPORT, state=State.ONLINE)
    given(a_page, body=body, name="居住证", state=State.ONLINE)
    forget_hot(app)

    queries = ("theme=transport", "query=居住", f"query={body.name}", "region_code=449999")
    found = [set(names(client.get(f"{LIST}?{query}"))) for query in queries]

    assert found == [{"车管服务"}, {"居住证"}, {"车管服务", "居住证"}, set()]


def test_the_list_goes_on_where_it_stopped(app, client, given):
    made = [str(given(a_page, state=State.ONLINE, now=NOW + timedelta(minutes=n)).id) for n in range(3)]
    forget_hot(app)

    first = client.get(f"{LIST}?limit=2").json
    rest = client.get(f"{LIST}?limit=2&cursor={first['next_cursor']}").json

    assert [one["id"] for one in first["items"] + rest["items"]] == made
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "query", ["limit=1000", "theme=x", "region_code=44", "cursor=%F0%9F%98%80", "query="]
)
def test_a_bad_query_is_refused(client, query):
    assert client.get(f"{LIST}?{query}").status_code == 422


def test_a_repeated_request_is_answered_from_memory_with_the_same_bytes(app, client, given):
    given(a_page, state=State.ONLINE)
    forget_hot(app)

    first, second = client.get(LIST), client.get(LIST)
    unchanged = client.get(LIST, headers={"If-None-Match": first.headers["ETag"]})

    assert first.data == second.data
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert dict(first.headers).keys() - {"Date"} == dict(second.headers).keys()
    assert (unchanged.status_code, unchanged.data) == (304, b"")


def test_memory_is_renewed_when_something_is_published(app, client, given, monkeypatch):
    given(a_page, name="第一个", state=State.ONLINE)
    forget_hot(app)
    before = names(client.get(LIST))

    given(a_page, name="第二个", state=State.ONLINE, now=NOW + timedelta(minutes=1))
    monkeypatch.setattr("app.core.hot.FRESH_SECONDS", 0.0)  # a second has passed

    assert (before, names(client.get(LIST))) == (["第一个"], ["第一个", "第二个"])


def test_an_unknown_host_is_not_answered_from_memory(app, client, given):
    forget_hot(app)
    client.get(LIST)

    assert client.get(LIST, headers={"Host": "evil.example.cn"}).status_code == 400


def test_every_change_of_what_residents_see_raises_the_version(app, given):
    page = given(a_page, state=State.ONLINE)
    with app.app_context():
        before = service.publication_version()

    given(service.probe_failed, page.id, NOW, "timeout")
    with app.app_context():
        assert service.publication_version() == before
    given(service.hide_entry, page.id, NOW, now=NOW)

    with app.app_context():
        assert service.publication_version() == before + 1


def test_an_approval_asks_for_new_menus_of_each_channel(app, given):
    given(a_page, state=State.ONLINE)

    with app.app_context():
        asked = outbox.claim("test", limit=50, now=NOW + timedelta(days=9000))
    assert sorted(one.payload["kind"] for one in asked if one.name == PUBLISH_JOB) == ["alipay", "wechat"]


def test_search_puts_the_best_fit_first(app, given):
    body = given(a_body)
    given(a_page, body=body, name="出入境", description="港澳通行证", state=State.ONLINE)
    given(a_page, body=body, name="居住证", description="居住证办理", state=State.ONLINE)

    with app.app_context():
        found = [one.name for one in service.search("我要办居住证")]
        assert found[0] == "居住证"
        assert service.search("天气") == []
        assert service.search("") == []
        assert service.search("%_") == []


def test_search_finds_a_field_by_its_name(app, given):
    given(a_page, name="粤税通", description="", theme=Theme.TAX, state=State.ONLINE)

    with app.app_context():
        assert [one.name for one in service.search("税务")] == ["粤税通"]


def test_the_entry_of_a_page_never_online_is_not_found(app, given):
    page = given(a_page, state=State.PASSED)

    with app.app_context():
        for page_id in (page.id, 1):
            with pytest.raises(NotFound):
                service.entry(page_id)


@pytest.mark.parametrize("state", [State.SUSPENDED, State.RETIRED])
def test_an_entry_that_was_taken_away_gives_a_notice(app, given, state):
    page = given(a_page, state=state)

    with app.app_context():
        shown = service.entry(page.id)
    assert (shown.available, bool(shown.notice)) == (False, True)


def test_watched_pages_are_those_online_or_degraded(app, given):
    online = given(a_page, state=State.ONLINE)
    degraded = given(a_page, state=State.DEGRADED)
    given(a_page, state=State.SUSPENDED)

    with app.app_context():
        assert {one.id for one in service.watched_pages()} == {online.id, degraded.id}


@pytest.mark.parametrize(
    ("declared", "handed_out"),
    [
        pytest.param("https://p.example.cn/health", "https://p.example.cn/health", id="declared"),
        pytest.param("", None, id="none"),
    ],
)
def test_the_watch_is_told_the_health_address(app, given, declared, handed_out):
    given(a_page, state=State.ONLINE, health_url=declared)

    with app.app_context():
        (watched,) = service.watched_pages()

    assert watched.health_url == handed_out


def test_the_scope_of_a_reviewer_reaches_every_page(app, given):
    page = given(a_page)
    reviewer = given(a_principal, "province_reviewer")

    with app.app_context():
        assert [one.id for one in service.listing(reviewer).items] == [page.id]
