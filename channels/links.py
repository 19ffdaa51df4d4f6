"""Addresses with parameters, and what their readers' apps say about themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def with_params(url: str, params: Mapping[str, str]) -> str:
    """Return ``url`` with ``params`` set; parameters of the same name are replaced, the fragment stays."""
    parts = urlsplit(url)
    kept = [
        (name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in params
    ]
    query = urlencode([*kept, *params.items()]) if params else parts.query
    return urlunsplit(parts._replace(query=query))


def is_web_address(url: str) -> bool:
    """Tell whether ``url`` is http(s) with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def header(headers: Mapping[str, str], name: str) -> str:
    """Return a header's value whatever its case, or ``""``."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


def system_of(agent: str) -> str:
    """Return ``android``, ``ios`` or ``other`` from a User-Agent."""
    if re.search(r"Android|Adr ", agent):
        return "android"
    return "ios" if re.search(r"iPhone|iPad|iPod", agent) else "other"
