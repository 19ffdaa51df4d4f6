"""font-size: text can be read without enlarging it."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, not_applicable
from mobile_pages.spec.rendered import edition, unopened_edition

_SMALLEST_PX = 12.0
_BODY_PX = 14.0
_SMALL_SHARE = 0.02


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
    sizes = {float(size): count for size, count in rendering.metrics["fonts"].items()}
    total = sum(sizes.values())
    if not total:
        return not_applicable("页面上没有可见文字")
    body = {float(size): count for size, count in rendering.metrics["body_fonts"].items()} or sizes
    usual = max(body, key=lambda size: (body[size], size))
    share = sum(count for size, count in sizes.items() if size < _SMALLEST_PX) / total
    faults = []
    if share > _SMALL_SHARE:
        advice = "把小于 12 像素的文字改到 12 像素以上，说明和日期也一样。"
        faults.append(
            Finding("小字", advice, measured=f"{share:.0%} 的字小于 12 px", rendering=rendering.label)
        )
    if usual < _BODY_PX:
        advice = "把正文字号改到 14 像素以上，建议 16 像素。"
        faults.append(Finding("正文", advice, measured=f"正文 {usual:g} px", rendering=rendering.label))
    return decided(faults, measured=f"正文 {usual:g} px，小于 12 px 的字占 {share:.1%}")


RULE = Rule(
    id="font-size",
    code="MAS-LAY-07",
    needs=Need.RENDERED,
    judge=judge,
    fix="body { font-size: 16px; }\n.note { font-size: 13px; }",
)
