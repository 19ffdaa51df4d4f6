"""What the report page shows, ready for a template: words in Chinese, worst first, nothing to work out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from zoneinfo import ZoneInfo

from mobile_pages.report.document import Screenshot, StoredReport, Timings
from mobile_pages.spec.base import Finding, Profile, Severity, Verdict
from mobile_pages.spec.engine import Overall, Report, RuleResult, Totals
from mobile_pages.spec.outcomes import NOT_COLLECTED

LOCAL = ZoneInfo("Asia/Shanghai")


class Tone(StrEnum):
    """Which colour a badge wears; the page's styles know these names."""

    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    MUTE = "mute"


@dataclass(frozen=True, slots=True)
class Badge:
    """A verdict in a word."""

    text: str
    tone: Tone


BADGES = {
    Verdict.PASS: Badge("通过", Tone.GOOD),
    Verdict.FAIL: Badge("不通过", Tone.BAD),
    Verdict.NEEDS_REVIEW: Badge("待人工", Tone.WARN),
    Verdict.NOT_APPLICABLE: Badge("不适用", Tone.MUTE),
    Verdict.NOT_RUN: Badge("未检测", Tone.MUTE),
}
OVERALL_BADGES = {
    Overall.PASS: Badge("通过", Tone.GOOD),
    Overall.FAIL: Badge("不通过", Tone.BAD),
    Overall.UNDECIDED: Badge("未检测完", Tone.WARN),
}
REFUSED_BADGE = Badge("不能检查", Tone.WARN)
_MILD_BADGE = Badge("建议改进", Tone.WARN)
_WAIVED_BADGE = Badge("暂缓整改", Tone.WARN)
_SEVERITIES = {Severity.MUST: "必须", Severity.SHOULD: "建议"}
PROFILE_NAMES = {Profile.STANDARD: "标准版", Profile.ELDER: "长辈版"}
_ORDER = (Verdict.FAIL, Verdict.NEEDS_REVIEW, Verdict.NOT_RUN, Verdict.PASS, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding.

    Attributes:
        count_text: ``"共 3 处"``, ``""`` for a single one.
        screenshot: the picture that ``box`` (x, y, width, height in CSS px) lies on; None without one.
    """

    where: str
    advice: str
    selector: str
    snippet: str
    measured: str
    count_text: str
    box: tuple[float, float, float, float] | None
    screenshot: Screenshot | None


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule of the report.

    Attributes:
        severity_text: 必须 or 建议.
        blocks: this alone keeps the page from being published.
        is_open: whether the page shows it unfolded: it needs somebody's hand.
        editions_text: what was said of each edition; ``""`` where that is the same or one was judged.
    """

    id: str
    code: str
    title: str
    severity_text: str
    badge: Badge
    measured: str
    threshold: str
    reason: str
    waiver: str
    findings: tuple[FindingView, ...]
    source: str
    clause: str
    fix: str
    blocks: bool
    is_open: bool
    editions_text: str


@dataclass(frozen=True, slots=True)
class Section:
    """The rules of one group (e.g. 传输与安全), worst first."""

    title: str
    rules: tuple[RuleView, ...]
    blocking_count: int
    failed_count: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many rules wear a badge."""

    badge: Badge
    count: int


@dataclass(frozen=True, slots=True)
class ReportView:
    """The whole page.

    Attributes:
        headline: one sentence that says how it went.
        collected_at: Beijing time.
        blocking: every must-rule that failed, over all groups, in the order of the table.
        sections: groups with blocking rules first, otherwise in the order of the table.
        notice: what a page judged again without a visit has no answer on yet; ``""`` when there is no such.
        uncovered_text: clauses of the table that this report does not judge; ``""`` when nothing is left.
        is_refused: the address was not visited; the headline says why.
    """

    name: str
    url: str
    final_url: str
    was_redirected: bool
    badge: Badge
    headline: str
    profile_text: str
    spec_version: str
    collected_at: datetime
    counts: tuple[Count, ...]
    blocking: tuple[RuleView, ...]
    sections: tuple[Section, ...]
    timings: Timings
    screenshots: tuple[Screenshot, ...]
    notice: str
    uncovered_text: str
    is_refused: bool


def headline(totals: Totals, verdict: Overall) -> str:
    """Say in one sentence how a check went, e.g. for a list of pages."""
    parts = [
        text
        for count, text in (
            (totals.must_failed, f"{totals.must_failed} 项必须整改"),
            (totals.should_failed, f"{totals.should_failed} 项建议改进"),
            (totals.waived, f"{totals.waived} 项暂缓整改"),
            (totals.needs_review, f"{totals.needs_review} 项待人工确认"),
            (totals.not_run, f"{totals.not_run} 项未检测"),
        )
        if count
    ]
    start = {
        Overall.PASS: "符合接入规范的必须项",
        Overall.FAIL: "不符合接入规范",
        Overall.UNDECIDED: "有必须项没有检测完，请重新检查",
    }[verdict]
    return f"{start}：{'，'.join(parts)}。" if parts else f"{start}，全部通过。"


def view(stored: StoredReport) -> ReportView:
    """Return the view model of a stored report."""
    report = stored.report
    pictures = {one.label: one for one in stored.screenshots}
    sections = _sections(report, pictures)
    refusal = stored.refusal
    return ReportView(
        name=stored.name,
        url=report.url,
        final_url=report.final_url,
        was_redirected=report.final_url not in ("", report.url),
        badge=REFUSED_BADGE if refusal else OVERALL_BADGES[report.verdict],
        headline=f"没有检查：{refusal.detail}" if refusal else headline(report.totals, report.verdict),
        profile_text="和".join(PROFILE_NAMES[one] for one in report.editions or (report.profile,)),
        spec_version=report.spec_version,
        collected_at=datetime.fromisoformat(report.collected_at).astimezone(LOCAL),
        counts=_counts(report.totals),
        blocking=tuple(_rule(one, pictures) for one in report.results if one.blocks),
        sections=sections,
        timings=stored.timings,
        screenshots=stored.screenshots,
        notice=_notice(report),
        uncovered_text=_uncovered(report),
        is_refused=refusal is not None,
    )


def _counts(totals: Totals) -> tuple[Count, ...]:
    numbers = {
        Verdict.PASS: totals.passed,
        Verdict.FAIL: totals.failed,
        Verdict.NEEDS_REVIEW: totals.needs_review,
        Verdict.NOT_APPLICABLE: totals.not_applicable,
        Verdict.NOT_RUN: totals.not_run,
    }
    return tuple(Count(BADGES[verdict], number) for verdict, number in numbers.items())


def _uncovered(report: Report) -> str:
    if not report.uncovered:
        return ""
    return f"规范中另有 {len(report.uncovered)} 条不在本次判定之内：{'、'.join(report.uncovered)}。"


def _notice(report: Report) -> str:
    lacking = [one.code for one in report.results if one.reason.startswith(NOT_COLLECTED)]
    if not lacking:
        return ""
    return (
        f"本次没有重新访问网页。{len(lacking)} 条要看的内容上次访问时没有采集，"
        f"重新访问后才有结论：{'、'.join(lacking)}。"
    )


def _sections(report: Report, pictures: dict[str, Screenshot]) -> tuple[Section, ...]:
    groups = [(title, list(results)) for title, results in groupby(report.results, attrgetter("group"))]
    sections = [
        Section(
            title=title,
            rules=tuple(_rule(one, pictures) for one in sorted(results, key=_badness)),
            blocking_count=sum(one.blocks for one in results),
            failed_count=sum(one.verdict is Verdict.FAIL for one in results),
        )
        for title, results in groups
    ]
    return tuple(sorted(sections, key=lambda section: section.blocking_count == 0))


def _badness(result: RuleResult) -> tuple[bool, int, bool]:
    return (not result.blocks, _ORDER.index(result.verdict), result.severity is not Severity.MUST)


def _rule(result: RuleResult, pictures: dict[str, Screenshot]) -> RuleView:
    return RuleView(
        id=result.id,
        code=result.code,
        title=result.title,
        severity_text=_SEVERITIES[result.severity],
        badge=_badge(result),
        measured=result.measured,
        threshold=result.threshold,
        reason=result.reason,
        waiver=result.waiver,
        findings=tuple(_finding(one, pictures) for one in result.findings),
        source=result.source,
        clause=result.clause,
        fix=result.fix,
        blocks=result.blocks,
        is_open=result.verdict in (Verdict.FAIL, Verdict.NEEDS_REVIEW),
        editions_text=editions_text(result),
    )


def place_of(finding: Finding) -> str:
    """Return where a finding was made, with the edition where only one has it."""
    return f"{PROFILE_NAMES[finding.edition]}，{finding.where}" if finding.edition else finding.where


def editions_text(result: RuleResult) -> str:
    """Say how the editions differ under a rule, ``""`` when they do not."""
    if len({(one.verdict, one.severity) for one in result.editions}) < 2:
        return ""
    said = [
        "".join(
            (
                f"{PROFILE_NAMES[one.profile]}（{_SEVERITIES[one.severity]}）{BADGES[one.verdict].text}",
                f"，{one.measured}" if one.measured else "",
            )
        )
        for one in result.editions
    ]
    return "；".join(said)


def _badge(result: RuleResult) -> Badge:
    if result.waiver:
        return _WAIVED_BADGE
    if result.verdict is Verdict.FAIL and result.severity is Severity.SHOULD:
        return _MILD_BADGE
    return BADGES[result.verdict]


def _finding(finding: Finding, pictures: dict[str, Screenshot]) -> FindingView:
    return FindingView(
        where=place_of(finding),
        advice=finding.advice,
        selector=finding.selector,
        snippet=finding.snippet,
        measured=finding.measured,
        count_text=f"共 {finding.count} 处" if finding.count > 1 else "",
        box=finding.box,
        screenshot=pictures.get(finding.rendering),
    )
