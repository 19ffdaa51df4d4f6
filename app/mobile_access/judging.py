"""Judges what was collected of a page under a version of the spec. No database, no Flask."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

import structlog

from app.mobile_access.domain import CheckVerdict
from app.mobile_access.shapes import CheckResult, SpecView
from config.access_spec.versions import PinchZoom
from mobile_pages.artifact import Artifact
from mobile_pages.report.document import to_json
from mobile_pages.spec.base import Need, Outcome, Profile, Rule, Verdict
from mobile_pages.spec.editions import editions_of, joined
from mobile_pages.spec.engine import RULE_ERROR, SpecRule, Waiver, judge, load_rules
from mobile_pages.spec.outcomes import NOT_COLLECTED, not_applicable

ZOOM = "MAS-LAY-03"
log = structlog.get_logger(__name__)


def judged(artifact: Artifact, digest: str, spec: SpecView, waivers: Iterable[Waiver]) -> CheckResult:
    """Return what the rules of ``spec`` say of ``artifact``, which is kept under ``digest``.

    A page with an elder edition is judged in both, see :func:`~mobile_pages.spec.editions.joined`.
    """
    rules, excused = rules_under(spec.pinch_zoom), tuple(waivers)
    report = joined(
        [
            judge(
                artifact,
                profile,
                spec_version=spec.version,
                spec_rules=rules,
                waivers=excused,
                on_error=_rule_broke,
            )
            for profile in editions_of(artifact.declaration)
        ]
    )
    return CheckResult(
        verdict=CheckVerdict(report.verdict),
        spec_version=report.spec_version,
        profile=report.profile,
        counts=asdict(report.totals),
        report=to_json(report, artifact),
        artifact=digest,
    )


def uncollected(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> list[str]:
    """Return the codes on which an artifact judged again says nothing because it does not hold the measure.

    These are rules that are not run now, or broke, and had an answer in the report ``before``, or none at
    all there. Rules about the watch wait for something else.
    """
    earlier = {rule["code"]: rule for rule in (before or {}).get("rules", ())}
    waiting = {one.rule.code for one in load_rules().values() if one.rule.may_wait}
    return [
        rule["code"]
        for rule in (now or {}).get("rules", ())
        if rule["code"] not in waiting and _is_silent(rule) and _answered(earlier.get(rule["code"]))
    ]


def explained(result: CheckResult, codes: Collection[str]) -> CheckResult:
    """Return ``result`` with the plain reason beside each rule of ``codes`` that it says nothing on."""
    if not codes or result.report is None:
        return result
    day = result.report["collected_at"][:10]
    reason = f"{NOT_COLLECTED}（{day}），重新访问后才能判定。"
    rules = [{**rule, "reason": reason} if rule["code"] in codes else rule for rule in result.report["rules"]]
    return replace(result, report={**result.report, "rules": rules})


def _is_silent(rule: Mapping[str, Any]) -> bool:
    answers = [rule, *rule.get("editions", ())]
    return any(one["verdict"] == Verdict.NOT_RUN or one["reason"].startswith(RULE_ERROR) for one in answers)


def _answered(rule: Mapping[str, Any] | None) -> bool:
    return rule is None or not _is_silent(rule) or str(rule["reason"]).startswith(NOT_COLLECTED)


def rules_under(pinch_zoom: PinchZoom) -> Mapping[str, SpecRule]:
    """Return the rules; where pages may forbid pinch zoom, the rule that demands it is not asked."""
    rules = load_rules()
    if pinch_zoom is PinchZoom.ALLOW:
        return rules
    return {key: _unasked(one) if one.rule.code == ZOOM else one for key, one in rules.items()}


def _unasked(one: SpecRule) -> SpecRule:
    return replace(one, rule=replace(one.rule, judge=_may_forbid, needs=Need.DECLARATION))


def _may_forbid(_artifact: Artifact, _profile: Profile) -> Outcome:
    return not_applicable("这一版规范允许网页禁止两指缩放")


def _rule_broke(rule: Rule, error: Exception) -> None:
    log.error("rule_broke", rule=rule.code, exc_info=error)
