"""SARIF 2.1.0: the parts readers rely on, and every object as the standard describes it."""

import json

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.report.sarif import SCHEMA, to_sarif
from tests.mobile_pages.report.builders import URL, a_finding, a_page, a_refused_page, a_result, every_verdict
from tests.mobile_pages.report.sarif_shapes import SHAPES


def the_run(*pages):
    return json.loads(json.dumps(to_sarif(pages)))["runs"][0]


def test_a_log_names_its_version_and_schema():
    log = to_sarif([])

    assert (log["version"], log["$schema"]) == ("2.1.0", SCHEMA)
    assert log["runs"][0]["results"] == []


@pytest.mark.parametrize(
    ("code", "kind", "level"),
    [
        ("MAS-LAY-01", "fail", "error"),
        ("MAS-LAY-02", "fail", "warning"),
        ("MAS-LAY-03", "fail", "error"),
        ("MAS-LAY-04", "pass", "none"),
        ("MAS-LAY-05", "review", "none"),
        ("MAS-LAY-06", "notApplicable", "none"),
        ("MAS-LAY-07", "open", "none"),
    ],
)
def test_every_verdict_has_its_kind_and_only_a_failure_a_level(code, kind, level):
    results = the_run(a_page(*every_verdict()))["results"]

    found = next(one for one in results if one["ruleId"] == code)

    assert (found["kind"], found["level"]) == (kind, level)


def test_indexes_lead_to_the_rule_and_to_the_page():
    run = the_run(a_page(a_result("MAS-LAY-02")), a_page(*every_verdict(), url="https://b.gov.cn/m/"))

    for one in run["results"]:
        place = one["locations"][0]["physicalLocation"]["artifactLocation"]
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
        assert run["artifacts"][place["index"]]["location"]["uri"] == place["uri"]


def test_each_finding_is_a_result_with_its_element():
    findings = (a_finding(), a_finding(selector="main > a", box=(1.0, 2.0, 3.0, 4.0)))

    results = the_run(a_page(a_result(findings=findings)))["results"]

    places = [one["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for one in results]
    assert places == ["footer > p", "main > a"]
    assert results[1]["properties"]["box"] == [1.0, 2.0, 3.0, 4.0]
    assert len({one["partialFingerprints"]["finding/v1"] for one in results}) == 2


def test_a_fingerprint_outlives_another_figure():
    def fingerprint(measured):
        run = the_run(a_page(a_result(findings=(a_finding(measured=measured),))))
        return run["results"][0]["partialFingerprints"]

    assert fingerprint("10 px") == fingerprint("9 px")


def test_a_waived_fault_is_suppressed_with_the_reason():
    results = the_run(a_page(*every_verdict()))["results"]

    suppressed = {one["ruleId"]: one["suppressions"] for one in results if "suppressions" in one}

    reason = "随系统升级修改（有效至 2017-01-31）"
    assert suppressed == {"MAS-LAY-03": [{"kind": "external", "justification": reason}]}


def test_an_address_that_was_refused_makes_the_run_unsuccessful():
    invocation = the_run(a_page(a_result()), a_refused_page())["invocations"][0]

    told = invocation["toolExecutionNotifications"]
    assert not invocation["executionSuccessful"]
    assert [(one["descriptor"]["id"], one["message"]["text"]) for one in told] == [
        ("guard_scheme", "只支持 http 和 https 网址。")
    ]


@pytest.mark.parametrize("url", ["http://[", "\ud800", "", "a b", "http://例子.cn/户口?a=<b>"])
def test_an_address_is_always_a_uri(url):
    uri = the_run(a_refused_page(url))["artifacts"][0]["location"]["uri"]

    assert uri.isascii()
    assert not set(uri) & set(' <>"{}|\\^`')


def test_a_good_page_has_a_result_per_rule_too():
    run = the_run(a_page(a_result(verdict="pass")))

    assert [one["kind"] for one in run["results"]] == ["pass"]
    assert run["artifacts"] == [{"location": {"uri": URL, "index": 0}, "roles": ["analysisTarget"]}]


VALID = jsonschema_rs.validator_for(SHAPES, validate_formats=True)


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param((), id="no page"),
        pytest.param((a_page(*every_verdict()),), id="every verdict"),
        pytest.param((a_page(a_result(verdict="pass")),), id="all passes"),
        pytest.param((a_refused_page(), a_page(a_result())), id="a refused address"),
        pytest.param((a_page(a_result(findings=(a_finding(box=(1.0, 2.0, 3.0, 4.0)),))),), id="a box"),
    ],
)
def test_every_log_is_one_of_the_standard(pages):
    VALID.validate(json.loads(json.dumps(to_sarif(pages))))


@given(st.text(st.characters(codec="utf-8")))
def test_whatever_a_page_holds_the_log_is_one_of_the_standard(text):
    finding = a_finding(snippet=text, selector=text, where=text, measured=text)
    page = a_page(a_result(measured=text, findings=(finding,)), url=text, name=text)

    VALID.validate(json.loads(json.dumps(to_sarif([page]))))


@pytest.mark.parametrize("part", ["levels", "ruleID"])
def test_a_property_that_the_standard_does_not_know_would_be_seen(part):
    log = json.loads(json.dumps(to_sarif([a_page(a_result())])))
    log["runs"][0]["results"][0][part] = "error"

    assert not VALID.is_valid(log)
