"""blank-page: the page shows text in every client it is registered for."""

from __future__ import annotations

import re

from mobile_pages.artifact import Artifact, Rendering
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import CLIENT_NAMES, PLAIN, unopened

_FEWEST_CHARACTERS = 20
_ERROR_PAGE = re.compile(
    r"404 not found|403 forbidden|500 internal|502 bad gateway|503 service|504 gateway"
    r"|页面不存在|找不到(?:该)?页面|请在微信客户端打开|请使用微信打开|请在支付宝(?:客户端)?(?:中)?打开"
    r"|不支持(?:当前|您的)浏览器",
    re.I,
)
# A long page may mention such words; an error page is short.
_SHORT_PAGE_CHARACTERS = 200
_BLANK_ADVICE = "检查页面在这个客户端里的脚本是否报错、接口是否返回，没有内容时也要显示一句说明。"
_ERROR_ADVICE = "这个客户端里看到的是出错或拦截页面，去掉对客户端的判断，让页面在三种环境都能打开。"
_UNOPENED_ADVICE = "确认这个地址在外网可以直接打开，脚本不会死循环，服务器能及时返回。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    labels = [
        PLAIN,
        *(f"{kind}-360" for kind in ("wechat", "alipay") if kind in artifact.declaration.channels),
    ]
    renderings = [one for label in labels if (one := artifact.rendering(label))]
    if not renderings:
        return unopened(artifact)
    faults = [fault for one in renderings if (fault := _fault(one))]
    lengths = (
        f"{CLIENT_NAMES[one.label]} {one.metrics['text']['length'] if one.metrics else 0} 字"
        for one in renderings
    )
    return decided(faults, measured=",".join(lengths))


def _fault(rendering: Rendering) -> Finding | None:
    where = CLIENT_NAMES[rendering.label]
    if not rendering.metrics:
        detail = rendering.trouble.detail if rendering.trouble else "没有打开"
        return Finding(where, _UNOPENED_ADVICE, measured=detail, rendering=rendering.label)
    text = rendering.metrics["text"]
    status = _document_status(rendering)
    if status >= 400:
        return Finding(where, _ERROR_ADVICE, measured=f"返回 {status}", rendering=rendering.label)
    if text["length"] < _FEWEST_CHARACTERS:
        figure = f"只有 {text['length']} 个字"
        return Finding(where, _BLANK_ADVICE, measured=figure, rendering=rendering.label)
    if rendering.metrics.get("one_colour"):
        figure = "第一屏只有一种颜色，看不到字"
        return Finding(where, _BLANK_ADVICE, measured=figure, rendering=rendering.label)
    hit = _ERROR_PAGE.search(f"{rendering.title} {text['sample']}")
    if hit and text["length"] < _SHORT_PAGE_CHARACTERS:
        return Finding(where, _ERROR_ADVICE, measured=f"显示“{hit.group()}”", rendering=rendering.label)
    return None


def _document_status(rendering: Rendering) -> int:
    """Return the status of the document that is shown, 0 when no request for it was seen."""
    address = rendering.final_url.partition("#")[0]
    statuses = (
        one.status for one in reversed(rendering.requests) if one.kind == "document" and one.url == address
    )
    return next(statuses, 0)


RULE = Rule(
    id="blank-page",
    code="MAS-PRF-02",
    needs=Need.RENDERED,
    judge=judge,
    fix='<main id="app"><p>正在打开社保查询，请稍候。打不开请拨打 12345。</p></main>',
)
