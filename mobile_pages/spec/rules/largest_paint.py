"""largest-paint: the main part of the first screen appears soon, also on a slow network."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, not_applicable
from mobile_pages.spec.rendered import PLAIN, measured, unopened

_GOOD_MS = 2500
_MOST_MS = 4000
_ADVICE = "首屏最大的一块（多半是大图或横幅）出来得太晚，压缩它，不要懒加载它，也不要等脚本再插入。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = measured(artifact, PLAIN)
    if rendering is None:
        return unopened(artifact)
    shown_ms = rendering.metrics["vitals"]["lcp"]
    if shown_ms is None:
        return not_applicable("页面没有画出内容，见 MAS-PRF-02")
    figure = f"{shown_ms / 1000:.1f} 秒"
    if shown_ms > _MOST_MS:
        return decided([Finding("首屏", _ADVICE, measured=figure, rendering=PLAIN)], measured=figure)
    grade = "良好" if shown_ms <= _GOOD_MS else "合格"
    return decided([], measured=f"{figure}({grade}，按慢速 4G 网络)")


RULE = Rule(
    id="largest-paint",
    code="MAS-PRF-05",
    needs=Need.RENDERED,
    judge=judge,
    fix='<img src="banner-720.webp" width="360" height="120" alt="社保服务">  <!-- 不写 loading=lazy -->',
)
