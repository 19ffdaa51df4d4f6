"""masking: no plain number of a person stands in the page, hidden parts included."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from unicodedata import normalize

from selectolax.lexbor import LexborNode

from mobile_pages.artifact import Artifact
from mobile_pages.spec import personal
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import page_of, selector, shorten
from mobile_pages.spec.outcomes import decided

_ADVICE = (
    "由服务器先脱敏再返回页面：证件号只留首末位（3****************X），手机号中间四位打星（137****9050）,"
    "注释、隐藏域和脚本里也不要留原值。"
)
_NAME_LABEL = r"(?:姓名|参保人|申请人|当事人)\s*[::]?\s*"
_NAME = re.compile(_NAME_LABEL + r"([\u4e00-\u9fff]{2,4})(?![\u4e00-\u9fff])")
# Words that stand behind the label in forms and table heads.
_NO_NAME = re.compile(
    r"请|填|输入|必|证|号|电话|手机|性别|单位|类型|状态|日期|信息|不能|为空|地址|查询|年龄|条件|须知|提交|返回|年度|金额|时间|操作|结果|备注"
)
_AROUND = 24
# What stands just before a text is often in the element before it: <dt>手机号</dt><dd>…</dd>
_LEAD = 16


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of source: where it stood, the element, its text, and the text just before it."""

    where: str
    node: LexborNode
    text: str
    lead: str = ""


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    faults, doubts = _Groups(), _Groups()
    allowed = _digits(artifact.declaration.hotline)
    for piece in _pieces(artifact):
        for hit in _hits(piece):
            if allowed and allowed in _digits(piece.text[hit.start : hit.end]):
                continue
            group = faults if hit.certain else doubts
            group.add((piece.where, hit.kind.value), partial(_finding, piece, hit))
        for name in _NAME.finditer(piece.lead + piece.text):
            if name.end() > len(piece.lead) and not _NO_NAME.search(name.group(1)):
                doubts.add((piece.where, "姓名"), partial(_name, piece, name.group(1)))
    certain = faults.findings()
    plain = sum(finding.count for finding in certain)
    reason = "有的数字或姓名可能是个人信息，请人工确认"
    return decided(certain, doubts.findings(), measured=f"{plain} 处明文", reason=reason)


class _Groups:
    """Counts hits of one kind in one kind of place; only the first is written out."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], Callable[[], Finding]] = {}
        self._count: Counter[tuple[str, str]] = Counter()

    def add(self, key: tuple[str, str], describe: Callable[[], Finding]) -> None:
        self._first.setdefault(key, describe)
        self._count[key] += 1

    def findings(self) -> list[Finding]:
        return [replace(describe(), count=self._count[key]) for key, describe in self._first.items()]


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _pieces(artifact: Artifact) -> Iterator[_Piece]:
    root = page_of(artifact).root
    if root is None:
        return
    lead = ""
    for node in root.traverse(include_text=True):
        if node.is_comment_node:
            yield _Piece("注释", node, normalize("NFKC", node.comment_content or ""))
        elif node.is_text_node and node.parent is not None:
            text = normalize("NFKC", node.text_content or "")
            if node.parent.tag in ("script", "style", "template"):
                yield _Piece("脚本", node.parent, text)
            elif text.strip():
                yield _Piece("可见文字", node.parent, text, lead)
                lead = text.strip()[-_LEAD:] + " "
        elif node.is_element_node:
            yield from _attributes(node)


def _attributes(node: LexborNode) -> Iterator[_Piece]:
    attributes = node.attributes  # made anew at each reading
    if not attributes:
        return
    hidden = node.tag == "input" and (attributes.get("type") or "").lower() == "hidden"
    field = attributes.get("name") or attributes.get("id") or ""
    for name, value in attributes.items():
        if not value:
            continue
        where = "隐藏域" if hidden else f"属性 {name}"
        lead = f"{field}=" if name == "value" else f"{name}="
        yield _Piece(where, node, normalize("NFKC", value), lead)


def _hits(piece: _Piece) -> Iterator[personal.Hit]:
    """Find in lead and text together, so that the label before a number counts; offsets are of the text."""
    shift = len(piece.lead)
    for hit in personal.find(piece.lead + piece.text):
        if hit.start >= shift:
            yield personal.Hit(hit.kind, hit.start - shift, hit.end - shift, hit.shown, hit.certain)


def _finding(piece: _Piece, hit: personal.Hit) -> Finding:
    before = piece.lead[-_LEAD:] + piece.text[max(0, hit.start - _AROUND) : hit.start]
    shown = shorten(f"{before}{hit.shown}{piece.text[hit.end : hit.end + _AROUND]}")
    return Finding(piece.where, _ADVICE, selector(piece.node), shown, f"{hit.kind.value} {hit.shown}")


def _name(piece: _Piece, name: str) -> Finding:
    shown = "*" + name[1:]
    return Finding(piece.where, _ADVICE, selector(piece.node), f"姓名 {shown}", f"姓名 {shown}")


RULE = Rule(
    id="masking",
    code="MAS-CNT-03",
    needs=Need.STATIC,
    judge=judge,
    fix="<dt>参保人</dt><dd>*大友</dd>\n<dt>证件号码</dt><dd>3****************X</dd>\n"
    "<dt>手机号码</dt><dd>137****9050</dd>",
)
