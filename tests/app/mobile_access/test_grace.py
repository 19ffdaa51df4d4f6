"""Grace times: what happens to online pages that newly fail, day by day."""

from datetime import timedelta

import pytest

from app.core import audit, db
from app.core.outbox import JobRow
from app.mobile_access import service
from app.mobile_access.domain import CONFIRM_AFTER, DRIFT_GRACE
from app.mobile_access.models import CheckRun, GracePeriod
from app.mobile_access.rechecks import CHECK_JOB
from app.mobile_access.service import CheckKind, CheckVerdict, State
from tests.app.mobile_access.builders import finish_check, the_run
from tests.app.mobile_access.judged import (
    a_result,
    a_reviewer,
    an_online_page,
    checked,
    confirm,
    found_failing,
)
from tests.builders import NOW, a_body, a_principal

DAY = timedelta(days=1)


def state_of(app, given, page):
    reviewer = given(a_reviewer)
    with app.app_context():
        return service.get(reviewer, page.id)


def grace_of(app, page):
    with app.app_context():
        return service.open_grace(page.id)


def test_a_page_that_newly_fails_stays_with_residents_for_its_grace_time(app, given):
    page = an_online_page(app, given)

    found_failing(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", now=NOW + DAY)

    grace, seen = grace_of(app, page), state_of(app, given, page)
    assert (seen.state, seen.served) == (State.ONLINE, True)
    assert grace.codes == ("MAS-TRN-01",)
    assert grace.until_at == NOW + DAY + timedelta(seconds=30) + DRIFT_GRACE


def test_a_page_still_failing_when_its_time_is_over_goes_by_allowed_moves(app, given):
    page = an_online_page(app, given)
    found_failing(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", now=NOW + DAY)

    checked(app, given, page, CheckKind.GRACE, "MAS-TRN-01", now=NOW + 5 * DAY)

    seen = state_of(app, given, page)
    with app.app_context():
        lines = [one for one in audit.history("mobile_page", page.id) if one.detail.get("check") == 4]
        published = service.published().items
    moves = [(one.action, one.detail["from"], one.detail["to"]) for one in reversed(lines)]
    assert moves == [
        ("mobile_page.spec_version_changed", "online", "checking"),
        ("mobile_page.fail", "checking", "failed"),
    ]
    assert (seen.state, seen.served, published) == (State.FAILED, False, [])
    assert "到期未改" in seen.suspension_reason


@pytest.mark.parametrize(
    "days",
    [pytest.param(2, id="within the time"), pytest.param(5, id="at the last visit")],
)
def test_a_page_mended_keeps_its_place_without_another_review(app, given, days):
    page = an_online_page(app, given)
    found_failing(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", now=NOW + DAY)

    checked(app, given, page, CheckKind.GRACE, now=NOW + days * DAY)

    assert grace_of(app, page) is None
    assert state_of(app, given, page).state is State.ONLINE


def test_failing_again_within_the_time_does_not_lengthen_it(app, given):
    page = an_online_page(app, given)
    found_failing(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", now=NOW)
    until = grace_of(app, page).until_at

    checked(app, given, page, CheckKind.DRIFT, "MAS-TRN-01", "MAS-ENT-01", now=NOW + DAY)

    grace = grace_of(app, page)
    assert (grace.until_at, grace.codes) == (until, ("MAS-TRN-01", "MAS-ENT-01"))
    assert state_of(app, given, page).served


def test_a_check_that_could_not_be_done_takes_no_page_away(app, given):
    page = an_online_page(app, given)
    found_failing(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", now=NOW)
    given(
        service.ask_recheck,
        page.id,
        CheckKind.GRACE,
        occasion=None,
        because="",
        actor="system",
        now=NOW + 9 * DAY,
    )

    given(finish_check, page.id, CheckVerdict.UNDECIDED, now=NOW + 9 * DAY)

    assert grace_of(app, page) is not None
    assert state_of(app, given, page).served


def test_the_end_asks_for_one_visit_a_day_until_it_is_decided(app, given):
    page = an_online_page(app, given)
    found_failing(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", now=NOW)
    grace = grace_of(app, page)

    for _ in range(2):
        given(service.end_grace, grace.id, 1, now=NOW + 4 * DAY)
    given(service.end_grace, grace.id, 2, now=NOW + 5 * DAY)

    with app.app_context():
        kinds = [run.kind for run in db.session().query(CheckRun).order_by(CheckRun.number)]
    assert kinds[3:] == [CheckKind.GRACE, CheckKind.GRACE]


@pytest.mark.parametrize("act", ["suspend", "retire"])
def test_a_page_that_leaves_otherwise_ends_its_grace_time(app, given, act):
    body = given(a_body)
    page = an_online_page(app, given, body=body)
    found_failing(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", now=NOW)

    if act == "suspend":
        given(service.suspend, given(a_reviewer), page.id, "投诉", version=page.version, now=NOW)
    else:
        operator = given(a_principal, "department_operator", body=body)
        given(service.retire, operator, page.id, version=page.version, now=NOW)

    with app.app_context():
        row = db.session().query(GracePeriod).one()
    assert (row.outcome, row.open_page_id) == (service.GraceOutcome.OVERTAKEN, None)


def test_a_background_check_leaves_the_reviewers_version_alone(app, given):
    page = an_online_page(app, given)

    checked(app, given, page, CheckKind.WEEKLY, now=NOW + DAY)

    assert state_of(app, given, page).version == page.version


def test_one_occasion_makes_one_check(app, given):
    page = an_online_page(app, given)
    ask = {"occasion": "weekly:1", "because": "", "actor": "system", "now": NOW}

    first = given(service.ask_recheck, page.id, CheckKind.WEEKLY, **ask)
    second = given(service.ask_recheck, page.id, CheckKind.WEEKLY, **ask)

    assert first is not None
    assert second is None


def test_the_timeline_says_what_is_newly_broken_and_what_is_mended(app, given):
    page = an_online_page(app, given)
    found_failing(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", now=NOW)
    checked(app, given, page, CheckKind.DRIFT, "MAS-ENT-01", now=NOW + DAY)

    reviewer = given(a_reviewer)
    with app.app_context():
        newest = service.checks_of(reviewer, page.id)[0]

    assert newest.differences.must_broken == ("MAS-ENT-01",)
    assert newest.differences.mended == ("MAS-TRN-01",)


def test_a_department_has_an_online_page_looked_at_again_while_it_stays(app, given):
    body = given(a_body)
    page = an_online_page(app, given, body=body)
    operator = given(a_principal, "department_operator", body=body)

    given(service.look_again, operator, page.id, now=NOW)
    result = a_result(app)
    given(lambda: service.record_check(the_run(page.id), result, now=NOW))

    assert state_of(app, given, page).state is State.ONLINE


@pytest.mark.parametrize("kind", [CheckKind.WEEKLY, CheckKind.DRIFT, CheckKind.RENEW])
def test_one_bad_visit_sets_nothing_going_but_a_second_visit(app, given, kind):
    page = an_online_page(app, given)

    checked(app, given, page, kind, "MAS-TRN-01", now=NOW)

    reviewer = given(a_reviewer)
    with app.app_context():
        newest = service.checks_of(reviewer, page.id)[0]
        (job,) = [one for one in db.session().query(JobRow) if one.dedup_key == f"{CHECK_JOB}:{newest.id}"]
    assert grace_of(app, page) is None
    assert (newest.kind, newest.verdict) == (CheckKind.CONFIRM, None)
    assert "1 项必须整改" in newest.because
    assert job.run_at == NOW + timedelta(seconds=30) + CONFIRM_AFTER


def test_a_second_visit_that_finds_it_in_order_ends_the_matter(app, given):
    page = an_online_page(app, given)
    checked(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", now=NOW)

    confirm(app, given, page, now=NOW + CONFIRM_AFTER)

    assert grace_of(app, page) is None
    with app.app_context():
        assert db.session().query(CheckRun).filter_by(finished_at=None).count() == 0


def test_only_what_failed_both_times_is_to_be_mended(app, given):
    page = an_online_page(app, given)
    checked(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", "MAS-ENT-01", now=NOW)

    confirm(app, given, page, "MAS-ENT-01", "MAS-PRF-02", now=NOW + CONFIRM_AFTER)

    grace = grace_of(app, page)
    assert (grace.codes, grace.cause) == (("MAS-ENT-01",), CheckKind.WEEKLY)


def test_a_page_that_fails_something_else_each_time_fails_all_the_same(app, given):
    page = an_online_page(app, given)
    checked(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", now=NOW)

    confirm(app, given, page, "MAS-PRF-02", now=NOW + CONFIRM_AFTER)

    assert grace_of(app, page).codes == ("MAS-PRF-02",)


def test_a_check_that_the_department_asked_for_needs_no_second_visit(app, given):
    page = an_online_page(app, given)

    checked(app, given, page, CheckKind.ASKED, "MAS-TRN-01", now=NOW)

    assert grace_of(app, page).cause is CheckKind.ASKED


def test_a_visit_that_a_version_made_necessary_opens_the_versions_own_time(app, given):
    page = an_online_page(app, given)

    found_failing(app, given, page, CheckKind.RENEW, "MAS-TRN-01", now=NOW)

    grace = grace_of(app, page)
    assert grace.until_at - grace.opened_at == timedelta(days=30)


def test_while_a_second_visit_is_to_come_the_department_may_have_one_at_once(app, given):
    body = given(a_body)
    page = an_online_page(app, given, body=body)
    checked(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", now=NOW)
    operator = given(a_principal, "department_operator", body=body)

    given(service.look_again, operator, page.id, now=NOW)

    with app.app_context():
        waiting = db.session().query(CheckRun).filter_by(finished_at=None).order_by(CheckRun.number)
        assert [run.kind for run in waiting] == [CheckKind.CONFIRM, CheckKind.ASKED]
