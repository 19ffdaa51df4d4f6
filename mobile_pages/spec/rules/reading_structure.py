"""reading-structure: headings say something, and every place can be reached without a finger."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, needs_review, not_run
from mobile_pages.spec.rendered import PLAIN, axe_says, finding, measured, unopened

_KINDS = {
    "empty-heading": ("空的标题", "标题标签里要有文字；只为了留空隙的，改用外边距。"),
    "aria-hidden-focus": (
        "对读屏隐藏的区域",
        '写了 aria-hidden="true" 的区域里不要放链接、按钮和输入框，或者给它们加 tabindex="-1"。',
    ),
    "scrollable-region-focusable": (
        "可滚动的区域",
        '给能滚动的区域加 tabindex="0"，让读屏和键盘用户也能看到下面的内容。',
    ),
}


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = measured(artifact, PLAIN)
    if rendering is None:
        return unopened(artifact)
    if "axe" not in rendering.metrics:
        return not_run("本机没有安装 axe-core，或者页面没有加载完，没有检查")
    if rendering.metrics["axe"] is None:
        return needs_review("页面元素太多，机器没有检查")
    found = {
        outcome: [
            finding(entry, rendering, where=where, advice=advice)
            for rule, (where, advice) in _KINDS.items()
            for entry in axe_says(rendering, outcome, rule)
        ]
        for outcome in ("violations", "incomplete")
    }
    count = sum(one.count for one in found["violations"])
    return decided(found["violations"], found["incomplete"], measured=f"{count} 处")


RULE = Rule(
    id="reading-structure",
    code="MAS-A11-12",
    needs=Need.RENDERED,
    judge=judge,
    fix='<h2>办理说明</h2>\n<div class="list" tabindex="0" role="region" aria-label="办理记录">…</div>',
    questions=("只用读屏或外接键盘，能走到页面上每一个能点的地方、看完每一段能滚动的内容吗?",),
)
"""Source: ACT ffd0e9, 6cfa84, 0ssw9k; measured by axe-core."""
