"""Finds the rules, joins them with the access spec and runs them over one artifact."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache, lru_cache
from types import ModuleType

from config.access_spec import Clause, load_clauses
from config.access_spec.versions import load_versions
from mobile_pages.artifact import Artifact
from mobile_pages.spec import rules as rules_package
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule, Severity, Verdict
from mobile_pages.spec.outcomes import NOT_WATCHED
from mobile_pages.spec.personal import masked
from mobile_pages.spec.severity import SeverityScale, parse_severity

RULE_ERROR = "rule error"
"""Start of the reason of a rule that raised."""

_SNIPPET_LENGTH = 200


class Overall(StrEnum):
    """What the check as a whole says of a page.

    ``fail``: a must-rule failed; an entry that cannot be opened is one of these (MAS-ENT-01).
    ``undecided``: none failed, but a must-rule could not run (no browser, an extra fetch is missing)
    or broke, so that another run is needed before anyone may call the page good.
    ``pass``: every must-rule ran and none failed. Rules that ask for a person's eye (``needs_review``)
    do not stop a pass: the provincial review that follows every check looks at them. Nor do rules about
    the watch over a published page while there is no watch yet.
    """

    PASS = "pass"
    FAIL = "fail"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class SpecRule:
    """A rule joined with its row of the table."""

    rule: Rule
    clause: Clause
    severity: SeverityScale


@dataclass(frozen=True, slots=True)
class EditionAnswer:
    """What a rule said of one edition of a page."""

    profile: Profile
    severity: Severity
    verdict: Verdict
    measured: str
    reason: str


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one rule said, with all that a report tells about it.

    Attributes:
        clause: how to cite the rule, e.g. ``"手机版接入规范（第1版）MAS-LAY-01"``.
        waiver: why a failure is let through for now, with its last day; ``""`` when it is not.
        tier: how the clause is measured, letters as in the table.
        since: first version of the spec that has the rule.
        severities: how grave a fault is in each edition; None in reports of earlier releases.
        editions: what was said of each edition, where two were judged together; the fields above are then
            those of the graver answer, and ``findings`` those of both.
    """

    id: str
    code: str
    title: str
    group: str
    severity: Severity
    verdict: Verdict
    measured: str
    threshold: str
    reason: str
    findings: tuple[Finding, ...]
    source: str
    clause: str
    fix: str
    waiver: str = ""
    tier: str = ""
    since: str = "1"
    severities: SeverityScale | None = None
    editions: tuple[EditionAnswer, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether this result alone keeps the page from being published."""
        return self.verdict is Verdict.FAIL and self.severity is Severity.MUST and not self.waiver


@dataclass(frozen=True, slots=True)
class Totals:
    """How many rules ended how. ``must_failed + should_failed + waived == failed``."""

    passed: int = 0
    failed: int = 0
    must_failed: int = 0
    should_failed: int = 0
    waived: int = 0
    needs_review: int = 0
    not_applicable: int = 0
    not_run: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on one page under one edition of the spec.

    Attributes:
        url: entry address as registered; ``final_url`` where it led, equal when nothing answered.
        collected_at: ISO 8601 UTC, when the artifact was collected.
        results: one per rule, in the order of the table.
        uncovered: codes of the table that no rule of this version of the spec judges.
        editions: those that were judged, ``profile`` first.
    """

    url: str
    final_url: str
    spec_version: str
    profile: Profile
    verdict: Overall
    collected_at: str
    results: tuple[RuleResult, ...]
    totals: Totals
    uncovered: tuple[str, ...] = ()
    editions: tuple[Profile, ...] = ()

    def result(self, code: str) -> RuleResult | None:
        """Return the result of the clause ``code``, None when no rule judged it."""
        return next((one for one in self.results if one.code == code), None)


@dataclass(frozen=True, slots=True)
class Waiver:
    """Leave to fail one clause until a day, because the department cannot mend it at once.

    Attributes:
        until_on: last day it holds, counted in UTC by the artifact's ``collected_at``.
        reason: Chinese, shown in the report.
    """

    code: str
    until_on: date
    reason: str


ErrorHook = Callable[[Rule, Exception], None]


@cache
def load_rules() -> Mapping[str, SpecRule]:
    """Return every rule by id, in the order of the table; a rule is a module of ``rules/`` with a ``RULE``.

    Raises:
        ValueError: see :func:`join_rules`.
    """
    names = [info.name for info in pkgutil.iter_modules(rules_package.__path__)]
    modules = [importlib.import_module(f"{rules_package.__name__}.{name}") for name in names]
    return join_rules(modules, load_clauses())


@cache
def _newest_version() -> str:
    return load_versions()[-1].version


@cache
def _codes() -> tuple[str, ...]:
    """Return the codes of the table in its order."""
    return tuple(load_clauses())


def join_rules(modules: Iterable[ModuleType], clauses: Mapping[str, Clause]) -> Mapping[str, SpecRule]:
    """Join the rule of each module with its clause.

    Raises:
        ValueError: an id is not its module's name, a code is unknown or taken by two rules, or the
            table holds a severity that cannot be read.
    """
    by_code: dict[str, SpecRule] = {}
    for module in modules:
        rule: Rule = module.RULE
        expected = module.__name__.rpartition(".")[2].replace("_", "-")
        if rule.id != expected:
            raise ValueError(f"rule id {rule.id!r} must be {expected!r}, after its module")
        if rule.code not in clauses:
            raise ValueError(f"rule {rule.id!r}: {rule.code} is not in the table")
        if rule.code in by_code:
            raise ValueError(f"rule {rule.id!r}: {rule.code} belongs to {by_code[rule.code].rule.id!r}")
        clause = clauses[rule.code]
        by_code[rule.code] = SpecRule(rule, clause, parse_severity(clause.severity))
    return {by_code[code].rule.id: by_code[code] for code in clauses if code in by_code}


def judge(
    artifact: Artifact,
    profile: Profile,
    *,
    spec_version: str | None = None,
    spec_rules: Mapping[str, SpecRule] | None = None,
    waivers: Iterable[Waiver] = (),
    on_error: ErrorHook | None = None,
) -> Report:
    """Judge what was collected of a page.

    Rules younger than ``spec_version`` (default: the newest of this release) are left out. A rule that
    raises is reported as ``needs_review`` with a reason that starts with :data:`RULE_ERROR`; ``on_error``
    gets the exception.
    A clause under a ``waiver`` that still holds keeps its verdict but no longer decides the whole.
    Where a rule asks for a person's eye and the artifact holds that person's evidence, the evidence decides.
    Personal numbers in findings are masked whatever the rule did.
    """
    chosen = load_rules() if spec_rules is None else spec_rules
    spec_version = spec_version or _newest_version()
    valid = [one for one in chosen.values() if _version(one.rule.since) <= _version(spec_version)]
    judged_at = datetime.fromisoformat(artifact.collected_at).astimezone(UTC)
    waived = {
        one.code: f"{one.reason}（有效至 {one.until_on.isoformat()}）"
        for one in waivers
        if judged_at.date() <= one.until_on
    }
    results = tuple(_waived(_result(one, artifact, profile, spec_version, on_error), waived) for one in valid)
    entry = artifact.static.entry
    judged = {one.code for one in results}
    return Report(
        url=masked(artifact.declaration.url),
        final_url=masked(entry.final_url or entry.requested_url),
        spec_version=spec_version,
        profile=profile,
        verdict=_overall(results, {one.rule.code for one in valid if one.rule.may_wait}),
        collected_at=artifact.collected_at,
        results=results,
        totals=totals_of(results),
        uncovered=tuple(code for code in _codes() if code not in judged),
        editions=(profile,),
    )


@lru_cache(maxsize=64)
def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _result(
    spec_rule: SpecRule,
    artifact: Artifact,
    profile: Profile,
    spec_version: str,
    on_error: ErrorHook | None,
) -> RuleResult:
    rule, clause = spec_rule.rule, spec_rule.clause
    missing = _missing(rule.needs, artifact)
    if missing:
        outcome = Outcome(Verdict.NOT_RUN, reason=missing)
    else:
        outcome = _reviewed(_run(rule, artifact, profile, on_error), rule, artifact)
    return RuleResult(
        id=rule.id,
        code=rule.code,
        title=clause.title,
        group=clause.group,
        severity=outcome.severity or spec_rule.severity.under(profile),
        verdict=outcome.verdict,
        measured=masked(outcome.measured),
        threshold=clause.threshold,
        reason=masked(outcome.reason),
        findings=tuple(_safe(finding) for finding in outcome.findings),
        source=clause.source,
        clause=f"手机版接入规范(第{spec_version}版){rule.code}",
        fix=rule.fix,
        tier=clause.tier,
        since=rule.since,
        severities=spec_rule.severity,
    )


def _reviewed(outcome: Outcome, rule: Rule, artifact: Artifact) -> Outcome:
    """Let the newest evidence of a person decide what the machine left open."""
    evidence = [one for one in artifact.evidence if one.code == rule.code]
    if outcome.verdict is not Verdict.NEEDS_REVIEW or outcome.reason.startswith(RULE_ERROR) or not evidence:
        return outcome
    newest = max(evidence, key=lambda one: one.reviewed_at)
    reason = f"人工核对（{newest.reviewed_at[:10]}）：{newest.note}"
    if newest.passed:
        return Outcome(Verdict.PASS, measured=outcome.measured, reason=reason)
    fault = Finding("人工核对", f"按核对意见整改：{newest.note}", measured="不符合")
    return Outcome(Verdict.FAIL, (fault, *outcome.findings), outcome.measured, reason)


def _waived(result: RuleResult, waived: Mapping[str, str]) -> RuleResult:
    if result.verdict not in (Verdict.FAIL, Verdict.NOT_RUN) or result.code not in waived:
        return result
    return dataclasses.replace(result, waiver=waived[result.code])


def _missing(need: Need, artifact: Artifact) -> str:
    """Return why the part of the artifact is not there, ``""`` when it is."""
    entry = artifact.static.entry
    if need is Need.STATIC:
        if entry.trouble is not None:
            return f"入口没有打开：{entry.trouble.detail}"
        if not 200 <= entry.status < 300:
            return f"入口返回 {entry.status}，没有可检查的页面"
    if need is Need.RENDERED and not artifact.renderings:
        trouble = artifact.rendered_trouble
        return f"未用浏览器打开：{trouble.detail}" if trouble else "未用浏览器打开"
    if need is Need.MONITORING and artifact.monitoring is None:
        return NOT_WATCHED
    return ""


def _run(rule: Rule, artifact: Artifact, profile: Profile, on_error: ErrorHook | None) -> Outcome:
    try:
        return rule.judge(artifact, profile)
    except Exception as error:  # one broken rule must not cost the department the whole report
        if on_error is not None:
            on_error(rule, error)
        return Outcome(Verdict.NEEDS_REVIEW, reason=f"{RULE_ERROR}: {type(error).__name__}")


def _safe(finding: Finding) -> Finding:
    snippet = masked(finding.snippet)
    if len(snippet) > _SNIPPET_LENGTH:
        snippet = snippet[: _SNIPPET_LENGTH - 1] + "…"
    return dataclasses.replace(
        finding,
        where=masked(finding.where),
        advice=masked(finding.advice),
        selector=masked(finding.selector),
        snippet=snippet,
        measured=masked(finding.measured),
    )


def _overall(results: Iterable[RuleResult], watched: Container[str]) -> Overall:
    must = [one for one in results if one.severity is Severity.MUST and not one.waiver]
    if any(one.verdict is Verdict.FAIL for one in must):
        return Overall.FAIL
    broken = any(
        (one.verdict is Verdict.NOT_RUN and one.code not in watched) or one.reason.startswith(RULE_ERROR)
        for one in must
    )
    return Overall.UNDECIDED if broken else Overall.PASS


def totals_of(results: Collection[RuleResult]) -> Totals:
    """Count how the rules ended."""
    count = Counter(one.verdict for one in results)
    must_failed = sum(one.blocks for one in results)
    waived = sum(one.verdict is Verdict.FAIL and bool(one.waiver) for one in results)
    return Totals(
        passed=count[Verdict.PASS],
        failed=count[Verdict.FAIL],
        must_failed=must_failed,
        should_failed=count[Verdict.FAIL] - must_failed - waived,
        waived=waived,
        needs_review=count[Verdict.NEEDS_REVIEW],
        not_applicable=count[Verdict.NOT_APPLICABLE],
        not_run=count[Verdict.NOT_RUN],
    )
