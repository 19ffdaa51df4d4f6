"""Totals per rule over the pages of a province, a city or a body."""

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest

from app.mobile_access import service
from app.mobile_access.service import State
from tests.app.mobile_access.builders import a_page, the_run
from tests.app.mobile_access.judged import a_result
from tests.builders import NOW, a_bearer, a_body, a_principal, sign_in

TOTALS = "/api/v1/mobile-pages/rule-totals"
CODE = "MAS-TRN-01"


@pytest.fixture
def reviewer(given):
    return given(lambda: a_bearer(a_principal("province_reviewer")))


def a_checked_page(app, given, *failing, body=None, spec_version="1"):
    page = given(a_page, body=body or given(a_body), state=State.CHECKING)
    result = replace(a_result(app, *failing), spec_version=spec_version)
    given(lambda: service.record_check(the_run(page.id), result, now=NOW + timedelta(seconds=9)))
    return page


def row_of(answer, code=CODE):
    return next(one for one in answer.json["rules"] if one["code"] == code)


def test_each_page_counts_once_by_its_newest_report(app, client, given, reviewer):
    failing = a_checked_page(app, given, CODE)
    a_checked_page(app, given)
    operator = given(lambda: a_principal("department_operator", body=a_body()))
    given(service.start_check, operator, failing.id, now=NOW)
    result = a_result(app, CODE)
    given(lambda: service.record_check(the_run(failing.id), result, now=NOW + timedelta(days=1)))

    found = client.get(TOTALS, headers=reviewer)

    row = row_of(found)
    assert (found.json["pages"], len(found.json["rules"])) == (2, 70)
    assert (row["pages"], row["failed"], row["passed"], len(row["failing"])) == (2, 1, 1, 1)


@pytest.mark.parametrize(
    ("code", "pages"),
    [("440100", 2), ("440300", 0), ("440000", 1)],
    ids=["city and county", "other", "province"],
)
def test_a_city_counts_with_its_counties(app, client, given, reviewer, code, pages):
    for name, region in (("公安厅", "440000"), ("广州", "440100"), ("天河", "440106")):
        a_checked_page(app, given, body=given(a_body, name, region))

    assert client.get(f"{TOTALS}?city_code={code}", headers=reviewer).json["pages"] == pages


def test_body_state_and_version_narrow_what_counts(app, client, given, reviewer):
    body = given(a_body)
    a_checked_page(app, given, CODE, body=body)
    a_checked_page(app, given, body=given(a_body, "民政厅"), spec_version="2")

    def pages(query):
        return client.get(f"{TOTALS}?{query}", headers=reviewer).json["pages"]

    assert [pages(f"body_id={body.id}"), pages("state=failed"), pages("state=online")] == [1, 1, 0]
    assert [pages("spec_version=2"), pages("spec_version=9")] == [1, 0]


def test_a_department_counts_its_own_pages_only(app, client, given):
    body = given(a_body)
    a_checked_page(app, given, body=body)
    a_checked_page(app, given, body=given(a_body, "民政厅"))
    operator = given(lambda: a_bearer(a_principal("department_operator", body=body)))

    assert client.get(TOTALS, headers=operator).json["pages"] == 1


def test_the_table_says_the_same_as_the_data(app, client, given, reviewer):
    a_checked_page(app, given, CODE)

    table = client.get(f"{TOTALS}.csv", headers=reviewer).data.decode("utf-8-sig")
    rows = {row["条款"]: row for row in csv.DictReader(io.StringIO(table, newline=""))}

    assert len(rows) == 70
    assert (rows[CODE]["不通过"], rows[CODE]["级别"]) == ("1", "必须")


def test_a_report_in_a_form_that_is_read_no_more_is_named_and_not_counted(app, client, given, reviewer):
    page = given(a_page, state=State.CHECKING)
    result = a_result(app)
    old = replace(result, report={**result.report, "format_version": 0})
    given(lambda: service.record_check(the_run(page.id), old, now=NOW))

    found = client.get(TOTALS, headers=reviewer).json

    assert (found["pages"], found["unread"], found["rules"]) == (1, 1, [])


@pytest.mark.parametrize("wrong", ["city_code=44", "city_code=%EF%BC%94" * 2, "state=gone", "body_id=x"])
def test_a_wrong_filter_is_refused(client, reviewer, wrong):
    assert client.get(f"{TOTALS}?{wrong}", headers=reviewer).status_code == 422


def test_the_console_shows_what_fails_most_in_front_and_gives_the_files(app, client, given):
    a_checked_page(app, given, CODE)
    sign_in(client, given, given(a_principal, "province_reviewer"))

    shown = client.get("/console/pages/totals?state=failed").text
    table = client.get("/console/pages/totals.csv?state=failed")
    data = client.get("/console/pages/totals.json?state=online")

    assert shown.index(CODE) < shown.index("MAS-TRN-02")
    assert (table.status_code, data.json["pages"]) == (200, 0)
    assert "全部" in client.get("/console/pages/totals?city_code=44").text
