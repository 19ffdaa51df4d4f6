from datetime import date, datetime, timedelta

import pytest

from app.core.clock import HALL_TIME
from app.mobile_access import service
from app.mobile_access.service import State
from app.organisations import service as organisations
from config import notice as notice_tables
from tests.app.mobile_access.builders import a_page
from tests.builders import a_principal, sign_in

TODAY = date(2016, 5, 10)
IN_TIME = datetime(2016, 4, 29, 9, tzinfo=HALL_TIME)


@pytest.fixture
def notice(given):
    given(organisations.import_notice, notice_tables.load(), lambda done, total: None)


def row_of(app, name, today=TODAY):
    with app.app_context():
        return next(one for one in service.schedule_state(today=today) if one.body_name == name)


def find(name):
    return organisations.find_body(name)


def test_annex_3_lists_every_city_and_23_departments(app, notice):
    with app.app_context():
        rows = service.schedule_state(today=TODAY)

    assert len(rows) == 21 + 23
    assert not any(one.met for one in rows)


def test_a_body_has_met_its_date_only_with_a_page_online(app, given, notice):
    body = given(find, "省公安厅")

    given(a_page, body=body, state=State.PASSED, now=IN_TIME)
    waiting = row_of(app, body.full_name)
    given(a_page, body=body, state=State.ONLINE, now=IN_TIME)
    met = row_of(app, body.full_name)

    assert (waiting.met, waiting.late) == (False, True)
    assert (met.met, met.first_online_on, met.late) == (True, IN_TIME.date(), False)


def test_a_page_taken_down_is_no_longer_met_but_was_in_time(app, given, notice):
    body = given(find, "省公安厅")

    given(a_page, body=body, state=State.SUSPENDED, now=IN_TIME)

    row = row_of(app, body.full_name)
    assert (row.met, row.first_online_on, row.late) == (False, IN_TIME.date(), False)


def test_a_first_page_after_the_deadline_is_late(app, given, notice):
    body = given(find, "省公安厅")

    given(a_page, body=body, state=State.ONLINE, now=IN_TIME + timedelta(days=5))

    assert row_of(app, body.full_name).late


def test_a_deadline_that_has_not_come_is_not_late(app, notice):
    with app.app_context():
        rows = service.schedule_state(today=date(2016, 4, 30))

    assert not any(one.late for one in rows)


def test_a_city_is_met_by_a_page_of_that_city_only(app, given, notice):
    city = given(find, "广州")

    given(a_page, body=city, state=State.ONLINE, now=IN_TIME)

    assert row_of(app, city.full_name).met
    assert not row_of(app, given(find, "深圳").full_name).met


def test_the_schedule_is_public_and_on_a_console_page(client, given, notice):
    sign_in(client, given, given(a_principal, "province_reviewer"))

    listed = client.get("/api/v1/schedule/mobile-access").json
    shown = client.get("/console/schedule").text

    assert len(listed) == 44
    assert listed[0]["deadline"] == "2016-04-30"
    assert "/ 44" in shown
