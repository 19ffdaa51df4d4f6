"""mixed-content: an encrypted page loads nothing unencrypted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborNode

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import addresses, attribute, found, page_of, shorten
from mobile_pages.spec.hosts import split
from mobile_pages.spec.outcomes import decided, not_applicable

_LOADING = frozenset(
    {"img", "script", "iframe", "frame", "audio", "video", "source", "track", "embed", "object", "input"}
)
_LOADING_RELATIONS = frozenset(
    {"stylesheet", "icon", "preload", "modulepreload", "manifest", "apple-touch-icon"}
)
_CSS_PLAIN = re.compile(r"(?:url\(\s*[\"']?|@import\s+[\"'])http://", re.I)
_ADVICE = "把 http:// 换成 https:// 或站内相对路径；浏览器会拦下加密页面里的不加密内容，图片和功能会缺失。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    entry = artifact.static.entry
    if split(entry.final_url).scheme.lower() != "https":
        return not_applicable("入口不是 HTTPS(见 MAS-TRN-01)")
    if "upgrade-insecure-requests" in (entry.header("content-security-policy") or "").lower():
        return decided((), measured="0 处", note="响应头让浏览器把 http:// 自动换成 https://")
    findings = (
        *found(_elements(artifact), where="页面引用的文件", advice=_ADVICE),
        *found(_styles(artifact), where="页面样式", advice=_ADVICE),
        *_requests(artifact),
    )
    return decided(findings, measured=f"{sum(one.count for one in findings)} 处")


def _is_plain(url: str) -> bool:
    return url.strip().lower().startswith("http://")


def _elements(artifact: Artifact) -> Iterator[LexborNode]:
    for one in addresses(artifact):
        loads = one.attribute in ("src", "data", "poster") and one.node.tag in _LOADING
        relations = set(attribute(one.node, "rel").lower().split())
        links = one.node.tag == "link" and one.attribute == "href" and relations & _LOADING_RELATIONS
        if (loads or links) and _is_plain(one.url):
            yield one.node
    for node in page_of(artifact).css("[srcset]"):
        candidates = attribute(node, "srcset").split(",")
        if any(_is_plain(candidate) for candidate in candidates):
            yield node


def _styles(artifact: Artifact) -> Iterator[LexborNode]:
    page = page_of(artifact)
    yield from (node for node in page.css("style") if _CSS_PLAIN.search(node.text(deep=True)))
    yield from (node for node in page.css("[style]") if _CSS_PLAIN.search(attribute(node, "style")))


def _requests(artifact: Artifact) -> Iterator[Finding]:
    asked = (one for rendering in artifact.renderings for one in rendering.requests)
    plain = list(dict.fromkeys(one.url for one in asked if one.kind != "document" and _is_plain(one.url)))
    if plain:
        yield Finding(
            "打开页面时的请求",
            _ADVICE,
            snippet=shorten(plain[0]),
            measured=f"{len(plain)} 个 http:// 请求",
            count=len(plain),
        )


RULE = Rule(
    id="mixed-content",
    code="MAS-TRN-03",
    needs=Need.STATIC,
    judge=judge,
    fix='<img src="/m/images/banner.png" alt="社保服务">  <!-- 不写 http://… -->',
)
