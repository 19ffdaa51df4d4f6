"""How well a version keeps the standard checks: its score (质量分), and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.catalogue.content import Content
from app.catalogue.quality_rules import RULES, Rule, Severity, Subject

POINTS_MAX = 100
_BROKEN_MAX = 59


@dataclass(frozen=True, slots=True)
class QualityProblem:
    """A standard check that a version does not pass."""

    field: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """How a version stands with one rule; no ``problems`` is a pass. ``points`` is what a breach costs."""

    rule: Rule
    problems: tuple[str, ...]
    points: float


@dataclass(frozen=True, slots=True)
class Assessment:
    """The score of a version, 0 to 100, and what every rule says of it."""

    score: int
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.problems)


BY_CODE: Mapping[str, Rule] = {one.code: one for one in RULES}
_WEIGHTS = sum(one.weight for one in RULES)


def assess(subject: Subject) -> Assessment:
    """Judge a version by every rule.

    The score is the share of the rules' weight that holds; a rule that has nothing to look at holds. A
    version that breaks what it must not is never better than a pass.
    """
    findings = tuple(
        Finding(one, tuple(one.finds(subject)), round(POINTS_MAX * one.weight / _WEIGHTS, 1)) for one in RULES
    )
    kept = sum(one.rule.weight for one in findings if not one.problems)
    score = int(POINTS_MAX * kept / _WEIGHTS)
    broken = any(one.problems and one.rule.severity is Severity.MUST for one in findings)
    return Assessment(min(score, _BROKEN_MAX) if broken else score, findings)


def quality_problems(content: Content, form: Mapping[str, Any] | None) -> list[QualityProblem]:
    """Return which rules that it must not break the version breaks, in reading order."""
    subject = Subject(content, form)
    return [
        QualityProblem(one.field, one.code, text)
        for one in RULES
        if one.severity is Severity.MUST
        for text in one.finds(subject)
    ]
