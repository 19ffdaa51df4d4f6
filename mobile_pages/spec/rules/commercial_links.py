"""commercial-links: the page neither advertises nor leads residents to businesses."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from selectolax.lexbor import LexborNode

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import addresses, page_of, selector, shorten, snippet, visible_text
from mobile_pages.spec.hosts import host_of, is_government, is_registered, split, within
from mobile_pages.spec.outcomes import decided

# Public bodies outside gov.cn, and the channels' own pages that a service has to link to.
_WELCOME = (
    "conac.cn",
    "edu.cn",
    "org.cn",
    "mp.weixin.qq.com",
    "render.alipay.com",
    "uri.amap.com",
    "apis.map.qq.com",
    "api.map.baidu.com",
)
_LURES = re.compile(
    r"下载\s*(?:APP|客户端|安装包)|(?:加|进|入)(?:微信|QQ)?群|QQ群|领(?:取)?(?:红包|优惠券)|限时(?:优惠|抢购)"
    r"|扫码(?:领|加好友)|立即(?:抢购|下单)|贷款秒批",
    re.I,
)
_AROUND = 12


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    findings = (*_links(artifact), *_lures(artifact))
    return decided(findings, measured=f"{sum(one.count for one in findings)} 处")


def _links(artifact: Artifact) -> Iterator[Finding]:
    by_host: dict[str, list[LexborNode]] = defaultdict(list)
    for one in addresses(artifact):
        host = host_of(one.url)
        outward = one.node.tag in ("a", "area", "form") and split(one.url).scheme in ("http", "https")
        if outward and host and not _is_welcome(host, artifact):
            by_host[host].append(one.node)
    for host, nodes in by_host.items():
        yield Finding(
            "页面里的链接",
            "删去通往商业网站的链接；确属业务需要的，请在登记表的域名里写上并说明用途。",
            selector(nodes[0]),
            snippet(nodes[0]),
            host,
            len(nodes),
        )


def _is_welcome(host: str, artifact: Artifact) -> bool:
    if is_government(host) or is_registered(host, artifact):
        return True
    return any(within(host, domain) for domain in _WELCOME)


def _lures(artifact: Artifact) -> Iterator[Finding]:
    text = visible_text(page_of(artifact))
    matches = list(_LURES.finditer(text))
    if matches:
        first = matches[0]
        around = shorten(text[max(0, first.start() - _AROUND) : first.end() + _AROUND])
        advice = "删去下载、加群、领券一类的引流文字。"
        yield Finding("页面文字", advice, "", around, first.group(), len(matches))


RULE = Rule(
    id="commercial-links",
    code="MAS-CNT-06",
    needs=Need.STATIC,
    judge=judge,
    fix='<a href="https://www.gd.gov.cn/">广东省人民政府</a>  <!-- 只链接政府网站和登记过的域名 -->',
)
