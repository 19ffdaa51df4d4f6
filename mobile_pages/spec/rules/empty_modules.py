"""empty-modules: no part of the page is empty or «under construction»."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import edition, finding, quoted, unopened_edition

_UNREADY_ADVICE = "没有做好的栏目先不要放上来，做好后再加。"
_EMPTY_ADVICE = "栏目里没有内容，补上内容或去掉这个栏目；确实没有记录时写一句说明，例如“您还没有办件”。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
    faults = [
        finding(one, rendering, where=quoted(one["text"]), advice=_UNREADY_ADVICE, measured="未做好的栏目")
        for one in rendering.metrics["unready"]
    ]
    faults += [
        finding(one, rendering, where=quoted(one["heading"]), advice=_EMPTY_ADVICE, measured="空栏目")
        for one in rendering.metrics["empty_lists"]
    ]
    return decided(faults, measured=f"{sum(one.count for one in faults)} 处")


RULE = Rule(
    id="empty-modules",
    code="MAS-CNT-05",
    needs=Need.RENDERED,
    judge=judge,
    fix="<h2>我的办件</h2>\n<p>您还没有办件。</p>",
)
