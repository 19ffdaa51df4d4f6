"""Doubts about contrast are settled by the picture of what stands behind the text."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mobile_pages.gather.pixels import is_one_colour, ratio, settled

WHITE, BLACK, BLUE = (255, 255, 255), (0, 0, 0), (11, 92, 173)
COLOURS = st.tuples(*[st.integers(0, 255)] * 3)


def a_png(colour, size=(360, 740), blot=None, box=(0, 0, 1, 1)):
    picture = Image.new("RGB", size, colour)
    if blot:
        picture.paste(blot, box)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def an_entry(**changes):
    base = {"doubt": "image", "ink": [255, 255, 255, 1], "area": [16, 16, 160, 20], "size": 16.0}
    return {**base, "needed": 4.5, "ratio": 1.0, "background": "#ffffff", **changes}


def test_white_text_on_a_dark_picture_is_no_fault():
    assert settled([an_entry()], a_png(BLUE)) == []


def test_white_text_on_a_light_picture_is_a_fault_without_doubt():
    found = settled([an_entry()], a_png((200, 220, 255)))

    assert [(one["doubt"], one["background"]) for one in found] == [("", "#c8dcff")]
    assert found[0]["ratio"] < 4.5


def test_one_letter_that_cannot_be_read_is_enough():
    png = a_png(BLUE, blot=WHITE, box=(16, 16, 36, 36))

    assert [one["doubt"] for one in settled([an_entry()], png)] == [""]


def test_text_on_a_pattern_that_is_mostly_too_light_is_left_to_a_person():
    png = a_png(BLUE, blot=WHITE, box=(0, 16, 360, 30))

    assert [one["doubt"] for one in settled([an_entry()], png)] == ["image"]


def test_half_transparent_ink_is_laid_on_what_is_below():
    assert settled([an_entry(ink=[0, 0, 0, 0.3])], a_png(WHITE))[0]["ratio"] < 2.5


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"doubt": ""}, id="no doubt"),
        pytest.param({"ink": None}, id="ink not known"),
        pytest.param({"area": [16, 800, 160, 20]}, id="below the picture"),
        pytest.param({"area": [-40, 16, 30, 20]}, id="left of the picture"),
        pytest.param({"area": [400, 16, 30, 20]}, id="right of the picture"),
    ],
)
def test_what_the_picture_cannot_tell_stays_as_it_is(changes):
    entry = an_entry(**changes)

    assert settled([entry], a_png(BLUE)) == [entry]


@given(COLOURS, COLOURS)
def test_contrast_lies_between_one_and_twenty_one_whichever_is_on_top(one, other):
    assert 1 <= ratio(one, other) <= 21.0001
    assert ratio(one, other) == ratio(other, one)


def test_black_on_white_is_the_most_contrast():
    assert ratio(BLACK, WHITE) == pytest.approx(21)


@pytest.mark.parametrize(
    ("png", "expected"),
    [
        pytest.param(a_png(WHITE), True, id="blank"),
        pytest.param(a_png(WHITE, blot=BLACK, box=(9, 9, 10, 10)), False, id="one dot"),
        pytest.param(a_png(WHITE, (360, 4000), BLACK, (0, 900, 360, 910)), True, id="text below the screen"),
        pytest.param(a_png(BLUE, (320, 480)), True, id="a small picture"),
    ],
)
def test_a_screen_of_one_colour_is_told(png, expected):
    assert is_one_colour(png) is expected
