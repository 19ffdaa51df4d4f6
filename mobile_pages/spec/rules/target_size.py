"""target-size: what is tapped is big enough for a finger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule, Severity, Verdict
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import edition, finding, quoted, unopened

_LEAST_PX = 24
_COMFORTABLE_PX = 44
_TOLERANCE_PX = 0.5
_SMALL_ADVICE = "加大内边距或行高,让可点的地方至少 24×24 像素,或者与旁边可点的地方拉开到 24 像素以上。"
_MAIN_ADVICE = "按钮、输入框和栏目入口至少做到 44×44 像素,例如 min-height:44px。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened(artifact)
    targets = rendering.metrics["targets"]
    small = [one for one in targets["list"] if _below(one, _LEAST_PX) and one["crowded"]]
    narrow = [
        one for one in targets["list"] if one["main"] and one not in small and _below(one, _COMFORTABLE_PX)
    ]

    def findings(entries: list[Mapping[str, Any]], advice: str) -> list[Finding]:
        return [
            finding(one, rendering, where=quoted(one["text"]), advice=advice, measured=_size(one))
            for one in entries
        ]

    faults = [*findings(small, _SMALL_ADVICE), *findings(narrow, _MAIN_ADVICE)]
    counts = f"<24: {_count(small)} 个,主组件 <44: {_count(narrow)} 个(共 {targets['count']} 个可点处)"
    if faults and not small:
        return Outcome(Verdict.FAIL, tuple(faults), counts, severity=Severity.SHOULD)
    return decided(faults, measured=counts)


def _below(entry: Mapping[str, Any], px: int) -> bool:
    return bool(min(entry["size"]) < px - _TOLERANCE_PX)


def _size(entry: Mapping[str, Any]) -> str:
    return f"{entry['size'][0]:g}×{entry['size'][1]:g} px"


def _count(entries: list[Mapping[str, Any]]) -> int:
    return sum(one["count"] for one in entries)


RULE = Rule(
    id="target-size",
    code="MAS-LAY-05",
    needs=Need.RENDERED,
    judge=judge,
    fix="button, .entry { min-height: 44px; min-width: 44px; }",
)
