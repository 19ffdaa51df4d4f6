"""JUnit XML as CI servers read it."""

import defusedxml.ElementTree as ET
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.report.junit import to_junit
from tests.mobile_pages.report.builders import a_finding, a_page, a_refused_page, a_result, every_verdict


def cases(page):
    return {one.get("name").split()[0]: one for one in ET.fromstring(to_junit([page])).iter("testcase")}


def test_a_page_is_a_suite_and_a_rule_is_a_case():
    root = ET.fromstring(to_junit([a_page(*every_verdict()), a_page(url="https://b.gov.cn/")]))

    totals = {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert totals == {"tests": "7", "failures": "1", "errors": "0", "skipped": "5"}
    assert [suite.get("tests") for suite in root] == ["7", "0"]


@pytest.mark.parametrize(
    ("code", "tag", "words"),
    [
        pytest.param("MAS-LAY-01", "failure", "测得：10 px；要求：≥12 px", id="must"),
        pytest.param("MAS-LAY-02", "skipped", "建议改进", id="should"),
        pytest.param("MAS-LAY-03", "skipped", "暂缓整改：随系统升级修改", id="waived"),
        pytest.param("MAS-LAY-05", "skipped", "待人工确认：由审核人员看", id="review"),
        pytest.param("MAS-LAY-06", "skipped", "不适用", id="not applicable"),
        pytest.param("MAS-LAY-07", "skipped", "未检测", id="not run"),
    ],
)
def test_every_case_that_did_not_pass_says_why(code, tag, words):
    found = cases(a_page(*every_verdict()))[code].find(tag)

    assert words in found.get("message")


def test_a_passed_case_is_empty():
    assert list(cases(a_page(*every_verdict()))["MAS-LAY-04"]) == []


def test_a_failure_tells_the_element_and_the_fix():
    text = cases(a_page(a_result()))["MAS-LAY-07"].find("failure").text

    assert "footer > p" in text
    assert "怎么改：把字号调到 12 px 以上。" in text
    assert "p { font-size: 14px; }" in text


def test_an_address_that_was_refused_is_an_error_with_the_reason():
    root = ET.fromstring(to_junit([a_refused_page()]))

    assert root.get("errors") == "1"
    assert root.find("testsuite/testcase/error").get("message") == "只支持 http 和 https 网址。"


@given(st.text(st.characters(codec=None)))
def test_whatever_a_page_holds_the_xml_can_be_read(text):
    page = a_page(a_result(measured=text, findings=(a_finding(snippet=text),)), url=text, name=text)

    assert ET.fromstring(to_junit([page])).get("failures") == "1"


# What CI servers know: attributes they must find, those they may, and children in their order.
SHAPE = {
    "testsuites": (set(), {"name", "tests", "failures", "errors", "skipped"}, ["testsuite"]),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"skipped", "time", "timestamp"},
        ["properties", "testcase"],
    ),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, set(), []),
    "testcase": ({"name", "classname"}, {"time"}, ["skipped", "error", "failure", "system-out"]),
    "skipped": (set(), {"message"}, []),
    "error": ({"type"}, {"message"}, []),
    "failure": ({"type"}, {"message"}, []),
    "system-out": (set(), set(), []),
}


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param((), id="no page"),
        pytest.param((a_page(*every_verdict()),), id="every verdict"),
        pytest.param((a_page(a_result(verdict="pass")),), id="all passes"),
        pytest.param((a_refused_page(), a_page(a_result())), id="a refused address"),
    ],
)
def test_every_element_is_one_that_ci_servers_know(pages):
    for element in ET.fromstring(to_junit(pages)).iter():
        needed, optional, children = SHAPE[element.tag]
        order = [children.index(child.tag) for child in element]

        assert needed <= set(element.keys()) <= needed | optional
        assert order == sorted(order)
