"""Keys made by the application, so that no database hands out the next number."""

from __future__ import annotations

import re
import secrets

MAX_ID = 2**63 - 1
_DIGITS = re.compile(r"[0-9]{1,19}")


def new_id() -> int:
    """Return a random positive 63-bit key.

    Scattered on purpose: no AUTO_INCREMENT hot spot on a Galera or TiDB cluster, nothing to guess.
    """
    return secrets.randbelow(MAX_ID) + 1


def read_id(text: str) -> int | None:
    """Return the key that ``text`` spells; None when it cannot be one (no database holds more bits)."""
    if not _DIGITS.fullmatch(text) or int(text) > MAX_ID:
        return None
    return int(text)
