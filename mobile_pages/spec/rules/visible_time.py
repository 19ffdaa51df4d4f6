"""visible-time: something to read appears soon, also on a slow network."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import PLAIN, measured, unopened

_GOOD_MS = 3000
_MOST_MS = 5000
_ADVICE = "先显示文字：减少首屏脚本和样式文件，脚本加 defer，大图换成小图，不要等接口返回才显示内容。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = measured(artifact, PLAIN)
    if rendering is None:
        return unopened(artifact)
    shown_ms = rendering.first_text_ms
    if shown_ms is None:
        fault = Finding("首屏", _ADVICE, measured="一直没有可见内容", rendering=PLAIN)
        return decided([fault], measured="没有可见内容")
    figure = f"{shown_ms / 1000:.1f} 秒"
    if shown_ms > _MOST_MS:
        return decided([Finding("首屏", _ADVICE, measured=figure, rendering=PLAIN)], measured=figure)
    grade = "良好" if shown_ms <= _GOOD_MS else "合格"
    return decided([], measured=f"{figure}({grade}，按慢速 4G 网络)")


RULE = Rule(
    id="visible-time",
    code="MAS-PRF-01",
    needs=Need.RENDERED,
    judge=judge,
    fix='<script src="app.js" defer></script>',
)
