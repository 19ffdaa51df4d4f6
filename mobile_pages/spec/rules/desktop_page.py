"""desktop-page: the page was made for phones, not for a desktop screen."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import edition, finding, unopened_edition

_LAYOUT_ADVICE = "这是按电脑屏幕排的页面。加上 viewport 并改成手机版式，不要只把电脑页缩小显示。"
_WIDTH_ADVICE = "去掉容器的固定宽度（例如 width:1000px），改成 width:auto 或 max-width:100%。"
_PLUGIN_ADVICE = "手机不支持 Flash、ActiveX 等插件，换成 HTML5 的视频、表单或图片。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
    layout = rendering.metrics["layout"]
    faults: list[Finding] = []
    if layout["client_width"] > rendering.width + 1:
        figure = f"{rendering.width} 宽的手机上按 {layout['client_width']:g} px 排版"
        faults.append(Finding("整个页面", _LAYOUT_ADVICE, measured=figure, rendering=rendering.label))
    for entry in layout["fixed_widths"][:5]:
        figure = f"宽 {entry['width']:g} px"
        faults.append(finding(entry, rendering, where="主容器", advice=_WIDTH_ADVICE, measured=figure))
    for entry in layout["plugins"]:
        faults.append(finding(entry, rendering, where="插件", advice=_PLUGIN_ADVICE, measured=entry["type"]))
    return decided(faults, measured=f"排版宽度 {layout['client_width']:g} px")


RULE = Rule(
    id="desktop-page",
    code="MAS-LAY-09",
    needs=Need.RENDERED,
    judge=judge,
    fix='<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    "<style>.main { max-width: 100%; }</style>",
)
