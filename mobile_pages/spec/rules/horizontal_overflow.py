"""horizontal-overflow: the page never has to be moved sideways, on narrow and wide phones."""

from __future__ import annotations

from collections.abc import Iterator

from mobile_pages.artifact import Artifact, Rendering
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import ELDER, PLAIN, finding, is_elder, measured, unopened_edition

_LABELS = ("plain-320", PLAIN, "plain-414")
_ALLOWED_PX = 1
_ADVICE = (
    "把这个元素的固定宽度改成 max-width:100%，表格和图片放进可以自己滚动的容器，长网址和编号加 "
    "overflow-wrap:anywhere 让它换行。"
)


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    labels = (ELDER,) if is_elder(artifact, profile) else _LABELS
    renderings = [one for label in labels if (one := measured(artifact, label))]
    if not renderings:
        return unopened_edition(artifact, profile)
    wide = [one for one in renderings if one.metrics["layout"]["overflow"] > _ALLOWED_PX]
    faults = [one for rendering in wide if not _is_hidden(rendering) for one in _findings(rendering)]
    doubts = [one for rendering in wide if _is_hidden(rendering) for one in _findings(rendering)]
    widest = max(one.metrics["layout"]["overflow"] for one in renderings)
    reason = "超出部分被 overflow-x:hidden 盖住，请人工看看有没有内容被切掉" if doubts else ""
    return decided(faults, doubts, measured=f"最多超出 {widest:g} px", reason=reason)


def _is_hidden(rendering: Rendering) -> bool:
    return bool(rendering.metrics["layout"]["hidden"])


def _findings(rendering: Rendering) -> Iterator[Finding]:
    layout = rendering.metrics["layout"]
    over = f"{rendering.width} 宽的手机上超出 {layout['overflow']:g} px"
    if not layout["offenders"]:
        yield Finding(f"{rendering.width} 宽的手机", _ADVICE, measured=over, rendering=rendering.label)
    for entry in layout["offenders"][:5]:
        where = f"{rendering.width} 宽的手机，页面右侧"
        this = f"右边超出 {entry['over']:g} px"
        yield finding(entry, rendering, where=where, advice=_ADVICE, measured=this)


RULE = Rule(
    id="horizontal-overflow",
    code="MAS-LAY-02",
    needs=Need.RENDERED,
    judge=judge,
    fix="img, table { max-width: 100%; }\n.table-box { overflow-x: auto; }\np { overflow-wrap: anywhere; }",
)
