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
# What platforms send nearly always: one level of elements without attributes, each with bare text or one
# CDATA section. ``]`` is common in the latter (``[微笑]``) and must not end it.
# Possessive throughout: nothing is tried twice, however long.
_FLAT = re.compile(
    r"[ \t\n]*+<([A-Za-z_]\w*+)>(?:<!\[CDATA\[([^\]]*+(?:\](?!\]>)[^\]]*+)*+)\]\]>|([^<]*+))</\1>", re.ASCII
)
_FLAT_OPENS, _FLAT_ENDS = "<xml>", "</xml>"
_MOST_BYTES_A_CHARACTER = 4
_CONTROLS = bytes(set(range(0x20)) - {0x09, 0x0A})
# XML 1.0 has no way to write these, not even escaped; surrogates cannot be encoded at all.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_xml(text: str) -> dict[str, str]:
    """Flatten a message: ``{"MsgType": "text", "Text.Content": "…"}``; empty elements give ``""``.

    An encoding declaration is ignored, because ``text`` is decoded already. Elements that may come several
    times are counted: ``PicList.item.0.PicMd5Sum``.

    Raises:
        Rejected: no XML, with a document type, too deep, too large, or an element given twice.
    """
    fields = _read_flat(text)
    if fields is not None:
        return fields
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


def _read_flat(text: str) -> dict[str, str] | None:
    """Return what :func:`read_xml` would for a message of the usual shape, ``None`` for all others.

    Anything that is not plainly harmless is left to expat, which accepts or refuses it: the shape has no
    room for a document type, entities, attributes, comments or depth. Three times as fast.
    """
    if not text.startswith(_FLAT_OPENS) or not _is_plain(text):
        return None
    fields: dict[str, str] = {}
    end = len(_FLAT_OPENS)
    while found := _FLAT.match(text, end):
        name, value, bare = found.groups()
        if bare is not None:
            if "&" in bare or ("]" in bare and "]]>" in bare):  # the first letter alone is found faster
                return None
            value = bare
        if name in fields:
            return None
        fields[name] = value
        end = found.end()
    if not LISTS.isdisjoint(fields):
        return None
    whole = text[end:].strip(" \t\n") == _FLAT_ENDS and len(fields) <= MAX_ELEMENTS
    return fields if whole else None


def _is_plain(text: str) -> bool:
    """Tell whether ``text`` is free of all that XML forbids and of line ends that XML changes."""
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        return False
    whole = len(encoded.translate(None, _CONTROLS)) == len(encoded)
    return whole and "\ufffe" not in text and "\uffff" not in text


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
            if path in self.fields:  # a name may hold a dot
                raise Rejected("duplicate_element")
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
    # Printable is less than writable, but asked in a tenth of the time, and nearly always enough.
    return text if text.isprintable() else _UNWRITABLE.sub("", text)


def cdata(text: str) -> str:
    """Wrap ``text`` so that nothing in it ends the section."""
    kept = text if text.isprintable() else writable(text)
    if "]]>" in kept:
        kept = kept.replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{kept}]]>"


def fit(text: str, max_bytes: int, encoding: str = "utf-8") -> str:
    """Shorten ``text`` to ``max_bytes``, between characters, with ``…`` where something is missing."""
    if len(text) * _MOST_BYTES_A_CHARACTER <= max_bytes:
        return text
    encoded = text.encode(encoding, "replace")
    if len(encoded) <= max_bytes:
        return text
    kept = encoded[: max_bytes - len("…".encode(encoding))].decode(encoding, "ignore")
    return kept + "…"


def elements(fields: Mapping[str, str | int]) -> str:
    """Return one element per field; numbers stand bare, text in CDATA."""
    written = [
        f"<{name}>{cdata(value) if isinstance(value, str) else value}</{name}>"
        for name, value in fields.items()
    ]
    return "".join(written)
