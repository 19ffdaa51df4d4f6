"""Totals per rule over many pages, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence

from mobile_pages.report.document import StoredReport
from mobile_pages.spec.base import Severity, Verdict
from mobile_pages.spec.engine import RuleResult

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
_SEVERITIES = {Severity.MUST: "必须", Severity.SHOULD: "建议"}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(pages: Sequence[StoredReport]) -> bytes:
    """Return one row per rule, in the order of the table: how many pages ended how, and which fail.

    UTF-8 with a byte order mark, so that spreadsheet programs read the Chinese; no cell is a formula.
    Pages that were refused have no results and are not counted.
    """
    rows: dict[str, list[tuple[str, RuleResult]]] = defaultdict(list)
    for page in pages:
        for result in page.report.results:
            rows[result.code].append((page.report.url, result))
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([_harmless(cell) for cell in _row(found)] for found in rows.values())
    return out.getvalue().encode("utf-8-sig", errors="replace")


def _row(found: Sequence[tuple[str, RuleResult]]) -> Iterable[object]:
    results = [result for _, result in found]
    counts = {verdict: sum(one.verdict is verdict for one in results) for verdict in Verdict}
    failing = [url for url, one in found if one.verdict is Verdict.FAIL]
    # A rule may grade a page's fault as milder than the table does; the gravest counts.
    gravest = Severity.MUST if any(one.severity is Severity.MUST for one in results) else Severity.SHOULD
    return (
        results[0].code,
        results[0].title,
        results[0].group,
        _SEVERITIES[gravest],
        len(results),
        counts[Verdict.PASS],
        counts[Verdict.FAIL],
        sum(one.verdict is Verdict.FAIL and bool(one.waiver) for one in results),
        counts[Verdict.NEEDS_REVIEW],
        counts[Verdict.NOT_APPLICABLE],
        counts[Verdict.NOT_RUN],
        "\n".join(failing),
    )


def _harmless(cell: object) -> object:
    """Keep a spreadsheet program from running what a page or a list put into a cell."""
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\0", "")
    return f"'{text}" if text.lstrip(" \u3000").startswith(_FORMULA_STARTS) else text
