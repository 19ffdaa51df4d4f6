"""What people decide: the guided form, settling, who goes before whom, what it does to the page."""

from datetime import date, timedelta

import pytest

from app.core.errors import Forbidden, Invalid, NotFound
from app.mobile_access import jobs, service
from app.mobile_access.files import artifact_store
from app.mobile_access.judging import judged
from app.mobile_access.service import Answer, CheckVerdict, Decision, State
from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Need, Profile, Verdict
from mobile_pages.spec.engine import Waiver, judge, load_rules
from tests.app.mobile_access.builders import a_page, the_run
from tests.app.mobile_access.judged import a_reviewer, a_spec
from tests.builders import NOW, a_body, a_principal
from tests.mobile_pages.spec.builders import a_declaration, an_artifact

GUIDED = next(
    one.rule for one in load_rules().values() if one.rule.needs is Need.MANUAL and one.rule.questions
)
YES = Decision(answers=(Answer.YES,) * len(GUIDED.questions))
NO = Decision(answers=(Answer.NO,) * len(GUIDED.questions), note="图表只用红绿区分")
UNDECIDED_MUST = "MAS-CHN-02"  # a WeChat page that names no verification file
# The artifact is one without a browser: what needs one may be left out.
NOT_RENDERED = [
    Waiver(one.code, date(2100, 1, 1), "没有浏览器")
    for one in judge(an_artifact(), Profile.STANDARD).results
    if one.verdict is Verdict.NOT_RUN
]


@pytest.fixture
def checked_page(app, given):
    """Return a page that passed and what was collected of it; a must-rule and a manual one are open."""
    body = given(a_body)
    page = given(a_page, state=State.CHECKING, body=body)
    artifact = an_artifact(declaration=a_declaration(verify_files={}))
    store = artifact_store(app.extensions["hall_settings"].var_dir)
    digest = store.put(artifact.to_json().encode())
    result = judged(artifact, digest, a_spec(), NOT_RENDERED)
    given(lambda: service.record_check(the_run(page.id), result, now=NOW))
    return page.id, Artifact.from_json(store.get(digest).decode())


def rule_on(given, checked_page, code, decision, *, by=None, now=NOW):
    page_id, artifact = checked_page
    by = by or given(a_reviewer)
    given(service.rule_on, by, page_id, 1, code, decision, artifact, NOT_RENDERED, now=now)


def report_rule(app, given, checked_page, code):
    reviewer = given(a_reviewer)
    with app.app_context():
        report = service.report_of(reviewer, checked_page[0], 1).report
    return next(rule for rule in report["rules"] if rule["code"] == code)


def verdict_of(app, given, checked_page):
    reviewer = given(a_reviewer)
    with app.app_context():
        return service.report_of(reviewer, checked_page[0], 1).check


def test_every_rule_of_the_table_has_an_answer_in_the_report(app, given, checked_page):
    reviewer = given(a_reviewer)
    with app.app_context():
        report = service.report_of(reviewer, checked_page[0], 1).report

    assert (len(report["rules"]), report["uncovered"]) == (70, [])


def test_the_form_asks_for_what_no_machine_decided(app, given, checked_page):
    reviewer = given(a_reviewer)
    with app.app_context():
        asked = {one.code: one for one in service.open_rules(reviewer, checked_page[0], 1)}

    assert asked[GUIDED.code].questions == GUIDED.questions
    assert asked[UNDECIDED_MUST].is_must


def test_answers_with_yes_make_the_rule_pass_and_say_who_said_so(app, given, checked_page):
    rule_on(given, checked_page, GUIDED.code, YES)

    rule = report_rule(app, given, checked_page, GUIDED.code)
    assert rule["verdict"] == "pass"
    assert "省级审核（测试人员）" in rule["reason"]
    assert NOW.date().isoformat() in rule["reason"]


def test_a_no_fails_the_rule_with_what_was_seen(app, given, checked_page):
    rule_on(given, checked_page, GUIDED.code, NO)

    rule = report_rule(app, given, checked_page, GUIDED.code)
    assert rule["verdict"] == "fail"
    assert "图表只用红绿区分" in rule["reason"]
    assert verdict_of(app, given, checked_page).verdict is CheckVerdict.PASS  # it is advice only


def test_what_does_not_apply_is_no_fault(app, given, checked_page):
    answers = (Answer.NOT_APPLICABLE, *YES.answers[1:])

    rule_on(given, checked_page, GUIDED.code, Decision(answers=answers))

    rule = report_rule(app, given, checked_page, GUIDED.code)
    assert rule["verdict"] == "pass"
    assert "第 1 问不适用" in rule["reason"]


def test_a_must_rule_settled_as_failing_keeps_the_page_from_going_online(app, given, checked_page):
    reviewer = given(a_reviewer)
    rule_on(given, checked_page, UNDECIDED_MUST, Decision(passed=False, note="没有校验文件"))
    with app.app_context():
        version = service.get(reviewer, checked_page[0]).version

    with pytest.raises(service.MustRuleFails):
        given(service.approve, reviewer, checked_page[0], ["wechat"], version=version, now=NOW)


def test_a_settled_rule_may_be_settled_anew_and_the_page_goes_online(app, given, checked_page):
    reviewer = given(a_reviewer)
    rule_on(given, checked_page, UNDECIDED_MUST, Decision(passed=False, note="没有校验文件"))
    later = NOW + timedelta(minutes=1)
    rule_on(given, checked_page, UNDECIDED_MUST, Decision(passed=True, note="补上了"), now=later)
    with app.app_context():
        version = service.get(reviewer, checked_page[0]).version

    page = given(service.approve, reviewer, checked_page[0], ["wechat"], version=version, now=NOW)

    assert page.state is State.ONLINE


@pytest.mark.parametrize("first", ["department", "province"])
def test_the_provinces_word_goes_before_the_departments(app, given, checked_page, first):
    operator = given(a_principal, "department_operator", body=given(a_body))
    acts = [(operator, YES), (given(a_reviewer), NO)]

    for by, decision in acts if first == "department" else reversed(acts):
        rule_on(given, checked_page, GUIDED.code, decision, by=by)

    assert report_rule(app, given, checked_page, GUIDED.code)["verdict"] == "fail"


def test_a_departments_word_is_shown_as_its_own(app, given, checked_page):
    operator = given(a_principal, "department_operator", body=given(a_body))

    rule_on(given, checked_page, GUIDED.code, YES, by=operator)

    assert "单位自报（测试人员）" in report_rule(app, given, checked_page, GUIDED.code)["reason"]


def test_a_department_settles_nothing_that_no_question_guides(given, checked_page):
    operator = given(a_principal, "department_operator", body=given(a_body))

    with pytest.raises(Forbidden):
        rule_on(given, checked_page, UNDECIDED_MUST, Decision(passed=True, note="有"), by=operator)


@pytest.mark.parametrize(
    ("code", "decision"),
    [
        pytest.param(GUIDED.code, Decision(answers=YES.answers[1:]), id="a question is left out"),
        pytest.param(GUIDED.code, Decision(answers=NO.answers), id="no word on what fails"),
        pytest.param(GUIDED.code, Decision(answers=YES.answers, note="长" * 1001), id="too many words"),
        pytest.param(UNDECIDED_MUST, Decision(note="看过"), id="neither pass nor fail"),
        pytest.param(UNDECIDED_MUST, Decision(passed=True), id="settled without a word"),
    ],
)
def test_a_ruling_that_says_too_little_is_refused(given, checked_page, code, decision):
    with pytest.raises(Invalid):
        rule_on(given, checked_page, code, decision)


def test_what_the_machine_decided_is_nobodys_to_settle(given, checked_page):
    with pytest.raises(NotFound):
        rule_on(given, checked_page, "MAS-LAY-01", Decision(passed=False, note="不"))


def test_without_the_artifact_nothing_is_judged_again(given, checked_page):
    with pytest.raises(service.NothingKept):
        rule_on(given, (checked_page[0], None), GUIDED.code, YES)


def test_rulings_hold_when_the_same_artifact_is_judged_again(app, given, checked_page):
    rule_on(given, checked_page, GUIDED.code, YES)

    with app.app_context():
        digest = service.report_of_any(checked_page[0], 1).check.artifact
        found = service.evidence_for(checked_page[0], digest)
    assert [(one.code, one.passed) for one in found] == [(GUIDED.code, True)]


def test_a_ruling_is_shown_with_every_check_of_the_same_artifact(app, given, checked_page):
    rule_on(given, checked_page, GUIDED.code, YES)
    page_id, reviewer = checked_page[0], given(a_reviewer)
    with app.app_context():
        jobs.rejudge_page({"page_id": str(page_id), "occasion": "test", "because": "测试"})
        again = {one.code: one for one in service.open_rules(reviewer, page_id, 2)}

    assert [one.passed for one in again[GUIDED.code].rulings] == [True]
