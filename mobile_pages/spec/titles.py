"""Compares the title a page shows with the name it was registered under."""

from __future__ import annotations

import re
import unicodedata

_BLANKS = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")
_EDGE = "-_|/\\·•:,;.—–―~()[]【】《》<>「」"
_LEAST_LENGTH = 2


def normalise(text: str, body_name: str = "") -> str:
    """Return ``text`` in NFKC and lower case, without blanks, edge marks and the body's name at an edge."""
    result = _plain(text)
    body = _plain(body_name)
    while body and (shorter := result.removesuffix(body).removeprefix(body).strip(_EDGE)) != result:
        result = shorter
    return result


def _plain(text: str) -> str:
    # Each step may open work for another: NFKC makes blanks of some marks, and what is left joins anew.
    while (simpler := _simpler(text)) != text:
        text = simpler
    return text


def _simpler(text: str) -> str:
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text).casefold()).strip(_EDGE)


def agree(title: str, name: str, body_name: str = "") -> bool:
    """Say whether the title and the registered name are the same, or one holds the other.

    A rest of fewer than two characters agrees with nothing.
    """
    one, other = normalise(title, body_name), normalise(name, body_name)
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= _LEAST_LENGTH and shorter in longer
