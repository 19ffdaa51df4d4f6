"""line-spacing: lines and paragraphs stand far enough apart."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, not_applicable
from mobile_pages.spec.rendered import edition, finding, quoted, unopened_edition

_LEAST = 1.3
_LINE_ADVICE = "把正文的 line-height 设为 1.5 左右，至少 1.3。"
_GAP_ADVICE = "给段落加下边距，段与段的距离至少是行距的 1.3 倍。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
    paragraphs = rendering.metrics["paragraphs"]
    if not paragraphs["count"]:
        return not_applicable("页面上没有两行以上的段落")
    faults: list[Finding] = []
    for entry in paragraphs["list"]:
        where = quoted(entry["text"])
        if entry["ratio"] < _LEAST:
            figure = f"行距 {entry['ratio']:g} 倍"
            faults.append(finding(entry, rendering, where=where, advice=_LINE_ADVICE, measured=figure))
        if entry["gap"] is not None and entry["gap"] < _LEAST:
            figure = f"段距为行距的 {entry['gap']:g} 倍"
            faults.append(finding(entry, rendering, where=where, advice=_GAP_ADVICE, measured=figure))
    least = min(entry["ratio"] for entry in paragraphs["list"])
    return decided(faults, measured=f"最小行距 {least:g} 倍")


RULE = Rule(
    id="line-spacing",
    code="MAS-LAY-08",
    needs=Need.RENDERED,
    judge=judge,
    fix="p { line-height: 1.6; margin: 0 0 0.8em; }",
)
