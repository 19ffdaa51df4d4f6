"""Tries the six fixed paths under which source code and backups are left lying about.

Only where the department has allowed it: to try them unasked is what an attacker does.
Source: MAS-TRN-06.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import ada_url

from mobile_pages.artifact import Declaration, Fetch
from mobile_pages.spec import personal

FIXED_PATHS = ("/.git/HEAD", "/.svn/entries", "/.env", "/backup.zip", "/www.zip", "/index.php.bak")
PREFIX = "path:"
"""Before the path in the keys of ``StaticPart.extras``."""

_KEPT_CHARACTERS = 160
_VALUE = re.compile(r"([=:]\s*)\S[^\r\n]*")


def try_fixed_paths(declaration: Declaration, fetch: Callable[[str], Fetch]) -> dict[str, Fetch]:
    """Ask for each path once, one after the other; nothing without the department's leave.

    Of what comes back only the beginning is kept, values blotted out: the artifact must not hold what
    nobody should have been able to read.
    """
    if not declaration.may_probe_paths:
        return {}
    return {
        f"{PREFIX}{path}": _outlined(fetch(ada_url.join_url(declaration.url, path))) for path in FIXED_PATHS
    }


def _outlined(answer: Fetch) -> Fetch:
    beginning = personal.masked(answer.body[:_KEPT_CHARACTERS])
    return replace(answer, body=_VALUE.sub(r"\1***", beginning), head_bytes="")
