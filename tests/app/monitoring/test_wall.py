"""The wall and its drill-down as staff see them, each in its own scope; the JSON API."""

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from app.core import clock
from app.monitoring import service
from app.monitoring.pages import duration, percent
from tests.app.monitoring.builders import TERMS, a_beat, a_watched_page, at, looks, seen, tell
from tests.builders import a_bearer, a_body, a_principal, a_region, sign_in, submit

GUANGZHOU, FOSHAN = "440100", "440600"


@pytest.fixture
def fresh(app):
    """The present moment; pages looked at just before it are not out of date."""
    return clock.system_clock()


def seen_lately(letters, now, **details):
    """Return a page looked at every ten seconds until now."""
    page = a_watched_page(now=now - timedelta(minutes=10), **details)
    first = (now - at(0)).total_seconds() / 60 - len(letters) / 6
    tell(looks(page.id, letters, minute=first, every=1 / 6))
    return page


@contextlib.contextmanager
def counted_statements(app):
    engines = (app.extensions["hall_db"].read_engine, app.extensions["hall_db"].write_engine)
    told = []

    def note(_connection, _cursor, statement, *_rest):
        told.append(statement)

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield told
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def test_the_wall_tells_figures_tiles_and_incidents(client, given, fresh):
    given(seen_lately, "UUDDD", fresh, body=given(a_body, "广州市", GUANGZHOU), name="户政服务")
    given(seen_lately, "UUU", fresh)
    given(a_region, FOSHAN)
    given(a_beat, fresh)
    sign_in(client, given, given(a_principal, "province_watch"))

    text = client.get("/wall").text

    assert "✕ 1/1 无法访问" in text
    assert "✓ 1 个正常" in text
    assert "– 无网页" in text
    assert "服务器返回状态码 503。" in text
    assert "✓ 运行" in text
    assert 'hx-get="/wall/live"' in text


def test_the_part_that_refreshes_itself_is_no_whole_page(client, given):
    sign_in(client, given, given(a_principal, "province_watch"))

    answer = client.get("/wall/live")

    assert answer.text.count("<h1>") == 1
    assert "<html" not in answer.text


def test_the_wall_needs_the_same_few_statements_for_any_number_of_pages(app, client, given, fresh):
    sign_in(client, given, given(a_principal, "province_watch"))
    bodies = [given(a_body, *one) for one in (("广州市", GUANGZHOU), ("公安厅", "440000"))]
    for body in bodies:
        given(seen_lately, "UDDD", fresh, body=body)
    with counted_statements(app) as few:
        client.get("/wall")
    for body in (*bodies, given(a_body, "佛山市", FOSHAN)):
        for letters in ("UDDD", "UUU", "USSS"):
            given(seen_lately, letters, fresh, body=body)

    with counted_statements(app) as many:
        assert client.get("/wall").status_code == 200

    assert len(many) == len(few) <= 16


def test_a_wall_without_a_prober_says_so(client, given, fresh):
    given(a_beat, fresh - timedelta(minutes=2))
    sign_in(client, given, given(a_principal, "province_watch"))

    assert "✕ 停止" in client.get("/wall").text


def test_a_prober_cut_off_says_so(client, given, fresh):
    given(a_beat, fresh, offline=True)
    sign_in(client, given, given(a_principal, "province_watch"))

    assert "! 断网" in client.get("/wall").text


def test_a_page_nobody_looked_at_lately_is_unknown(app, given):
    given(seen, "UUU")
    who = given(a_principal, "province_watch")

    with app.app_context():
        now_fresh = service.wall(who, TERMS, now=at(5)).status.counts
        now_stale = service.wall(who, TERMS, now=at(50)).status.counts

    assert (now_fresh.up, now_fresh.unknown) == (1, 0)
    assert (now_stale.up, now_stale.unknown) == (0, 1)


def test_a_city_sees_its_own_pages_only(client, given, fresh):
    mine = given(seen_lately, "UUU", fresh, body=given(a_body, "广州市", GUANGZHOU), name="我市服务")
    other = given(seen_lately, "UDDD", fresh, body=given(a_body, "佛山市", FOSHAN), name="他市服务")
    sign_in(client, given, given(a_principal, "city_operator", region_code=GUANGZHOU))

    text = client.get("/wall").text

    assert "广州市" in text
    assert "佛山市" not in text
    assert "他市服务" not in text
    assert client.get(f"/wall/page/{mine.id}").status_code == 200
    assert client.get(f"/wall/city/{GUANGZHOU}").status_code == 200
    foreign = (f"/wall/page/{other.id}", f"/wall/body/{other.body_id}", f"/wall/city/{FOSHAN}")
    assert [client.get(path).status_code for path in foreign] == [404, 404, 404]


def test_a_foreign_incident_cannot_be_acknowledged(client, given, fresh):
    page = given(seen_lately, "UDDD", fresh, body=given(a_body, "佛山市", FOSHAN))
    who = given(a_principal, "province_watch")
    (incident,) = given(service.incidents, who, page_id=page.id).items
    sign_in(client, given, given(a_principal, "city_operator", region_code=GUANGZHOU))

    answer = submit(client, "/wall", f"/wall/incidents/{incident.id}/acknowledge")

    assert answer.status_code == 404


@pytest.mark.parametrize("role", ["auditor", "system_administrator"])
def test_roles_that_watch_nothing_are_refused(client, given, role):
    sign_in(client, given, given(a_principal, role))

    assert client.get("/wall").status_code == 403


def test_visitors_are_sent_to_sign_in(client):
    answer = client.get("/wall", headers={"Accept": "text/html"})

    assert answer.status_code == 302
    assert "/staff/sign-in" in answer.location


@pytest.mark.parametrize("path", ["/wall/city/999999", "/wall/city/440106", "/wall/body/1", "/wall/page/1"])
def test_what_does_not_exist_is_not_found(client, given, path):
    given(a_region, "440106")
    sign_in(client, given, given(a_principal, "province_watch"))

    assert client.get(path).status_code == 404


def test_a_page_shows_beats_phases_incident_and_the_official_figure(client, given, fresh):
    page = given(seen_lately, "UUDDD", fresh)
    sign_in(client, given, given(a_principal, "province_watch"))

    text = client.get(f"/wall/page/{page.id}").text

    assert text.count('class="beat beat-') == 5
    assert "最近 5 次探测，2 次正常" in text
    assert '合计</dt><dd class="number">50 毫秒' in text
    assert "监测不满一周" in text
    assert f"/console/pages/{page.id}" in text


def test_an_incident_is_acknowledged_once(client, given, fresh):
    page = given(seen_lately, "UDDD", fresh)
    who = given(a_principal, "province_watch")
    (incident,) = given(service.incidents, who).items
    sign_in(client, given, who)

    answer = submit(client, f"/wall/page/{page.id}", f"/wall/incidents/{incident.id}/acknowledge")
    later = given(service.acknowledge, given(a_principal, "province_reviewer"), incident.id, now=at(99))

    assert answer.status_code == 303
    assert later.acknowledged_by == who.actor
    assert "处理中" in client.get(f"/wall/page/{page.id}").text


def test_uptime_pools_the_seconds_of_all_pages(app, given):
    body = given(a_body)
    given(seen, "UUUUUDDDDDUU", body=body)
    given(seen, "UUUUUUUUUUUU", body=body)
    who = given(a_principal, "province_watch")

    with app.app_context():
        windows, official = service.uptime_of(who, TERMS, now=at(12.5), body_id=body.id)

    today = windows[0]
    assert official is None
    assert (today.page_count, today.down_seconds) == (2, 300)
    assert today.availability_rate == pytest.approx(1 - 5 / 23)
    assert today.coverage_rate == pytest.approx(23 / 25)


def test_time_after_the_prober_fell_silent_counts_as_unknown(app, given):
    page = given(seen, "UUU")
    who = given(a_principal, "province_watch")

    with app.app_context():
        windows, _ = service.uptime_of(who, TERMS, now=at(60), page_id=page.id)

    assert windows[0].availability_rate == 1
    assert windows[0].coverage_rate == pytest.approx(5 / 60)


def test_the_official_figure_comes_from_single_visits(app, given):
    page = given(seen, "U" * 90 + "D" * 10, every=100)
    who = given(a_principal, "province_watch")

    with app.app_context():
        _, official = service.uptime_of(who, TERMS, now=at(100 * 100), page_id=page.id)

    assert official.visit_count > 90
    assert official.failure_count == 10
    assert official.verdict is service.OfficialVerdict.TOO_FEW_VISITS


def test_what_is_left_before_the_veto_counts_visits_as_far_apart_as_they_are_made(app, given):
    page = given(seen, "U" * 9 + "D", every=5)
    who, every_five_minutes = given(a_principal, "province_watch"), replace(TERMS, interval_seconds=300)

    with app.app_context():
        _, official = service.uptime_of(who, every_five_minutes, now=at(60), page_id=page.id)

    assert official.failures_left == 101 - 1  # five percent of the 2016 visits of a week
    assert official.minutes_left == 500


def test_the_api_tells_uptime_and_incidents(client, given, fresh):
    page = given(seen_lately, "UDDD", fresh)
    bearer = given(lambda: a_bearer(a_principal("province_watch")))

    uptime = client.get(f"/api/v1/uptime?page_id={page.id}", headers=bearer).json
    listed = client.get("/api/v1/incidents?open=true", headers=bearer).json

    assert [one["name"] for one in uptime["windows"]] == ["today", "7d", "30d"]
    assert uptime["official"]["verdict"] == "too_few_visits"
    assert [one["page_id"] for one in listed["items"]] == [str(page.id)]
    assert listed["next_after"] is None


def test_incidents_are_listed_in_pages_without_gap_or_repeat(client, given):
    for _ in range(5):
        given(seen, "UDDD")
    bearer = given(lambda: a_bearer(a_principal("province_watch")))

    found, after = [], ""
    while after is not None:
        part = client.get(f"/api/v1/incidents?limit=2{after and '&after=' + after}", headers=bearer).json
        found += [one["id"] for one in part["items"]]
        after = part["next_after"]

    assert len(found) == len(set(found)) == 5


@pytest.mark.parametrize(
    "query",
    [
        "uptime?page_id=1&body_id=2",
        "uptime?page_id=abc",
        "incidents?after=123",
        "incidents?limit=0",
        "incidents?limit=101",
    ],
)
def test_bad_questions_get_a_clear_answer(client, given, query):
    bearer = given(lambda: a_bearer(a_principal("province_watch")))

    answer = client.get(f"/api/v1/{query}", headers=bearer)

    assert answer.status_code == 422
    assert answer.json["code"] == "invalid"


def test_a_foreign_city_is_not_found_in_the_api(client, given):
    given(seen, "UDDD", body=given(a_body, "佛山市", FOSHAN))
    bearer = given(lambda: a_bearer(a_principal("city_operator", region_code=GUANGZHOU)))

    assert client.get(f"/api/v1/uptime?city_code={FOSHAN}", headers=bearer).status_code == 404
    assert client.get("/api/v1/incidents", headers=bearer).json["items"] == []


def test_everybody_may_know_the_counts_and_nothing_else(client, given, fresh):
    given(seen_lately, "UDDD", fresh, name="户政服务")
    given(a_beat, fresh)

    answer = client.get("/api/v1/status")

    counts = {"pages": 1, "up": 0, "degraded": 0, "down": 1, "unknown": 0}
    assert answer.json["counts"] == counts
    assert (answer.json["open_incidents"], answer.json["watching"]) == (1, True)
    assert set(answer.json) == {"counts", "open_incidents", "watching", "at"}


@pytest.mark.parametrize(
    ("rate", "text"),
    [(None, "—"), (1.0, "100%"), (0.99999, "99.99%"), (0.5, "50%"), (0.0, "0%"), (0.9512, "95.12%")],
)
def test_a_percentage_never_flatters(rate, text):
    assert percent(rate) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5, "5 秒"), (65, "1 分 5 秒"), (7260, "2 小时 1 分"), (90000, "1 天 1 小时")],
)
def test_lengths_of_time_are_told_in_two_units(seconds, text):
    assert duration(seconds) == text
