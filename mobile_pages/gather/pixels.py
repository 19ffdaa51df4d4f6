"""Looks at pictures of a page where its source does not tell what is seen."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

Colour = Sequence[float]

_SCREEN_HEIGHT = 740
_UNREADABLE_SHARE = 0.5
# 360 × 4000 px of one colour are about 6 KB of PNG; spares decoding what shows more.
_LEAST_INTERESTING_BYTES = 20_000


def is_one_colour(png: bytes) -> bool:
    """Say whether the first screen of a picture shows nothing but one colour."""
    if len(png) > _LEAST_INTERESTING_BYTES:
        return False
    with Image.open(io.BytesIO(png)) as picture:
        screen = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, _SCREEN_HEIGHT)))
    return screen.getcolors(maxcolors=1) is not None


def settled(entries: Sequence[Mapping[str, Any]], png: bytes) -> list[dict[str, Any]]:
    """Decide doubts about contrast by what stands behind the text.

    Args:
        entries: of ``contrast.list`` (see ``rendered.py``); those without doubt stay as they are.
        png: the page without its text, one pixel per CSS px.

    Returns:
        The entries without those that turned out readable; what cannot be read has no doubt left.
    """
    with Image.open(io.BytesIO(png)) as picture:
        ground = picture.convert("RGB")
    found = (_settled(entry, ground) for entry in entries)
    return [entry for entry in found if entry is not None]


def _settled(entry: Mapping[str, Any], ground: Image.Image) -> dict[str, Any] | None:
    ink: Colour = entry.get("ink") or ()
    cells = _cells(entry["area"], entry["size"], ground) if entry["doubt"] and ink else []
    if not cells:
        return dict(entry)
    needed = entry["needed"]
    rated = [[(count, ratio(_laid(ink, colour), colour)) for count, colour in cell] for cell in cells]
    worst = min(rated, key=lambda cell: max(value for _, value in cell))
    best = max(value for _, value in worst)
    # A letter that nothing behind it sets off cannot be read (ACT afw4f7).
    if best < needed:
        colour = max(cells[rated.index(worst)])[1]
        return {**entry, "doubt": "", "ratio": int(best * 100) / 100, "background": _hex(colour)}
    if any(_faint_share(cell, needed) > _UNREADABLE_SHARE for cell in rated):
        return dict(entry)
    return None


def _cells(
    area: Sequence[float], size: float, ground: Image.Image
) -> list[list[tuple[int, tuple[int, int, int]]]]:
    """Return the colours behind each letter-wide piece of a line; none when it is not in the picture."""
    left, top, width, height = area
    right, bottom = min(left + width, ground.width), top + height
    if left < 0 or top < 0 or bottom > ground.height or right - left < 1:
        return []
    count = max(1, round((right - left) / max(size, 8)))
    edges = [round(left + (right - left) * index / count) for index in range(count + 1)]
    cells = []
    for start, end in zip(edges, edges[1:], strict=False):
        piece = ground.crop((start, round(top), max(end, start + 1), max(round(bottom), round(top) + 1)))
        colours: Any = piece.getcolors(maxcolors=piece.width * piece.height)
        cells.append(list(colours))
    return cells


def _faint_share(cell: Sequence[tuple[int, float]], needed: float) -> float:
    return sum(count for count, value in cell if value < needed) / sum(count for count, _ in cell)


def _laid(ink: Colour, below: Colour) -> list[float]:
    """Return the colour of half-transparent ink on what is below it."""
    alpha = ink[3]
    return [ink[i] * alpha + below[i] * (1 - alpha) for i in range(3)]


def ratio(one: Colour, other: Colour) -> float:
    """Return the contrast of two sRGB colours, 1 to 21. Source: WCAG 2.2, contrast ratio."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    parts = [value / 255 for value in colour[:3]]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{round(value):02x}" for value in colour[:3])
