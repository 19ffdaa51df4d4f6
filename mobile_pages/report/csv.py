"""Totals per rule over many pages, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field

from mobile_pages.report.document import StoredReport
from mobile_pages.spec.base import Severity, Verdict
from mobile_pages.spec.engine import Report, RuleResult

COLUMNS = (
    "条款",
    "内容",
    "分组",
    "级别",
    "页面数",
    "通过",
    "不通过",
    "其中暂缓整改",
    "待人工",
    "不适用",
    "未检测",
    "不通过的页面",
)
SHOWN_PAGES = 300
"""What a spreadsheet's cell (32,767 characters) holds of addresses of common length."""
_COUNTED = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "failed",
    Verdict.NEEDS_REVIEW: "needs_review",
    Verdict.NOT_APPLICABLE: "not_applicable",
    Verdict.NOT_RUN: "not_run",
}
_SEVERITIES = {Severity.MUST: "必须", Severity.SHOULD: "建议"}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(slots=True)
class RuleTotals:
    """How one rule ended over many pages.

    Attributes:
        severity: the gravest that it had on any page: a rule may grade a fault as milder than the table.
        waived: of those that failed, the pages that have leave to.
        failing: addresses of pages on which it failed, the first :data:`SHOWN_PAGES`.
    """

    code: str
    title: str
    group: str
    severity: Severity
    pages: int = 0
    passed: int = 0
    failed: int = 0
    waived: int = 0
    needs_review: int = 0
    not_applicable: int = 0
    not_run: int = 0
    failing: list[str] = field(default_factory=list)


class Tally:
    """Counts how the rules ended, page after page; what was counted needs no memory of its own."""

    def __init__(self) -> None:
        self.pages = 0
        self._rules: dict[str, RuleTotals] = {}

    def add(self, report: Report) -> None:
        """Count a page; one that was refused has no results and counts nowhere."""
        self.pages += bool(report.results)
        for one in report.results:
            totals = self._rules.setdefault(
                one.code, RuleTotals(one.code, one.title, one.group, Severity.SHOULD)
            )
            self._count(totals, one, report.url)

    def totals(self) -> list[RuleTotals]:
        """Return the rules that were met, in the order of the table."""
        return list(self._rules.values())

    def _count(self, totals: RuleTotals, one: RuleResult, url: str) -> None:
        totals.pages += 1
        if one.severity is Severity.MUST:
            totals.severity = Severity.MUST
        name = _COUNTED[one.verdict]
        setattr(totals, name, getattr(totals, name) + 1)
        if one.verdict is Verdict.FAIL:
            totals.waived += bool(one.waiver)
            if len(totals.failing) < SHOWN_PAGES:
                totals.failing.append(url)


def to_csv(pages: Iterable[StoredReport]) -> bytes:
    """Return one row per rule, in the order of the table: how many pages ended how, and which fail.

    UTF-8 with a byte order mark, so that spreadsheet programs read the Chinese; no cell is a formula.
    Pages that were refused have no results and are not counted.
    """
    tally = Tally()
    for page in pages:
        tally.add(page.report)
    return totals_to_csv(tally.totals())


def totals_to_csv(totals: Iterable[RuleTotals]) -> bytes:
    """Return totals as :func:`to_csv` writes them."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([_harmless(cell) for cell in _row(one)] for one in totals)
    return out.getvalue().encode("utf-8-sig", errors="replace")


def _row(one: RuleTotals) -> Iterable[object]:
    failing = list(one.failing)
    if one.failed > len(failing):
        failing.append(f"等 {one.failed} 个")
    return (
        one.code,
        one.title,
        one.group,
        _SEVERITIES[one.severity],
        one.pages,
        one.passed,
        one.failed,
        one.waived,
        one.needs_review,
        one.not_applicable,
        one.not_run,
        "\n".join(failing),
    )


def _harmless(cell: object) -> object:
    """Keep a spreadsheet program from running what a page or a list put into a cell."""
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\0", "")
    return f"'{text}" if text.lstrip(" \u3000").startswith(_FORMULA_STARTS) else text
