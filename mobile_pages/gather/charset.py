"""Turns the bytes of a page into text the way browsers do."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from email.message import Message

import webencodings
from selectolax.lexbor import LexborHTMLParser

PRESCAN_BYTES = 1024
_GB18030 = webencodings.Encoding("gb18030", codecs.lookup("gb18030"))
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))


@dataclass(frozen=True, slots=True)
class Decoded:
    """Attributes:
    charset: WHATWG name, e.g. ``gbk`` for ``gb2312``.
    source: ``bom`` | ``header`` | ``meta`` | ``default``.
    """

    text: str
    charset: str
    source: str


def decode(data: bytes, content_type: str | None) -> Decoded:
    """Decode ``data``; what cannot be decoded becomes U+FFFD.

    A byte order mark wins, then the header, then a ``meta`` in the first 1024 bytes. Without any of
    them UTF-8 is taken when the bytes are UTF-8, else gb18030, the standard's default for Chinese.
    Source: WHATWG Encoding Standard; HTML Standard, "determining the character encoding".
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return Decoded(data[len(mark) :].decode(name, "replace"), name, "bom")
    header = webencodings.lookup(content_type_of(content_type)[1])
    if header is not None:
        return _decoded(data, header, "header")
    declared = _declared(data[:PRESCAN_BYTES])
    if declared is not None:
        return _decoded(data, declared, "meta")
    try:
        # Incremental: an end that was cut inside a character breaks nothing.
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return _decoded(data, _GB18030, "default")
    return _decoded(data, webencodings.UTF8, "default")


def content_type_of(header: str | None) -> tuple[str, str]:
    """Return media type and charset label of a ``Content-Type``, both lower case, ``""`` when absent."""
    if not header:
        return "", ""
    message = Message()
    message["content-type"] = header
    label = message.get_param("charset", "")
    return message.get_content_type(), label.strip().lower() if isinstance(label, str) else ""


def _declared(head: bytes) -> webencodings.Encoding | None:
    for meta in LexborHTMLParser(head.decode("latin-1")).css("meta"):
        attributes = meta.attributes
        label = attributes.get("charset")
        if label is None and (attributes.get("http-equiv") or "").strip().lower() == "content-type":
            label = content_type_of(attributes.get("content"))[1]
        encoding = webencodings.lookup(label) if label else None
        if encoding is not None:
            # A page whose meta could be read as ASCII is not UTF-16; the standard says UTF-8.
            return webencodings.UTF8 if encoding.name.startswith("utf-16") else encoding
    return None


def _decoded(data: bytes, encoding: webencodings.Encoding, source: str) -> Decoded:
    # The standard decodes the label gbk with gb18030, which has more characters.
    codec = _GB18030 if encoding.name == "gbk" else encoding
    return Decoded(codec.codec_info.decode(data, "replace")[0], encoding.name, source)
