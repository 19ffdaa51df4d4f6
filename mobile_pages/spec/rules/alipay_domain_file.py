"""alipay-domain-file: Alipay can prove that the domain is the department's own."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.platform_file import judge_platform_file


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    return judge_platform_file(artifact, "alipay", "支付宝")


RULE = Rule(
    id="alipay-domain-file",
    code="MAS-CHN-03",
    needs=Need.STATIC,
    judge=judge,
    fix="https://wsbs.example.gov.cn/a41c7d0e9b35f286.html 的内容：\na41c7d0e9b35f286",
)
