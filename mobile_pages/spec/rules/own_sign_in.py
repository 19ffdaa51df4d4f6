"""own-sign-in: the page asks for no password of its own and registers nobody."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import edition, finding, unopened_edition

_ADVICE = "去掉自己的登录、注册界面，改为跳转省统一身份认证，群众在办事大厅登录后直接进入。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
    faults = [
        finding(one, rendering, where="密码输入框", advice=_ADVICE) for one in rendering.metrics["passwords"]
    ]
    if not faults:
        faults = [
            finding(one, rendering, where="登录或注册表单", advice=_ADVICE)
            for one in rendering.metrics["sign_ins"]
        ]
    return decided(faults, measured=f"{len(faults)} 处")


RULE = Rule(
    id="own-sign-in",
    code="MAS-CHN-08",
    needs=Need.RENDERED,
    judge=judge,
    fix='<a class="button" href="/sso/login">登录</a>  <!-- 跳到统一身份认证 -->',
)
