"""The engine joins, runs and adds up; the rules themselves are tested elsewhere."""

import json
from dataclasses import replace
from datetime import date
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.access_spec import load_clauses
from config.access_spec.versions import load_versions
from mobile_pages.artifact import Artifact, Rendering, Trouble
from mobile_pages.artifact import Client as ClientKind
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule, Severity, Verdict
from mobile_pages.spec.engine import (
    RULE_ERROR,
    Overall,
    Report,
    Waiver,
    join_rules,
    judge,
    load_rules,
)
from mobile_pages.spec.severity import parse_severity
from tests.mobile_pages.spec.builders import a_declaration, a_fetch, a_watch, an_artifact, some_evidence

MUST_CODE, SHOULD_CODE = "MAS-LAY-01", "MAS-LAY-07"
FAULT = Finding("页脚", "改一改")


def a_rule(outcome=None, **changes):
    said = Outcome(Verdict.PASS) if outcome is None else outcome
    base = Rule(
        id="sample", code=MUST_CODE, needs=Need.STATIC, judge=lambda artifact, profile: said, fix="<p>"
    )
    return replace(base, **changes)


def a_module(name, rule):
    module = ModuleType(f"mobile_pages.spec.rules.{name}")
    module.RULE = rule
    return module


def judged(*rules, artifact=None, profile=Profile.STANDARD, **options) -> Report:
    modules = [a_module(rule.id.replace("-", "_"), rule) for rule in rules]
    spec_rules = join_rules(modules, load_clauses())
    return judge(artifact or an_artifact(), profile, spec_rules=spec_rules, **options)


def raises(artifact, profile):
    raise KeyError("width")


def failing(**changes):
    return a_rule(Outcome(Verdict.FAIL, (FAULT,)), **changes)


def test_every_clause_of_the_table_has_a_rule_in_its_order():
    codes = [one.rule.code for one in load_rules().values()]

    assert codes == list(load_clauses())


@pytest.mark.parametrize(
    ("modules", "complaint"),
    [
        pytest.param([a_module("other", a_rule())], "after its module", id="id is not the module's name"),
        pytest.param([a_module("sample", a_rule(code="MAS-XXX-01"))], "not in the table", id="unknown code"),
        pytest.param(
            [a_module("sample", a_rule()), a_module("twin", a_rule(id="twin"))], "belongs to", id="code twice"
        ),
    ],
)
def test_a_rule_that_does_not_fit_the_table_is_refused(modules, complaint):
    with pytest.raises(ValueError, match=complaint):
        join_rules(modules, load_clauses())


def test_a_result_carries_what_the_table_says_of_its_clause():
    clause = load_clauses()[MUST_CODE]

    result = judged(a_rule()).results[0]

    assert (result.title, result.group, result.threshold) == (clause.title, clause.group, clause.threshold)
    assert (result.source, result.severity) == (clause.source, Severity.MUST)
    assert result.clause.endswith(MUST_CODE)


@pytest.mark.parametrize(
    ("cell", "standard", "elder"),
    [
        pytest.param("must", "must", "must", id="must"),
        pytest.param("should", "should", "should", id="should"),
        pytest.param("should(标准版)/must(长辈版)", "should", "must", id="by edition"),
        pytest.param("24=must, 44=should", "must", "must", id="by size, the gravest"),
        pytest.param("must(渠道=微信)", "must", "must", id="by channel"),
        pytest.param("should/must", "must", "must", id="without condition, the gravest"),
    ],
)
def test_the_severity_column_is_read(cell, standard, elder):
    scale = parse_severity(cell)

    assert (scale.under(Profile.STANDARD), scale.under(Profile.ELDER)) == (standard, elder)


@pytest.mark.parametrize("cell", ["", "may", "must(", "must should", "24=might"])
def test_a_severity_that_cannot_be_read_is_refused(cell):
    with pytest.raises(ValueError, match="not a severity"):
        parse_severity(cell)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param(a_rule(), Overall.PASS, id="all pass"),
        pytest.param(failing(), Overall.FAIL, id="a must failed"),
        pytest.param(failing(code=SHOULD_CODE), Overall.PASS, id="a should failed"),
        pytest.param(a_rule(Outcome(Verdict.NOT_RUN)), Overall.UNDECIDED, id="a must was not run"),
        pytest.param(
            a_rule(Outcome(Verdict.NOT_RUN), code=SHOULD_CODE), Overall.PASS, id="a should was not run"
        ),
        pytest.param(a_rule(Outcome(Verdict.NEEDS_REVIEW)), Overall.PASS, id="a person has to look"),
        pytest.param(a_rule(judge=raises), Overall.UNDECIDED, id="a must broke"),
        pytest.param(a_rule(needs=Need.RENDERED), Overall.UNDECIDED, id="no browser for a must"),
    ],
)
def test_the_whole_is_decided_by_the_must_rules(rule, expected):
    assert judged(rule).verdict is expected


def test_a_fault_outweighs_what_could_not_run():
    unread = a_rule(Outcome(Verdict.NOT_RUN), id="other", code="MAS-LAY-02")

    assert judged(failing(), unread).verdict is Overall.FAIL


def test_a_milder_fault_of_a_graded_clause_does_not_decide():
    mild = Outcome(Verdict.FAIL, (FAULT,), severity=Severity.SHOULD)

    report = judged(a_rule(mild, code="MAS-LAY-05"))

    assert report.verdict is Overall.PASS
    assert (report.totals.must_failed, report.totals.should_failed) == (0, 1)


def test_the_edition_decides_how_grave_a_fault_is():
    rule = failing(code="MAS-LAY-03")

    assert judged(rule).verdict is Overall.PASS
    assert judged(rule, profile=Profile.ELDER).verdict is Overall.FAIL


def test_a_rule_that_breaks_costs_only_its_own_verdict():
    told = []
    broken = a_rule(judge=raises, id="broken", code="MAS-LAY-02")

    report = judged(a_rule(), broken, on_error=lambda rule, error: told.append((rule.id, type(error))))

    assert [one.verdict for one in report.results] == [Verdict.PASS, Verdict.NEEDS_REVIEW]
    assert report.results[1].reason.startswith(RULE_ERROR)
    assert told == [("broken", KeyError)]


def test_an_entry_that_did_not_open_leaves_its_page_unjudged():
    trouble = Trouble("timeout", "15 秒内没有回应")
    artifact = an_artifact(entry=a_fetch(status=0, trouble=trouble))

    result = judged(failing(), artifact=artifact).results[0]

    assert result.verdict is Verdict.NOT_RUN
    assert trouble.detail in result.reason


def test_an_error_page_is_not_judged_as_if_it_were_the_service():
    artifact = an_artifact(entry=a_fetch("<p>出错了", status=500))

    assert judged(failing(), artifact=artifact).results[0].verdict is Verdict.NOT_RUN


def test_an_entry_that_does_not_open_fails_the_check_with_a_finding_and_no_abort():
    artifact = an_artifact(entry=a_fetch(status=0, trouble=Trouble("redirect_loop", "页面循环跳转")))

    report = judge(artifact, Profile.STANDARD)

    assert report.verdict is Overall.FAIL
    assert "来回跳转" in report.result("MAS-ENT-01").findings[0].advice


def test_why_there_was_no_browser_is_told():
    artifact = an_artifact(rendered_trouble=Trouble("browser_missing", "本机没有浏览器"))

    result = judged(failing(needs=Need.RENDERED), artifact=artifact).results[0]

    assert (result.verdict, result.reason) == (Verdict.NOT_RUN, "未用浏览器打开：本机没有浏览器")


def test_rendered_rules_run_when_the_page_was_rendered():
    rendering = Rendering(label="plain-360", client=ClientKind.PLAIN, width=360, height=640)

    report = judged(failing(needs=Need.RENDERED), artifact=an_artifact(renderings=(rendering,)))

    assert report.results[0].verdict is Verdict.FAIL


def test_a_rule_younger_than_the_asked_version_is_left_out():
    young = a_rule(id="young", code="MAS-LAY-02", since="1.10")

    assert [one.id for one in judged(a_rule(), young, spec_version="1.9").results] == ["sample"]
    assert len(judged(a_rule(), young, spec_version="1.10").results) == 2


@pytest.mark.parametrize(
    ("until_on", "verdict"),
    [
        pytest.param(date(2016, 12, 1), Overall.PASS, id="on its last day"),
        pytest.param(date(2016, 11, 30), Overall.FAIL, id="the day after"),
    ],
)
def test_a_waiver_holds_until_its_last_day(until_on, verdict):
    report = judged(failing(), waivers=[Waiver(MUST_CODE, until_on, "组件升级中")])

    assert report.verdict is verdict
    assert report.results[0].verdict is Verdict.FAIL


def test_a_waived_fault_is_counted_and_its_reason_told():
    report = judged(failing(), waivers=[Waiver(MUST_CODE, date(2017, 1, 31), "组件升级中")])

    assert (report.totals.failed, report.totals.waived, report.totals.must_failed) == (1, 1, 0)
    assert report.results[0].waiver == "组件升级中（有效至 2017-01-31）"


def test_a_number_that_a_rule_let_slip_is_masked_and_a_long_snippet_cut():
    finding = Finding("手机 13900000000", "改", snippet="手机 13900000000 " * 40, measured="13900000000")

    result = judged(a_rule(Outcome(Verdict.FAIL, (finding,), measured="13900000000"))).results[0]

    assert "13900000000" not in repr(result)
    assert len(result.findings[0].snippet) == 200


def test_every_clause_of_the_table_has_an_answer():
    report = judge(an_artifact(), Profile.STANDARD)

    assert [one.code for one in report.results] == list(load_clauses())
    assert report.uncovered == ()


def test_what_only_a_person_can_decide_comes_with_questions():
    rules = [one.rule for one in load_rules().values() if one.clause.tier.endswith("M")]

    assert {"MAS-A11-13", "MAS-A11-11", "MAS-FRM-01", "MAS-MON-03"} <= {one.code for one in rules}
    assert [one.code for one in rules if not one.questions] == []


def test_clauses_without_a_rule_are_named():
    report = judged(a_rule())

    assert len(report.uncovered) == len(load_clauses()) - 1
    assert MUST_CODE not in report.uncovered


def test_a_rule_about_the_watch_leaves_a_page_without_watch_decided():
    watch_rule = a_rule(needs=Need.MONITORING, code="MAS-MON-01")

    report = judged(watch_rule)

    assert (report.results[0].verdict, report.verdict) == (Verdict.NOT_RUN, Overall.PASS)


@pytest.mark.parametrize(
    ("health_url", "verdict", "whole"),
    [
        pytest.param(None, Verdict.FAIL, Overall.FAIL, id="not registered"),
        pytest.param(
            "https://wsbs.example.gov.cn/health", Verdict.NOT_RUN, Overall.PASS, id="not probed yet"
        ),
    ],
)
def test_a_missing_health_address_fails_before_any_watch_and_a_declared_one_waits(health_url, verdict, whole):
    spec = {key: one for key, one in load_rules().items() if one.rule.code == "MAS-MON-02"}
    artifact = an_artifact(declaration=a_declaration(health_url=health_url))

    report = judge(artifact, Profile.STANDARD, spec_rules=spec)

    assert (report.results[0].verdict, report.verdict) == (verdict, whole)


def test_without_a_version_asked_for_the_newest_of_the_release_judges():
    assert judge(an_artifact(), Profile.STANDARD).spec_version == load_versions()[-1].version


@pytest.mark.parametrize(
    ("passed", "verdict"),
    [pytest.param(True, Verdict.PASS, id="yes"), pytest.param(False, Verdict.FAIL, id="no")],
)
def test_what_a_person_found_decides_what_the_machine_left_open(passed, verdict):
    open_question = a_rule(Outcome(Verdict.NEEDS_REVIEW, reason="看不出"))
    older = some_evidence(MUST_CODE, passed=not passed, reviewed_at="2016-11-01T00:00:00+00:00")
    newer = some_evidence(MUST_CODE, passed=passed, note="看过截图")

    result = judged(open_question, artifact=an_artifact(evidence=(newer, older))).results[0]

    assert (result.verdict, result.reason) == (verdict, "人工核对（2016-12-02）：看过截图")


def test_a_person_cannot_overrule_what_the_machine_saw():
    artifact = an_artifact(evidence=(some_evidence(MUST_CODE),))

    assert judged(failing(), artifact=artifact).results[0].verdict is Verdict.FAIL


def test_an_artifact_survives_as_json_with_watch_and_evidence():
    artifact = an_artifact(monitoring=a_watch(), evidence=(some_evidence("MAS-A11-13", attachments=("a1",)),))

    assert Artifact.from_json(artifact.to_json()) == artifact


def test_an_artifact_of_an_older_release_is_read_with_defaults():
    raw = json.loads(an_artifact().to_json())
    for key in ("monitoring", "evidence"):
        del raw[key]
    for key in ("signed_in_url", "ticket_url", "expired_ticket_url"):
        del raw["declaration"][key]

    assert Artifact.from_json(json.dumps(raw)) == an_artifact()


def test_a_good_page_fails_nothing_in_either_edition():
    for profile in Profile:
        assert judge(an_artifact(), profile).totals.failed == 0


@given(st.text(max_size=400))
def test_whatever_is_in_the_page_no_rule_breaks(html):
    errors = []

    judge(an_artifact(html), Profile.STANDARD, on_error=lambda rule, error: errors.append((rule.id, error)))

    assert errors == []
