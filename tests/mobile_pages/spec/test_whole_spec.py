"""All 70 clauses of the access spec have an answer in a full report, by a rule or through the review form."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from config.access_spec import Clause, load_clauses
from config.access_spec.versions import load_versions
from mobile_pages.artifact import Artifact, Evidence
from mobile_pages.report.document import to_json
from mobile_pages.spec.base import Need, Profile, Severity, Verdict
from mobile_pages.spec.editions import editions_of, joined
from mobile_pages.spec.engine import RULE_ERROR, Report, judge, load_rules
from tests.mobile_pages.spec.builders import ORIGIN, PAGES, a_declaration, an_artifact

CLAUSES = load_clauses()
RULES = {one.rule.code: one for one in load_rules().values()}
TWO_FACED = {"MAS-LAY-03", "MAS-LAY-04", "MAS-LAY-08"}
MANUAL = [code for code, clause in CLAUSES.items() if clause.tier == "M"]


def full_report(artifact: Artifact | None = None) -> Report:
    page = artifact or an_artifact(declaration=a_declaration(elder_url=f"{ORIGIN}/m/sbcx/elder.html"))
    return joined([judge(page, one) for one in editions_of(page.declaration)])


def test_the_table_holds_seventy_clauses_and_each_is_judged_by_one_rule():
    assert len(CLAUSES) == 70
    assert set(RULES) == set(CLAUSES)


def test_a_full_report_answers_every_clause_in_the_order_of_the_table():
    report = full_report()

    assert [one.code for one in report.results] == list(CLAUSES)
    assert report.uncovered == ()


@pytest.mark.parametrize("clause", CLAUSES.values(), ids=list(CLAUSES))
def test_every_answer_says_what_it_is_of(clause: Clause):
    rules = {one["code"]: one for one in to_json(full_report(), an_artifact())["rules"]}
    known = {one.version for one in load_versions()}

    rule = rules[clause.code]

    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule["id"])
    assert (rule["title"], rule["source"], rule["tier"]) == (clause.title, clause.source, clause.tier)
    assert clause.code in rule["clause"]
    assert set(rule["severities"].values()) <= {"must", "should"}
    assert rule["since"] in known
    assert [one["profile"] for one in rule["editions"]] == ["standard", "elder"]
    assert rule["verdict"] in set(Verdict)
    assert rule["verdict"] not in ("needs_review", "not_run", "not_applicable") or rule["reason"]
    assert not rule["reason"].startswith(RULE_ERROR)


def test_the_clauses_that_are_graver_in_the_elder_edition_are_those_of_the_table():
    graver = {
        one.code
        for one in full_report().results
        if one.severities and one.severities.elder is not one.severities.standard
    }

    assert graver == TWO_FACED
    assert all(RULES[code].severity.elder is Severity.MUST for code in graver)


@pytest.mark.parametrize("code", MANUAL)
def test_a_clause_for_people_asks_guided_questions_and_takes_their_answer(code: str):
    open_answer = full_report().result(code)
    evidence = Evidence(code, passed=True, note="逐页看过", reviewed_at="2016-12-02T02:00:00+00:00")
    answered = full_report(replace(an_artifact(), evidence=(evidence,))).result(code)

    assert RULES[code].rule.needs is Need.MANUAL
    assert len(RULES[code].rule.questions) >= 1
    verdicts = [one.verdict for one in (open_answer, answered) if one is not None]
    assert verdicts == [Verdict.NEEDS_REVIEW, Verdict.PASS]


def test_there_are_clauses_for_people():
    assert MANUAL


@pytest.mark.parametrize("code", [code for code, one in CLAUSES.items() if "M" in one.tier])
def test_a_clause_that_people_complete_has_questions_for_them(code: str):
    assert RULES[code].rule.questions


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_every_rule_has_labelled_pages_a_fix_and_a_module_of_its_own(rule):
    kinds = {page.stem.split("-")[0] for page in (PAGES / rule.rule.id).glob("*.html")}

    assert rule.rule.fix.strip()
    assert Path(f"mobile_pages/spec/rules/{rule.rule.id.replace('-', '_')}.py").is_file()
    assert {"pass", "fail"} <= kinds


def test_the_document_of_a_full_report_is_plain_json():
    document = to_json(full_report(), an_artifact())

    assert json.loads(json.dumps(document)) == document
    assert Profile(document["profile"]) is Profile.STANDARD
