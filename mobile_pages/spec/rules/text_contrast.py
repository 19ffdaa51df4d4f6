"""text-contrast: text stands out from what is behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mobile_pages.artifact import Artifact, Rendering
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import axe_says, besides, edition, finding, quoted, unopened_edition

_ADVICE = "把文字颜色调深，或把背景调浅；白底上的灰字用 #666 或更深。"
_DOUBT_ADVICE = "文字后面是图片或渐变，机器算不准，请对着截图看清不清楚；必要时给文字垫一块纯色底。"
_BIG_PX = 18.0
_BIG_RATIO = 3.0
_RATIO = 4.5
_DOUBTS = {
    "image": "背景是图片",
    "gradient": "背景是渐变",
    "shadow": "文字带阴影",
    "effect": "有滤镜或镂空效果",
    "color": "颜色写法特殊",
}


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
    contrast = rendering.metrics["contrast"]
    told = _told(rendering)
    certain = [one for one in contrast["list"] if not one["doubt"]]
    faults = [
        finding(
            one,
            rendering,
            where=quoted(one["text"]),
            advice=_ADVICE,
            measured=f"{one['color']} 对 {one['background']} 为 {one['ratio']:g}:1，要 {one['needed']:g}:1",
        )
        for one in [*certain, *besides(told, certain)]
    ]
    doubts = [
        finding(
            one, rendering, where=quoted(one["text"]), advice=_DOUBT_ADVICE, measured=_DOUBTS[one["doubt"]]
        )
        for one in contrast["list"]
        if one["doubt"] and not _is_clear(one, rendering)
    ]
    wrong = sum(one.count for one in faults)
    return decided(faults, doubts, measured=f"{contrast['checked']} 处文字中 {wrong} 处不够")


def _told(rendering: Rendering) -> list[dict[str, Any]]:
    """Return what axe-core is sure of, by this clause's idea of text (letters) and of big text (18 px)."""
    return [
        {**one, "needed": needed}
        for one in axe_says(rendering, "violations", "color-contrast")
        if (not one["text"] or any(letter.isalnum() for letter in one["text"]))
        and one["ratio"] < (needed := _BIG_RATIO if one["size"] > _BIG_PX else _RATIO)
    ]


def _is_clear(entry: Mapping[str, Any], rendering: Rendering) -> bool:
    """Say whether axe-core could tell what the measure could not, and found nothing wrong."""
    if not rendering.metrics.get("axe") or entry["doubt"] == "gradient":
        return False
    left_open = axe_says(rendering, "incomplete", "color-contrast")
    return all(one["family"] != entry["family"] for one in left_open)


RULE = Rule(
    id="text-contrast",
    code="MAS-A11-02",
    needs=Need.RENDERED,
    judge=judge,
    fix=".note { color: #595959; background: #fff; }  /* 7:1 */",
)
