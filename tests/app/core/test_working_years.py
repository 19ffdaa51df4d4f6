"""The years of the calendar: version by version, filled from the file, noticed by every process."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest

from app.core import db, working_time, working_years
from app.core.errors import Invalid
from app.core.working_time import calendar, fresh_calendar
from app.core.working_years import changes, fill, history, land
from config import working_days
from tests.builders import NOW

FILED = working_days.load().years
PUBLISHED = replace(
    FILED[2027],
    provisional=False,
    source="国务院办公厅关于2027年部分节假日安排的通知（示例）",
    days_off=FILED[2027].days_off | {date(2027, 10, 6), date(2027, 10, 7)},
    workdays=frozenset({date(2027, 9, 26), date(2027, 10, 9)}),
)


def test_the_table_is_filled_from_the_file_once(given, app):
    first, second = given(fill, NOW), given(fill, NOW)

    with app.app_context():
        views = history()
        assert (len(first), second) == (12, [])
        assert {view.year.number: view.year for view in views} == dict(FILED)
        assert fresh_calendar().version == 12


def test_a_published_year_lands_as_a_version_and_the_former_stays(given, app):
    given(fill, NOW)
    with app.app_context():
        before = fresh_calendar()

    landed = given(land, [PUBLISHED], by="staff:1", now=NOW)

    with app.app_context():
        after = fresh_calendar()
        assert landed == [PUBLISHED]
        assert (before.is_workday(date(2027, 10, 9)), after.is_workday(date(2027, 10, 9))) == (False, True)
        assert (after.version, after.is_provisional(date(2027, 1, 1))) == (13, False)
        assert [(one.version, one.present) for one in history() if one.year.number == 2027] == [
            (2, True),
            (1, False),
        ]


def test_what_lands_twice_is_one_version(given, app):
    given(land, [PUBLISHED], by="staff:1", now=NOW)

    assert given(land, [PUBLISHED], by="staff:2", now=NOW) == []


def test_the_file_does_not_overrule_what_people_brought_in(given, app):
    given(land, [PUBLISHED], by="staff:1", now=NOW)

    given(fill, NOW)

    with app.app_context():
        assert next(one for one in history() if one.year.number == 2027).year == PUBLISHED


@pytest.mark.parametrize("change", [{"provisional": True}, {"source": " "}], ids=["back", "no source"])
def test_an_arrangement_nobody_can_have_published_is_refused(given, change):
    given(land, [PUBLISHED], by="staff:1", now=NOW)

    with pytest.raises(Invalid):
        given(land, [replace(PUBLISHED, **change)], by="staff:1", now=NOW)


def test_a_process_holds_on_to_its_calendar_and_notices_a_newer_one_soon(given, app, monkeypatch):
    with app.app_context():
        held = calendar()
    given(fill, NOW)

    with app.app_context():
        assert calendar() is held
        monkeypatch.setattr(working_time, "LOOK_EVERY_SECONDS", 0)
        noticed = calendar()
        assert noticed.version == 12
        assert calendar() is noticed


def test_only_days_that_change_are_named():
    found = changes(working_days.load(), [PUBLISHED, FILED[2026]])

    assert [(one.day, one.works) for one in found] == [
        (date(2027, 9, 26), True),
        (date(2027, 10, 6), False),
        (date(2027, 10, 7), False),
        (date(2027, 10, 9), True),
    ]


def test_a_list_of_days_makes_years():
    text = "\ufeffdate,kind,name\n2027-10-09,班,国庆\n2027-10-01,休,国庆\n2028-01-01,off,元旦\n"

    one, other = working_days.years_from_csv(text, source="示例", provisional=False)

    assert (one.number, one.workdays, one.days_off) == (
        2027,
        frozenset({date(2027, 10, 9)}),
        frozenset({date(2027, 10, 1)}),
    )
    assert (other.number, other.provisional) == (2028, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("day,kind\n2027-10-01,休\n", "第一行"),
        ("date,kind\n2027-13-01,休\n", "第 2 行"),
        ("date,kind\n2027-10-01,holiday\n", "第 2 行"),
        ("date,kind\n2027-10-01,休\n2027-10-01,班\n", "第 3 行"),
        ("date,kind\n2027-10-04,班\n", "周六或周日"),
        ("date,kind\n=1+1,休\n", "第 2 行"),
    ],
)
def test_a_list_with_a_fault_names_its_line(text, said):
    with pytest.raises(ValueError, match=said):
        working_days.years_from_csv(text, source="示例", provisional=False)


def test_two_years_landed_in_the_same_moment_both_count(given, app):
    def bring(year):
        with app.app_context():
            return db.transaction(lambda: land([year], by="staff:1", now=NOW))

    given(land, [FILED[2025]], by="staff:1", now=NOW)
    with ThreadPoolExecutor(2) as pool:
        landed = list(pool.map(bring, [PUBLISHED, FILED[2026]]))

    with app.app_context():
        assert landed == [[PUBLISHED], [FILED[2026]]]
        assert sorted(one.number for one in history()) == [1, 2, 3]


def test_landing_needs_a_transaction(context):
    with pytest.raises(RuntimeError):
        land([PUBLISHED], by="staff:1", now=NOW)
    assert db.session().query(working_years.WorkingYear).count() == 0
