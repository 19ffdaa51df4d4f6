"""Stored reports of pages; a test names only what differs."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mobile_pages.artifact import Client, Trouble
from mobile_pages.report.document import Screenshot, StoredReport, Timings, refused
from mobile_pages.spec.base import Finding, Profile, Severity, Verdict
from mobile_pages.spec.engine import Overall, Report, RuleResult, Totals

URL = "https://wsbs.example.gov.cn/m/sbcx/"
NOW = datetime(2016, 12, 1, 2, 0, tzinfo=UTC)
PICTURE = "ab" * 32


def a_finding(**changes: Any) -> Finding:
    base = Finding("页脚", "把字号调到 12 px 以上。", "footer > p", "<p>联系电话</p>", "10 px")
    return replace(base, **changes)


def a_result(
    code: str = "MAS-LAY-07", verdict: str = "fail", severity: str = "must", **changes: Any
) -> RuleResult:
    """Return a result; a failing one has a finding."""
    base = RuleResult(
        id=f"rule-{code[-6:].lower()}",
        code=code,
        title=f"条款 {code}",
        group="版式",
        severity=Severity(severity),
        verdict=Verdict(verdict),
        measured="10 px",
        threshold="≥12 px",
        reason="",
        findings=(a_finding(),) if verdict == "fail" else (),
        source="样例规范 第 1 条",
        clause=f"手机版接入规范（第1版）{code}",
        fix="p { font-size: 14px; }",
    )
    return replace(base, **changes)


def a_page(*results: RuleResult, url: str = URL, name: str = "社保查询", **changes: Any) -> StoredReport:
    """Return a report with these results; its totals and verdict follow from them."""
    count = {verdict: sum(one.verdict is verdict for one in results) for verdict in Verdict}
    blocking = sum(one.blocks for one in results)
    waived = sum(one.verdict is Verdict.FAIL and bool(one.waiver) for one in results)
    failed = count[Verdict.FAIL]
    report = Report(
        url=url,
        final_url=url,
        spec_version="1",
        profile=Profile.STANDARD,
        verdict=Overall.FAIL if blocking else Overall.PASS,
        collected_at=NOW.isoformat(),
        results=results,
        totals=Totals(
            passed=count[Verdict.PASS],
            failed=failed,
            must_failed=blocking,
            should_failed=failed - blocking - waived,
            waived=waived,
            needs_review=count[Verdict.NEEDS_REVIEW],
            not_applicable=count[Verdict.NOT_APPLICABLE],
            not_run=count[Verdict.NOT_RUN],
        ),
    )
    return replace(StoredReport(report, Timings(180, 260), name=name), **changes)


def a_refused_page(
    url: str = "file:///etc/passwd", detail: str = "只支持 http 和 https 网址。"
) -> StoredReport:
    return refused(
        url,
        Trouble("guard_scheme", detail),
        profile=Profile.STANDARD,
        spec_version="1",
        collected_at=NOW.isoformat(),
    )


def every_verdict() -> tuple[RuleResult, ...]:
    """Return one result of each kind, and a waived and a mild fault."""
    return (
        a_result("MAS-LAY-01"),
        a_result("MAS-LAY-02", severity="should"),
        a_result("MAS-LAY-03", waiver="随系统升级修改（有效至 2017-01-31）"),
        a_result("MAS-LAY-04", "pass"),
        a_result("MAS-LAY-05", "needs_review", reason="由审核人员看"),
        a_result("MAS-LAY-06", "not_applicable"),
        a_result("MAS-LAY-07", "not_run"),
    )


def a_screenshot(**changes: Any) -> Screenshot:
    return replace(Screenshot("plain-360", Client.PLAIN, 360, 740, PICTURE), **changes)


def a_png(width: int = 360, height: int = 900) -> bytes:
    """Return a grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
