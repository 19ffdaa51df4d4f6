"""Whether the body that came is the page that was registered."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

from selectolax.lexbor import LexborHTMLParser

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_META_WITHIN_BYTES = 4096
# Browsers read all of these as one character set; Python's narrower codecs would fail on rare names.
_CHINESE = frozenset({"gb2312", "gbk", "gb18030", "gb_2312-80", "x-gbk", "csgb2312", "chinese"})


def decode(body: bytes, content_type: str) -> str:
    """Return the text as a browser would read it: byte order mark, header, ``meta``, then a guess.

    Undecodable bytes become U+FFFD.
    """
    for mark, charset in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(charset, "replace")
    found = _HEADER_CHARSET.search(content_type)
    label = found[1] if found else None
    if label is None and (meta := _META_CHARSET.search(body[:_META_WITHIN_BYTES])):
        label = meta[1].decode("ascii", "replace")
    if label is not None:
        try:
            return body.decode("gb18030" if label.lower() in _CHINESE else label, "replace")
        except LookupError:  # no such charset, or a codec that gives no text
            pass
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("gb18030", "replace")


def title(html: str) -> str:
    """Return the document's title with white space folded; ``""`` when it has none."""
    node = LexborHTMLParser(html).css_first("head > title")
    return fold(node.text()) if node is not None else ""


def fold(text: str) -> str:
    """Return ``text`` with every run of white space as one blank."""
    return " ".join(text.split())


def objection(
    text: str, must_contain: Sequence[str], must_not_contain: Sequence[str], expected_title: str
) -> str:
    """Return what is wrong with the page's text, one Chinese sentence; ``""`` when nothing is."""
    if expected_title and fold(expected_title) not in title(text):
        return f"页面标题不含“{fold(expected_title)}”。"
    for wanted in must_contain:
        if wanted not in text:
            return f"页面中没有找到“{wanted}”。"
    for unwanted in must_not_contain:
        if unwanted in text:
            return f"页面中出现了“{unwanted}”。"
    return ""
