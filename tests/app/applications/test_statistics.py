"""Statistics of a desk's load: counted from steps, by body, person and item, exported without formulas."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook

from app.applications import service
from app.applications.desk_models import ApplicationDay
from app.applications.service import Event, Grouping, State
from app.core import db
from app.core.errors import Invalid
from tests.app.applications.builders import LATER, a_case, an_open_item, take_step
from tests.builders import NOW, a_principal, sign_in

TODAY = NOW.date()
on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def some_cases(given):
    item = given(an_open_item, case_type="2", promised_days=5, lawful_days=20)
    for state in (State.SUBMITTED, State.SUPPLEMENT_DUE, State.NOT_ACCEPTED, State.HANDLING):
        given(a_case, state, item_id=item)
    in_time, late = (given(a_case, State.HANDLING, item_id=item) for _ in range(2))
    given(take_step, in_time, Event.DECIDE, now=NOW + timedelta(days=2))
    given(take_step, late, Event.DECIDE, now=NOW + timedelta(days=10), granted=False, reason="x", remedy="y")
    forgotten = given(a_case, item_id=item)
    given(service.deem_accepted, forgotten, now=NOW + timedelta(days=8))
    return item


def rolled(given, app, by, grouping=Grouping.BODY, days=20):
    now = NOW + timedelta(days=days)
    given(service.roll_up, now.date(), now=now)
    with app.app_context():
        return service.load(by, TODAY, now.date(), grouping)


def test_figures_are_counted_from_steps(given, app):
    some_cases(given)
    by = given(a_principal, "province_reviewer")

    found = rolled(given, app, by)

    row = found.rows[0]
    assert row.numbers == {
        "received": 7,
        "accepted": 4,
        "refused": 1,
        "deemed": 1,
        "supplements": 1,
        "extended": 0,
        "paused": 0,
        "decided": 2,
        "ended": 1,
        "granted": 1,
        "on_time": 1,
        "used_days": 2 + 8,
    }
    assert (row.on_time_rate, row.mean_days) == (0.5, 5.0)
    assert (row.open_count, row.overdue) == (6, 4)
    assert row.open[State.DECIDED] == 2
    assert found.total.numbers == row.numbers


def test_counting_again_changes_nothing_and_late_reports_are_counted(given, app):
    item = some_cases(given)
    by = given(a_principal, "province_reviewer")
    first = rolled(given, app, by)

    again = rolled(given, app, by)
    given(a_case, item_id=item, now=NOW + timedelta(days=15))
    later = rolled(given, app, by)

    assert first.rows == again.rows
    assert later.rows[0].numbers["received"] == 8


@on_sqlite
def test_each_sees_the_load_of_their_own_bodies(given, app):
    item = some_cases(given)
    city = given(a_principal, "city_operator", region_code="440100")
    other = given(a_principal, "city_operator", region_code="440300")

    with_item = rolled(given, app, city, Grouping.ITEM)
    by_person = rolled(given, app, city, Grouping.HANDLER)
    nothing = rolled(given, app, other)

    assert [(row.key, row.name) for row in with_item.rows] == [(item, "居住证申领（广州市人民政府）")]
    assert sum(row.numbers["received"] for row in by_person.rows) == 7
    assert nothing.rows == []


@on_sqlite
def test_a_period_leaves_out_what_happened_before_and_after(given, app):
    some_cases(given)
    by = given(a_principal, "province_reviewer")
    rolled(given, app, by)

    with app.app_context():
        found = service.load(by, TODAY + timedelta(days=2), TODAY + timedelta(days=9), Grouping.BODY)
        assert (found.total.numbers["received"], found.total.numbers["decided"]) == (0, 1)
        with pytest.raises(Invalid):
            service.load(by, TODAY, TODAY - timedelta(days=1), Grouping.BODY)
        with pytest.raises(Invalid):
            service.load(by, date(2016, 1, 1), TODAY, Grouping.BODY)


@on_sqlite
def test_the_page_and_its_files_say_the_same(given, app, client):
    some_cases(given)
    by = given(a_principal, "province_reviewer")
    rolled(given, app, by)
    sign_in(client, given, by)
    asked = f"?start={TODAY}&end={TODAY + LATER}&by=body"

    page = client.get(f"/desk/statistics{asked}")
    text = client.get(f"/desk/statistics/load.csv{asked}").data.decode("utf-8-sig")
    book = load_workbook(io.BytesIO(client.get(f"/desk/statistics/load.xlsx{asked}").data))

    heading, first, total = [line.split(",") for line in text.strip().splitlines()]
    assert "50.0%" in page.text
    assert dict(zip(heading, first, strict=True)) | {"单位": "合计"} == dict(zip(heading, total, strict=True))
    assert dict(zip(heading, first, strict=True))["按时率"] == "50.0%"
    assert [[cell.value for cell in row] for row in book.active.iter_rows()][1] == first
    book.close()


@on_sqlite
def test_nonsense_is_refused(given, client):
    sign_in(client, given, given(a_principal, "province_reviewer"))

    answers = {
        "/desk/statistics?by=wealth": 404,
        "/desk/statistics?start=2026-05-01&end=2026-04-01": 422,
        "/desk/statistics?start=yesterday": 200,
    }

    assert {path: client.get(path).status_code for path in answers} == answers


@on_sqlite
def test_the_job_counts_an_empty_desk(app, tables):
    with app.app_context():
        app.extensions["hall_jobs"][service.ROLL_UP_JOB].run({})
        assert db.session().query(ApplicationDay).count() == 0
