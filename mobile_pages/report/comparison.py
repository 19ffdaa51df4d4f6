"""What changed between two reports on the same page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mobile_pages.report.document import StoredReport
from mobile_pages.spec.base import Verdict
from mobile_pages.spec.engine import RuleResult


class Change(StrEnum):
    """How a rule's result moved from one check to the next."""

    BROKEN = "broken"
    STILL_BROKEN = "still_broken"
    MENDED = "mended"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rules that failed before or fail now, in the order of the table.

    A rule that failed and could not be judged this time is in none of the three.

    Attributes:
        before: the earlier report.
        broken: fail now and did not before; ``mended`` the other way round.
    """

    before: StoredReport
    broken: tuple[RuleResult, ...]
    still_broken: tuple[RuleResult, ...]
    mended: tuple[RuleResult, ...]

    def change_of(self, code: str) -> Change | None:
        """Return how the rule ``code`` moved, None when it failed in neither report."""
        for change in Change:
            if any(one.code == code for one in getattr(self, change.value)):
                return change
        return None


def compare(before: StoredReport, now: StoredReport) -> Comparison:
    """Compare two reports on one page; rules are matched by code."""
    failed_before = {one.code for one in before.report.results if one.verdict is Verdict.FAIL}
    results = now.report.results
    failing = [one for one in results if one.verdict is Verdict.FAIL]
    good = (Verdict.PASS, Verdict.NOT_APPLICABLE)
    return Comparison(
        before=before,
        broken=tuple(one for one in failing if one.code not in failed_before),
        still_broken=tuple(one for one in failing if one.code in failed_before),
        mended=tuple(one for one in results if one.code in failed_before and one.verdict in good),
    )
