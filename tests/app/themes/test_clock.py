"""How long it takes at most: the joint limit with its law, else the items' own."""

from datetime import date, timedelta

import pytest

from app.applications.service import Event
from app.core import db
from app.core.errors import Invalid, NotFound
from app.core.working_time import calendar, working_days_later
from app.themes import service
from tests.app.applications import builders as cases
from tests.app.themes import builders as build
from tests.builders import NOW, a_principal

pytestmark = [
    pytest.mark.parametrize("app", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("context"),
]
TODAY = date(2026, 3, 2)


def told(work, *args, **details):
    return db.transaction(lambda: work(*args, **details))


def accepted():
    """Return an application whose first sub-case was accepted today."""
    made = told(build.an_application)
    told(cases.take_step, build.case_of(made, "GS"), Event.ACCEPT)
    told(service.follow, made, now=NOW)
    return made


def seen(made):
    return service.my_case(build.row_of(made).resident_id, made)


def test_the_joint_limit_runs_from_the_first_acceptance_and_names_its_law():
    made = told(build.an_application)
    before = seen(made).due_on

    told(cases.take_step, build.case_of(made, "GS"), Event.ACCEPT)
    told(service.follow, made, now=NOW)

    assert before is None
    assert seen(made).due_on == working_days_later(TODAY, 45, calendar())
    assert "行政许可法" in seen(made).law


def test_a_lawful_pause_of_one_part_puts_the_joint_limit_off():
    made = accepted()
    told(cases.take_step, build.case_of(made, "GS"), Event.BEGIN)

    told(cases.take_step, build.case_of(made, "GS"), Event.SPECIAL_BEGIN)
    told(service.follow, made, now=NOW)

    assert seen(made).due_on is None


def test_the_joint_limit_is_put_off_once_with_a_reason():
    made, by = accepted(), told(a_principal, "province_reviewer")

    told(service.extend, by, made, 15, "案情复杂", version=build.row_of(made).version, now=NOW)

    assert seen(made).due_on == working_days_later(TODAY, 60, calendar())
    assert seen(made).extension_reason == "案情复杂"
    with pytest.raises(service.MoveNotAllowed):
        told(service.extend, by, made, 1, "再延", version=build.row_of(made).version, now=NOW)


@pytest.mark.parametrize(("days", "reason"), [(0, "因为"), (16, "因为"), (5, " ")])
def test_too_many_days_or_no_reason_put_nothing_off(days, reason):
    made, by = accepted(), told(a_principal, "province_reviewer")

    with pytest.raises(Invalid):
        told(service.extend, by, made, days, reason, version=build.row_of(made).version, now=NOW)


def test_who_does_not_supervise_all_the_bodies_finds_nothing_to_put_off():
    made, by = accepted(), told(a_principal, "city_operator", region_code="440300")

    with pytest.raises(NotFound):
        told(service.extend, by, made, 5, "因为", version=build.row_of(made).version, now=NOW)


def test_without_joint_handling_the_longest_of_the_items_own_limits_counts():
    told(build.the_items)
    theme = told(build.a_theme, joint=False)
    made = told(build.an_application, theme)

    told(cases.take_step, build.case_of(made, "GS"), Event.ACCEPT)
    told(service.follow, made, now=NOW)

    assert seen(made).due_on == working_days_later(TODAY, 20, calendar())
    assert service.guide(theme, None).limit.lawful_days == 20


def test_a_guide_promises_what_the_longest_chain_takes():
    told(build.the_items)
    theme = told(build.a_theme)

    limit = service.guide(theme, None).limit

    assert (limit.promised_days, limit.lawful_days, limit.extension_days) == (10, 45, 15)


def test_a_draft_that_nobody_saves_is_given_up_and_what_was_typed_is_forgotten():
    made = told(build.a_draft)
    later = NOW + timedelta(days=61)

    found = service.expired_drafts(later.date())
    told(service.forget_draft, made, now=later)

    row = build.row_of(made)
    assert found == [made]
    assert (row.answers, row.sealed) == ({}, {})
