"""accessible-name: controls, buttons, links and frames have a name that can be read out."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import axe_says, besides, edition, finding, unopened_edition

_KINDS = {
    "link": ("链接", "链接里只有图标时，加 aria-label 或给图片写 alt，说明点了去哪里。"),
    "button": ("按钮", "按钮里只有图标时，加 aria-label 说明点了做什么。"),
    "control": ("输入框", "用 <label for> 把前面的文字和输入框连起来。"),
    "frame": ("内嵌页面", "给 iframe 加 title，说明里面是什么。"),
}
_AXE_RULES = {
    "link-name": "link",
    "area-alt": "link",
    "button-name": "button",
    "input-button-name": "button",
    "aria-command-name": "button",
    "summary-name": "button",
    "label": "control",
    "select-name": "control",
    "aria-toggle-field-name": "control",
    "aria-input-field-name": "control",
    "frame-title": "frame",
}


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
    own = rendering.metrics["nameless"]
    told = [
        {**entry, "what": what}
        for rule, what in _AXE_RULES.items()
        for entry in axe_says(rendering, "violations", rule)
    ]
    faults = []
    for entry in [*own, *besides(told, own)]:
        kind, advice = _KINDS[entry["what"]]
        faults.append(finding(entry, rendering, where=kind, advice=advice, measured="没有名称"))
    return decided(faults, measured=f"{sum(one.count for one in faults)} 个没有名称")


RULE = Rule(
    id="accessible-name",
    code="MAS-A11-04",
    needs=Need.RENDERED,
    judge=judge,
    fix='<label for="no">受理编号</label> <input id="no">\n'
    '<a href="/me" aria-label="我的办件"><img src="me.svg" alt=""></a>',
)
