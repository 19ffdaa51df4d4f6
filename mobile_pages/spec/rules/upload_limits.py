"""upload-limits: a file field says what it takes, and those who cannot upload are told another way."""

from __future__ import annotations

import re

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import attribute, found, page_of, selector, snippet, visible_text
from mobile_pages.spec.outcomes import decided, not_applicable

_OTHER_WAY = re.compile(
    r"(?:无法|不能|不支持|未能)上传.{0,40}(?:可|请|改)|(?:窗口|邮寄|电脑|微信|浏览器).{0,12}(?:提交|上传|办理)"
)
_SIZE = re.compile(r"\d+\s*(?:MB|KB|M|K|兆)(?![A-Za-z])", re.I)
_EVERYTHING = frozenset({"", "*", "*/*"})


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    page = page_of(artifact)
    fields = [node for node in page.css("input[type]") if attribute(node, "type").lower() == "file"]
    if not fields:
        return not_applicable("入口页没有上传文件的地方")
    faults = found(
        [node for node in fields if attribute(node, "accept") in _EVERYTHING],
        where="上传框",
        advice='给上传框写上 accept，例如 accept="image/*,.pdf"，手机会直接打开相册或相机。',
        measured="没有限定类型",
    )
    text = visible_text(page)
    doubts: list[Finding] = []
    if _SIZE.search(text) is None:
        advice = "在上传框旁边写明单个文件最大多少 MB。"
        doubts.append(Finding("上传框", advice, selector(fields[0]), snippet(fields[0]), "没有写大小限制"))
    if "alipay" in artifact.declaration.channels and _OTHER_WAY.search(text) is None:
        advice = "部分支付宝版本不能在网页里传图，请写明不能上传时怎么办，例如改用微信、电脑或到窗口提交。"
        doubts.append(
            Finding("上传框", advice, selector(fields[0]), snippet(fields[0]), "没有替代办法的说明")
        )
    return decided(faults, doubts, measured=f"{len(fields)} 个上传框", reason="请人工确认大小限制和替代办法")


RULE = Rule(
    id="upload-limits",
    code="MAS-FRM-04",
    needs=Need.STATIC,
    judge=judge,
    fix='<input type="file" accept="image/*,.pdf">\n<p>单个文件不超过 5 MB；无法上传的，可到窗口提交。</p>',
)
