"""Whether the body that came is the page that was registered."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from hashlib import sha256
from time import thread_time

from selectolax.lexbor import LexborHTMLParser

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_META_WITHIN_BYTES = 4096
_HEAD_WITHIN = 256 * 1024
_PARSE_STEPS = (16 * 1024, 64 * 1024, 256 * 1024, 1024 * 1024, 8 * 1024 * 1024)
_PARSE_SECONDS = 0.02
_SKELETON_MOST = 5000
_SKELETON_DEPTH = 12
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


def parsed(html: str) -> LexborHTMLParser:
    """Return the document's tree; of one that is built to be slow only its beginning.

    Time grows with the square of the depth of elements, so a megabyte of ``<a><b>`` would keep the
    prober busy for minutes. A beginning that costs too much is as far as we go.
    """
    for size in _PARSE_STEPS:
        began = thread_time()
        tree = LexborHTMLParser(html[:size])
        if len(html) <= size or thread_time() - began > _PARSE_SECONDS:
            break
    return tree


def title(html: str) -> str:
    """Return the document's title with white space folded; ``""`` when it has none."""
    node = parsed(html[:_HEAD_WITHIN]).css_first("head > title")
    return fold(node.text()) if node is not None else ""


def structure(html: str) -> str:
    """Return a fingerprint of the page's skeleton: which elements stand in which, however often.

    Another news item changes nothing, another layout does.
    """
    paths: set[str] = set()
    root = parsed(html).root
    waiting = [] if root is None else [(root, "")]
    looked = 0
    while waiting and looked < _SKELETON_MOST:
        node, above = waiting.pop()
        looked += 1
        path = f"{above}/{node.tag}"
        paths.add(path)
        if path.count("/") < _SKELETON_DEPTH:
            waiting += [(child, path) for child in node.iter()]
    return sha256("\n".join(sorted(paths)).encode()).hexdigest()[:16]


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
