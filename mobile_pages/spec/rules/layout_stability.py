"""layout-stability: what is being read does not jump while the page loads."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import edition, unopened_edition

_MOST = 0.1
_ADVICE = "给图片写上 width 和 height，给后来才出现的横幅、列表预留高度，页面就不会在加载时跳动。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
    shift = rendering.metrics["vitals"]["cls"]
    figure = f"CLS {shift:g}"
    faults = [Finding("首屏", _ADVICE, measured=figure, rendering=rendering.label)] if shift > _MOST else []
    return decided(faults, measured=figure)


RULE = Rule(
    id="layout-stability",
    code="MAS-LAY-10",
    needs=Need.RENDERED,
    judge=judge,
    fix='<img src="banner.jpg" width="360" height="120" alt="社保卡申领流程">',
)
