"""Bodies of messages at rest: whole in the vault, in pieces, since any field may name a person."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from app.core import vault

FIELD = "exchange_body"
PIECE = 1_900
"""Characters of one sealed piece: four bytes each still fit."""


def keep(text: str) -> list[str]:
    """Seal a body; return the vault tokens of its pieces."""
    return [vault.seal(FIELD, text[start : start + PIECE]) for start in range(0, len(text), PIECE)]


def opened(tokens: Iterable[str]) -> dict[str, Any]:
    """Return the body sealed under ``tokens``."""
    found: dict[str, Any] = json.loads("".join(vault.unseal(FIELD, token) for token in tokens))
    return found


def forget(tokens: Iterable[str]) -> None:
    """Forget a body that another version took the place of before it was applied."""
    for token in tokens:
        vault.forget(token)


def mark(text: str) -> str:
    """Return what stands for a body in a table: the same for the same body, and useless without the key."""
    return vault.blind_index(FIELD, text)


def digest(text: str) -> str:
    """Return the SHA-256 of a body in its one spelling, as receipts carry it; stored nowhere."""
    return sha256(text.encode()).hexdigest()
