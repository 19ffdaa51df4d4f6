"""Numbers of people and enterprises: what may be one, and what is wrong with what cannot."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Invalid
from app.identity.numbers import (
    check_id_number,
    check_person,
    check_uscc,
    clean_enterprise_name,
    clean_name,
    mask_name,
    mask_number,
    same_name,
    uscc_check,
)
from app.identity.service import IdKind
from tests.app.identity.people_builders import ANNA, a_citizen_number, a_uscc

TODAY = date(2026, 11, 22)
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
inner_codes = st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8)


def refused(check, *given_values):
    with pytest.raises(Invalid) as caught:
        check(*given_values)
    return caught.value


@pytest.mark.parametrize("region", ["445399", "810000", "820000", "830000"])
def test_citizens_and_holders_of_residence_permits_pass(region):
    number = a_citizen_number(region)

    assert check_id_number(IdKind.CITIZEN, number, TODAY) == number


def test_what_a_phone_types_is_normalised():
    typed = " 445399 １９６２0315 001ｘ "

    assert check_id_number(IdKind.CITIZEN, typed, TODAY) == "44539919620315001X"


@pytest.mark.parametrize(
    ("number", "word"),
    [
        pytest.param("44539919620315001", "现在是 17 位", id="a digit missing"),
        pytest.param("4453991962O315001X", "字母", id="a letter O"),
        pytest.param(a_citizen_number("990000"), "地区", id="no such province"),
        pytest.param(a_citizen_number(born="20261123"), "还没有到", id="born tomorrow"),
        pytest.param(a_citizen_number(born="19620230"), "日期不存在", id="30 February"),
        pytest.param("445399196203150011", "校验码", id="another check digit"),
        pytest.param("445399620315001", "现在是 15 位", id="a number of before 1999"),
    ],
)
def test_a_wrong_number_is_told_what_is_wrong_with_it(number, word):
    error = refused(check_id_number, IdKind.CITIZEN, number, TODAY)

    assert word in str(error)
    assert list(error.fields) == ["number"]


def test_all_that_is_wrong_with_a_person_is_told_at_once():
    error = refused(check_person, IdKind.CITIZEN, " ", "", TODAY)

    assert error.fields == {"name": ["请填写姓名"], "number": ["请填写证件号码"]}


@pytest.mark.parametrize("number", [ANNA[1], "abc440123850707", "ABC440123850707"])
def test_both_forms_of_a_foreign_residents_card_pass(number):
    assert check_id_number(IdKind.FOREIGN_PERMANENT, number, TODAY) == number.upper()


@pytest.mark.parametrize(
    ("number", "word"),
    [
        pytest.param("A12345678", "15 位（旧证）或 18 位", id="a passport"),
        pytest.param("AB1440123850707", "3 个字母", id="two letters"),
        pytest.param("440840198507070018", "以 9 开头", id="a citizen's"),
        pytest.param(ANNA[1][:17] + "7", "校验码", id="another check digit"),
    ],
)
def test_other_cards_are_refused_with_a_reason(number, word):
    assert word in str(refused(check_id_number, IdKind.FOREIGN_PERMANENT, number, TODAY))


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_of_a_new_card_never_passes(place, more):
    number = ANNA[1]
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]

    refused(check_id_number, IdKind.FOREIGN_PERMANENT, wrong, TODAY)


@given(inner_codes)
def test_every_code_with_its_own_check_digits_passes(inner):
    code = a_uscc(inner=inner)

    assert check_uscc(code.lower()) == code


@given(inner_codes, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_one_wrong_character_of_a_code_never_passes(inner, place, letter):
    code = a_uscc(inner=inner)
    wrong = code[:place] + letter + code[place + 1 :]

    if wrong != code:
        refused(check_uscc, wrong)


@given(inner_codes, st.integers(0, 16))
def test_two_neighbours_that_changed_places_never_pass(inner, place):
    code = a_uscc(inner=inner)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]

    if swapped != code:
        refused(check_uscc, swapped)


@pytest.mark.parametrize("code", ["11440000006939801L"[:17] + "X", "9" * 18, "91445399MA05AMPL7"])
def test_made_up_codes_are_refused(code):
    refused(check_uscc, code)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        pytest.param("91445399MA05AMPL", "现在是 16 位", id="too short"),
        pytest.param("91445399MAO5AMPL7U", "“O”", id="a letter O"),
        pytest.param("9144A399MA05AMPL7U", "第 3 至 8 位", id="a letter in the region"),
        pytest.param("91445399MA05AMPL8U", "第 17 位", id="organisation's check digit"),
        pytest.param("91445399MA05AMPL7W", "最后一位", id="check digit"),
    ],
)
def test_a_wrong_code_is_told_what_is_wrong_with_it(code, word):
    assert word in str(refused(check_uscc, code))


def test_the_check_character_is_that_of_the_standards_own_example():
    # GB 32100-2015 shows 91350100M000100Y43.
    assert uscc_check("91350100M000100Y4") == "3"


@pytest.mark.parametrize("typed", ["欧阳•示范", " 欧阳 · 示范 ", "欧阳．示范"])
def test_names_are_compared_whatever_the_dot_and_the_blanks(typed):
    assert same_name(clean_name(typed), "欧阳·示范")


@pytest.mark.parametrize("typed", ["", "陈", "陈<b>", "陈1", "陈" * 51, "陈\x00例"])
def test_what_no_name_holds_is_refused(typed):
    assert list(refused(clean_name, typed).fields) == ["name"]


def test_an_enterprises_brackets_are_full_width():
    assert clean_enterprise_name("样例(广东) 有限公司") == "样例（广东） 有限公司"
    refused(clean_enterprise_name, "样")


def test_masks_leave_enough_to_know_ones_own():
    assert (mask_name("陈样例"), mask_number("44539919620315001X")) == ("**例", "445*************1X")
