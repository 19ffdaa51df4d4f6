"""https-transport: the entry and everything it asks for travel encrypted."""

from __future__ import annotations

from collections.abc import Iterator

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import addresses, found, shorten
from mobile_pages.spec.hosts import split
from mobile_pages.spec.outcomes import decided

_PLAIN = frozenset({"http", "ws"})
_INTERFACES = frozenset({"document", "xhr", "fetch"})


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    findings = (*_way_in(artifact), *_forms(artifact), *_requests(artifact))
    return decided(findings, measured=f"{sum(one.count for one in findings)} 处 http")


def _is_plain(url: str) -> bool:
    return split(url).scheme.lower() in _PLAIN


def _way_in(artifact: Artifact) -> Iterator[Finding]:
    entry = artifact.static.entry
    asked = [artifact.declaration.url, *(hop.url for hop in entry.hops), entry.final_url]
    plain = list(dict.fromkeys(url for url in asked if url and _is_plain(url)))
    if plain:
        yield Finding(
            "入口地址",
            "给域名装上 HTTPS 证书，并把登记的入口地址改成 https:// 开头；跳转途中也不要经过 http:// 地址。",
            snippet=shorten(plain[0]),
            measured=f"{len(plain)} 个 http:// 地址",
            count=len(plain),
        )


def _forms(artifact: Artifact) -> tuple[Finding, ...]:
    nodes = [
        one.node
        for one in addresses(artifact)
        if one.attribute in ("action", "formaction") and _is_plain(one.raw)
    ]
    advice = "把表单的提交地址改成 https:// 开头或站内相对地址，群众填的内容才不会明文传输。"
    return found(nodes, where="表单提交地址", advice=advice)


def _requests(artifact: Artifact) -> Iterator[Finding]:
    asked = (one for rendering in artifact.renderings for one in rendering.requests)
    plain = list(dict.fromkeys(one.url for one in asked if one.kind in _INTERFACES and _is_plain(one.url)))
    # The address bar's own way was told above.
    own = {artifact.declaration.url, artifact.static.entry.final_url}
    interfaces = [url for url in plain if url not in own]
    if interfaces:
        yield Finding(
            "页面调用的接口",
            "请开发人员把接口地址改成 https:// 开头。",
            snippet=shorten(interfaces[0]),
            measured=f"{len(interfaces)} 个 http:// 接口",
            count=len(interfaces),
        )


RULE = Rule(
    id="https-transport",
    code="MAS-TRN-01",
    needs=Need.STATIC,
    judge=judge,
    fix="# nginx\nserver {\n  listen 80;\n  return 301 https://$host$request_uri;\n}\n"
    "# 登记的入口写 https://wsbs.example.gov.cn/m/sbcx/index.html",
)
