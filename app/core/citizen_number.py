"""公民身份号码 (GB 11643-1999), residence permits for people of Hong Kong, Macao and Taiwan included."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_PROVINCES = frozenset(
    f"{region}{place}"
    for region, places in {1: 5, 2: 3, 3: 7, 4: 6, 5: 4, 6: 5}.items()
    for place in range(1, places + 1)
) | {"50", "71", "81", "82", "83"}
_OLDEST = date(1850, 1, 1)


def normalised(text: str) -> str:
    """Return ``text`` as the number is stored: half-width, no blanks, a capital X."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()


def problem(number: str, today: date) -> str | None:
    """Return what is wrong with a normalised number, in Chinese; None when it may be somebody's.

    The county is not looked up: numbers carry the code of the county in the year of registration,
    which for most people is not the year of birth.
    """
    if len(number) != 18:
        return f"身份证号码应为 18 位，现在是 {len(number)} 位"
    if not number.isascii() or not _SHAPE.fullmatch(number):
        return "身份证号码的 18 位应全是数字，只有最后一位可以是字母 X"
    if number[:2] not in _PROVINCES:
        return "身份证号码开头的地区不存在"
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "身份证号码中的出生日期不存在"
    if born > today:
        return "身份证号码中的出生日期还没有到"
    if born < _OLDEST:
        return "身份证号码中的出生日期太早"
    if check_character(number[:17]) != number[17]:
        return "身份证号码的校验码（最后一位）不对，请核对每一位"
    return None


def check_character(first_17: str) -> str:
    """Return the 18th character (ISO 7064 MOD 11-2) that belongs to the first 17 digits."""
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11]
