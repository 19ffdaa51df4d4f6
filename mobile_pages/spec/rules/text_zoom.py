"""text-zoom: text grows with WeChat's font setting, and nothing is cut off or laid over other text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mobile_pages.artifact import Artifact, Rendering
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import edition_label, finding, is_elder, measured, quoted, unopened

_ZOOMED = "zoom-360"
_ELDER_ZOOMED = "elder-zoom-360"
# Of the 1.5 that are asked for; text that a page excepts on purpose (icons, a logo) may stay.
_LEAST_GROWTH = 1.3
_CUT_ADVICE = "给文字所在的框去掉固定高度，改用 min-height 和内边距，并允许换行，字放大后才放得下。"
_OVERLAP_ADVICE = "不要用绝对定位或固定高度摆放这两段文字，让它们随内容自然往下排。"
_STUCK_ADVICE = "去掉样式里的 text-size-adjust: 100% !important，让页面跟随微信的字号设置。"
_BUTTON_ADVICE = "字号放大后主按钮跑到了屏幕外，把按钮宽度改成百分比或 max-width:100%。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    label = edition_label(artifact, profile)
    zoomed_label = _ELDER_ZOOMED if is_elder(artifact, profile) else _ZOOMED
    plain, zoomed = measured(artifact, label), measured(artifact, zoomed_label)
    if plain is None or zoomed is None:
        return unopened(artifact, label if plain is None else zoomed_label)
    before = plain.metrics["text"]["glyph_height"]
    # A page whose only text is drawn has nothing that could grow.
    growth = zoomed.metrics["text"]["glyph_height"] / before if before else zoomed.text_zoom
    faults = [*_stuck(growth, zoomed), *_new(plain, zoomed, "cut"), *_new(plain, zoomed, "overlaps")]
    return decided([*faults, *_lost_button(zoomed)], measured=f"文字放大到 {growth:.2f} 倍")


def _stuck(growth: float, zoomed: Rendering) -> Iterator[Finding]:
    if zoomed.metrics["text"]["length"] and growth < _LEAST_GROWTH:
        figure = f"要求放大到 {zoomed.text_zoom:g} 倍，实际 {growth:.2f} 倍"
        yield Finding("整个页面", _STUCK_ADVICE, measured=figure, rendering=zoomed.label)


def _new(plain: Rendering, zoomed: Rendering, key: str) -> Iterator[Finding]:
    """Find faults that only the bigger text shows, and text cut through its letters at any size.

    Whole lines that were left out before are a design.
    """
    known = {entry["selector"] for entry in plain.metrics[key]}
    for entry in zoomed.metrics[key]:
        if entry["selector"] not in known or entry.get("through"):
            yield _fault(entry, zoomed, key)


def _fault(entry: Mapping[str, Any], zoomed: Rendering, key: str) -> Finding:
    where = quoted(entry["text"])
    if key == "cut":
        return finding(entry, zoomed, where=where, advice=_CUT_ADVICE, measured="放大后文字被截断")
    figure = f"放大后压住{quoted(entry['under'])}"
    return finding(entry, zoomed, where=where, advice=_OVERLAP_ADVICE, measured=figure)


def _lost_button(zoomed: Rendering) -> Iterator[Finding]:
    box = zoomed.metrics["main_button_box"]
    width = zoomed.metrics["layout"]["client_width"]
    if box and box[0] + box[2] > width + 1:
        over = box[0] + box[2] - width
        where = quoted(zoomed.metrics["main_button"])
        yield finding(
            {"box": box}, zoomed, where=where, advice=_BUTTON_ADVICE, measured=f"右边超出 {over:g} px"
        )


RULE = Rule(
    id="text-zoom",
    code="MAS-LAY-04",
    needs=Need.RENDERED,
    judge=judge,
    fix=".tile { min-height: 44px; padding: 8px; }  /* 不写 height 和 overflow:hidden */",
)
