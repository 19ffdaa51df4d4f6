"""Joins what the rules say of two editions of a page, the standard and the elder one, into one report.

A page that has an elder edition is one page to residents: containers switch to it by their own setting.
So one report answers for both, and the graver answer decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mobile_pages.artifact import Declaration
from mobile_pages.spec.base import Finding, Profile, Severity, Verdict
from mobile_pages.spec.engine import EditionAnswer, Overall, Report, RuleResult, totals_of

_GRAVEST_FIRST = (Overall.FAIL, Overall.UNDECIDED, Overall.PASS)
_VERDICTS = (
    Verdict.FAIL,
    Verdict.NOT_RUN,
    Verdict.NEEDS_REVIEW,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)


def editions_of(declaration: Declaration) -> tuple[Profile, ...]:
    """Return the editions that a page is judged in: the elder one too where it is registered."""
    return (Profile.STANDARD, Profile.ELDER) if declaration.elder_url else (Profile.STANDARD,)


def joined(reports: Sequence[Report]) -> Report:
    """Return one report from reports on the same artifact, one per edition, the leading one first.

    The verdict is the worst of them, so is each rule's. A finding says in which edition it was made,
    unless it was made in all.
    """
    leading = reports[0]
    if len(reports) == 1:
        return leading
    profiles = [one.profile for one in reports]
    results = tuple(
        _joined(list(zip(profiles, answers, strict=True)))
        for answers in zip(*(one.results for one in reports), strict=True)
    )
    return replace(
        leading,
        verdict=min((one.verdict for one in reports), key=_GRAVEST_FIRST.index),
        results=results,
        totals=totals_of(results),
        editions=tuple(profiles),
    )


def _joined(answers: Sequence[tuple[Profile, RuleResult]]) -> RuleResult:
    gravest = min((result for _, result in answers), key=_mildness)
    return replace(
        gravest,
        findings=_findings(answers, gravest),
        editions=tuple(
            EditionAnswer(profile, one.severity, one.verdict, one.measured, one.reason)
            for profile, one in answers
        ),
    )


def _mildness(result: RuleResult) -> tuple[bool, int, bool]:
    return (not result.blocks, _VERDICTS.index(result.verdict), result.severity is not Severity.MUST)


def _findings(answers: Sequence[tuple[Profile, RuleResult]], gravest: RuleResult) -> tuple[Finding, ...]:
    """Return what was found in any edition, the gravest answer's first, each once."""
    ordered = sorted(answers, key=lambda answer: answer[1] is not gravest)
    made: list[Finding] = []
    for profile, result in ordered:
        others = [other for _, other in answers if other is not result]
        for finding in result.findings:
            shared = all(finding in other.findings for other in others)
            one = finding if shared else replace(finding, edition=profile)
            if one not in made:
                made.append(one)
    return tuple(made)
