"""page-weight: the first screen costs little data and few requests."""

from __future__ import annotations

from mobile_pages.artifact import Artifact, Request
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import PLAIN, measured, unopened

_MOST_BYTES = 1_500_000
_MOST_REQUESTS = 60
_BYTES_ADVICE = "压缩图片、合并并压缩脚本样式，首屏用不到的内容等需要时再加载。"
_REQUESTS_ADVICE = "合并小文件和小图标，首屏用不到的接口等需要时再调用。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = measured(artifact, PLAIN)
    if rendering is None:
        return unopened(artifact)
    total = sum(one.bytes for one in rendering.requests)
    count = len(rendering.requests)
    faults = []
    if total > _MOST_BYTES:
        heaviest = max(rendering.requests, key=lambda one: one.bytes)
        faults.append(
            Finding(
                "首屏下载量",
                _BYTES_ADVICE,
                snippet=_named(heaviest),
                measured=f"{_megabytes(total)}，最大的一个 {_megabytes(heaviest.bytes)}",
                rendering=PLAIN,
            )
        )
    if count > _MOST_REQUESTS:
        faults.append(Finding("首屏请求", _REQUESTS_ADVICE, measured=f"{count} 个", rendering=PLAIN))
    return decided(faults, measured=f"{_megabytes(total)},{count} 个请求")


def _named(request: Request) -> str:
    return f"{request.kind} {request.url}"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.2f} MB"


RULE = Rule(
    id="page-weight",
    code="MAS-PRF-04",
    needs=Need.RENDERED,
    judge=judge,
    fix='<img src="banner-720.webp" loading="lazy" width="360" height="120" alt="办事指南">',
)
