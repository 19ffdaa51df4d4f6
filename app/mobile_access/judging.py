"""Judges what was collected of a page under a version of the spec. No database, no Flask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace

import structlog

from app.mobile_access.domain import CheckVerdict
from app.mobile_access.shapes import CheckResult, SpecView
from config.access_spec.versions import PinchZoom
from mobile_pages.artifact import Artifact
from mobile_pages.report.document import to_json
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.engine import SpecRule, Waiver, judge, load_rules
from mobile_pages.spec.outcomes import not_applicable

ZOOM = "MAS-LAY-03"
log = structlog.get_logger(__name__)


def judged(artifact: Artifact, digest: str, spec: SpecView, waivers: Iterable[Waiver]) -> CheckResult:
    """Return what the rules of ``spec`` say of ``artifact``, which is kept under ``digest``."""
    report = judge(
        artifact,
        Profile.STANDARD,
        spec_version=spec.version,
        spec_rules=rules_under(spec.pinch_zoom),
        waivers=waivers,
        on_error=_rule_broke,
    )
    return CheckResult(
        verdict=CheckVerdict(report.verdict),
        spec_version=report.spec_version,
        profile=report.profile,
        counts=asdict(report.totals),
        report=to_json(report, artifact),
        artifact=digest,
    )


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
