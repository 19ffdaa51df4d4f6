"""elder-advertising: the elder edition shows no advertising, nothing that pops up, nothing that lures."""

from __future__ import annotations

from collections.abc import Iterator

from mobile_pages.artifact import Artifact, Rendering
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.hosts import host_of, within
from mobile_pages.spec.outcomes import decided, not_run
from mobile_pages.spec.rendered import ELDER, elder_unopened, finding, measured, quoted

# Where the advertising networks used in China deliver from.
_NETWORKS = (
    *("pos.baidu.com", "cpro.baidu.com", "cpro.baidustatic.com", "dup.baidustatic.com", "union.baidu.com"),
    *("gdt.qq.com", "e.qq.com", "l.qq.com", "tanx.com", "alimama.com", "mediav.com", "adkwai.com"),
    *("pangolin-sdk-toutiao.com", "oceanengine.com", "ad.toutiao.com", "doubleclick.net"),
    *("googlesyndication.com", "googleadservices.com", "miaozhen.com", "admaster.com.cn"),
)
_AD_ADVICE = "长辈版里不要放任何广告，请删掉这一块。"
_LURE_ADVICE = "去掉诱导点击的按键和文字，只保留办事需要的内容。"
_NETWORK_ADVICE = "长辈版不要引用广告平台的代码。"
_POPUP_ADVICE = "长辈版打开时不要自动弹出浮层；必须告知的内容直接写在页面上。"
_KINDS = {
    "label": ("广告标记", _AD_ADVICE),
    "block": ("广告位", _AD_ADVICE),
    "lure": ("诱导按键", _LURE_ADVICE),
}


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = measured(artifact, ELDER)
    if rendering is None or not artifact.declaration.elder_url:
        return elder_unopened(artifact, profile)
    if "advertising" not in rendering.metrics:
        return not_run("这次采集还没有找广告，请重新检查")
    faults = [*_blocks(rendering), *_networks(rendering)]
    popups = [
        finding(one, rendering, where=f"浮层{quoted(one['text'])}", advice=_POPUP_ADVICE)
        for one in rendering.metrics["dialogs"]
    ]
    reason = "打开时自动弹出浮层，请看是不是广告"
    return decided(faults, popups, measured=f"{len(faults)} 处广告或诱导", reason=reason)


def _blocks(rendering: Rendering) -> Iterator[Finding]:
    for one in rendering.metrics["advertising"]:
        where, advice = _KINDS[one["kind"]]
        yield finding(one, rendering, where=where, advice=advice, measured=one["text"])


def _networks(rendering: Rendering) -> Iterator[Finding]:
    hosts = {host_of(one.url) for one in rendering.requests}
    for host in sorted(one for one in hosts if any(within(one, network) for network in _NETWORKS)):
        yield Finding("页面请求", _NETWORK_ADVICE, measured=host, rendering=rendering.label)


RULE = Rule(
    id="elder-advertising",
    code="MAS-A11-09",
    needs=Need.RENDERED,
    judge=judge,
    fix=".elder .banner, .elder .float { display: none; }  /* 更好：长辈版根本不输出这些内容 */",
)
"""Source: 移动互联网应用（APP）适老化通用设计规范 5.1."""
