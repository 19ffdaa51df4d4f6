"""health-address: there is an address that tells whether the back end works, and it tells the truth.

That there is one is known from the registration, at the first check; whether it tells the truth once
the page is watched.
"""

from __future__ import annotations

from collections.abc import Iterator

from mobile_pages.artifact import Artifact, Monitoring
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import NOT_WATCHED, decided, not_run

_MISSING_ADVICE = "做一个检查数据库和接口的健康地址，正常返回 200，并填到登记信息里。"
_DOWN_ADVICE = "入口能打开而健康地址报错：健康地址只在真正出故障时才返回错误。"
_SLOW_ADVICE = "健康地址 3 秒内要有回答，只做几项快速检查，不要跑整套业务。"
_SILENT_ADVICE = "入口打不开时健康地址还在返回正常：它要真正去查数据库和接口，不能固定返回 200。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    watch = artifact.monitoring
    if not artifact.declaration.health_url:
        return decided([Finding("登记信息", _MISSING_ADVICE, measured="没有登记健康地址")])
    if watch is None:
        return not_run(NOT_WATCHED)
    if not watch.health_visits:
        return not_run("健康地址还没有探测过")
    figures = (
        f"探测 {watch.health_visits} 次，报错 {watch.health_failures} 次，超过 3 秒 {watch.health_slow} 次"
    )
    return decided(_faults(watch), measured=figures)


def _faults(watch: Monitoring) -> Iterator[Finding]:
    if watch.health_failures > watch.failures:
        measured = f"健康地址报错 {watch.health_failures} 次，入口打不开 {watch.failures} 次"
        yield Finding("健康地址", _DOWN_ADVICE, measured=measured)
    # One answer in twenty may be slow; more is the address, not the network.
    if watch.health_slow * 20 > watch.health_visits:
        yield Finding("健康地址", _SLOW_ADVICE, measured=f"{watch.health_slow} 次超过 3 秒")
    silent = watch.outages - watch.outages_told
    if silent > 0:
        yield Finding("健康地址", _SILENT_ADVICE, measured=f"{watch.outages} 次故障中 {silent} 次没有反映")


RULE = Rule(
    id="health-address",
    code="MAS-MON-02",
    needs=Need.DECLARATION,
    judge=judge,
    awaits_watch=True,
    fix='@app.get("/health")\ndef health():\n    db.execute("SELECT 1")  # 不通就报错\n    return "ok"',
)
