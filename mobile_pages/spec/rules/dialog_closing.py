"""dialog-closing: whatever opens over the page can be closed with a finger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, not_applicable
from mobile_pages.spec.rendered import edition_label, finding, quoted, unopened_edition

_LEAST_PX = 44
_TOLERANCE_PX = 0.5
_PLACES = ("top-left", "top-right", "bottom")
_SYSTEM_ADVICE = "一打开就弹出系统对话框会挡住整个页面，改成页面上的一行提示。"
_MISSING_ADVICE = "给弹窗加一个写着“关闭”的按钮，至少 44×44 像素，放在左上、右上或底部中间。"
_SMALL_ADVICE = "把关闭按钮可点的地方加大到 44×44 像素。"
_PLACE_ADVICE = "把关闭按钮移到弹窗的左上角、右上角或底部中间。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    # A page that opens dialogs without end cannot be measured, but that much is known of it.
    rendering = artifact.rendering(edition_label(artifact, profile))
    if rendering is None or not (rendering.metrics or rendering.dialogs):
        return unopened_edition(artifact, profile)
    faults: list[Finding] = []
    if rendering.dialogs:
        faults.append(
            Finding(
                "页面打开时",
                _SYSTEM_ADVICE,
                snippet=rendering.dialogs[0],
                measured="系统对话框",
                count=len(rendering.dialogs),
                rendering=rendering.label,
            )
        )
    panels = rendering.metrics.get("dialogs", [])
    for panel in panels:
        problem = _problem(panel["closes"])
        if problem:
            figure, advice = problem
            where = f"弹窗{quoted(panel['text'])}"
            faults.append(finding(panel, rendering, where=where, advice=advice, measured=figure))
    if not panels and not faults:
        return not_applicable("页面打开后没有弹窗")
    return decided(faults, measured=f"{len(panels) + len(rendering.dialogs)} 个弹窗")


def _problem(closes: list[Mapping[str, Any]]) -> tuple[str, str] | None:
    """Return what is wrong with the best way to close the panel, and the advice; None when nothing is."""
    if not closes:
        return "没有关闭按钮", _MISSING_ADVICE
    big = [one for one in closes if min(one["size"]) >= _LEAST_PX - _TOLERANCE_PX]
    if not big:
        width, height = closes[0]["size"]
        return f"关闭按钮 {width:g}×{height:g} px", _SMALL_ADVICE
    if all(one["place"] not in _PLACES for one in big):
        return "关闭按钮不在角上或底部", _PLACE_ADVICE
    return None


RULE = Rule(
    id="dialog-closing",
    code="MAS-A11-10",
    needs=Need.RENDERED,
    judge=judge,
    fix='<div role="dialog" aria-label="通知">… <button class="close" aria-label="关闭" '
    'style="width:44px;height:44px">×</button></div>',
)
