"""elder-target-size: buttons and entries of the elder edition are big."""

from __future__ import annotations

from urllib.parse import urlsplit

from mobile_pages.artifact import Artifact, Declaration
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import ELDER, elder_unopened, finding, measured, quoted

_SWITCHED_PX = 60
_SEPARATE_PX = 48
_TOLERANCE_PX = 0.5


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = measured(artifact, ELDER)
    if rendering is None or not artifact.declaration.elder_url:
        return elder_unopened(artifact, profile)
    least = _SEPARATE_PX if _is_separate(artifact.declaration) else _SWITCHED_PX
    advice = f"长辈版的按钮、输入框和栏目入口做到 {least}×{least} 像素以上。"
    faults = [
        finding(
            one,
            rendering,
            where=quoted(one["text"]),
            advice=advice,
            measured=f"{one['size'][0]:g}×{one['size'][1]:g} px",
        )
        for one in rendering.metrics["targets"]["list"]
        if one["main"] and min(one["size"]) < least - _TOLERANCE_PX
    ]
    return decided(faults, measured=f"小于 {least} px 的主组件 {sum(one.count for one in faults)} 个")


def _is_separate(declaration: Declaration) -> bool:
    """Say whether the elder edition is a page of its own, not the same page with a parameter."""
    own, elder = urlsplit(declaration.url), urlsplit(declaration.elder_url or "")
    return (own.hostname, own.path) != (elder.hostname, elder.path)


RULE = Rule(
    id="elder-target-size",
    code="MAS-A11-07",
    needs=Need.RENDERED,
    judge=judge,
    fix=".elder button, .elder .entry { min-height: 60px; min-width: 60px; }",
)
