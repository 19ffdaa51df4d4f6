"""The view model says everything in Chinese, worst first."""

from dataclasses import replace
from datetime import date

import pytest

from mobile_pages.report.document import from_json, to_json
from mobile_pages.report.view import BADGES, Tone, headline, view
from mobile_pages.spec.base import Profile, Verdict
from mobile_pages.spec.engine import Overall, Totals, Waiver, judge, load_rules
from mobile_pages.spec.outcomes import NOT_COLLECTED
from tests.mobile_pages.report.builders import a_page, a_result
from tests.mobile_pages.report.test_document import PICTURE, UNREACHABLE, a_rendering
from tests.mobile_pages.spec.builders import an_artifact, good_html

# Redirects are judged with and without a browser; the rest of the rendered rules need one.
READS_RENDERINGS = {"MAS-TRN-07"}
STATIC = {
    key: one
    for key, one in load_rules().items()
    if one.rule.needs != "rendered" and one.rule.code not in READS_RENDERINGS
}
NO_TITLE = good_html().replace("<title>社保查询</title>", "<title></title>")


def shown(artifact, **options):
    report = judge(artifact, Profile.STANDARD, spec_rules=STATIC, **options)
    return view(from_json(to_json(report, artifact)))


def test_a_good_page_is_shown_as_passed():
    page = shown(an_artifact())

    assert page.badge.text == "通过"
    assert page.blocking == ()
    assert not page.was_redirected


def test_groups_with_faults_that_block_come_first_and_the_fault_first_in_its_group():
    page = shown(an_artifact(NO_TITLE))

    first = page.sections[0]
    assert (first.title, first.blocking_count) == ("入口与命名", 1)
    assert first.rules[0].code == page.blocking[0].code == "MAS-ENT-03"
    assert first.rules[0].is_open


def test_every_rule_stands_in_exactly_one_section():
    page = shown(an_artifact(NO_TITLE))

    codes = [rule.code for section in page.sections for rule in section.rules]

    assert sorted(codes) == sorted(one.rule.code for one in STATIC.values())


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (Verdict.PASS, "通过"),
        (Verdict.FAIL, "不通过"),
        (Verdict.NEEDS_REVIEW, "待人工"),
        (Verdict.NOT_APPLICABLE, "不适用"),
        (Verdict.NOT_RUN, "未检测"),
    ],
)
def test_every_verdict_has_its_word(verdict, text):
    assert BADGES[verdict].text == text


def test_the_counts_add_up_to_all_rules():
    page = shown(an_artifact(entry=UNREACHABLE))

    assert sum(one.count for one in page.counts) == len(STATIC)


def test_a_mild_fault_is_advice_and_does_not_block():
    page = shown(an_artifact(good_html().replace("initial-scale=1", "initial-scale=1, user-scalable=no")))

    rule = next(one for section in page.sections for one in section.rules if one.code == "MAS-LAY-03")

    assert (rule.badge.text, rule.badge.tone, rule.blocks) == ("建议改进", Tone.WARN, False)


def test_a_waived_fault_says_why_and_until_when():
    waiver = Waiver("MAS-ENT-03", date(2017, 1, 31), "标题随系统升级一并修改")

    page = shown(an_artifact(NO_TITLE), waivers=[waiver])

    rule = next(one for section in page.sections for one in section.rules if one.code == "MAS-ENT-03")
    assert rule.badge.text == "暂缓整改"
    assert "2017-01-31" in rule.waiver


def test_a_box_is_shown_on_the_picture_it_was_measured_on():
    artifact = an_artifact(NO_TITLE, renderings=(a_rendering(),))
    stored = from_json(to_json(judge(artifact, Profile.STANDARD, spec_rules=STATIC), artifact))
    fault = stored.report.result("MAS-ENT-03")
    boxed = replace(fault.findings[0], rendering="plain-360", box=(0.0, 8.0, 360.0, 44.0))
    results = tuple(replace(one, findings=(boxed,)) if one is fault else one for one in stored.report.results)

    page = view(replace(stored, report=replace(stored.report, results=results)))

    assert page.blocking[0].findings[0].screenshot.sha256 == PICTURE


def test_the_time_is_beijing_s():
    assert shown(an_artifact()).collected_at.isoformat() == "2016-12-01T10:00:00+08:00"


def test_clauses_that_the_report_does_not_judge_are_named():
    said = shown(an_artifact()).uncovered_text

    assert "不在本次判定之内" in said
    assert "MAS-LAY-02" in said


def test_what_an_earlier_visit_did_not_collect_is_told_in_plain_words():
    reason = f"{NOT_COLLECTED}（2016-12-01），重新访问后才能判定。"

    page = view(a_page(a_result("MAS-LAY-07", "not_run", reason=reason)))

    assert page.notice == (
        "本次没有重新访问网页。1 条要看的内容上次访问时没有采集，重新访问后才有结论：MAS-LAY-07。"
    )


def test_there_is_nothing_to_tell_of_a_page_that_was_visited():
    assert shown(an_artifact()).notice == ""


@pytest.mark.parametrize(
    ("totals", "verdict", "sentence"),
    [
        pytest.param(Totals(passed=9), Overall.PASS, "符合接入规范的必须项，全部通过。", id="all pass"),
        pytest.param(
            Totals(failed=3, must_failed=1, should_failed=2),
            Overall.FAIL,
            "不符合接入规范：1 项必须整改，2 项建议改进。",
            id="faults",
        ),
        pytest.param(
            Totals(not_run=4), Overall.UNDECIDED, "有必须项没有检测完，请重新检查：4 项未检测。", id="unread"
        ),
    ],
)
def test_one_sentence_says_how_it_went(totals, verdict, sentence):
    assert headline(totals, verdict) == sentence
