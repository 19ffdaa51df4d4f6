"""availability: over a week the page opens nearly every time."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, not_run

_WINDOW_DAYS = 7
_DAILY_VISITS = 20
_VETO_RATE = 0.05
_TARGET_RATE = 0.005
_ADVICE = "查看这几天打不开的时间，检查服务器、网络和证书；高峰时段打不开的，请扩容或加缓存。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    watch = artifact.monitoring
    if watch is None or watch.window_days < _WINDOW_DAYS or not watch.visits:
        days = watch.window_days if watch else 0
        return not_run(f"监测还不满 {_WINDOW_DAYS} 天(已有 {days} 天)")
    if watch.fewest_daily_visits < _DAILY_VISITS:
        return not_run(f"有的日子只探测了 {watch.fewest_daily_visits} 次，少于 {_DAILY_VISITS} 次")
    rate = watch.failures / watch.visits
    measured = f"{watch.window_days} 天 {watch.visits} 次探测，打不开 {watch.failures} 次({rate:.2%})"
    if rate >= _VETO_RATE:
        return decided([Finding("入口地址", _ADVICE, measured=measured)], measured=measured)
    note = "" if rate <= _TARGET_RATE else f"没有达到不超过 {_TARGET_RATE:.1%} 的目标"
    return decided((), measured=measured, note=note)


RULE = Rule(
    id="availability",
    code="MAS-MON-01",
    needs=Need.MONITORING,
    judge=judge,
    fix="# nginx:一台停了换另一台\nupstream sbcx { server 10.0.0.1; server 10.0.0.2 backup; }",
)
"""Source: 国办秘函〔2019〕19号 站点无法访问."""
