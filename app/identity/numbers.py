"""Numbers of people and enterprises: how they are written, and what is wrong with one that cannot be.

``python-stdnum`` is not used: it looks the county of a number up in the year of birth, though the
number was given at registration, and so refuses most people born before 1983.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from app.core import citizen_number
from app.core.errors import Invalid
from app.identity.domain import ENTERPRISE_NAME_MAX, NAME_MAX
from app.identity.people_domain import IdKind

_OLD_CARD = re.compile(r"[A-Z]{3}[0-9]{12}")
_NEW_CARD = re.compile(r"9[0-9]{16}[0-9X]")
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_USCC_MANAGED = re.compile(r"[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}")
# Dots between the parts of a name, as different keyboards write them.
_DOTS = re.compile("[•・‧∙⋅･．.]")
_UNWANTED_IN_NAMES = re.compile(r"[^\w· '’\-()（）]|[\d_]")
_UNWANTED_IN_ENTERPRISES = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def check_id_number(kind: IdKind, number: str, today: date) -> str:
    """Return ``number`` as it is stored: half-width, no blanks, capitals.

    Of a foreign permanent resident's card the old form is three letters and twelve digits; the new
    one is 17 digits that begin with 9 and a check character like that of a citizen's number. What
    lies between is not checked: the old form's own check digit is laid down nowhere in public.

    Raises:
        Invalid: it cannot be such a number; says what is wrong and what to do.

    Source: GB 11643-1999; 国家移民管理局, 新版外国人永久居留身份证机读信息规则 (2023) 二.
    """
    plain = citizen_number.normalised(number)
    if not plain:
        raise Invalid("请填写证件号码", fields={"number": ["请填写证件号码"]})
    problem = citizen_number.problem(plain, today) if kind is IdKind.CITIZEN else _card_problem(plain)
    if problem is not None:
        raise Invalid(problem, fields={"number": [problem]})
    return plain


def check_person(kind: IdKind, number: str, name: str, today: date) -> tuple[str, str]:
    """Return number and name as they are stored.

    Raises:
        Invalid: one of them or both cannot be; ``fields`` says so of each.
    """
    said: dict[str, list[str]] = {}
    plain = clean = ""
    try:
        clean = clean_name(name)
    except Invalid as error:
        said |= error.fields
    try:
        plain = check_id_number(kind, number, today)
    except Invalid as error:
        said |= error.fields
    if said:
        raise Invalid("；".join(words[0] for words in said.values()), fields=said)
    return plain, clean


def _card_problem(number: str) -> str | None:
    if _OLD_CARD.fullmatch(number):
        return None
    if len(number) not in (15, 18):
        return f"永久居留证号码应为 15 位（旧证）或 18 位（新证），现在是 {len(number)} 位"
    if len(number) == 15:
        return "旧版永久居留证号码应为 3 个字母加 12 位数字"
    if not _NEW_CARD.fullmatch(number):
        return "新版永久居留证号码应以 9 开头，前 17 位都是数字，最后一位是数字或字母 X"
    if citizen_number.check_character(number[:17]) != number[17]:
        return "永久居留证号码的校验码（最后一位）不对，请核对每一位"
    return None


def check_uscc(text: str) -> str:
    """Return a unified social credit code (统一社会信用代码) as it is stored.

    Raises:
        Invalid: it cannot be one; says what is wrong.

    Source: GB 32100-2015, inside it GB 11714-1997.
    """
    code = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()
    problem = _uscc_problem(code)
    if problem is not None:
        raise Invalid(problem, fields={"uscc": [problem]})
    return code


def _uscc_problem(code: str) -> str | None:
    if not code:
        return "请填写统一社会信用代码"
    if len(code) != 18:
        return f"统一社会信用代码应为 18 位，现在是 {len(code)} 位"
    wrong = next((letter for letter in code if letter not in _USCC_ALPHABET), None)
    if wrong is not None:
        return f"统一社会信用代码里没有“{wrong}”这个字符；I、O、S、V、Z 不用，可能是 1、0、5、U、2"
    if not _USCC_MANAGED.fullmatch(code[:8]):
        return "统一社会信用代码第 3 至 8 位应是数字（登记机关的行政区划）"
    if organisation_check(code[8:16]) != code[16]:
        return "统一社会信用代码第 17 位（组织机构代码的校验码）不对，请核对每一位"
    if uscc_check(code[:17]) != code[17]:
        return "统一社会信用代码的校验码（最后一位）不对，请核对每一位"
    return None


def uscc_check(first_17: str) -> str:
    """Return the 18th character of a code (GB 32100, modulus 31)."""
    pairs = zip(first_17, _USCC_WEIGHTS, strict=True)
    total = sum(_USCC_ALPHABET.index(letter) * weight for letter, weight in pairs)
    return _USCC_ALPHABET[-total % 31]


def organisation_check(first_8: str) -> str:
    """Return the ninth character of an organisation code (GB 11714, modulus 11)."""
    # Here letters count on from 10 with none left out, unlike in the code around.
    pairs = zip(first_8, _ORGANISATION_WEIGHTS, strict=True)
    rest = -sum(int(letter, 36) * weight for letter, weight in pairs) % 11
    return "X" if rest == 10 else str(rest)


def clean_name(text: str) -> str:
    """Return a person's name as it is stored and compared.

    Raises:
        Invalid: empty, too long, or with what no name holds.
    """
    name = _one_line(_DOTS.sub("·", unicodedata.normalize("NFC", text)))
    if not name:
        problem = "请填写姓名"
    elif not 1 < len(name) <= NAME_MAX:
        problem = f"姓名应为 2 至 {NAME_MAX} 个字"
    elif _UNWANTED_IN_NAMES.search(name):
        problem = "姓名里只能有文字、间隔号和空格，请照证件填写"
    else:
        return name
    raise Invalid(problem, fields={"name": [problem]})


def clean_enterprise_name(text: str) -> str:
    """Return an enterprise's name as it is stored and compared: brackets are full-width.

    Raises:
        Invalid: empty, too long, or with control characters.
    """
    name = _one_line(unicodedata.normalize("NFC", text)).replace("(", "（").replace(")", "）")
    if not 1 < len(name) <= ENTERPRISE_NAME_MAX or _UNWANTED_IN_ENTERPRISES.search(name):
        problem = f"企业名称应为 2 至 {ENTERPRISE_NAME_MAX} 个字，请照营业执照填写"
        raise Invalid(problem, fields={"name": [problem]})
    return name


def same_name(one: str, other: str) -> bool:
    """Tell whether two cleaned names are one: blanks and the case of letters tell nothing."""
    return one.replace(" ", "").casefold() == other.replace(" ", "").casefold()


def mask_name(name: str) -> str:
    """Return ``name`` with only its last character readable, as banks show it.

    >>> mask_name("王小明")
    '**明'
    """
    return "*" * (len(name) - 1) + name[-1:]


def mask_number(number: str) -> str:
    """Return ``number`` with its first three and last two characters readable."""
    return number[:3] + "*" * (len(number) - 5) + number[-2:]


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
