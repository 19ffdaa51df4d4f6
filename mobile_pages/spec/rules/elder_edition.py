"""elder-edition: there is an edition for older residents, and its text is big."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, not_applicable
from mobile_pages.spec.rendered import ELDER, elder_unopened, measured

_MAIN_PX = 18.0
_BIG_PX = 30.0


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    if not artifact.declaration.elder_url:
        if profile is Profile.STANDARD:
            return not_applicable("没有登记长辈版，本次按标准版检查")
        advice = "做一个长辈版，并在登记里填写它的地址或切换参数。"
        return decided([Finding("登记信息", advice, measured="没有登记长辈版地址")])
    rendering = measured(artifact, ELDER)
    if rendering is None:
        return elder_unopened(artifact, profile)
    sizes = {float(size): count for size, count in rendering.metrics["fonts"].items()}
    body = {float(size): count for size, count in rendering.metrics["body_fonts"].items()} or sizes
    usual = max(body, key=lambda size: (body[size], size), default=0.0)
    biggest = max(sizes, default=0.0)
    faults = []
    if usual < _MAIN_PX:
        advice = "长辈版的主要文字放大到 18 像素以上。"
        faults.append(Finding("长辈版正文", advice, measured=f"正文 {usual:g} px", rendering=ELDER))
    if biggest < _BIG_PX:
        advice = "长辈版的标题和主要入口要有 30 像素以上的大字。"
        faults.append(Finding("长辈版标题", advice, measured=f"最大 {biggest:g} px", rendering=ELDER))
    return decided(faults, measured=f"正文 {usual:g} px，最大 {biggest:g} px")


RULE = Rule(
    id="elder-edition",
    code="MAS-A11-06",
    needs=Need.RENDERED,
    judge=judge,
    fix=".elder body { font-size: 20px; }\n.elder h1 { font-size: 30px; }",
)
