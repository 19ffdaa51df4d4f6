"""script-errors: scripts end without exception and everything the page asks for arrives."""

from __future__ import annotations

from collections.abc import Iterator

from mobile_pages.artifact import Artifact, Rendering
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import CLIENT_NAMES, unopened

_LABELS = ("plain-360", "wechat-360", "alipay-360")
_ERROR_ADVICE = "请开发人员按这里的报错修改脚本；用到微信、支付宝接口的地方先判断接口在不在。"
_REQUEST_ADVICE = "补上这个文件或接口，或删去对它的引用。"
_UNFINISHED_ADVICE = "页面一直在加载或被中止，检查死循环、不断刷新和一直没有结束的请求。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    renderings = [one for label in _LABELS if (one := artifact.rendering(label))]
    if not any(one.metrics for one in renderings):
        return unopened(artifact)
    faults: dict[str, Finding] = {}
    for rendering in renderings:
        for fault in _faults(rendering):
            faults.setdefault(f"{fault.snippet} {fault.measured}", fault)
    return decided(faults.values(), measured=f"{len(faults)} 个错误")


def _faults(rendering: Rendering) -> Iterator[Finding]:
    client, label = CLIENT_NAMES[rendering.label], rendering.label
    for text in rendering.exceptions:
        yield Finding(f"脚本({client})", _ERROR_ADVICE, "", text, "未捕获异常", rendering=label)
    for one in rendering.requests[1:]:  # the first is the page itself: MAS-PRF-02
        if (one.status == 0 or one.status >= 400) and not one.url.endswith("/favicon.ico"):
            figure = f"返回 {one.status}" if one.status else one.blocked_by or "没有应答"
            yield Finding(f"{one.kind} 请求", _REQUEST_ADVICE, "", one.url, figure, rendering=label)
    if rendering.metrics and rendering.trouble:
        detail = rendering.trouble.detail
        yield Finding(f"页面加载({client})", _UNFINISHED_ADVICE, measured=detail, rendering=label)


RULE = Rule(
    id="script-errors",
    code="MAS-CHN-09",
    needs=Need.RENDERED,
    judge=judge,
    fix="if (window.wx && wx.hideMenuItems) { wx.hideMenuItems({ menuList: [] }); }",
)
