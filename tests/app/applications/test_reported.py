"""Steps that a department's own system reports."""

from datetime import timedelta

import pytest

from app.applications import service
from app.applications.service import Event, MoveNotAllowed, State, Told
from app.core.errors import Forbidden, Invalid, NotFound
from tests.app.applications.builders import a_case, an_open_item, row_of
from tests.builders import NOW

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
HOUR = timedelta(hours=1)


def report(case_id, event, *, at=NOW, body_id=None, **words):
    service.step_by_system(
        case_id,
        event,
        Told(**words),
        actor="system:12",
        body_id=body_id or row_of(case_id).body_id,
        at=at,
        now=NOW + timedelta(days=3),
    )


def test_a_case_is_carried_through_by_reports_alone(given, app):
    case_id = given(a_case, item_id=given(an_open_item, case_type="2", promised_days=8, lawful_days=20))

    given(report, case_id, Event.ACCEPT, at=NOW + HOUR)
    given(report, case_id, Event.BEGIN, at=NOW + 2 * HOUR)
    given(report, case_id, Event.EXTEND, at=NOW + 3 * HOUR, days=5, reason="案情复杂")
    given(report, case_id, Event.DECIDE, at=NOW + 4 * HOUR, granted=True)
    given(report, case_id, Event.COMPLETE, at=NOW + 5 * HOUR, result={"name": "居住证"})

    with app.app_context():
        row = row_of(case_id)
        assert (row.state, row.accepted_at, row.decided_at) == (
            State.COMPLETED,
            NOW + HOUR,
            NOW + 4 * HOUR,
        )
        assert row.handler_id is None


def test_what_the_applicant_brought_to_the_department_begins_a_new_intake(given, app):
    case_id = given(a_case, State.SUPPLEMENT_DUE)

    given(report, case_id, Event.SUPPLY, at=NOW + HOUR)

    with app.app_context():
        assert (row_of(case_id).state, row_of(case_id).received_at) == (State.SUBMITTED, NOW + HOUR)


def test_another_bodys_case_is_not_there(given):
    case_id = given(a_case)

    with pytest.raises(NotFound):
        given(report, case_id, Event.ACCEPT, body_id=1)


def test_the_machine_and_its_words_hold_for_systems_too(given):
    case_id = given(a_case)

    with pytest.raises(MoveNotAllowed):
        given(report, case_id, Event.COMPLETE, result={"name": "居住证"})
    with pytest.raises(MoveNotAllowed):
        given(report, case_id, Event.DEEM_ACCEPT)
    with pytest.raises(Invalid) as refused:
        given(report, case_id, Event.REFUSE, reason="不属于本机关职权")
    assert "remedy" in refused.value.fields


def test_a_second_supplement_notice_is_no_systems_to_give(given):
    case_id = given(a_case, State.SUPPLEMENT_DUE)
    given(report, case_id, Event.SUPPLY)

    with pytest.raises(Forbidden):
        given(report, case_id, Event.ASK_SUPPLEMENT, items=[{"text": "再交一份"}])


@pytest.mark.parametrize("at", [NOW - HOUR, NOW + timedelta(days=4)], ids=["before the last", "to come"])
def test_a_time_that_cannot_be_is_refused(given, at):
    case_id = given(a_case)

    with pytest.raises(Invalid) as refused:
        given(report, case_id, Event.ACCEPT, at=at)

    assert "at" in refused.value.fields


def test_clocks_that_stand_a_little_apart_do_no_harm(given, app):
    case_id = given(a_case)

    given(report, case_id, Event.ACCEPT, at=NOW - timedelta(minutes=4))

    with app.app_context():
        assert row_of(case_id).accepted_at == NOW
