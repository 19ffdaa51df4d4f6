"""first-byte: the server answers without delay."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided

_GOOD_MS = 600
_WORST_MS = 2_000
_ADVICE = "请开发和运维人员查看服务器为什么慢：给首页加缓存，减少打开时的数据库查询，必要时扩容。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    ttfb_ms = artifact.static.entry.ttfb_ms
    measured = f"{ttfb_ms} 毫秒"
    if ttfb_ms <= _GOOD_MS:
        return decided((), measured=measured)
    finding = Finding("入口地址", _ADVICE, measured=measured)
    if ttfb_ms > _WORST_MS:
        return decided((finding,), measured=measured)
    return decided((), (finding,), measured=measured, reason="只测了一次，请看上线后监测的中位数")


RULE = Rule(
    id="first-byte",
    code="MAS-PRF-03",
    needs=Need.STATIC,
    judge=judge,
    fix="# nginx:首页缓存一分钟\nproxy_cache_valid 200 1m;",
)
