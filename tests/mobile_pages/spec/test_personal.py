"""Numbers of persons are found and masked; numbers that only look alike are not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.spec.personal import Kind, check_digit, find, is_id_number, masked

# Area codes that were never given out, so that no number is a living person's.
AREAS = st.sampled_from(["999999", "000000", "990101"])
DATES = st.dates(min_value=date(1880, 1, 1), max_value=date(2099, 12, 31))
ORDERS = st.integers(min_value=0, max_value=999)
SURROUNDINGS = st.text(alphabet="证件号码为：,。 \n()<>\"'", max_size=8)


@st.composite
def id_numbers(draw):
    first = f"{draw(AREAS)}{draw(DATES):%Y%m%d}{draw(ORDERS):03d}"
    return first + check_digit(first)


@given(id_numbers(), SURROUNDINGS, SURROUNDINGS)
def test_an_id_number_is_found_and_only_its_ends_are_shown(number, before, after):
    text = before + number + after

    shown = masked(text)

    assert [hit.kind for hit in find(text)] == [Kind.ID_NUMBER]
    assert shown == f"{before}{number[0]}{'*' * 16}{number[-1]}{after}"


@given(id_numbers())
def test_an_id_number_in_groups_or_with_a_small_x_is_found(number):
    grouped = f"{number[:6]} {number[6:14]} {number[14:].lower()}"

    assert [hit.kind for hit in find(grouped)] == [Kind.ID_NUMBER]


@given(id_numbers(), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_makes_it_no_id_number(number, place, shift):
    digit = str((int(number[place]) + shift) % 10)

    assert not is_id_number(number[:place] + digit + number[place + 1 :])


@given(AREAS, st.sampled_from(["19901301", "19900230", "20171232", "18790101", "21000101"]), ORDERS)
def test_a_date_that_cannot_be_makes_it_no_id_number(area, day, order):
    first = f"{area}{day}{order:03d}"

    assert find(first + check_digit(first)) == []


@given(id_numbers(), st.sampled_from("0123456789abcXYZ_"))
def test_an_id_number_inside_a_longer_code_is_left_alone(number, glued):
    assert find(glued + number) == []
    assert find(number + glued) == []


@pytest.mark.parametrize(
    ("text", "certain"),
    [
        pytest.param("手机：13900000000", True, id="word before"),
        pytest.param("139 0000 0000", True, id="written in groups"),
        pytest.param("+86 139-0000-0000", True, id="country code"),
        pytest.param("13900000000", False, id="bare digits"),
    ],
)
def test_a_mobile_number_is_certain_only_when_something_says_so(text, certain):
    hits = find(text)

    assert [(hit.kind, hit.certain) for hit in hits] == [(Kind.MOBILE, certain)]
    assert hits[0].shown == "139****0000"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("订单号 13900000000", id="order number"),
        pytest.param("1480557600000", id="milliseconds since 1970"),
        pytest.param("20161107093015000271", id="serial number with a date"),
        pytest.param("0.13900000000", id="fraction"),
        pytest.param("137****9050", id="masked already"),
        pytest.param("14200000000", id="segment never given out"),
        pytest.param("020-12345", id="landline"),
        pytest.param("a13900000000f", id="part of a hash"),
    ],
)
def test_look_alikes_are_not_taken_for_a_person_s(text):
    assert find(text) == []


def test_the_nearest_word_says_what_the_number_is():
    text = "订单号 201611 联系手机 13900000000"

    assert [hit.certain for hit in find(text)] == [True]


@given(st.text())
def test_masking_twice_changes_nothing_more(text):
    once = masked(text)

    assert masked(once) == once


@given(
    st.lists(
        id_numbers() | st.sampled_from(["手机", "13900000000", "139 0000 0000", "单号", "7"]), min_size=1
    )
)
def test_nothing_is_left_after_masking(pieces):
    text = " ".join(pieces)

    assert find(masked(text)) == []
