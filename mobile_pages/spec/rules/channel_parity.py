"""channel-parity: the page is the same in WeChat, Alipay and a plain browser."""

from __future__ import annotations

from collections.abc import Iterator

from mobile_pages.artifact import Artifact, Rendering
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, not_applicable
from mobile_pages.spec.rendered import CLIENT_NAMES, PLAIN, measured, unopened

_ADVICE = "各渠道用同一个页面、同一份内容，不要按客户端给出不同的标题、按钮或表单。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    plain = measured(artifact, PLAIN)
    if plain is None:
        return unopened(artifact)
    wanted = [f"{kind}-360" for kind in ("wechat", "alipay") if kind in artifact.declaration.channels]
    others = [one for label in wanted if (one := measured(artifact, label))]
    if not wanted:
        return not_applicable("没有登记微信或支付宝渠道")
    if not others:
        return unopened(artifact, wanted[0])
    faults = [one for other in others for one in _differences(plain, other)]
    return decided(faults, measured=f"与普通浏览器有 {len(faults)} 处不同")


def _differences(plain: Rendering, other: Rendering) -> Iterator[Finding]:
    client = CLIENT_NAMES[other.label]
    for what, key in (("标题", "title"), ("主按钮", "main_button")):
        if plain.metrics[key] != other.metrics[key]:
            figure = f"普通浏览器“{plain.metrics[key]}”，{client}“{other.metrics[key]}”"
            yield Finding(f"{client}里的{what}", _ADVICE, measured=figure, rendering=other.label)
    missing = [one for one in plain.metrics["fields"] if one not in other.metrics["fields"]]
    added = [one for one in other.metrics["fields"] if one not in plain.metrics["fields"]]
    if missing or added:
        parts = [f"少了{'、'.join(missing)}"] if missing else []
        parts += [f"多了{'、'.join(added)}"] if added else []
        yield Finding(f"{client}里的表单", _ADVICE, measured=",".join(parts), rendering=other.label)


RULE = Rule(
    id="channel-parity",
    code="MAS-CHN-01",
    needs=Need.RENDERED,
    judge=judge,
    fix="// 不写 if (/MicroMessenger/.test(navigator.userAgent)) { … 另一套页面 … }",
)
