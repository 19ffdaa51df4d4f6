"""Finds numbers of persons in text, and masks them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """What the number is."""

    ID_NUMBER = "身份证号"
    MOBILE = "手机号"
    BANK_CARD = "银行卡号"


@dataclass(frozen=True, slots=True)
class Hit:
    """One number found.

    Attributes:
        start: offset in the text; ``end`` is one past the last character.
        shown: the number masked, the only form that may leave this module.
        certain: False where the digits alone fit and nothing around says what they are.
    """

    kind: Kind
    start: int
    end: int
    shown: str
    certain: bool


# Digits glued to letters or to a decimal point are hashes, identifiers and fractions.
_BEFORE = r"(?<![0-9A-Za-z_*])(?<![0-9]\.)"
_AFTER = r"(?![0-9A-Za-z_*])(?!\.[0-9])"
_ID = re.compile(_BEFORE + r"\d{6}([ -]?)\d{8}\1\d{3}[\dXx]" + _AFTER, re.ASCII)
# Segments that carriers were given; 11 digits of other segments are never a mobile number.
_SEGMENT = r"1(?:3\d|4[0145-9]|5[0-35-9]|6[2567]|7[0-8]|8\d|9[0-35-9])"
_MOBILE = re.compile(
    _BEFORE + rf"(?:(?:\+|00)?86[ -]?)?({_SEGMENT}(?:\d{{8}}|([ -])\d{{4}}\2\d{{4}}))" + _AFTER, re.ASCII
)
_CARD = re.compile(_BEFORE + r"62\d{2}(?:\d{12,15}|(?: \d{4}){3}(?: \d{1,3})?)" + _AFTER, re.ASCII)

# The shortest run of digits in anything above: a mobile number written 138 0000 0000.
_SOME_DIGITS = re.compile(r"\d{3}", re.ASCII)

_NEAR = 16
_PHONE_WORDS = re.compile(r"手机|电话|致电|来电|拨打|联系|热线|mobile|phone|tel|sjh|lxdh|lxfs", re.I)
_CARD_WORDS = re.compile(r"卡号|账号|帐号|账户|银行|[工农中建交招]行|card|account|bank", re.I)
_SERIAL_WORDS = re.compile(
    r"单号|编号|流水|序号|受理号|查询码|业务号|文号|版本|时间戳|order|serial|batch|version|timestamp|time|seq",
    re.I,
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_FIRST_YEAR, _LAST_YEAR = 1880, 2099


def check_digit(first_seventeen: str) -> str:
    """Return the last character of a citizen number from its first 17 digits.

    Source: GB 11643-1999 (ISO 7064 MOD 11-2).
    """
    total = sum(int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True))
    return _CHECK_DIGITS[total % 11]


def is_id_number(text: str) -> bool:
    """Say whether ``text`` is an 18-character citizen number with a real date and a right check digit.

    The area code is not looked at: codes are given up and given out anew, the check digit stays.
    Source: GB 11643-1999.
    """
    if re.fullmatch(r"\d{17}[\dXx]", text, re.ASCII) is None:
        return False
    year = int(text[6:10])
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return False
    try:
        date(year, int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return check_digit(text[:17]) == text[17].upper()


def find(text: str) -> list[Hit]:
    """Return every number of a person in ``text``, in order, none overlapping another.

    Eleven digits after a word for an order or serial number are not taken for a mobile number.
    """
    return [hit for hit in _hits(text) if not _is_serial(text, hit)]


def masked(text: str) -> str:
    """Return ``text`` with every number masked that could be a person's, the doubtful ones too."""
    parts: list[str] = []
    end = 0
    for hit in _hits(text):
        parts += [text[end : hit.start], hit.shown]
        end = hit.end
    return "".join([*parts, text[end:]])


def _hits(text: str) -> list[Hit]:
    if _SOME_DIGITS.search(text) is None:  # most texts hold no number at all
        return []
    hits: list[Hit] = []
    taken = bytearray(len(text))
    for hit in (*_id_numbers(text), *_bank_cards(text), *_mobiles(text)):
        if not any(taken[hit.start : hit.end]):
            taken[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
            hits.append(hit)
    return sorted(hits, key=lambda hit: hit.start)


def _id_numbers(text: str) -> Iterator[Hit]:
    for match in _ID.finditer(text):
        digits = re.sub("[ -]", "", match.group())
        if is_id_number(digits):
            shown = f"{digits[0]}{'*' * 16}{digits[-1]}"
            yield Hit(Kind.ID_NUMBER, match.start(), match.end(), shown, certain=True)


def _bank_cards(text: str) -> Iterator[Hit]:
    for match in _CARD.finditer(text):
        digits = match.group().replace(" ", "")
        if _luhn(digits):
            certain = " " in match.group() or bool(_CARD_WORDS.search(_lead(text, match.start())))
            shown = f"{digits[:4]}{'*' * (len(digits) - 8)}{digits[-4:]}"
            yield Hit(Kind.BANK_CARD, match.start(), match.end(), shown, certain)


def _mobiles(text: str) -> Iterator[Hit]:
    for match in _MOBILE.finditer(text):
        digits = re.sub("[ -]", "", match.group(1))
        certain = _last(_PHONE_WORDS, _lead(text, match.start())) >= 0 or bool(match.group(2))
        yield Hit(Kind.MOBILE, match.start(), match.end(), f"{digits[:3]}****{digits[7:]}", certain)


def _is_serial(text: str, hit: Hit) -> bool:
    """Say whether the nearest word before a mobile number calls it an order or serial number."""
    lead = _lead(text, hit.start)
    return hit.kind is Kind.MOBILE and _last(_SERIAL_WORDS, lead) > _last(_PHONE_WORDS, lead)


def _last(words: re.Pattern[str], text: str) -> int:
    return max((match.start() for match in words.finditer(text)), default=-1)


def _lead(text: str, start: int) -> str:
    return text[max(0, start - _NEAR) : start]


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
