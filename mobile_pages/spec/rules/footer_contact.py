"""footer-contact: the foot of the page names the body that provides it and a hotline to tap."""

from __future__ import annotations

import re
import unicodedata

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import edition, finding, unopened_edition


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
    declaration, footer = artifact.declaration, rendering.metrics["footer"]
    text = _plain(footer["text"])
    faults: list[Finding] = []

    def fault(advice: str, measured: str) -> None:
        faults.append(finding(footer, rendering, where="页脚", advice=advice, measured=measured))

    if _plain(declaration.body_name) not in text:
        fault(f"在页脚写明服务提供单位“{declaration.body_name}”，与登记的名称一致。", "没有登记的单位名称")
    hotline = _digits(declaration.hotline)
    if not hotline:
        fault("先在登记信息里填写咨询热线，再写到页脚。", "没有登记咨询热线")
        return decided(faults)
    if hotline not in _digits(footer["text"]):
        fault(f"在页脚写明咨询热线 {declaration.hotline}。", "没有登记的咨询热线")
    # The clause lets pages that are only for Alipay do without the link.
    if set(artifact.declaration.channels) == {"alipay"}:
        return decided(faults, measured=f"缺 {len(faults)} 项")
    if hotline not in {_digits(one) for one in rendering.metrics["telephones"]}:
        example = f'<a href="tel:{declaration.hotline}">{declaration.hotline}</a>'
        fault(f"把热线做成可以一点就拨的链接：{example}。", "热线不能点击拨打")
    return decided(faults, measured=f"缺 {len(faults)} 项")


def _plain(text: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def _digits(text: str) -> str:
    """Return the digits alone; the same number is written with and without dashes and +86."""
    return re.sub(r"\D", "", unicodedata.normalize("NFKC", text).replace("+86", ""))


RULE = Rule(
    id="footer-contact",
    code="MAS-CNT-01",
    needs=Need.RENDERED,
    judge=judge,
    fix='<footer>服务提供：广东省人力资源和社会保障厅<br>咨询热线：<a href="tel:12345">12345</a></footer>',
)
