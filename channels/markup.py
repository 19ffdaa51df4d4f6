"""XML and text, in and out.

Platforms' messages are small and flat; what is not is refused. What goes out can hold anything a resident
typed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from channels.base import Rejected

MAX_DEPTH = 6
MAX_ELEMENTS = 300
LISTS = frozenset({"item", "List"})
"""Elements the platforms repeat side by side."""

_DECLARATION = re.compile(r"\A\ufeff?\s*<\?xml[^>]*\?>")
# XML 1.0 has no way to write these, not even escaped; surrogates cannot be encoded at all.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_xml(text: str) -> dict[str, str]:
    """Flatten a message: ``{"MsgType": "text", "Text.Content": "…"}``; empty elements give ``""``.

    An encoding declaration is ignored, because ``text`` is decoded already. Elements that may come several
    times are counted: ``PicList.item.0.PicMd5Sum``.

    Raises:
        Rejected: no XML, with a document type, too deep, too large, or an element given twice.
    """
    try:
        root = fromstring(_DECLARATION.sub("", text, count=1), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        raise Rejected("malformed") from None
    fields: dict[str, str] = {}
    for name, value in _leaves(root, "", 0):
        fields[name] = value
        if len(fields) > MAX_ELEMENTS:
            raise Rejected("too_many_elements")
    return fields


def _leaves(parent: Element, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth >= MAX_DEPTH:
        raise Rejected("too_deep")
    seen: Counter[str] = Counter()
    for child in parent:
        name = f"{prefix}{child.tag}"
        if child.tag in LISTS:
            name = f"{name}.{seen[child.tag]}"
        elif seen[child.tag]:
            raise Rejected("duplicate_element")
        seen[child.tag] += 1
        if len(child):
            yield from _leaves(child, f"{name}.", depth + 1)
        else:
            yield name, child.text or ""


def writable(text: str) -> str:
    """Drop the characters no XML document and no UTF-8 text can hold; emoji stay."""
    return _UNWRITABLE.sub("", text)


def cdata(text: str) -> str:
    """Wrap ``text`` so that nothing in it ends the section."""
    return "<![CDATA[" + writable(text).replace("]]>", "]]]]><![CDATA[>") + "]]>"


def fit(text: str, max_bytes: int, encoding: str = "utf-8") -> str:
    """Shorten ``text`` to ``max_bytes``, between characters, with ``…`` where something is missing."""
    encoded = text.encode(encoding, "replace")
    if len(encoded) <= max_bytes:
        return text
    kept = encoded[: max_bytes - len("…".encode(encoding))].decode(encoding, "ignore")
    return kept + "…"


def elements(fields: Mapping[str, str | int]) -> str:
    """Return one element per field; numbers stand bare, text in CDATA."""
    return "".join(
        f"<{name}>{value if isinstance(value, int) else cdata(value)}</{name}>"
        for name, value in fields.items()
    )
