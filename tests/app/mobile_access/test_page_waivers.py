"""Leave to fail a rule until a day: asking, deciding, ending, and what the rules make of it."""

from datetime import timedelta

import pytest

from app.core import audit
from app.core.errors import Invalid, NotFound
from app.core.runner import Worker
from app.mobile_access import service
from app.mobile_access.grace import blocking_codes
from app.mobile_access.judging import judged
from app.mobile_access.service import WaiverState
from tests.app.mobile_access.builders import a_page
from tests.app.mobile_access.judged import TODAY, a_result, a_reviewer, a_spec, an_online_page
from tests.builders import NOW, a_body, a_principal
from tests.mobile_pages.spec.builders import a_fetch, an_artifact

DAY = timedelta(days=1)
CODE = "MAS-LAY-01"


def ask(given, page, *, by=None, code=CODE, reason="正在改版", until_on=TODAY + 30 * DAY, now=NOW):
    by = by or given(a_principal, "department_operator")
    return given(service.request_waiver, by, page.id, code, reason, until_on, now=now)


def decide(given, waiver, *, approve=True, opinion="", now=NOW):
    by = given(a_reviewer)
    return given(
        service.decide_waiver, by, waiver.page_id, waiver.id, approve=approve, opinion=opinion, now=now
    )


def in_force(app, page, today=TODAY):
    with app.app_context():
        return service.waivers_in_force(page.id, today=today)


def test_leave_holds_once_the_province_gave_it_up_to_its_last_day(app, given):
    page = given(a_page)
    waiver = ask(given, page, until_on=TODAY + 2 * DAY)
    before = in_force(app, page)

    decide(given, waiver)

    held = [bool(in_force(app, page, TODAY + at * DAY)) for at in (0, 2, 3)]
    assert before == []
    assert held == [True, True, False]


def test_the_report_names_reason_approver_and_last_day(app, given):
    page = given(a_page)
    decide(given, ask(given, page))
    seen = an_artifact(entry=a_fetch("<!doctype html><title>户政</title>"))

    report = judged(seen, "", a_spec(), in_force(app, page)).report

    rule = next(one for one in report["rules"] if one["code"] == CODE)
    assert rule["verdict"] == "fail"
    assert rule["waiver"].startswith("正在改版，测试人员批准")
    assert (TODAY + 30 * DAY).isoformat() in rule["waiver"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        pytest.param({"code": "MAS-XXX-99"}, "code", id="no such rule"),
        pytest.param({"reason": "  "}, "reason", id="no reason"),
        pytest.param({"reason": "长" * 501}, "reason", id="a long story"),
        pytest.param({"until_on": TODAY}, "until_on", id="only today"),
        pytest.param({"until_on": TODAY + 366 * DAY}, "until_on", id="more than a year"),
    ],
)
def test_an_unsound_request_is_refused_by_field(given, changed, field):
    page = given(a_page)

    with pytest.raises(Invalid) as refused:
        ask(given, page, **changed)

    assert list(refused.value.fields) == [field]


def test_one_rule_of_a_page_is_waived_once_at_a_time(given):
    page = given(a_page)
    first = ask(given, page)

    with pytest.raises(service.WaiverOpen):
        ask(given, page)
    decide(given, first, approve=False, opinion="请先改")

    assert ask(given, page).state is WaiverState.REQUESTED


def test_a_refusal_needs_a_word_and_gives_no_leave(app, given):
    page = given(a_page)
    waiver = ask(given, page)

    with pytest.raises(Invalid):
        decide(given, waiver, approve=False)
    told = decide(given, waiver, approve=False, opinion="请先改")

    assert (told.state, told.opinion) == (WaiverState.DECLINED, "请先改")
    assert in_force(app, page) == []


def test_a_decision_is_made_once(given):
    waiver = ask(given, given(a_page))
    decide(given, waiver)

    with pytest.raises(service.WaiverDecided):
        decide(given, waiver, approve=False, opinion="晚了")


def test_a_department_asks_for_its_own_pages_only_and_never_decides(given):
    page = given(a_page)
    stranger = given(a_principal, "department_operator", body=given(a_body, name="教育厅"))
    owner = given(a_principal, "department_operator")

    with pytest.raises(NotFound):
        ask(given, page, by=stranger)
    waiver = ask(given, page, by=owner)

    with pytest.raises(NotFound):
        given(service.decide_waiver, owner, page.id, waiver.id, approve=True, opinion="", now=NOW)


def test_a_request_that_is_past_cannot_be_granted(given):
    waiver = ask(given, given(a_page), until_on=TODAY + DAY)

    with pytest.raises(Invalid):
        decide(given, waiver, now=NOW + 2 * DAY)


@pytest.mark.parametrize("ends", ["by itself", "early"])
def test_when_leave_ends_the_page_is_judged_again(app, given, ends):
    page = an_online_page(app, given)
    waiver = ask(given, page, until_on=TODAY + DAY)
    decide(given, waiver)
    Worker(app, app.extensions["hall_jobs"]).drain()

    if ends == "early":
        given(service.end_waiver, given(a_reviewer), page.id, waiver.id, now=NOW)
    else:
        assert given(service.end_due_waiver, waiver.id, now=NOW + 2 * DAY)
        assert not given(service.end_due_waiver, waiver.id, now=NOW + 2 * DAY)
    Worker(app, app.extensions["hall_jobs"]).drain()

    with app.app_context():
        told = [one.because for one in service.checks_of(a_reader(given), page.id)]
    assert told[:2] == [f"{CODE} 暂缓整改结束", f"{CODE} 暂缓整改获准"]


def a_reader(given):
    return given(a_reviewer)


def test_only_what_is_over_is_due(app, given):
    page = given(a_page)
    short = ask(given, page, until_on=TODAY + DAY)
    ask(given, page, code="MAS-LAY-02", until_on=TODAY + 5 * DAY)

    with app.app_context():
        assert service.due_waivers(now=NOW + DAY) == []
        assert service.due_waivers(now=NOW + 2 * DAY) == [short.id]


def test_every_step_stands_in_the_pages_trail(app, given):
    page = given(a_page)
    waiver = ask(given, page)
    decide(given, waiver)
    given(service.end_waiver, given(a_reviewer), page.id, waiver.id, now=NOW)

    with app.app_context():
        actions = [one.action for one in audit.history("mobile_page", page.id)]
    steps = ["end_waiver", "approve_waiver", "request_waiver"]
    assert actions[:3] == [f"mobile_page.{step}" for step in steps]


def test_the_province_sees_what_waits_for_it(app, given):
    page = given(a_page)
    ask(given, page)
    decide(given, ask(given, page, code="MAS-LAY-02"))

    reviewer, stranger = given(a_reviewer), given(a_principal, "county_operator")
    with app.app_context():
        waiting = [one.code for one in service.waivers(reviewer, WaiverState.REQUESTED)]
        assert service.waivers(stranger) == []
    assert waiting == [CODE]


def test_a_waived_fault_takes_no_page_away(app):
    waived = a_result(app)
    rules = [
        {**one, "verdict": "fail", "severity": "must", "waiver": "有效"} for one in waived.report["rules"]
    ]

    codes = blocking_codes({**waived.report, "rules": rules})

    assert codes == []
