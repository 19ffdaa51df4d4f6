"""known-identity: who is signed in is not asked for name, ID number or mobile number again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mobile_pages.artifact import Artifact, Rendering
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, not_applicable
from mobile_pages.spec.rendered import PLAIN, SIGNED_IN, finding, measured, quoted, unopened

_FIELD = re.compile(
    r"^[\s*::]*(?:请输入|请填写)?(?:您的|本人|申请人|办理人)?的?"
    r"(?:姓名|真实姓名|证件号码?|身份证号?码?|公民身份号码|手机号?码?|联系手机)"
)
_ADVICE = "姓名、证件号、手机号从统一身份认证取得，以脱敏、只读的方式显示，不要让群众再填一遍。"
_CLEAR_ADVICE = "带出的信息要脱敏显示，例如 陈*、4***************X、138****0000。"
_REVIEW_ADVICE = "登录后应自动带出。请用测试账号登录后看一看，或在登记里填写测试身份的地址。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    if artifact.declaration.signed_in_url:
        rendering = measured(artifact, SIGNED_IN)
        return unopened(artifact, SIGNED_IN) if rendering is None else _signed_in(rendering)
    rendering = measured(artifact, PLAIN)
    if rendering is None:
        return unopened(artifact)
    doubts = [
        finding(one, rendering, where=quoted(one["label"]), advice=_REVIEW_ADVICE)
        for one in _identity_fields(rendering)
        if not one["read_only"]
    ]
    if not doubts:
        return not_applicable("页面上没有要填的姓名、证件号、手机号")
    return decided((), doubts, reason="没有登记测试身份，机器看不到登录后的页面")


def _signed_in(rendering: Rendering) -> Outcome:
    fields = _identity_fields(rendering)
    faults = []
    for one in fields:
        if not one["read_only"]:
            state = "已带出但还能改" if one["filled"] else "空着要填"
            faults.append(finding(one, rendering, where=quoted(one["label"]), advice=_ADVICE, measured=state))
        elif one["filled"] and not one["masked"]:
            where = quoted(one["label"])
            faults.append(finding(one, rendering, where=where, advice=_CLEAR_ADVICE, measured="没有脱敏"))
    return decided(faults, measured=f"{len(fields)} 个身份类字段，{len(faults)} 个不合格")


def _identity_fields(rendering: Rendering) -> list[Mapping[str, Any]]:
    return [one for one in rendering.metrics["inputs"] if _FIELD.match(one["label"])]


RULE = Rule(
    id="known-identity",
    code="MAS-FRM-01",
    needs=Need.RENDERED,
    judge=judge,
    fix='<label for="name">姓名</label> <input id="name" value="陈*" readonly>',
    questions=("用测试账号登录后，姓名、证件号、手机号都已自动带出、脱敏、不能修改吗?",),
)
