"""Reports as JUnit XML, which every CI server shows: a suite per page, a case per rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from xml.etree import ElementTree as ET

from mobile_pages.report.document import StoredReport
from mobile_pages.report.view import editions_text, place_of
from mobile_pages.spec.base import Finding, Verdict
from mobile_pages.spec.engine import RuleResult

# What XML 1.0 cannot carry, not even escaped. Source: XML 1.0 (Fifth Edition) 2.2.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SKIPPED = {
    Verdict.NEEDS_REVIEW: "待人工确认",
    Verdict.NOT_APPLICABLE: "不适用",
    Verdict.NOT_RUN: "未检测",
}


def to_junit(pages: Sequence[StoredReport]) -> bytes:
    """Return JUnit XML.

    A failure is what keeps the page from being published: JUnit knows no warnings, and a build must not
    turn red for advice. Advice, waived faults and rules without a verdict are skipped cases whose
    message says why; an address that was refused is one case with an error.
    """
    suites = [_suite(page) for page in pages]
    root = ET.Element("testsuites", name="手机版接入规范检测")
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(one.get(key, "0")) for one in suites)))
    root.extend(suites)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _suite(page: StoredReport) -> ET.Element:
    report = page.report
    cases = [_case(page.name or report.url, one) for one in report.results]
    if page.refusal is not None:
        cases = [_refused(page.name or report.url, page.refusal.detail)]
    suite = ET.Element("testsuite", name=_plain(f"{page.name} {report.url}".strip()))
    suite.set("tests", str(len(cases)))
    for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(key, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", f"{page.timings.total_ms / 1000:.3f}")
    suite.set("timestamp", datetime.fromisoformat(report.collected_at).strftime("%Y-%m-%dT%H:%M:%S"))
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("url", report.url),
        ("final_url", report.final_url),
        ("spec_version", report.spec_version),
        ("profile", report.profile.value),
        ("editions", ",".join(report.editions)),
        ("verdict", report.verdict.value),
    ):
        ET.SubElement(properties, "property", name=name, value=_plain(value))
    suite.extend(cases)
    return suite


def _refused(page_name: str, reason: str) -> ET.Element:
    case = ET.Element("testcase", classname=_plain(page_name), name="打开网址")
    ET.SubElement(case, "error", type="refused", message=_plain(reason)).text = _plain(reason)
    return case


def _case(page_name: str, result: RuleResult) -> ET.Element:
    case = ET.Element(
        "testcase", classname=_plain(f"{page_name}.{result.group}"), name=f"{result.code} {result.title}"
    )
    if result.blocks:
        failure = ET.SubElement(case, "failure", type=result.code, message=_plain(_summary(result)))
        failure.text = _plain(_details(result))
    elif result.verdict is Verdict.FAIL:
        kind = f"暂缓整改：{result.waiver}" if result.waiver else "建议改进"
        _skip(case, f"{kind}。{_summary(result)}")
        ET.SubElement(case, "system-out").text = _plain(_details(result))
    elif result.verdict is not Verdict.PASS:
        _skip(case, "：".join(part for part in (_SKIPPED[result.verdict], result.reason) if part))
    return case


def _skip(case: ET.Element, message: str) -> None:
    ET.SubElement(case, "skipped", message=_plain(message))


def _summary(result: RuleResult) -> str:
    differing = editions_text(result)
    said = f"测得：{result.measured or '不符合'}；要求：{result.threshold}"
    return f"{said}。{differing}" if differing else said


def _details(result: RuleResult) -> str:
    parts = [_summary(result), *(_finding(one) for one in result.findings), f"依据：{result.source}"]
    if result.fix:
        parts.insert(-1, f"合格写法示例：\n{result.fix}")
    return "\n\n".join(parts)


def _finding(finding: Finding) -> str:
    count = f"（共 {finding.count} 处）" if finding.count > 1 else ""
    lines = [f"{place_of(finding)}{count} {finding.measured}".rstrip()]
    lines += [text for text in (finding.selector, finding.snippet) if text]
    return "\n".join([*lines, f"怎么改：{finding.advice}"])


def _plain(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
