"""maintenance-page: while the service is closed for maintenance a page says so, and until when."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, needs_review

_ADVICE = "维护时返回 503 和 Retry-After，页面写明停服原因、恢复时间和咨询电话，不要出现空白页或报错。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    watch = artifact.monitoring
    if watch is None or not watch.maintenance_visits:
        return needs_review("监测期间没有停服维护，请看部门准备的挂起页")
    wrong = watch.maintenance_visits - watch.maintenance_told
    measured = f"维护期间访问 {watch.maintenance_visits} 次，{wrong} 次没有合格的挂起页"
    faults = [Finding("停服维护期间", _ADVICE, measured=measured)] if wrong else []
    return decided(faults, measured=measured)


RULE = Rule(
    id="maintenance-page",
    code="MAS-MON-03",
    needs=Need.MONITORING,
    judge=judge,
    fix="# nginx\nerror_page 503 /maintenance.html;\nadd_header Retry-After 7200 always;",
    questions=(
        "停服维护时，页面返回状态码 503 并带 Retry-After 吗?",
        "挂起页写明了停服原因、恢复时间和咨询电话吗?",
    ),
)
