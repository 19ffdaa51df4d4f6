"""XML and text, in and out.

Platforms' messages are small and flat; what is not is refused. What goes out can hold anything a resident
typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.parsers.expat import ExpatError, ParserCreate

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
    reader = _Reader()
    parser = ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_document_type
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text.append
    parser.EndElementHandler = reader.end
    try:
        parser.Parse(_DECLARATION.sub("", text, count=1), True)
    except (ExpatError, ValueError):
        raise Rejected("malformed") from None
    return reader.fields


def _no_document_type(*_told: object) -> None:
    # Without one there are no entities but the five of XML, and nothing outside is looked at.
    raise Rejected("malformed")


class _Reader:
    """Collects the leaves of one message.

    Expat's own events, because ElementTree's safe parser is written in Python and leaves cycles behind that
    cost more than all else in a callback.
    """

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.text: list[str] = []
        # Of each open element: its name from the root, whether it has children, how often each name came.
        self._paths: list[str] = []
        self._inner: list[bool] = []
        self._seen: list[dict[str, int]] = []

    def start(self, tag: str, _attributes: object) -> None:
        self.text.clear()
        path = ""
        if self._paths:
            if len(self._paths) > MAX_DEPTH:
                raise Rejected("too_deep")
            self._inner[-1] = True
            path = self._counted(tag)
        self._paths.append(path)
        self._inner.append(False)
        self._seen.append({})

    def end(self, _tag: str) -> None:
        path, inner = self._paths.pop(), self._inner.pop()
        self._seen.pop()
        if self._paths and not inner:
            self.fields[path] = "".join(self.text)
            if len(self.fields) > MAX_ELEMENTS:
                raise Rejected("too_many_elements")
        self.text.clear()

    def _counted(self, tag: str) -> str:
        """Return the name of a child of the innermost open element."""
        seen, parent = self._seen[-1], self._paths[-1]
        path = f"{parent}.{tag}" if parent else tag
        if tag in LISTS:
            path = f"{path}.{seen.get(tag, 0)}"
        elif tag in seen:
            raise Rejected("duplicate_element")
        seen[tag] = seen.get(tag, 0) + 1
        return path


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
