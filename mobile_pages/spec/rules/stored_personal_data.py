"""stored-personal-data: the page leaves no personal number on the phone."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import CLIENT_NAMES, measured, unopened

_ADVICE = "不要把证件号、手机号存在手机里，存到服务器的会话中，页面只拿脱敏后的内容。"
_STORES = {"localStorage": "本地存储", "sessionStorage": "会话存储", "cookie": "Cookie"}


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    renderings = [one for label in CLIENT_NAMES if (one := measured(artifact, label))]
    if not renderings:
        return unopened(artifact)
    faults: dict[tuple[str, str], Finding] = {}
    doubts: dict[tuple[str, str], Finding] = {}
    for rendering in renderings:
        for store, key, kinds, *more in rendering.metrics["storage"]:
            possible = more[0] if more else []  # artifacts of the first days have no fourth part
            where = f"{_STORES[store]}的“{key}”"
            for group, found, figure in ((faults, kinds, "含"), (doubts, possible, "可能含")):
                if found:
                    figure += "、".join(found)
                    finding = Finding(where, _ADVICE, measured=figure, rendering=rendering.label)
                    group.setdefault((store, key), finding)
    return decided(
        faults.values(),
        doubts.values(),
        measured=f"{len(faults)} 处",
        reason="存着的数字像是个人信息，请人工确认",
        note="检查时没有登录，登录后才写入的内容看不到",
    )


RULE = Rule(
    id="stored-personal-data",
    code="MAS-TRN-05",
    needs=Need.RENDERED,
    judge=judge,
    fix="sessionStorage.setItem('case', caseId);  // 只存受理编号这类不涉及个人的内容",
)
