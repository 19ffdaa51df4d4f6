"""Every rule that needs no browser against its labelled pages: the file's name says the verdict."""

from pathlib import Path

import pytest

from mobile_pages.spec.base import Profile, Verdict
from mobile_pages.spec.engine import judge, load_rules
from tests.mobile_pages.spec.builders import BROWSER_RULES, PAGES, artifact_of
from tests.mobile_pages.spec.coincidences import COINCIDENCES, rules_failed_by

STATIC = {rule_id: one for rule_id, one in load_rules().items() if rule_id not in BROWSER_RULES}
CASES = [(rule_id, page) for rule_id in STATIC for page in sorted((PAGES / rule_id).glob("*.html"))]
VERDICTS = {
    "pass": Verdict.PASS,
    "fail": Verdict.FAIL,
    "review": Verdict.NEEDS_REVIEW,
    "absent": Verdict.NOT_APPLICABLE,
    "unread": Verdict.NOT_RUN,
}


def named(cases: list[tuple[str, Path]]) -> list:
    return [pytest.param(rule_id, page, id=f"{rule_id}/{page.stem}") for rule_id, page in cases]


def said(page: Path, rule_id: str):
    report = judge(artifact_of(page), Profile.STANDARD)
    return next(one for one in report.results if one.id == rule_id)


@pytest.mark.parametrize(("rule_id", "page"), named(CASES))
def test_the_verdict_is_the_one_in_the_file_name(rule_id, page):
    expected = VERDICTS[page.stem.split("-")[0]]

    result = said(page, rule_id)

    assert result.verdict is expected, (result.reason, result.findings)


@pytest.mark.parametrize(("rule_id", "page"), named([one for one in CASES if one[1].stem.startswith("fail")]))
def test_a_fault_comes_with_its_place_and_advice(rule_id, page):
    result = said(page, rule_id)

    assert result.findings
    assert all(finding.where and finding.advice and finding.count >= 1 for finding in result.findings)
    assert all(len(finding.snippet) <= 200 for finding in result.findings)


@pytest.mark.parametrize(
    ("rule_id", "page"), named([one for one in CASES if one[1].stem.startswith(("pass", "fail"))])
)
def test_a_page_fails_its_own_rule_or_none(rule_id, page):
    report = judge(artifact_of(page), Profile.STANDARD)

    failed = {one.id: one.findings for one in report.results if one.verdict is Verdict.FAIL}

    assert set(failed) == rules_failed_by(rule_id, page.stem), failed


@pytest.mark.parametrize("rule_id", STATIC)
def test_every_rule_has_a_page_that_passes_and_one_that_fails(rule_id):
    kinds = {page.stem.split("-")[0] for page in (PAGES / rule_id).glob("*.html")}

    assert {"pass", "fail"} <= kinds


@pytest.mark.parametrize("rule_id", STATIC)
def test_every_rule_shows_how_a_good_page_does_it(rule_id):
    spec_rule = STATIC[rule_id]

    assert spec_rule.rule.fix.strip()
    assert spec_rule.clause.source


def test_every_coincidence_names_a_page_and_other_rules():
    rules = set(load_rules())

    for name, others in COINCIDENCES.items():
        assert (PAGES / f"{name}.html").exists(), name
        assert set(others) <= rules - {name.partition("/")[0]}, name


def test_every_sidecar_belongs_to_a_page():
    orphans = [one for one in PAGES.rglob("*.yaml") if not one.with_suffix(".html").exists()]

    assert orphans == []
