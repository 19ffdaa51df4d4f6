"""One report answers for both editions of a page; the graver answer decides, and says where."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile_pages.artifact import Artifact, Client, Rendering
from mobile_pages.report.document import document_of, from_json, stored
from mobile_pages.spec.base import Profile, Severity, Verdict
from mobile_pages.spec.editions import editions_of, joined
from mobile_pages.spec.engine import Overall, Report, RuleResult, judge, load_rules
from tests.mobile_pages.report.builders import a_finding, a_page, a_result
from tests.mobile_pages.spec.builders import ORIGIN, a_declaration, an_artifact

ELDER_URL = f"{ORIGIN}/m/sbcx/elder.html"
GOOD: dict[str, Any] = {
    "viewport": "width=device-width, initial-scale=1",
    "layout": {"client_width": 360, "overflow": 0, "hidden": False, "offenders": []},
    "text": {"length": 200, "sample": "参保状态", "glyph_height": 22.0},
    "cut": [],
    "overlaps": [],
    "main_button": "查询",
    "main_button_box": None,
    "paragraphs": {"count": 0, "list": []},
}
CUT = {"selector": ".tile", "family": ".tile", "snippet": "<a>", "box": [0, 0, 9, 9], "text": "缴费记录"}
TIGHT = {**CUT, "ratio": 1.1, "gap": None, "size": 20, "lines": 3}


def a_rendering(label: str, **changes: Any) -> Rendering:
    zoomed = "zoom" in label
    text = {**GOOD["text"], "glyph_height": 33.0 if zoomed else 22.0}
    metrics = {**GOOD, "text": text, **changes}
    return Rendering(label, Client.PLAIN, 360, 740, text_zoom=1.5 if zoomed else 1.0, metrics=metrics)


def a_double_page(**elder: Any) -> Artifact:
    """Return a page that is good but for what its elder edition shows; ``zoom`` is what bigger text shows."""
    bigger = elder.pop("zoom", {})
    labels = ("plain-360", "plain-320", "plain-414", "zoom-360")
    renderings = [a_rendering(label) for label in labels]
    renderings += [a_rendering("elder-360", **elder), a_rendering("elder-zoom-360", **{**elder, **bigger})]
    return an_artifact(declaration=a_declaration(elder_url=ELDER_URL), renderings=tuple(renderings))


def answer_of(code: str, artifact: Artifact) -> RuleResult:
    rules = {key: one for key, one in load_rules().items() if one.rule.code == code}
    found = joined([judge(artifact, one, spec_rules=rules) for one in editions_of(artifact.declaration)])
    return found.results[0]


def a_report(*results: RuleResult, profile: Profile = Profile.STANDARD) -> Report:
    return replace(a_page(*results).report, profile=profile, editions=(profile,))


def in_both(standard: RuleResult, elder: RuleResult) -> Report:
    return joined([a_report(standard), a_report(elder, profile=Profile.ELDER)])


NO_ZOOM = "width=device-width, user-scalable=no"
FAULTS = [
    pytest.param("MAS-LAY-02", {"layout": {**GOOD["layout"], "overflow": 40}}, id="too-wide"),
    pytest.param("MAS-LAY-03", {"viewport": NO_ZOOM, "zoom": {"cut": [CUT]}}, id="no-pinch-zoom"),
    pytest.param("MAS-LAY-04", {"zoom": {"cut": [CUT]}}, id="text-cut-when-bigger"),
    pytest.param("MAS-LAY-08", {"paragraphs": {"count": 1, "list": [TIGHT]}}, id="lines-too-close"),
]


@pytest.mark.parametrize(("code", "elder"), FAULTS)
def test_a_fault_of_the_elder_edition_alone_blocks_the_page_and_says_so(code, elder):
    result = answer_of(code, a_double_page(**elder))

    assert result.blocks
    assert {one.edition for one in result.findings} == {Profile.ELDER}
    assert [(one.profile, one.verdict in (Verdict.FAIL,)) for one in result.editions] == [
        (Profile.STANDARD, False),
        (Profile.ELDER, True),
    ]


@pytest.mark.parametrize("code", ["MAS-LAY-02", "MAS-LAY-03", "MAS-LAY-04"])
def test_a_page_that_is_good_in_both_editions_passes(code):
    result = answer_of(code, a_double_page())

    assert result.verdict is Verdict.PASS
    assert [one.verdict for one in result.editions] == [Verdict.PASS, Verdict.PASS]


def test_text_that_grows_stands_in_for_pinch_zoom_in_the_elder_edition_too():
    result = answer_of("MAS-LAY-03", a_double_page(viewport=NO_ZOOM))

    assert result.verdict is Verdict.PASS


@pytest.mark.parametrize("code", ["MAS-LAY-02", "MAS-LAY-03", "MAS-LAY-04", "MAS-LAY-08", "MAS-A11-02"])
def test_what_the_standard_edition_shows_never_stands_in_for_an_elder_one_that_did_not_open(code):
    page = a_double_page()
    kept = tuple(one for one in page.renderings if not one.label.startswith("elder"))

    result = judge(replace(page, renderings=kept), Profile.ELDER).result(code)

    assert result is not None
    assert result.verdict is Verdict.NOT_RUN


def test_a_page_without_an_elder_edition_is_judged_in_one():
    assert editions_of(a_declaration()) == (Profile.STANDARD,)


def test_a_mild_fault_of_one_edition_that_is_grave_in_the_other_is_grave():
    mild, grave = a_result(severity="should"), a_result(severity="must")

    report = in_both(mild, grave)

    assert report.verdict is Overall.FAIL
    assert (report.totals.must_failed, report.totals.should_failed) == (1, 0)
    assert report.results[0].severity is Severity.MUST
    assert report.results[0].findings == (a_finding(),)


def test_an_edition_that_could_not_be_judged_leaves_the_page_undecided():
    passed, not_run = a_report(a_result(verdict="pass")), a_report(a_result(verdict="not_run"))
    not_run = replace(not_run, verdict=Overall.UNDECIDED, profile=Profile.ELDER)

    report = joined([passed, not_run])

    assert report.verdict is Overall.UNDECIDED
    assert report.results[0].verdict is Verdict.NOT_RUN


def test_findings_of_both_editions_are_kept_each_with_its_edition():
    standard = a_result(findings=(a_finding(where="页脚"), a_finding(where="页头")))
    elder = a_result(findings=(a_finding(where="页脚"), a_finding(where="按钮")))

    found = in_both(standard, elder).results[0].findings

    assert {(one.where, one.edition) for one in found} == {
        ("页脚", None),
        ("页头", Profile.STANDARD),
        ("按钮", Profile.ELDER),
    }


def test_a_report_on_both_editions_reads_back_as_it_was_stored():
    artifact = a_double_page(viewport=NO_ZOOM, zoom={"cut": [CUT]})
    report = joined([judge(artifact, one) for one in editions_of(artifact.declaration)])
    kept = stored(report, artifact)

    assert from_json(document_of(kept)) == kept
    assert kept.report.editions == (Profile.STANDARD, Profile.ELDER)


_verdicts = st.sampled_from([one.value for one in Verdict])
_severities = st.sampled_from([one.value for one in Severity])


@settings(max_examples=60)
@given(_verdicts, _severities, _verdicts, _severities, st.booleans())
def test_no_answer_of_an_edition_is_milder_than_what_the_report_says(first, mild, second, grave, waived):
    waiver = "暂缓（有效至 2017-01-31）" if waived else ""
    answers = (a_result(verdict=first, severity=mild), a_result(verdict=second, severity=grave))
    standard, elder = (replace(one, waiver=waiver if one.verdict is Verdict.FAIL else "") for one in answers)

    report = in_both(standard, elder)

    assert report.results[0].blocks is (standard.blocks or elder.blocks)
    assert (report.results[0].verdict is Verdict.FAIL) is (Verdict.FAIL in (standard.verdict, elder.verdict))
    assert report.totals.must_failed == int(report.results[0].blocks)
