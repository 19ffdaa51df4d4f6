"""app-schemes: the page keeps residents inside the channel they came through."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import addresses, attribute, found, page_of, shorten
from mobile_pages.spec.hosts import split
from mobile_pages.spec.outcomes import decided

_HARMLESS = frozenset(
    {"", "http", "https", "tel", "sms", "geo", "mailto", "data", "blob", "about", "javascript", "ws", "wss"}
)
# Map and payment applications have no page to go to instead.
_NAVIGATION = frozenset({"iosamap", "androidamap", "amapuri", "baidumap", "bdapp", "qqmap"})
_PAYMENT = re.compile(r"weixin://wap/pay|alipays?://alipayclient/", re.I)
_PACKAGE = re.compile(r"\.(?:apk|ipa|hap)$", re.I)
_STORES = frozenset({"itunes.apple.com", "apps.apple.com", "a.app.qq.com", "appgallery.huawei.com"})
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.I)
_SCRIPTED = re.compile(
    r"(?:location(?:\.href)?\s*=|location\.(?:replace|assign)\(|window\.open\()\s*[\"'`]([^\"'`]+)", re.I
)
_ADVICE = "删去打开其他 App 或下载安装包的链接，让群众在当前页面里办完；只保留拨号、短信和地图导航。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    links = [one.node for one in addresses(artifact) if one.node.tag != "link" and _leads_out(one.raw)]
    scripts = [
        node
        for node in page_of(artifact).css("script")
        if any(_leads_out(target) for target in _SCRIPTED.findall(node.text(deep=True)))
    ]
    clicks = [
        node
        for node in page_of(artifact).css("[onclick]")
        if any(_leads_out(target) for target in _SCRIPTED.findall(attribute(node, "onclick")))
    ]
    findings = (
        *found(links, where="页面里的链接", advice=_ADVICE),
        *found(scripts, where="页面脚本", advice=_ADVICE),
        *found(clicks, where="按钮", advice=_ADVICE),
        *_seen(artifact),
    )
    return decided(findings, measured=f"{sum(one.count for one in findings)} 处")


def _leads_out(url: str) -> bool:
    """Say whether ``url`` opens another application or fetches one."""
    match = _SCHEME.match(url.strip())
    scheme = match.group(1).lower() if match else ""
    if scheme not in _HARMLESS:
        return scheme not in _NAVIGATION and _PAYMENT.match(url.strip()) is None
    parts = split(url)
    return _PACKAGE.search(parts.path) is not None or (parts.hostname or "") in _STORES


def _seen(artifact: Artifact) -> Iterator[Finding]:
    gone = [
        url
        for rendering in artifact.renderings
        for url in (*rendering.navigations, *rendering.downloads)
        if _leads_out(url)
    ]
    if gone:
        advice = "页面一打开就要跳到别的 App 或下载安装包，请删去这段脚本。"
        yield Finding(
            "打开页面时", advice, snippet=shorten(gone[0]), measured=f"{len(gone)} 次", count=len(gone)
        )


RULE = Rule(
    id="app-schemes",
    code="MAS-CHN-05",
    needs=Need.STATIC,
    judge=judge,
    fix='<a href="tel:020-12345">拨打热线</a>\n<a href="apply.html">在线办理</a>\n'
    "<!-- 不写 weixin:、market: 和 .apk -->",
)
