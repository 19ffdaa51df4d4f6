"""text-contrast: text stands out from what is behind it."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import edition, finding, quoted, unopened

_ADVICE = "把文字颜色调深,或把背景调浅;白底上的灰字用 #666 或更深。"
_DOUBT_ADVICE = "文字后面是图片或渐变,机器算不准,请对着截图看清不清楚;必要时给文字垫一块纯色底。"
_DOUBTS = {
    "image": "背景是图片",
    "gradient": "背景是渐变",
    "effect": "有滤镜或镂空效果",
    "color": "颜色写法特殊",
}


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened(artifact)
    contrast = rendering.metrics["contrast"]
    faults = [
        finding(
            one,
            rendering,
            where=quoted(one["text"]),
            advice=_ADVICE,
            measured=f"{one['color']} 对 {one['background']} 为 {one['ratio']:g}:1,要 {one['needed']:g}:1",
        )
        for one in contrast["list"]
        if not one["doubt"]
    ]
    doubts = [
        finding(
            one, rendering, where=quoted(one["text"]), advice=_DOUBT_ADVICE, measured=_DOUBTS[one["doubt"]]
        )
        for one in contrast["list"]
        if one["doubt"]
    ]
    wrong = sum(one.count for one in faults)
    return decided(faults, doubts, measured=f"{contrast['checked']} 处文字中 {wrong} 处不够")


RULE = Rule(
    id="text-contrast",
    code="MAS-A11-02",
    needs=Need.RENDERED,
    judge=judge,
    fix=".note { color: #595959; background: #fff; }  /* 7:1 */",
)
