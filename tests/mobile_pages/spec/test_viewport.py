"""The viewport parser reads what browsers read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.spec.viewport import forbids_zoom, parse_viewport, scale

NAMES = st.sampled_from(["width", "initial-scale", "maximum-scale", "user-scalable", "viewport-fit"])
VALUES = st.sampled_from(["device-width", "1", "1.0", "750", "no", "yes", "cover"])
SEPARATORS = st.sampled_from([",", ", ", ";", " ; ", " ,\n", " "])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("", {}, id="empty"),
        pytest.param("WIDTH=Device-Width", {"width": "device-width"}, id="case"),
        pytest.param("width = 320 ;x=1", {"width": "320", "x": "1"}, id="blanks around the sign"),
        pytest.param("width=320,width=device-width", {"width": "device-width"}, id="the last wins"),
        pytest.param("width,initial-scale=1", {"initial-scale": "1"}, id="no value"),
        pytest.param("width=,initial-scale=1", {"initial-scale": "1"}, id="empty value"),
        pytest.param("width==320", {"width": "320"}, id="sign twice"),
        pytest.param("width foo=320", {"width": "320"}, id="word between name and sign"),
        pytest.param(",;= ,", {}, id="only separators"),
    ],
)
def test_odd_spellings_are_read_as_browsers_do(content, expected):
    assert parse_viewport(content) == expected


@given(st.dictionaries(NAMES, VALUES, min_size=1), SEPARATORS)
def test_what_is_written_is_read_whatever_parts_it(properties, separator):
    content = separator.join(f"{name}={value}" for name, value in properties.items())

    assert parse_viewport(content) == properties


@given(st.text())
def test_any_text_is_read_without_an_error(text):
    properties = parse_viewport(text)

    assert all(name and value for name, value in properties.items())
    assert isinstance(forbids_zoom(properties), bool)


@given(st.text(min_size=1), st.sampled_from(["maximum-scale", "initial-scale"]))
def test_a_scale_lies_between_a_tenth_and_ten(value, name):
    result = scale({name: value}, name)

    assert result is None or 0.1 <= result <= 10


@pytest.mark.parametrize(
    ("value", "expected"),
    [("no", True), ("0", True), ("0.5", True), ("nope", True), ("yes", False), ("1", False), ("-1", False)],
)
def test_what_switches_zoom_off(value, expected):
    assert forbids_zoom({"user-scalable": value}) is expected
