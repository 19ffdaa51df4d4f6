"""drift-recheck: a published page that changes is checked again within a day, and every page every week."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, not_run

_WEEK_DAYS = 7.0
_CHANGE_ADVICE = "页面的标题、域名或结构变了，请在 24 小时内重新检查一次，确认没有被篡改。"
_WEEK_ADVICE = "每周至少完整检查一次，请重新提交检查。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    watch = artifact.monitoring
    if watch is None or watch.days_since_full_check is None:
        return not_run("上线后还没有完整复检过")
    late = watch.changes - watch.changes_rechecked
    since = watch.days_since_full_check
    faults = []
    if late > 0:
        figure = f"{watch.changes} 次变化中 {late} 次没有及时复检"
        faults.append(Finding("上线后的变化", _CHANGE_ADVICE, measured=figure))
    if since > _WEEK_DAYS:
        faults.append(Finding("每周复检", _WEEK_ADVICE, measured=f"上次完整检查在 {since:g} 天前"))
    return decided(faults, measured=f"变化 {watch.changes} 次，上次完整检查在 {since:g} 天前")


RULE = Rule(
    id="drift-recheck",
    code="MAS-MON-04",
    needs=Need.MONITORING,
    judge=judge,
    fix="页面改版前先告知平台，改完当天在“我的页面”里点“重新检查”。",
)
