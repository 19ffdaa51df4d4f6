"""stored-personal-data: the page leaves no personal number on the phone."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import CLIENT_NAMES, measured, unopened

_ADVICE = "不要把证件号、手机号存在手机里,存到服务器的会话中,页面只拿脱敏后的内容。"
_STORES = {"localStorage": "本地存储", "sessionStorage": "会话存储", "cookie": "Cookie"}


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    renderings = [one for label in CLIENT_NAMES if (one := measured(artifact, label))]
    if not renderings:
        return unopened(artifact)
    faults: dict[tuple[str, str], Finding] = {}
    for rendering in renderings:
        for store, key, kinds in rendering.metrics["storage"]:
            if kinds:
                where = f"{_STORES[store]}的“{key}”"
                figure = "含" + "、".join(kinds)
                fault = Finding(where, _ADVICE, measured=figure, rendering=rendering.label)
                faults.setdefault((store, key), fault)
    reason = "" if faults else "检查时没有登录,登录后才写入的内容看不到"
    return decided(faults.values(), measured=f"{len(faults)} 处", reason=reason)


RULE = Rule(
    id="stored-personal-data",
    code="MAS-TRN-05",
    needs=Need.RENDERED,
    judge=judge,
    fix="sessionStorage.setItem('case', caseId);  // 只存受理编号这类不涉及个人的内容",
)
