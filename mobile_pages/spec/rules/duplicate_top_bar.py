"""duplicate-top-bar: the page draws no bar that the client draws already."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import edition, finding, unopened_edition

_KINDS = {
    "back": ("自己画的返回键", "微信和支付宝顶部已有返回键，去掉页面里的这个。"),
    "title": ("与标题重复的顶栏", "微信和支付宝顶部已显示标题，去掉页面里固定在顶部的同名标题栏。"),
}


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
    faults = []
    for entry in rendering.metrics["top_bars"]:
        where, advice = _KINDS[entry["kind"]]
        faults.append(finding(entry, rendering, where=where, advice=advice))
    return decided(faults, measured=f"{len(faults)} 处")


RULE = Rule(
    id="duplicate-top-bar",
    code="MAS-CHN-07",
    needs=Need.RENDERED,
    judge=judge,
    fix='<!-- 不写 <header class="fixed"><a class="back">‹</a>社保查询</header> -->\n<h1>社保查询</h1>',
)
