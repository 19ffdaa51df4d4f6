"""Pages and API of incidents and groups."""

import pytest
from sqlalchemy import select

from app.core import db
from app.monitoring import service
from app.monitoring.models import Incident
from tests.app.monitoring.builders import at, seen
from tests.app.monitoring.test_grouping import pages_down, tend
from tests.builders import a_bearer, a_body, a_principal, sign_in, submit


def of(page):
    return db.session().scalar(select(Incident).where(Incident.page_id == page.id))


def test_the_list_shows_what_is_in_scope(client, given):
    given(seen, "UDDD", name="户政服务")
    given(seen, "UDDD", name="入学服务", body=given(a_body, "教育厅"))
    sign_in(client, given, given(a_principal, "department_operator"))

    text = client.get("/wall/incidents").text

    assert "户政服务" in text
    assert "入学服务" not in text


def test_the_list_goes_on_page_by_page_with_its_filters(client, given, monkeypatch):
    monkeypatch.setattr("app.monitoring.incident_pages.PAGE_SIZE", 2)  # thirty outages take long
    for number in range(3):
        given(seen, "UDDD", name=f"服务{number}", minute=1 + number)
    sign_in(client, given, given(a_principal, "province_watch"))

    first = client.get("/wall/incidents?phase=status&state=open").text
    link = first.split('class="button button-plain" href="')[1].split('"')[0].replace("&amp;", "&")

    assert "phase=status" in link
    assert "服务0" not in first
    assert "服务0" in client.get(link).text


@pytest.mark.parametrize(
    "query", ["?state=x&kind=1&phase=y&from=x&until=9999-99-99&body=q&after=zz", "?from=0001-01-01"]
)
def test_nonsense_filters_filter_nothing(client, given, query):
    given(seen, "UDDD", name="户政服务")
    sign_in(client, given, given(a_principal, "province_watch"))

    assert "户政服务" in client.get(f"/wall/incidents{query}").text


def test_an_incident_tells_cause_advice_evidence_and_looks(client, given):
    page = given(seen, "UDDD")
    sign_in(client, given, given(a_principal, "department_operator"))

    text = client.get(f"/wall/incidents/{given(of, page).id}").text

    assert "网关还在，但后面的应用没有回应" in text
    assert "先查什么" in text
    assert "最近 4 次探测" in text
    assert "下达整改通知" not in text


def test_taking_noting_and_assigning_stand_in_the_timeline(client, given):
    page = given(seen, "UDDD")
    who = given(a_principal, "department_operator")
    sign_in(client, given, who)
    path = f"/wall/incidents/{given(of, page).id}"

    submit(client, path, f"{path}/take", note="马上处理")
    submit(client, path, f"{path}/notes", text="<b>重启了</b>")
    submit(client, path, f"{path}/assignee", staff_id=str(who.staff_id))

    text = client.get(path).text
    assert "马上处理" in text
    assert "&lt;b&gt;重启了&lt;/b&gt;" in text
    assert "指派给测试人员" in text


def test_too_late_is_said_and_no_error_page(client, given):
    page = given(seen, "UDDD")
    sign_in(client, given, given(a_principal, "department_operator"))
    path = f"/wall/incidents/{given(of, page).id}"
    token_page = client.get(path).text
    assert "我来处理" in token_page

    answer = submit(client, path, f"{path}/notes", text="  ")

    assert answer.status_code == 303
    assert "请填写备注" in client.get(path).text


def test_a_group_is_taken_as_a_whole(client, given):
    pages = given(pages_down, 3)
    given(tend, 5)
    sign_in(client, given, given(a_principal, "department_operator"))
    path = f"/wall/incident-groups/{given(of, pages[0]).group_id}"

    submit(client, path, f"{path}/take", note="")

    assert "已签收 3 个事件" in client.get(path).text


@pytest.mark.parametrize("rest", ["", "/take", "/notes", "/assignee"])
def test_anothers_incident_is_not_found(client, given, rest):
    page = given(seen, "UDDD")
    sign_in(client, given, given(a_principal, "department_operator", body=given(a_body, "教育厅")))
    path = f"/wall/incidents/{given(of, page).id}{rest}"

    answer = submit(client, "/wall", path) if rest else client.get(path)

    assert answer.status_code == 404


def test_the_api_tells_the_same(client, given):
    page = given(seen, "UDDD")
    who = given(a_principal, "department_operator")
    head, path = given(a_bearer, who), f"/api/v1/incidents/{given(of, page).id}"

    taken = client.put(f"{path}/acknowledgement", json={"note": "马上"}, headers=head)
    client.put(f"{path}/assignee", json={"staff_id": str(who.staff_id)}, headers=head)
    found = client.get(path, headers=head).json

    assert taken.json["state"] == "acknowledged"
    assert found["incident"]["assigned_to"] == str(who.staff_id)
    assert found["diagnosis"]["phase"] == "status"
    assert [line["kind"] for line in found["timeline"]] == ["opened", "acknowledged", "assigned"]
    assert {"id": str(who.staff_id), "name": "测试人员"} in found["people"]


def test_figures_by_body_are_those_of_ones_scope(client, given):
    page = given(seen, "UDDDUU")
    given(seen, "UDDDUU", body=given(a_body, "教育厅"))
    head = given(a_bearer, given(a_principal, "department_operator"))

    query = {"start": at(0).isoformat(), "end": at(60).isoformat(), "by": "body"}
    (row,) = client.get("/api/v1/incident-statistics", query_string=query, headers=head).json["items"]

    assert (row["key"], row["count"], row["down_minutes"]) == (str(page.body_id), 1, 3.0)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("?start=2026-01-01T00:00:00Z&end=2025-01-01T00:00:00Z", id="backwards"),
        pytest.param("?start=0001-01-01T00:00:00%2B14:00&end=2026-01-01T00:00:00Z", id="before time"),
        pytest.param("", id="nothing"),
    ],
)
def test_figures_of_no_time_are_refused(client, given, query):
    head = given(a_bearer, given(a_principal, "province_watch"))

    assert client.get(f"/api/v1/incident-statistics{query}", headers=head).status_code == 422


def test_the_service_lists_a_group(app, given):
    pages = given(pages_down, 2)
    given(tend, 5)

    with app.app_context():
        group_id = of(pages[0]).group_id
        listed = service.incidents(given(a_principal, "province_watch"), group_id=group_id)
        assert {one.page_id for one in listed.items} == {page.id for page in pages}
