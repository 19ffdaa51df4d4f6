"""wechat-domain-file: WeChat can prove that the domain is the department's own."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.platform_file import judge_platform_file


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    return judge_platform_file(artifact, "wechat", "微信")


RULE = Rule(
    id="wechat-domain-file",
    code="MAS-CHN-02",
    needs=Need.STATIC,
    judge=judge,
    fix="https://wsbs.example.gov.cn/MP_verify_k3Jx9QwErTyUiOp1.txt 的内容：\nk3Jx9QwErTyUiOp1",
)
