"""page-language: the page says which language it is in, so that a screen reader can read it aloud."""

from __future__ import annotations

import re

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule, Verdict
from mobile_pages.spec.dom import page_of, shorten, text_of

# Shape of BCP 47 (RFC 5646 §2.1): language, script, region, variants, extensions, private use.
_SHAPE = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?"
    r"(?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*(?:-[a-wyz\d](?:-[a-z\d]{2,8})+)*(?:-x(?:-[a-z\d]{1,8})+)?",
    re.ASCII | re.IGNORECASE,
)
# ISO 639-1, and the three-letter codes of Chinese languages in ISO 639-3.
_CODES = """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz
    ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik
    io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml
    mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd
    se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi
    vo wa wo xh yi yo za zh zu cmn yue hak nan wuu gan hsn
"""
_KNOWN = frozenset(_CODES.split())
_CHINESE = frozenset({"zh", "cmn", "yue", "hak", "nan", "wuu", "gan", "hsn"})
_IDEOGRAPH = re.compile(r"[\u4e00-\u9fff]")
_ADVICE = '在 <html> 标签上写明语言：<html lang="zh-CN">，读屏软件才会用普通话朗读。'


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    page = page_of(artifact)
    root = page.css_first("html")
    raw = "" if root is None else (root.attributes.get("lang") or "")
    value = raw.strip()
    if not value:
        return _failed("没有 lang", raw)
    language = value.split("-")[0].lower()
    if _SHAPE.fullmatch(value) is None or language not in _KNOWN:
        return _failed(f"lang={value} 不是有效的语言代码", raw)
    if language not in _CHINESE and _is_mostly_chinese(text_of(page.body)):
        finding = _finding(f"lang={value}，正文是中文", raw)
        reason = "声明的语言与正文不符，请人工确认"
        return Outcome(Verdict.NEEDS_REVIEW, (finding,), f"lang={value}", reason)
    return Outcome(Verdict.PASS, measured=f"lang={value}")


def _is_mostly_chinese(text: str) -> bool:
    letters = sum(character.isalpha() for character in text)
    return letters > 0 and len(_IDEOGRAPH.findall(text)) / letters > 0.5


def _failed(measured: str, raw: str) -> Outcome:
    return Outcome(Verdict.FAIL, (_finding(measured, raw),), measured=measured)


def _finding(measured: str, raw: str) -> Finding:
    return Finding("网页根标签 <html>", _ADVICE, "html", shorten(f'<html lang="{raw}">'), measured)


RULE = Rule(
    id="page-language",
    code="MAS-A11-01",
    needs=Need.STATIC,
    judge=judge,
    fix='<!DOCTYPE html>\n<html lang="zh-CN">',
)
