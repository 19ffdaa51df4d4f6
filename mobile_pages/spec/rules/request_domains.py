"""request-domains: every host the page loads from is registered, or the platforms will block it."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import PLAIN, measured, unopened

_ADVICE = "把这个域名补进登记的域名清单并在微信、支付宝后台配置，或者把文件放到自己的域名下。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = measured(artifact, PLAIN)
    if rendering is None:
        return unopened(artifact)
    declared = {_host(artifact.declaration.url), *(one.lower() for one in artifact.declaration.domains)}
    asked = Counter(_host(one.url) for one in rendering.requests)
    examples = {_host(one.url): one.url for one in reversed(rendering.requests)}
    faults = [
        Finding(
            f"域名 {host}", _ADVICE, snippet=examples[host], measured="没有登记", count=count, rendering=PLAIN
        )
        for host, count in asked.items()
        if host not in declared
    ]
    return decided(faults, measured=f"{len(asked)} 个域名，{len(faults)} 个没有登记")


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


RULE = Rule(
    id="request-domains",
    code="MAS-CHN-04",
    needs=Need.RENDERED,
    judge=judge,
    fix='<script src="/static/app.js"></script>  <!-- 不引用未登记的外部域名 -->',
)
