"""page-language: the page says which language it is in, so that a screen reader can read it aloud."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule, Verdict
from mobile_pages.spec.dom import attribute, found, page_of, shorten, text_of
from mobile_pages.spec.outcomes import not_applicable

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
_HIDDEN = re.compile(r"display\s*:\s*none", re.I)
_PART_ADVICE = '外文段落的 lang 要写标准的语言代码，例如英文 lang="en"；不需要就删去。'
_ADVICE = '在 <html> 标签上写明语言：<html lang="zh-CN">，读屏软件才会用普通话朗读。'


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    kind = (artifact.static.entry.header("content-type") or "text/html").split(";")[0].strip().lower()
    if kind not in ("text/html", "application/xhtml+xml"):
        return not_applicable("入口返回的不是网页（见 MAS-ENT-01）")
    page = page_of(artifact)
    root = page.css_first("html")
    raw = "" if root is None else (root.attributes.get("lang") or "")
    value = raw.strip()
    if not value:
        return _failed("没有 lang", raw)
    language = value.split("-")[0].lower()
    if language not in _KNOWN:
        return _failed(f"lang={value} 不是有效的语言代码", raw)
    wrong = _wrong_parts(page)
    if wrong:
        measured = f"lang={attribute(wrong[0], 'lang')} 不是有效的语言代码"
        return Outcome(
            Verdict.FAIL,
            found(wrong, where="页面里的一段", advice=_PART_ADVICE, measured=measured),
            measured=measured,
        )
    if language not in _CHINESE and _is_mostly_chinese(text_of(page.body)):
        finding = _finding(f"lang={value}，正文是中文", raw)
        reason = "声明的语言与正文不符，请人工确认"
        return Outcome(Verdict.NEEDS_REVIEW, (finding,), f"lang={value}", reason)
    return Outcome(Verdict.PASS, measured=f"lang={value}")


def _wrong_parts(page: LexborHTMLParser) -> list[LexborNode]:
    """Return the elements that give the words inside them a language that does not exist."""
    return [
        node
        for node in page.css("body [lang]")
        if (node.attributes.get("lang") or "")
        and attribute(node, "lang").split("-")[0].lower() not in _KNOWN
        and _has_own_words(node)
    ]


def _has_own_words(node: LexborNode) -> bool:
    """Say whether there is anything to read inside for which no nearer element names the language."""
    left = [node]
    while left:
        for child in left.pop().iter(include_text=True):
            if child.is_text_node:
                if (child.text_content or "").strip():
                    return True
            elif "lang" not in child.attributes and not _HIDDEN.search(attribute(child, "style")):
                if attribute(child, "alt"):
                    return True
                left.append(child)
    return False


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
