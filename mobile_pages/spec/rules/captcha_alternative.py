"""captcha-alternative: who cannot see or drag a captcha finds another way beside it."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, needs_review, not_applicable, not_run
from mobile_pages.spec.rendered import edition, finding, unopened_edition

_WHERE = {"image": "图形验证码", "slider": "滑块验证"}
_ADVICE = "在验证码旁边加一个按钮，可以改用语音播报或短信验证；图形验证码要能放大到 2 倍以上。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
    captchas = rendering.metrics.get("captchas")
    if captchas is None:
        return not_run("这次采集还没有找验证码，请重新检查")
    if not captchas["list"]:
        return not_applicable("页面上没有验证码")
    if captchas["ways_round"]:
        return needs_review(f"有“{captchas['ways_round'][0]}”，请人工试一试是否可用、图能否放大 2 倍")
    faults = [
        finding(
            one, rendering, where=_WHERE[one["kind"]], advice=_ADVICE, measured="旁边没有语音或文字的办法"
        )
        for one in captchas["list"]
    ]
    return decided(faults, measured=f"{len(faults)} 个验证码没有替代")


RULE = Rule(
    id="captcha-alternative",
    code="MAS-A11-11",
    needs=Need.RENDERED,
    judge=judge,
    fix='<img src="captcha.png" alt="图形验证码"> <button type="button">听语音验证码</button>',
    questions=(
        "不看图，只用语音或短信能通过验证吗?",
        "图形验证码能放大到 2 倍以上，放大后还清楚吗?",
    ),
)
