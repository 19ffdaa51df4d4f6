"""Steps of the desk: what they demand, what they do to the clocks, what the calendar does by itself."""

from datetime import date, datetime, timedelta

import pytest

from app.applications import service
from app.applications.service import Event, MoveNotAllowed, State
from app.catalogue import service as catalogue
from app.core import audit
from app.core.clock import HALL_TIME
from app.core.errors import Forbidden, Invalid
from tests.app.applications.builders import (
    a_case,
    a_draft,
    a_handler,
    a_supervisor,
    an_open_item,
    owner_of,
    row_of,
    take_step,
    version_of,
)
from tests.app.catalogue.builders import a_version
from tests.builders import NOW, a_principal

# The rules are the same on both databases, and their SQL is run on both elsewhere.
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def at(day, hour=9):
    return datetime(day.year, day.month, day.day, hour, tzinfo=HALL_TIME)


def a_promised_item():
    return an_open_item(case_type="2", promised_days=8, lawful_days=20)


@pytest.mark.parametrize(
    ("state", "event", "words", "field"),
    [
        (State.SUBMITTED, Event.REFUSE, {"reason": ""}, "reason"),
        (State.SUBMITTED, Event.REFUSE, {"remedy": " "}, "remedy"),
        (State.SUBMITTED, Event.ASK_SUPPLEMENT, {"items": []}, "items"),
        (State.SUBMITTED, Event.ASK_SUPPLEMENT, {"items": [{"field": "nothing", "text": "x"}]}, "items"),
        (State.SUBMITTED, Event.ASK_SUPPLEMENT, {"items": [{"material": "m9", "text": "x"}]}, "items"),
        (State.HANDLING, Event.DECIDE, {"granted": None}, "granted"),
        (State.HANDLING, Event.DECIDE, {"granted": False}, "remedy"),
        (State.HANDLING, Event.DECIDE, {"granted": True, "reason": "长" * 1001}, "reason"),
        (State.SUBMITTED, Event.ACCEPT, {"opinion": "长" * 1001}, "opinion"),
        (State.HANDLING, Event.EXTEND, {"days": 11}, "days"),
        (State.HANDLING, Event.EXTEND, {"reason": ""}, "reason"),
        (State.HANDLING, Event.SPECIAL_BEGIN, {"kind": "等领导回来"}, "kind"),
        (State.HANDLING, Event.SPECIAL_BEGIN, {"expected_on": date(2026, 3, 1)}, "expected_on"),
        (State.DECIDED, Event.COMPLETE, {"result": {}}, "result"),
        (State.COMPLETED, Event.DELIVER, {"delivery": "pigeon"}, "delivery"),
        (State.ACCEPTED, Event.VOID, {"reason": ""}, "reason"),
    ],
)
def test_a_step_says_what_the_law_wants_to_hear(given, app, state, event, words, field):
    case_id = given(a_case, state)

    with pytest.raises(Invalid) as refused:
        given(take_step, case_id, event, **words)

    assert field in refused.value.fields
    with app.app_context():
        assert row_of(case_id).state is state


def test_a_refusal_reaches_the_applicant_with_reason_and_remedy(given, app):
    case_id = given(a_case, State.NOT_ACCEPTED)

    with app.app_context():
        seen = service.my_case(owner_of(case_id), case_id)
        assert (seen.reason, seen.remedy) == ("不符合受理条件", "六十日内可以申请行政复议")


def test_the_handling_clock_runs_from_the_day_after_acceptance(given, app):
    case_id = given(a_case, item_id=given(a_promised_item))

    given(take_step, case_id, Event.ACCEPT, now=at(date(2026, 4, 2)))

    with app.app_context():
        row = row_of(case_id)
        # 清明节 (6 April) and 劳动节 (1 to 5 May) lie between.
        assert (row.promise_due_on, row.lawful_due_on) == (date(2026, 4, 15), date(2026, 5, 6))


def test_a_special_procedure_stops_the_clock_and_moves_the_limits(given, app):
    case_id = given(a_case, State.HANDLING, item_id=given(a_promised_item))
    with app.app_context():
        before = row_of(case_id).promise_due_on

    given(take_step, case_id, Event.SPECIAL_BEGIN, now=at(date(2026, 3, 4)))
    with app.app_context():
        assert row_of(case_id).promise_due_on is None
    given(take_step, case_id, Event.SPECIAL_END, now=at(date(2026, 3, 9)))

    with app.app_context():
        assert before == date(2026, 3, 12)
        assert row_of(case_id).promise_due_on == date(2026, 3, 17)


def test_a_decision_is_put_off_once(given, app):
    case_id = given(a_case, State.HANDLING, item_id=given(a_promised_item))

    given(take_step, case_id, Event.EXTEND, days=5)
    with pytest.raises(MoveNotAllowed):
        given(take_step, case_id, Event.EXTEND, days=5)

    with app.app_context():
        assert row_of(case_id).promise_due_on == date(2026, 3, 19)


def test_only_what_is_done_on_the_spot_is_decided_without_handling(given):
    case_id = given(a_case, State.ACCEPTED, item_id=given(a_promised_item))

    with pytest.raises(MoveNotAllowed):
        given(take_step, case_id, Event.DECIDE_ON_SPOT)


def test_steps_are_passed_one_by_one_and_returned(given, app):
    case_id = given(a_case, State.HANDLING)  # one of two steps is passed

    given(take_step, case_id, Event.STEP_PASS)
    with pytest.raises(MoveNotAllowed):
        given(take_step, case_id, Event.STEP_PASS)
    given(take_step, case_id, Event.STEP_RETURN)

    with app.app_context():
        assert row_of(case_id).step == 1


def test_what_goes_up_opens_a_linked_case_there(given, app):
    case_id = given(a_case, State.CLOSED_NO_RESULT)

    with app.app_context():
        upper = next(one for one in service.mine(owner_of(case_id)).items if one.id != case_id)
        seen = service.my_case(owner_of(case_id), upper.id)
        assert (seen.state, seen.item.region_code) == (State.SUBMITTED, "440000")
        assert seen.answers["name"] == "测试一"
        assert row_of(upper.id).referred_from_id == case_id


def test_roles_keep_to_their_own_steps(given, app):
    handling = given(a_case, State.HANDLING)
    with app.app_context():
        handler = given(a_handler, handling)
    supervisor = given(a_supervisor)

    with pytest.raises(Forbidden):
        given(take_step, handling, Event.EXTEND, by=handler)
    with pytest.raises(Forbidden):
        given(take_step, handling, Event.DECIDE, by=supervisor)


def test_who_took_a_case_is_seen_and_nobody_takes_it_away(given, app):
    case_id = given(a_case)
    one, other = (given(a_principal, "city_operator", region_code="440100") for _ in range(2))

    given(service.take, one, case_id, version=3, now=NOW)
    with pytest.raises(MoveNotAllowed):
        given(service.take, other, case_id, version=4, now=NOW)
    with pytest.raises(MoveNotAllowed):
        given(service.put_back, other, case_id, "出差", now=NOW)
    given(service.put_back, one, case_id, "出差", now=NOW)

    with app.app_context():
        assert row_of(case_id).handler_id is None
        assert [line.action for line in audit.history("application", case_id)][:2] == [
            "application.put_back",
            "application.take",
        ]


def test_silence_for_five_working_days_is_acceptance_as_of_receipt(given, app):
    case_id = given(a_case)  # on Monday, 2 March
    monday = at(date(2026, 3, 9))

    too_early = given(service.deem_accepted, case_id, now=monday)
    done = given(service.deem_accepted, case_id, now=monday + timedelta(days=1))

    with app.app_context():
        row = row_of(case_id)
        assert (too_early, done, row.state, row.accepted_at) == (False, True, State.ACCEPTED, NOW)
        assert service.overdue_intakes(date(2026, 4, 1)) == []


def test_a_supplement_begins_a_new_clock_of_intake(given, app):
    case_id = given(a_case, State.SUPPLEMENT_DUE)
    later = at(date(2026, 3, 10))

    with app.app_context():
        owner, version = owner_of(case_id), version_of(case_id)
    given(service.supply, owner, case_id, {"employer": "乙厂"}, {}, "", version=version, now=later)

    with app.app_context():
        row = row_of(case_id)
        assert (row.intake_due_on, row.received_at) == (date(2026, 3, 17), later)
        assert row.submitted_at == NOW


def test_the_calendar_returns_what_was_not_mended(given, app):
    case_id = given(a_case, State.SUPPLEMENT_DUE)

    with app.app_context():
        for name in ("end-supplements", "end-intakes", "retire-items"):
            app.extensions["hall_jobs"][f"applications.{name}"].run({})

    with app.app_context():
        assert row_of(case_id).state is State.RETURNED


def test_a_version_is_retired_after_its_last_case(given, app):
    item_id = given(a_promised_item)
    case_id = given(a_case, State.DECIDED, item_id=item_id)
    given(a_version, item_id, promised_days=5)

    held = given(service.retire_versions, now=NOW)
    given(take_step, case_id, Event.COMPLETE)
    given(take_step, case_id, Event.DELIVER)
    gone = given(service.retire_versions, now=NOW)

    with app.app_context():
        assert (held, gone) == (0, 1)
        assert catalogue.version(row_of(case_id).item_version_id).state.value == "retired"


def test_a_draft_is_nobodys_work(given, app):
    draft_id = given(a_draft)
    person = given(a_principal, "city_operator", region_code="440100")

    with app.app_context():
        assert service.queue(person, today=NOW.date()).items == []
        assert row_of(draft_id).desk_on is None
