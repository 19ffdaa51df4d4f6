"""history-entries: one tap on «back» leaves the entry page."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import PLAIN, measured, unopened

_MOST = 1
_ADVICE = "加载时不要调用 history.pushState，也不要用 location 再跳一次；要改地址用 history.replaceState。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = measured(artifact, PLAIN)
    if rendering is None:
        return unopened(artifact)
    figure = f"加载后历史记录 {rendering.history_length} 条"
    if rendering.history_length > _MOST:
        return decided([Finding("返回键", _ADVICE, measured=figure, rendering=PLAIN)], measured=figure)
    return decided([], measured=figure)


RULE = Rule(
    id="history-entries",
    code="MAS-CHN-06",
    needs=Need.RENDERED,
    judge=judge,
    fix="history.replaceState(null, '', '#/home');  // 不用 pushState",
)
