"""Reports as SARIF 2.1.0, which code hosting services show beside the code.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import ada_url

from mobile_pages.report.document import StoredReport
from mobile_pages.report.view import editions_text, place_of
from mobile_pages.spec.base import Finding, Severity, Verdict
from mobile_pages.spec.engine import RuleResult

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
TOOL_NAME = "hall-mobile-pages"

_LEVELS = {Severity.MUST: "error", Severity.SHOULD: "warning"}
_KINDS = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "fail",
    Verdict.NEEDS_REVIEW: "review",
    Verdict.NOT_APPLICABLE: "notApplicable",
    Verdict.NOT_RUN: "open",
}


def to_sarif(pages: Sequence[StoredReport]) -> dict[str, Any]:
    """Return a log with one run over all pages.

    Each page is an artifact. Each finding is a result, a rule that failed nothing is one result of its
    kind; waived faults are suppressed. Addresses that were refused are notifications of the invocation.
    """
    rules: dict[str, RuleResult] = {}
    for page in pages:
        for result in page.report.results:
            rules.setdefault(result.code, result)
    order = {code: index for index, code in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": TOOL_NAME,
                "fullName": "手机版接入规范检测",
                "language": "zh-CN",
                "rules": [_rule(one) for one in rules.values()],
            }
        },
        "language": "zh-CN",
        "columnKind": "utf16CodeUnits",
        "invocations": [_invocation(pages)],
        "artifacts": [
            {"location": {"uri": _uri(page), "index": index}, "roles": ["analysisTarget"]}
            for index, page in enumerate(pages)
        ],
        "results": [
            one
            for index, page in enumerate(pages)
            for result in page.report.results
            for one in _results(page, index, result, order[result.code])
        ],
    }
    versions = sorted({page.report.spec_version for page in pages})
    if versions:
        run["properties"] = {"specVersions": versions}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(result: RuleResult) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": result.code,
        "name": "".join(part.capitalize() for part in result.id.split("-")),
        "shortDescription": {"text": result.title},
        "fullDescription": {"text": f"{result.title}。要求：{result.threshold}"},
        "defaultConfiguration": {"level": _LEVELS[result.severity]},
        "properties": {"tags": [result.group], "source": result.source},
    }
    if result.fix:
        made["help"] = {
            "text": f"合格写法示例：\n{result.fix}",
            "markdown": f"合格写法示例：\n\n```html\n{result.fix}\n```",
        }
    return made


def _invocation(pages: Sequence[StoredReport]) -> dict[str, Any]:
    refused = [
        {
            "level": "error",
            "message": {"text": page.refusal.detail},
            "descriptor": {"id": page.refusal.code},
            "locations": [_location(page, index, None)],
        }
        for index, page in enumerate(pages)
        if page.refusal is not None
    ]
    made: dict[str, Any] = {"executionSuccessful": not refused, "toolExecutionNotifications": refused}
    times = sorted(datetime.fromisoformat(page.report.collected_at).astimezone(UTC) for page in pages)
    if times:
        made["startTimeUtc"] = times[0].strftime("%Y-%m-%dT%H:%M:%SZ")
    return made


def _results(
    page: StoredReport, page_index: int, result: RuleResult, rule_index: int
) -> list[dict[str, Any]]:
    """Return a result per finding, or the one that says how the rule ended without any."""
    common = {
        "ruleId": result.code,
        "ruleIndex": rule_index,
        "kind": _KINDS[result.verdict],
        "level": _LEVELS[result.severity] if result.verdict is Verdict.FAIL else "none",
    }
    if result.waiver:
        common["suppressions"] = [{"kind": "external", "justification": result.waiver}]
    findings: Sequence[Finding | None] = result.findings or (None,)
    return [
        {
            **common,
            "message": {"text": _message(result, finding)},
            "locations": [_location(page, page_index, finding)],
            "partialFingerprints": {"finding/v1": _fingerprint(page, result, finding)},
            "properties": _properties(result, finding),
        }
        for finding in findings
    ]


def _message(result: RuleResult, finding: Finding | None) -> str:
    if finding is None:
        said = (result.title, result.measured, result.reason, editions_text(result))
        return "。".join(part for part in said if part)
    figure = f"（{finding.measured}）" if finding.measured else ""
    return f"{place_of(finding)}{figure}：{finding.advice}"


def _location(page: StoredReport, page_index: int, finding: Finding | None) -> dict[str, Any]:
    # A line is asked for by most readers; a page that was opened has elements and no lines.
    physical: dict[str, Any] = {
        "artifactLocation": {"uri": _uri(page), "index": page_index},
        "region": {"startLine": 1},
    }
    if finding is None:
        return {"physicalLocation": physical}
    if finding.snippet:
        physical["region"]["snippet"] = {"text": finding.snippet}
    made: dict[str, Any] = {"physicalLocation": physical, "message": {"text": place_of(finding)}}
    if finding.selector:
        made["logicalLocations"] = [{"fullyQualifiedName": finding.selector, "kind": "element"}]
    return made


def _properties(result: RuleResult, finding: Finding | None) -> Mapping[str, Any]:
    made: dict[str, Any] = {"verdict": result.verdict.value, "measured": result.measured}
    if finding is not None:
        made |= {"count": finding.count, "rendering": finding.rendering}
        if finding.edition is not None:
            made["edition"] = finding.edition.value
        if finding.box is not None:
            made["box"] = list(finding.box)
    return made


def _uri(page: StoredReport) -> str:
    """Return the page's address as SARIF wants it: a valid URI reference without other letters."""
    try:
        return ada_url.URL(page.report.url).href
    except ValueError:
        return quote(page.report.url, safe="", errors="replace")


def _fingerprint(page: StoredReport, result: RuleResult, finding: Finding | None) -> str:
    parts = [page.report.url, page.report.profile.value, result.code]
    if finding is not None:
        parts += [place_of(finding), finding.selector, finding.rendering]
    return sha256("\n".join(parts).encode(errors="replace")).hexdigest()
