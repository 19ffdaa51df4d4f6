"""A calendar that changes moves limits, says so, and moves none twice; reminders come once per limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import yaml

from app.alerts.models import AlertRow
from app.applications import jobs, moving, recomputing, service, steps, telling
from app.applications.desk_domain import LimitKind, ReminderKind
from app.applications.desk_models import ApplicationLimitChange, ApplicationReminder
from app.applications.service import Event, State
from app.catalogue import service as catalogue
from app.core import db, working_years
from app.core.runner import Worker
from app.core.working_time import fresh_calendar, working_days_later
from app.notices.models import Message
from config import working_days
from tests.app.applications.builders import (
    LATER,
    a_case,
    a_handler,
    an_open_item,
    owner_of,
    row_of,
    take_step,
)
from tests.builders import NOW

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
FILED = working_days.load().years
# Friday, 6 March becomes a day of rest, and Saturday, 14 March is worked on for it.
CHANGED = replace(
    FILED[2026],
    source="调整通知（示例）",
    days_off=FILED[2026].days_off | {date(2026, 3, 6)},
    workdays=FILED[2026].workdays | {date(2026, 3, 14)},
)


def land(*years):
    return working_years.land(years, by="staff:1", now=NOW)


def recompute(given):
    rounds = 0
    while ids := given(service.reckoned_before, 0):
        given(service.recompute, ids, now=NOW)
        rounds += 1
    return rounds


def test_limits_follow_a_new_calendar_with_a_log_a_line_and_a_notice(given, app):
    given(land, *FILED.values())
    case_id = given(a_case)  # received on Monday, 2 March: due on the 9th
    given(land, CHANGED)

    rounds = recompute(given)

    with app.app_context():
        row = row_of(case_id)
        change = db.session().query(ApplicationLimitChange).one()
        seen = service.case_for(a_reader(given, case_id), case_id, now=NOW)
        titles = [
            one.dedup_key for one in db.session().query(Message).filter_by(resident_id=owner_of(case_id))
        ]
        assert rounds == 1
        assert (row.intake_due_on, row.desk_on, row.calendar_version) == (date(2026, 3, 10),) * 2 + (13,)
        assert (change.kind, change.old_on, change.new_on) == (
            LimitKind.INTAKE,
            date(2026, 3, 9),
            date(2026, 3, 10),
        )
        assert "受理期限由 2026-03-09 改为 2026-03-10：2026年的工作日安排有更新" in str(seen.history)
        assert f"application:{case_id}:limit:13" in titles


def a_reader(given, case_id):
    return given(lambda: a_handler(case_id))


@on_sqlite
def test_it_goes_on_where_it_stopped_and_does_nothing_twice(given, app, monkeypatch):
    monkeypatch.setattr(recomputing, "BATCH", 2)
    item = given(an_open_item)
    given(land, *FILED.values())
    for _ in range(3):
        given(a_case, item_id=item)
    given(land, CHANGED)

    first = given(service.reckoned_before, 0)
    given(service.recompute, first, now=NOW)
    rest = recompute(given)
    again = recompute(given)

    with app.app_context():
        assert (len(first), rest, again) == (2, 1, 0)
        assert db.session().query(ApplicationLimitChange).count() == 3


@on_sqlite
@pytest.mark.parametrize(
    ("state", "kinds"),
    [
        (State.SUPPLEMENT_DUE, {"supplement"}),
        (State.HANDLING, {"promise", "lawful"}),
        (State.SUSPENDED, set()),
        (State.DECIDED, {"delivery"}),
        (State.DELIVERED, set()),
        (State.NOT_ACCEPTED, set()),
    ],
)
def test_only_limits_that_run_are_moved(given, app, state, kinds):
    given(land, *FILED.values())
    far = replace(FILED[2026], source="示例", days_off=FILED[2026].days_off | {date(2026, 3, 6)})
    item = given(an_open_item, case_type="2", promised_days=8, lawful_days=20)
    given(a_case, state, item_id=item)
    given(land, far)

    recompute(given)

    with app.app_context():
        assert {one.kind.value for one in db.session().query(ApplicationLimitChange)} == kinds


@on_sqlite
def test_an_applicants_day_is_never_moved_forward(given, app):
    given(land, *FILED.values())
    case_id = given(a_case, State.SUPPLEMENT_DUE)
    earlier = replace(FILED[2026], source="示例", workdays=FILED[2026].workdays | {date(2026, 3, 7)})
    given(land, earlier)
    with app.app_context():
        before = row_of(case_id).supplement_due_on

    recompute(given)

    with app.app_context():
        assert row_of(case_id).supplement_due_on == before


@on_sqlite
def test_the_command_says_what_would_change_before_it_does(given, app, tmp_path):
    given(land, *FILED.values())
    case_id = given(a_case)
    raw = {
        "years": [
            {
                "year": 2026,
                "provisional": False,
                "source": CHANGED.source,
                "days_off": [[day.isoformat()] * 2 for day in sorted(CHANGED.days_off)],
                "workdays": [day.isoformat() for day in sorted(CHANGED.workdays)],
            }
        ]
    }
    file = tmp_path / "2026.yaml"
    file.write_text(yaml.safe_dump(raw), encoding="utf-8")
    run = app.test_cli_runner().invoke

    tried = run(args=["calendar", "import", str(file)])
    before = run(args=["calendar", "show", "2026"])
    done = run(args=["calendar", "import", str(file), "--apply"])
    shown = run(args=["calendar", "show", "2026"])

    assert "2026-03-06 星期五 改为休息" in tried.output
    assert "2 天有变化，1 个办件的期限会重新计算" in tried.output
    assert "没有写入" in tried.output
    assert "第2版" not in before.output
    assert "工作日历第 13 版" in done.output
    assert "2026-03-14 星期六 班" in shown.output
    with app.app_context():
        app.extensions["hall_jobs"][service.RECOMPUTE_JOB].run({})
        assert row_of(case_id).intake_due_on == date(2026, 3, 10)


@on_sqlite
@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yaml", "years: [{year: 2027}]", "不是工作日历的格式"),
        ("a.yaml", "- 1", "不是工作日历的格式"),
        ("a.yaml", "a: [", "a.yaml"),
        ("a.csv", "date,kind\n2027-10-04,班\n", "周六或周日"),
        ("a.csv", "date,kind\n2027-10-01,休\n", "请写明 2027 年安排的出处"),
    ],
)
def test_a_file_with_a_fault_changes_nothing(app, tables, tmp_path, name, text, said):
    (tmp_path / name).write_text(text, encoding="utf-8")

    answer = app.test_cli_runner().invoke(args=["calendar", "import", str(tmp_path / name), "--apply"])

    assert answer.exit_code == 1
    assert said in answer.output
    with app.app_context():
        assert working_years.version() == 0


def reminded(given, app, today):
    with app.app_context():
        due = service.due_reminders(today)
    at = NOW + (today - NOW.date())
    return [(case_id, kind, given(service.remind, case_id, kind, now=at)) for case_id, kind in due]


def test_an_applicant_is_reminded_of_a_supplement_twice_and_of_a_result_once(given, app):
    item = given(an_open_item)
    asked = given(a_case, State.SUPPLEMENT_DUE, item_id=item)
    ready = given(a_case, State.COMPLETED, item_id=item)
    with app.app_context():
        due, fetch = row_of(asked).supplement_due_on, row_of(ready).delivery_due_on

    days = [NOW.date() + timedelta(days=number) for number in range(30)]
    told = {day: reminded(given, app, day) for day in days}

    assert {day: said for day, said in told.items() if said} == {
        date(2026, 3, 9): [(ready, ReminderKind.FETCH, True)],
        due - timedelta(days=3): [(asked, ReminderKind.SUPPLEMENT_EARLY, True)],
        due - timedelta(days=1): [(asked, ReminderKind.SUPPLEMENT_LAST, True)],
    }
    assert fetch == date(2026, 3, 16)


@on_sqlite
def test_a_limit_that_moved_is_reminded_of_anew(given, app):
    case_id = given(a_case, State.SUPPLEMENT_DUE)
    with app.app_context():
        due = row_of(case_id).supplement_due_on
    first = reminded(given, app, due - timedelta(days=1))

    given(lambda: setattr(row_of(case_id), "supplement_due_on", due + timedelta(days=1)))
    second = reminded(given, app, due)

    assert [one[1] for one in first] == [one[1] for one in second] == [ReminderKind.SUPPLEMENT_LAST]
    with app.app_context():
        assert db.session().query(ApplicationReminder).count() == 2


@on_sqlite
def test_who_answered_meanwhile_is_not_reminded(given):
    case_id = given(a_case, State.SUPPLEMENT_DUE)
    given(service.return_overdue, case_id, now=NOW + LATER)

    assert not given(service.remind, case_id, ReminderKind.SUPPLEMENT_LAST, now=NOW + LATER)


@on_sqlite
@pytest.mark.parametrize(
    ("received", "last"),
    [
        pytest.param(date(2026, 9, 23), date(2026, 10, 8), id="a holiday at the end"),
        pytest.param(date(2026, 12, 28), date(2027, 1, 5), id="into a year not published yet"),
        pytest.param(date(2026, 2, 14), date(2026, 2, 28), id="an exchanged Saturday is a working day"),
    ],
)
def test_silence_is_acceptance_on_the_day_after_the_fifth_working_day(given, app, received, last):
    at = NOW + (received - NOW.date())
    case_id = given(a_case, now=at)

    early = given(service.deem_accepted, case_id, now=at + (last - received))
    done = given(service.deem_accepted, case_id, now=at + (last - received) + timedelta(days=1))

    with app.app_context():
        assert (early, done, row_of(case_id).accepted_at) == (False, True, at)


@on_sqlite
def test_each_body_is_told_once_a_day_what_is_late_and_what_is_near(given, app):
    item = given(an_open_item)
    given(a_case, item_id=item, now=NOW - timedelta(days=20))
    given(a_case, item_id=item, now=NOW - timedelta(days=6))
    given(a_case, item_id=item)

    told = [given(service.tell_desks, NOW.date(), now=NOW) for _ in range(2)]
    on_a_sunday = given(service.tell_desks, NOW.date() - timedelta(days=1), now=NOW)

    with app.app_context():
        Worker(app, app.extensions["hall_jobs"]).drain()
        alerts = [(one.topic, one.title) for one in db.session().query(AlertRow)]
        assert (told, on_a_sunday) == ([1, 1], 0)
        assert alerts == [("cases.due", "1 件办件已超期，1 件即将到期")]


@on_sqlite
def test_the_jobs_of_the_clocks_run_on_an_empty_desk(app, tables):
    with app.app_context():
        for name in ("recompute-limits", "remind", "tell-desks"):
            app.extensions["hall_jobs"][f"applications.{name}"].run({})


@on_sqlite
def test_no_clock_ends_a_case_by_a_calendar_that_is_not_in_force_any_more(given, app):
    given(land, *FILED.values())
    item = given(an_open_item)
    intake = given(a_case, item_id=item)
    supplement = given(a_case, State.SUPPLEMENT_DUE, item_id=item)
    given(land, CHANGED)

    def end():
        late = NOW + timedelta(days=30)
        return given(service.deem_accepted, intake, now=late), given(
            service.return_overdue, supplement, now=late
        )

    early = end()
    recompute(given)

    assert (early, end()) == ((False, False), (True, True))


@on_sqlite
def test_a_limit_told_by_an_old_calendar_is_reckoned_anew(given, app, monkeypatch):
    given(land, *FILED.values())
    old = given(fresh_calendar)
    given(land, replace(CHANGED, workdays=FILED[2026].workdays))
    given(fresh_calendar)
    case_id = given(a_case)
    for module in (moving, steps):
        monkeypatch.setattr(module, "calendar", lambda: old)
    given(take_step, case_id, Event.ASK_SUPPLEMENT)
    monkeypatch.undo()

    recompute(given)

    with app.app_context():
        days = catalogue.version(row_of(case_id).item_version_id).content.supplement_days
        assert row_of(case_id).supplement_due_on == working_days_later(NOW.date(), days, fresh_calendar())


@on_sqlite
def test_nobody_is_told_of_limits_in_the_middle_of_the_night(given, app, monkeypatch):
    item = given(an_open_item)
    given(a_case, item_id=item, now=NOW - timedelta(days=20))
    waiting = given(a_case, State.SUPPLEMENT_DUE, item_id=item)
    monkeypatch.setattr(jobs.clock, "system_clock", lambda: NOW + timedelta(days=20, hours=-8))

    at_one = given(service.tell_desks, NOW.date(), now=NOW - timedelta(hours=8))
    with app.app_context():
        jobs.remind({})
        sent = db.session().query(ApplicationReminder).filter_by(application_id=waiting).count()

    assert (at_one, sent) == (0, 0)


@on_sqlite
def test_a_reminder_that_fails_holds_up_none_of_the_others(given, app, monkeypatch):
    item = given(an_open_item)
    cases = [given(a_case, State.SUPPLEMENT_DUE, item_id=item) for _ in range(2)]
    monkeypatch.setattr(jobs.clock, "system_clock", lambda: NOW + timedelta(days=20))
    with app.app_context():
        first = service.due_reminders((NOW + timedelta(days=20)).date())[0][0]
        tell, message = telling.remind, "no such template"

        def fail(row, *said):
            if row.id == first:
                raise LookupError(message)
            tell(row, *said)

        monkeypatch.setattr(telling, "remind", fail)
        with pytest.raises(ExceptionGroup):
            jobs.remind({})
        sent = [one.application_id for one in db.session().query(ApplicationReminder)]

    assert sent == [one for one in cases if one != first]


@on_sqlite
def test_a_case_that_cannot_be_reckoned_anew_holds_up_none_of_the_others(given, app, monkeypatch):
    given(land, *FILED.values())
    item = given(an_open_item)
    cases = [given(a_case, item_id=item) for _ in range(3)]
    given(land, CHANGED)
    tell, message = telling.tell_moved, "no such template"

    def fail(row, *said):
        if row.id == cases[1]:
            raise LookupError(message)
        tell(row, *said)

    monkeypatch.setattr(telling, "tell_moved", fail)
    with app.app_context(), pytest.raises(ExceptionGroup):
        jobs.recompute_limits({})

    with app.app_context():
        assert [row_of(one).calendar_version for one in cases] == [13, 12, 13]
