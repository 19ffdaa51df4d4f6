"""What items are found under: pairs of characters, pieces of pinyin, initials.

A table of such terms works alike on every database, forgives a wrong letter or character (the other
pieces still match) and needs no word list to cut Chinese text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

# Said by everybody, tells nothing about the item. The longer first.
_FILLERS = re.compile(
    "请问一下|请问|我想要|我想|我要|怎么样|怎么|怎样|如何|哪里|什么|需要|手续|一下|可以|在线|网上|办理|申请|申办|去办|办个|办|的(?!士)|吗|呢"
)
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+")
_LATIN = re.compile(r"[a-z0-9]+")
_INITIALS_MAX = 6
_PIECE = 3
_MOST = 0.6
WHOLE, CHARACTER, AROUND, PINYIN, INITIALS = "=", "c", "a", "p", "i"
"""Kinds of terms, written before their text with a colon; a pair of characters has none."""
_WHOLE_MAX = 20
_WHOLE_COUNTS = 5


def cleaned(text: str) -> str:
    """Return ``text`` half-width, in small letters, with single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


class Phrase(NamedTuple):
    """Words of an item; ``by_sound``: people type their pinyin or initials, as they do of names."""

    text: str
    weight: int
    by_sound: bool = True


def terms_of(phrases: Iterable[Phrase]) -> dict[str, int]:
    """Return every term of the phrases with the greatest weight that one of them gives it."""
    found: dict[str, int] = {}
    for phrase in phrases:
        text = cleaned(phrase.text)
        for whole in _wholes(text, by_sound=phrase.by_sound):
            term = f"{WHOLE}:{whole}"
            found[term] = max(phrase.weight * _WHOLE_COUNTS, found.get(term, 0))
        for term in _indexed(text, by_sound=phrase.by_sound):
            found[term] = max(phrase.weight, found.get(term, 0))
    return found


def _wholes(text: str, *, by_sound: bool) -> Iterator[str]:
    """Yield the spellings of a whole phrase: as written, in pinyin, by its initials."""
    if text and len(text) <= _WHOLE_MAX:
        yield text
        if by_sound and _HAN.fullmatch(text):
            syllables = _syllables(text)
            spelled = "".join(syllables)
            if len(spelled) <= _WHOLE_MAX:
                yield spelled
            if 1 < len(syllables) <= _INITIALS_MAX:
                yield "".join(syllable[0] for syllable in syllables)


def _indexed(text: str, *, by_sound: bool) -> Iterator[str]:
    for run in _HAN.findall(text):
        yield from _pairs(run)
        if by_sound:
            # Single characters are for slips in what people call things; in sentences they are noise.
            yield from _for_slips(run)
            yield from _pinyin_terms(run)
    yield from (f"{PINYIN}:{one}" for run in _LATIN.findall(text) for one in _pieces(run))


def _for_slips(run: str) -> Iterator[str]:
    """Yield what is left when one character is wrong: the others, and those around it side by side."""
    yield from (f"{CHARACTER}:{one}" for one in run)
    yield from (f"{AROUND}:{run[at]}{run[at + 2]}" for at in range(len(run) - 2))


def _syllables(run: str) -> list[str]:
    # Imported here: its word list costs 65 MB, and only who writes the index needs it.
    from pypinyin import lazy_pinyin

    return lazy_pinyin(run)


def _pinyin_terms(run: str) -> Iterator[str]:
    syllables = _syllables(run)
    yield from (f"{PINYIN}:{one}" for one in _pieces("".join(syllables)))
    initials = "".join(syllable[0] for syllable in syllables)
    for length in range(2, _INITIALS_MAX + 1):
        for start in range(len(initials) - length + 1):
            yield f"{INITIALS}:{initials[start : start + length]}"


def _pairs(run: str) -> Iterator[str]:
    yield from (run[at : at + 2] for at in range(len(run) - 1))


def _pieces(run: str) -> Iterator[str]:
    yield from (run[at : at + _PIECE] for at in range(max(1, len(run) - _PIECE + 1)))


@dataclass(frozen=True, slots=True)
class Way:
    """Terms to look a query up by; an item must have ``least`` of them.

    ``slips``: one of them may be a wrong one, so that how many fit tells more than how rare they are.
    """

    terms: frozenset[str]
    least: int
    slips: bool = False


def asked(query: str) -> list[Way]:
    """Return the ways to look a query up, the strictest first; none for an empty query.

    The second way is for when the first finds nothing: single characters, most of which must be there,
    so that one wrong character does not hide an item.
    """
    text = cleaned(query)
    core = _FILLERS.sub(" ", text)
    if not (_HAN.search(core) or _LATIN.search(core)):
        core = text
    han, latin = _HAN.findall(core), _LATIN.findall(core)
    letters = {f"{PINYIN}:{one}" for run in latin for one in _pieces(run)}
    letters |= {f"{INITIALS}:{run}" for run in latin if 2 <= len(run) <= _INITIALS_MAX}
    pairs = {one for run in han for one in _pairs(run)}
    single = {f"{CHARACTER}:{one}" for run in han for one in run}
    whole = {f"{WHOLE}:{one}" for one in (text, core.strip(), *(run for run in han if len(run) > 1))}
    ways = []
    if pairs or letters:
        ways.append(Way(frozenset(pairs | letters | whole), 1))
    if single:
        slips = {one for run in han for one in _for_slips(run)}
        ways.append(Way(frozenset(slips), max(1, round(len(single) * _MOST)), slips=True))
    return ways
