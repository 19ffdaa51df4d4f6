"""Keys made by the application, so that no database hands out the next number."""

from __future__ import annotations

import secrets

MAX_ID = 2**63 - 1


def new_id() -> int:
    """Return a random positive 63-bit key.

    Scattered on purpose: no AUTO_INCREMENT hot spot on a Galera or TiDB cluster, nothing to guess.
    """
    return secrets.randbelow(MAX_ID) + 1
