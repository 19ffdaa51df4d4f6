"""Where a person may be sent after signing in: to pages of ours, never elsewhere (open redirect)."""

from __future__ import annotations

import re

OWN_PATH_MAX = 500
# What browsers and proxies take for the start of another host once it is decoded or mended.
_ELSEWHERE = re.compile(r"/(?:[/\\]|%2f|%5c)", re.IGNORECASE)
_UNWANTED = re.compile("[\\\\\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def is_own_path(asked: str) -> bool:
    """Tell whether ``asked`` is a path of ours, such as ``/me?style=elder``."""
    return (
        0 < len(asked) <= OWN_PATH_MAX
        and asked.startswith("/")
        and not _ELSEWHERE.match(asked)
        and not _UNWANTED.search(asked)
    )
