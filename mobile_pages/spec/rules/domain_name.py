"""domain-name: the page lives under a government or filed domain, written plainly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import shorten
from mobile_pages.spec.hosts import host_of, is_address, is_government, port_of, split, within
from mobile_pages.spec.outcomes import decided

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ENTRY = "登记的入口地址"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    host = host_of(artifact.declaration.url)
    findings = (*_host(artifact, host), *_port(artifact), *_listed(artifact))
    return decided(findings, measured=host or "没有域名")


def _host(artifact: Artifact, host: str) -> Iterator[Finding]:
    declaration = artifact.declaration
    if is_address(host):
        advice = "用域名登记，不要用 IP 地址；微信和支付宝都不接受 IP 地址。"
        yield Finding(_ENTRY, advice, snippet=shorten(declaration.url), measured=host)
    elif _HOST.fullmatch(host) is None:
        advice = "请填写完整的入口地址，例如 https://wsbs.example.gov.cn/m/ 。"
        yield Finding(_ENTRY, advice, snippet=shorten(declaration.url), measured=host or "没有域名")
    elif not is_government(host) and not _is_filed(artifact, host):
        advice = "请改用本单位 .gov.cn 域名；确需用其他域名的，先办好备案，并在登记表里填上备案号和这个域名。"
        yield Finding(_ENTRY, advice, snippet=shorten(declaration.url), measured=host)


def _is_filed(artifact: Artifact, host: str) -> bool:
    declaration = artifact.declaration
    return bool(declaration.icp_number.strip()) and any(within(host, one) for one in declaration.domains)


def _port(artifact: Artifact) -> Iterator[Finding]:
    url = artifact.declaration.url
    port = port_of(url)
    if port is not None and port != _DEFAULT_PORTS.get(split(url).scheme.lower()):
        advice = "去掉地址里的端口号，请运维人员把服务放到 443 端口；渠道平台不接受带端口的地址。"
        yield Finding(_ENTRY, advice, snippet=shorten(url), measured=f"端口 {port}")


def _listed(artifact: Artifact) -> Iterator[Finding]:
    for domain in artifact.declaration.domains:
        if _HOST.fullmatch(domain.strip().lower()) is None:
            advice = "登记域只写域名本身，不带 https://、端口、斜杠和路径，例如 static.example.gov.cn 。"
            yield Finding("登记的其他域名", advice, snippet=shorten(domain), measured=domain)


RULE = Rule(
    id="domain-name",
    code="MAS-ENT-02",
    needs=Need.DECLARATION,
    judge=judge,
    fix="入口地址：https://wsbs.example.gov.cn/m/sbcx/index.html\n其他域名：static.example.gov.cn",
)
