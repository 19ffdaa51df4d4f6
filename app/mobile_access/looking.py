"""A light look at a page by plain HTTP: what it is called, where it leads, how it is built. Pure."""

from __future__ import annotations

import zlib
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from app.mobile_access.drift import Look
from mobile_pages.artifact import Fetch

TITLE_MAX = 200
HOSTS_MAX = 100
PATHS_MAX = 600
HOST_MAX = 253
_STEPS = 4
_ADDRESSES = ("href", "src", "action")


def look_at(fetch: Fetch) -> Look | None:
    """Return what ``fetch`` shows; None when no page came, which is the prober's business."""
    if fetch.trouble is not None or not 200 <= fetch.status < 300 or not fetch.body:
        return None
    page = LexborHTMLParser(fetch.body)
    node = page.css_first("title")
    title = " ".join(node.text(deep=True).split()) if node is not None else ""
    return Look(title[:TITLE_MAX], _hosts(page, fetch.final_url), _structure(page))


def _hosts(page: LexborHTMLParser, base: str) -> tuple[str, ...]:
    found = set()
    for node in page.css(",".join(f"[{name}]" for name in _ADDRESSES)):
        for name in _ADDRESSES:
            host = _host(base, node.attributes.get(name) or "")
            if host:
                found.add(host)
    return tuple(sorted(found)[:HOSTS_MAX])


def _host(base: str, address: str) -> str:
    try:
        parts = urlsplit(urljoin(base, address.strip()))
        host = parts.hostname or ""
    except ValueError:
        return ""
    return host[:HOST_MAX] if parts.scheme in ("http", "https") else ""


def _structure(page: LexborHTMLParser) -> tuple[str, ...]:
    if page.body is None:
        return ()
    paths = {_path(node) for node in page.body.traverse(include_text=False)}
    hashes = sorted({f"{zlib.crc32(path.encode()):08x}" for path in paths})
    return tuple(hashes[:PATHS_MAX])


def _path(node: LexborNode) -> str:
    """Return the element with the nearest elements around it; fields by their names too."""
    steps: list[str] = []
    current: LexborNode | None = node
    while current is not None and len(steps) < _STEPS:
        steps.append(current.tag or "")
        current = current.parent
    return f"{'<'.join(steps)}#{node.attributes.get('name') or ''}"
