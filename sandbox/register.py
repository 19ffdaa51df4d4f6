"""People and enterprises that nobody is: their numbers lie in ranges that were never assigned."""

from __future__ import annotations

from dataclasses import dataclass

AWAY, SLOW, FACE_FAILS = "away", "slow", "face_fails"


@dataclass(frozen=True, slots=True)
class Citizen:
    """One made-up person as the register has them.

    Attributes:
        kind: ``1`` citizens and residence permits, ``2`` foreign permanent residents.
        trait: how the provider behaves when asked for them, ``""`` well.
    """

    kind: str
    number: str
    name: str
    trait: str = ""


@dataclass(frozen=True, slots=True)
class Company:
    """One made-up enterprise and the number of who represents it by law."""

    uscc: str
    name: str
    legal_number: str


CITIZENS = (
    Citizen("1", "44539919620315001X", "陈样例"),
    Citizen("1", "445399198806010023", "李演示"),
    Citizen("1", "445399197009090038", "欧阳·示范"),
    Citizen("1", "810000197912240043", "何港样"),
    Citizen("2", "940840198507070018", "SAMPLE ANNA"),
    Citizen("1", "445399199505050050", "周不像", FACE_FAILS),
    Citizen("1", "445399198101010066", "吴离线", AWAY),
    Citizen("1", "445399200001010077", "郑缓慢", SLOW),
)
COMPANIES = (
    Company("91445399MA05AMPL7U", "广东样例科技有限公司", "44539919620315001X"),
    Company("91445399MA0DEMQ19P", "佛山演示餐饮店", "445399198806010023"),
)


def citizen(kind: str, number: str) -> Citizen | None:
    """Return who has this number."""
    return next((one for one in CITIZENS if (one.kind, one.number) == (kind, number)), None)


def company(uscc: str) -> Company | None:
    """Return the enterprise with this code."""
    return next((one for one in COMPANIES if one.uscc == uscc), None)
