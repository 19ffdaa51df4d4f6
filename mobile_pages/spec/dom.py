"""The entry page as a tree, parsed once, and the words that point into it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding
from mobile_pages.spec.personal import masked

SNIPPET_LENGTH = 200
_SELECTOR_STEPS = 12
_SPACE = re.compile(r"\s+")
_SIMPLE_ID = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_UNREAD = frozenset({"script", "style", "template", "noscript"})
_ADDRESS_ATTRIBUTES = ("href", "src", "action", "formaction", "data", "poster")


@lru_cache(maxsize=2)  # one page is judged at a time; a tree is many times its source
def parse(html: str) -> LexborHTMLParser:
    """Return the tree of ``html``. It is shared by all rules: nobody may change it."""
    return LexborHTMLParser(html)


def page_of(artifact: Artifact) -> LexborHTMLParser:
    """Return the tree of the entry page."""
    return parse(artifact.static.entry.body)


def attribute(node: LexborNode, name: str) -> str:
    """Return the trimmed value, ``""`` when it is absent or has no value."""
    return (node.attributes.get(name) or "").strip()


def metas(page: LexborHTMLParser, name: str) -> list[LexborNode]:
    """Return the ``<meta>`` elements of that name (any case), in order."""
    return [node for node in page.css("meta[name]") if attribute(node, "name").lower() == name.lower()]


def text_of(node: LexborNode | None) -> str:
    """Return the text inside with runs of white space made one space."""
    return "" if node is None else _SPACE.sub(" ", node.text(deep=True)).strip()


@lru_cache(maxsize=2)  # one page is judged at a time; a tree is many times its source
def visible_text(page: LexborHTMLParser) -> str:
    """Return the text of the body that a resident may read, blanks made one space, elements kept apart."""
    if page.body is None:
        return ""
    parts = [node.text_content or "" for node in page.body.traverse(include_text=True) if _is_read(node)]
    return " ".join(" ".join(parts).split())


def _is_read(node: LexborNode) -> bool:
    parent = node.parent
    return node.is_text_node and parent is not None and parent.tag not in _UNREAD


def snippet(node: LexborNode) -> str:
    """Return the element's source, one line, masked, at most :data:`SNIPPET_LENGTH` characters."""
    return shorten(node.html or "")


def shorten(text: str) -> str:
    """Return ``text`` as one line, masked, at most :data:`SNIPPET_LENGTH` characters."""
    line = masked(_SPACE.sub(" ", text).strip())
    return line if len(line) <= SNIPPET_LENGTH else line[: SNIPPET_LENGTH - 1] + "…"


def selector(node: LexborNode) -> str:
    """Return a CSS selector that leads to the element: from the nearest id, else from the root.

    Of an element deeper than :data:`_SELECTOR_STEPS` only so many steps are told.
    """
    steps: list[str] = []
    current: LexborNode | None = node
    while current is not None and current.is_element_node and len(steps) < _SELECTOR_STEPS:
        identifier = attribute(current, "id")
        if _SIMPLE_ID.fullmatch(identifier):
            steps.append(f"#{identifier}")
            break
        steps.append(_step(current))
        current = current.parent
    return " > ".join(reversed(steps))


def _step(node: LexborNode) -> str:
    tag = node.tag or "*"
    parent = node.parent
    if parent is None or tag in ("html", "head", "body"):
        return tag
    twins = [one for one in parent.iter() if one.tag == tag]
    if len(twins) == 1:
        return tag
    place = next(place for place, one in enumerate(twins, start=1) if one.mem_id == node.mem_id)
    return f"{tag}:nth-of-type({place})"


@dataclass(frozen=True, slots=True)
class Address:
    """An address written in the page.

    Attributes:
        raw: as written; ``url`` is the same made absolute.
        attribute: where it stood, e.g. ``href``.
    """

    node: LexborNode
    attribute: str
    raw: str
    url: str


def addresses(artifact: Artifact) -> tuple[Address, ...]:
    """Return every address in the attributes of the entry page, in document order."""
    entry = artifact.static.entry
    return _addresses(entry.body, entry.final_url or entry.requested_url)


@lru_cache(maxsize=2)  # several rules ask for the addresses of the page that is judged
def _addresses(html: str, start: str) -> tuple[Address, ...]:
    page = parse(html)
    base_node = page.css_first("base[href]")
    base = _join(start, attribute(base_node, "href")) if base_node is not None else start
    return tuple(
        Address(node, name, raw, _join(base, raw))
        for node in page.css(",".join(f"[{name}]" for name in _ADDRESS_ATTRIBUTES))
        if node.tag != "base"
        for name in _ADDRESS_ATTRIBUTES
        if (raw := attribute(node, name))
    )


def _join(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:  # e.g. an unclosed "[" where a host should be
        return address


def found(nodes: Iterable[LexborNode], *, where: str, advice: str, measured: str = "") -> tuple[Finding, ...]:
    """Return one finding for elements that share a fault, the first as example; none for no element."""
    shared = list(nodes)
    if not shared:
        return ()
    first = shared[0]
    return (Finding(where, advice, selector(first), snippet(first), measured, len(shared)),)
