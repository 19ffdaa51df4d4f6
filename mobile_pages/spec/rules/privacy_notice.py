"""privacy-notice: who asks for personal data says what for, and asks for consent."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import attribute, found, page_of, selector, snippet, text_of
from mobile_pages.spec.outcomes import decided, not_applicable

_FIELD_TEXT = re.compile(r"姓名|身份证|证件号|手机号|联系电话|银行卡|家庭住址|护照号")
_FIELD_NAME = re.compile(
    r"^(?:xm|real_?name|id_?card|sfzh?|zjhm|mobile|phone|bank_?card|cert_?no)\w{0,6}$", re.I
)
_POLICY = re.compile(r"隐私|个人信息(?:保护|处理|收集)|用户协议|授权书")
_CONSENT = re.compile(r"同意|已阅读|授权|知悉")
_TYPED = frozenset({"", "text", "tel", "number", "search", "password"})


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    page = page_of(artifact)
    fields = _personal_fields(page)
    if not fields:
        return not_applicable("入口页没有填写个人信息的地方")
    faults: list[Finding] = []
    doubts: list[Finding] = []
    first = fields[0]
    if not any(_POLICY.search(text_of(link)) for link in page.css("a[href]")):
        advice = "在提交按钮附近放上《隐私政策》或《个人信息处理告知》的链接，写明收集什么、做什么用。"
        faults.append(Finding("个人信息表单", advice, selector(first), snippet(first), "没有告知链接"))
    boxes = _consent_boxes(page)
    ticked = [box for box in boxes if "checked" in box.attributes or attribute(box, "aria-checked") == "true"]
    faults += found(
        ticked,
        where="同意框",
        advice="同意框不要替群众预先勾上，去掉 checked。",
        measured="预先勾选",
    )
    if not boxes:
        advice = "在提交按钮前放一个没有勾选的“我已阅读并同意”复选框。"
        doubts.append(Finding("个人信息表单", advice, selector(first), snippet(first), "没有找到同意框"))
    measured = f"{len(fields)} 个个人信息输入框"
    return decided(faults, doubts, measured=measured, reason="没有找到同意框，可能由脚本画出，请人工确认")


def _personal_fields(page: LexborHTMLParser) -> list[LexborNode]:
    labels = {attribute(label, "for"): text_of(label) for label in page.css("label[for]")}
    return [
        node
        for node in page.css("input, textarea")
        if attribute(node, "type").lower() in _TYPED and _is_personal(node, labels)
    ]


def _is_personal(node: LexborNode, labels: dict[str, str]) -> bool:
    if "readonly" in node.attributes or "disabled" in node.attributes:
        return False
    texts = (
        attribute(node, "placeholder"),
        attribute(node, "aria-label"),
        labels.get(attribute(node, "id"), ""),
    )
    names = (attribute(node, "name"), attribute(node, "id"))
    around = node.parent if node.parent is not None and node.parent.tag == "label" else None
    return any(_FIELD_TEXT.search(text) for text in (*texts, text_of(around))) or any(
        _FIELD_NAME.match(name) for name in names
    )


def _consent_boxes(page: LexborHTMLParser) -> list[LexborNode]:
    labels = {attribute(label, "for"): text_of(label) for label in page.css("label[for]")}
    return [
        node
        for node in page.css('input[type="checkbox" i], [role="checkbox"]')
        if _CONSENT.search(
            f"{labels.get(attribute(node, 'id'), '')}{attribute(node, 'aria-label')}{text_of(node.parent)}"
        )
    ]


RULE = Rule(
    id="privacy-notice",
    code="MAS-CNT-07",
    needs=Need.STATIC,
    judge=judge,
    fix='<label><input type="checkbox" name="agree" required> 我已阅读并同意</label>\n'
    '<a href="yinsi.html">《隐私政策》</a>',
    questions=(
        "提交个人信息之前,能看到收集什么、用来做什么、保存多久的说明吗?",
        "同意框默认不勾选,不同意也能看到不需要个人信息的内容吗?",
    ),
)
