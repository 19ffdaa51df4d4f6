"""GB 11643: who may be somebody's number, and who may not. All numbers are made up."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.citizen_number import check_character, normalised, problem

TODAY = date(2026, 3, 2)


def a_number(region="445399", born="19560229", order="001"):
    first = f"{region}{born}{order}"
    return first + check_character(first)


@pytest.mark.parametrize("region", ["110000", "445399", "810000", "820000", "830000"])
def test_numbers_of_every_kind_of_region_pass(region):
    assert problem(a_number(region), TODAY) is None


def test_people_born_before_there_were_county_codes_pass():
    assert problem(a_number("440106", "19320101"), TODAY) is None


@pytest.mark.parametrize(
    ("number", "word"),
    [
        pytest.param("", "18 位", id="nothing"),
        pytest.param(a_number()[:17], "18 位", id="a digit missing"),
        pytest.param("４４５３９９" + a_number()[6:], "18 位", id="full-width digits not normalised"),
        pytest.param(a_number("990001"), "地区", id="no such province"),
        pytest.param(a_number(born="19550229"), "日期", id="no leap year"),
        pytest.param(a_number(born="20260303"), "日期", id="born tomorrow"),
        pytest.param(a_number(born="17991231"), "日期", id="born long ago"),
    ],
)
def test_others_are_refused_with_a_reason(number, word):
    assert word in problem(number, TODAY)


@given(st.integers(0, 16), st.integers(1, 9), st.integers(0, 999))
def test_one_wrong_digit_never_passes(place, more, order):
    number = a_number(order=f"{order:03}")
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]

    assert problem(wrong, TODAY) is not None


def test_what_people_type_is_normalised():
    typed = " 4453 9919 5602 2900 ４x "

    assert normalised(typed) == "44539919560229004X"
