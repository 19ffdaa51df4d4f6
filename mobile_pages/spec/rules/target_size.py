"""target-size: what is tapped is big enough for a finger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule, Severity, Verdict
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import axe_says, besides, edition, finding, quoted, unopened_edition

_LEAST_PX = 24
_COMFORTABLE_PX = 44
_TOLERANCE_PX = 0.5
_SMALL_ADVICE = "加大内边距或行高，让可点的地方至少 24×24 像素，或者与旁边可点的地方拉开到 24 像素以上。"
_SEEMING_ADVICE = "这里看上去能点。能点的，请改成链接或按钮并做到 44×44 像素；不能点的，去掉手形光标。"
_MAIN_ADVICE = "按钮、输入框和栏目入口至少做到 44×44 像素，例如 min-height:44px。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
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

    known = [*small, *narrow]
    # axe-core knows some ways to be crowded that a count of distances does not; it gives no size.
    told = [
        finding(one, rendering, where=quoted(one["text"]), advice=_SMALL_ADVICE, measured=_box_size(one))
        for one in besides(axe_says(rendering, "violations", "target-size"), known)
        if min(one["box"][2:]) < _LEAST_PX - _TOLERANCE_PX
    ]
    faults = [*findings(small, _SMALL_ADVICE), *told, *findings(narrow, _MAIN_ADVICE)]
    seeming = [
        finding(one, rendering, where=quoted(one["text"]), advice=_SEEMING_ADVICE, measured=_size(one))
        for one in rendering.metrics.get("seeming_targets", ())
    ]
    counts = f"<24: {_count(small)} 个，主组件 <44: {_count(narrow)} 个(共 {targets['count']} 个可点处)"
    if faults and not small and not told:
        return Outcome(Verdict.FAIL, tuple(faults), counts, severity=Severity.SHOULD)
    return decided(faults, seeming, measured=counts, reason="有的地方看上去能点，但不是链接或按钮")


def _below(entry: Mapping[str, Any], px: int) -> bool:
    return bool(min(entry["size"]) < px - _TOLERANCE_PX)


def _size(entry: Mapping[str, Any]) -> str:
    return f"{entry['size'][0]:g}×{entry['size'][1]:g} px"


def _box_size(entry: Mapping[str, Any]) -> str:
    return f"{entry['box'][2]:g}×{entry['box'][3]:g} px"


def _count(entries: list[Mapping[str, Any]]) -> int:
    return sum(one["count"] for one in entries)


RULE = Rule(
    id="target-size",
    code="MAS-LAY-05",
    needs=Need.RENDERED,
    judge=judge,
    fix="button, .entry { min-height: 44px; min-width: 44px; }",
)
