"""Reports on one or many pages as one HTML file that can be sent around and read on a phone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from mobile_pages.report.comparison import Comparison, compare
from mobile_pages.report.document import StoredReport
from mobile_pages.report.pictures import Cutout, Picture, ReadPicture, cutout_of, pictures_of
from mobile_pages.report.view import LOCAL, FindingView, ReportView, RuleView, Section, view
from mobile_pages.spec.base import Severity, Verdict

_ENVIRONMENT = Environment(
    loader=PackageLoader("mobile_pages.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class _Group:
    """Rules of one section that a reader looks at one by one, and those named in one line each."""

    section: Section
    opened: tuple[RuleView, ...]
    quiet: tuple[RuleView, ...]


@dataclass(frozen=True, slots=True)
class _Change:
    """Two pictures of the page and the rules that moved."""

    found: Comparison
    before_at: datetime
    before_badge: str
    picture: Picture | None


@dataclass(frozen=True, slots=True)
class _Page:
    anchor: str
    title: str
    report: ReportView
    groups: tuple[_Group, ...]
    pictures: tuple[Picture, ...]
    change: _Change | None
    cutout: Callable[[FindingView, RuleView], Cutout | None]


@dataclass(frozen=True, slots=True)
class _Frequent:
    """A rule that fails on so many pages."""

    code: str
    title: str
    is_must: bool
    count: int


def to_html(
    pages: Sequence[StoredReport],
    *,
    read_picture: ReadPicture,
    made_at: datetime,
    previous: Mapping[str, StoredReport] | None = None,
    for_print: bool = False,
) -> str:
    """Return a whole document: no scripts, nothing loaded from anywhere, pictures inside.

    Args:
        made_at: aware; shown in Beijing time.
        previous: earlier reports by address, to show what changed; those on the other edition are not used.
        for_print: with everything unfolded, for paper.
    """
    before = previous or {}
    shown = [_page(one, f"p{number}", before, read_picture) for number, one in enumerate(pages, start=1)]
    return _ENVIRONMENT.get_template("report.html").render(
        pages=shown,
        counts=list(Counter(one.report.badge for one in shown).items()),
        frequent=_frequent(pages) if len(pages) > 1 else [],
        made_at=made_at.astimezone(LOCAL),
        for_print=for_print,
    )


def _page(
    one: StoredReport, anchor: str, previous: Mapping[str, StoredReport], read_picture: ReadPicture
) -> _Page:
    report = view(one)
    pictures = pictures_of(report, anchor, read_picture)
    earlier = previous.get(one.report.url)
    if earlier is not None and earlier.report.profile is not one.report.profile:
        earlier = None  # the other edition has other thresholds
    return _Page(
        anchor=anchor,
        title=report.name or report.url,
        report=report,
        groups=tuple(_group(section) for section in report.sections),
        pictures=pictures,
        change=_change(earlier, one, anchor, read_picture) if earlier is not None else None,
        cutout=lambda finding, rule: cutout_of(finding, rule, pictures),
    )


def _group(section: Section) -> _Group:
    rest = [rule for rule in section.rules if not rule.blocks]
    return _Group(
        section,
        opened=tuple(rule for rule in rest if rule.is_open),
        quiet=tuple(rule for rule in rest if not rule.is_open),
    )


def _change(earlier: StoredReport, now: StoredReport, anchor: str, read_picture: ReadPicture) -> _Change:
    report = view(earlier)
    pictures = pictures_of(report, f"{anchor}-before", read_picture)
    return _Change(
        found=compare(earlier, now),
        before_at=report.collected_at,
        before_badge=report.badge.text,
        picture=pictures[0] if pictures else None,
    )


def _frequent(pages: Sequence[StoredReport]) -> list[_Frequent]:
    """Return the rules that fail anywhere, must-rules first, then by how many pages they fail on.

    Waived faults are left out: nobody is asked to mend them now.
    """
    results = [one for page in pages for one in page.report.results]
    failing = [one for one in results if one.verdict is Verdict.FAIL and not one.waiver]
    counts = Counter(one.code for one in failing)
    must = {one.code for one in failing if one.severity is Severity.MUST}
    titles = {one.code: one.title for one in failing}
    found = [_Frequent(code, titles[code], code in must, count) for code, count in counts.items()]
    return sorted(found, key=lambda one: (not one.is_must, -one.count, one.code))
