"""image-alternative: images say in words what they show."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, not_applicable
from mobile_pages.spec.rendered import axe_says, besides, edition, finding, unopened_edition

_ADVICES = {
    "missing": '给图片加 alt，写明图上是什么；只作装饰的写 alt=""。',
    "file_name": "alt 里写的是文件名，改成图上的内容。",
}
_AXE_RULES = ("image-alt", "input-image-alt", "role-img-alt", "svg-img-alt", "object-alt")


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
    images = rendering.metrics["images"]
    told = [{**one, "problem": "missing"} for one in axe_says(rendering, "violations", *_AXE_RULES)]
    if not images["count"] and not told:
        return not_applicable("页面上没有图片")
    faults = [
        finding(
            one, rendering, where="图片", advice=_ADVICES[one["problem"]], measured=one.get("alt", "没有 alt")
        )
        for one in [*images["list"], *besides(told, images["list"])]
    ]
    wrong = sum(one.count for one in faults)
    return decided(faults, measured=f"{images['count']} 张图片中 {wrong} 张没有替代文字")


RULE = Rule(
    id="image-alternative",
    code="MAS-A11-03",
    needs=Need.RENDERED,
    judge=judge,
    fix='<img src="card.png" alt="社会保障卡正面">\n<img src="line.png" alt="">',
)
