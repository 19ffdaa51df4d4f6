"""The content of ``<meta name="viewport">`` as browsers read it.

Source: CSS Viewport Module Level 1 §3 (parsing algorithm), HTML Living Standard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_PROPERTY = re.compile(r"([^ \t\n\f\r,;=]+)[^,;=]*(?:=[ \t\n\f\r=]*([^ \t\n\f\r,;=]+))?")
_NUMBER_PREFIX = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.I | re.ASCII)
_LOWEST_SCALE, _HIGHEST_SCALE = 0.1, 10.0
_WORDS = {"yes": 1.0, "no": 0.0, "device-width": 10.0, "device-height": 10.0}


def parse_viewport(content: str) -> dict[str, str]:
    """Return the properties in lower case with their last value as written, lower case.

    Commas, semicolons and white space part properties; blanks around ``=`` do not matter. A property
    without a value is left out.
    """
    return {name: value for name, value in _PROPERTY.findall(content.lower()) if value}


def number(value: str) -> float | None:
    """Return the number at the start of ``value``, None when there is none."""
    match = _NUMBER_PREFIX.match(value)
    return None if match is None else float(match.group())


def scale(properties: Mapping[str, str], name: str) -> float | None:
    """Return a scale between 0.1 and 10 as a browser would use it, None when it is absent or ignored.

    Words count as numbers (``yes`` 1, ``no`` and unknown words 0, ``device-width`` 10); a negative
    number makes the property ignored.
    """
    if name not in properties:
        return None
    value = number(properties[name])
    if value is None:
        value = _WORDS.get(properties[name], 0.0)
    if value < 0:
        return None
    return min(max(value, _LOWEST_SCALE), _HIGHEST_SCALE)


def forbids_zoom(properties: Mapping[str, str]) -> bool:
    """Say whether ``user-scalable`` switches pinch zoom off.

    Numbers between -1 and 1 and unknown words count as ``no``.
    """
    value = properties.get("user-scalable")
    if value is None or value in ("yes", "device-width", "device-height"):
        return False
    parsed = number(value)
    return parsed is None or -1 < parsed < 1
