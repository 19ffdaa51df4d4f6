"""orientation: the page can be used upright and sideways."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, not_run
from mobile_pages.spec.rendered import edition, finding, quoted, unopened_edition

_ADVICE = "去掉样式里按横屏或竖屏旋转内容的写法(@media (orientation: …) 里的 rotate)，让内容随屏幕自然排列。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
    seen = rendering.metrics.get("orientation")
    if seen is None:
        return not_run("这次采集还没有看样式表，请重新检查")
    faults = [
        finding(
            one,
            rendering,
            where=quoted(one["text"]),
            advice=_ADVICE,
            measured=f"横竖屏之间转了 {one['angle']}°",
        )
        for one in seen["turned"]
    ]
    unread = seen["unread_sheets"]
    note = f"{unread} 个外域样式表读不到，没有看" if unread else ""
    return decided(faults, measured=f"{len(faults)} 处被旋转", note=note)


RULE = Rule(
    id="orientation",
    code="MAS-LAY-06",
    needs=Need.RENDERED,
    judge=judge,
    fix="@media (orientation: landscape) { .entries { grid-template-columns: repeat(4, 1fr); } }",
)
"""Source: ACT b33eff."""
