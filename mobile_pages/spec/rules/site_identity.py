"""site-identity: the page says whose site it is and under which number it is filed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import attribute, metas, page_of, selector, snippet, visible_text
from mobile_pages.spec.hosts import host_of, within
from mobile_pages.spec.outcomes import decided

_ICP = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]ICP[备证]\s*\d{5,8}\s*号", re.I
)
_SITE_CODE = re.compile(r"(?:[A-Za-z]{2}|\d{2})\d{8}", re.ASCII)
_LABELS = ("SiteName", "SiteDomain", "SiteIDCode")


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    findings = (*_labels(artifact), *_filing(artifact))
    return decided(findings, measured=f"缺或不符 {len(findings)} 项")


def _labels(artifact: Artifact) -> Iterator[Finding]:
    page = page_of(artifact)
    host = host_of(artifact.static.entry.final_url)
    for label in _LABELS:
        node = next(iter(metas(page, label)), None)
        value = "" if node is None else attribute(node, "content")
        if node is None or not value:
            yield Finding(
                "页面头部 <head>",
                f'在 <head> 里加上 <meta name="{label}" content="…">，内容和网站标识登记的一样。',
                measured=f"{label} 没有填",
            )
        elif not _fits(label, value, host):
            advice = f"把 {label} 改成登记的值：域名与本页一致，标识码为 10 位。"
            yield Finding("页面头部 <head>", advice, selector(node), snippet(node), f"{label}={value}")


def _fits(label: str, value: str, host: str) -> bool:
    if label == "SiteIDCode":
        return _SITE_CODE.fullmatch(value) is not None
    if label == "SiteDomain":
        bare = host_of(value if "://" in value else f"https://{value}").removeprefix("www.")
        return within(host, bare)
    return True


def _filing(artifact: Artifact) -> Iterator[Finding]:
    registered = artifact.declaration.icp_number
    if _ICP.search(visible_text(page_of(artifact))) is None and _ICP.search(registered) is None:
        yield Finding("页脚", "在页脚写上 ICP 备案号，或在登记表里填写。", measured="没有备案号")


RULE = Rule(
    id="site-identity",
    code="MAS-CNT-02",
    needs=Need.STATIC,
    judge=judge,
    fix='<meta name="SiteName" content="广东省人力资源和社会保障厅">\n'
    '<meta name="SiteDomain" content="wsbs.example.gov.cn">\n'
    '<meta name="SiteIDCode" content="4400000001">',
)
