"""Titles are compared as a resident reads them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.spec.titles import agree, normalise

BODY = "广东省人力资源和社会保障厅"
NAMES = st.text(alphabet="社保查询公积金护照预约ABC123", min_size=2, max_size=12)
BLANKS = st.sampled_from(["", " ", "\u3000", "\n", "\u200b", "\ufeff"])
JOINTS = st.sampled_from(["-", "_", "|", " – ", "——", "·", " "])


@given(st.text())
def test_normalising_twice_changes_nothing_more(text):
    assert normalise(normalise(text, BODY), BODY) == normalise(text, BODY)


@given(NAMES, BLANKS)
def test_blanks_anywhere_do_not_matter(name, blank):
    assert normalise(blank + blank.join(name) + blank) == normalise(name)


@given(NAMES, JOINTS)
def test_the_body_s_name_at_either_end_does_not_matter(name, joint):
    assert normalise(f"{name}{joint}{BODY}", BODY) == normalise(name)
    assert normalise(f"{BODY}{joint}{name}", BODY) == normalise(name)


@given(NAMES)
def test_full_width_letters_are_the_same(name):
    wide = "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in name)

    assert unicodedata.normalize("NFKC", wide) == name
    assert normalise(wide) == normalise(name)


@given(NAMES, NAMES)
def test_agreement_goes_both_ways(one, other):
    assert agree(one, other, BODY) == agree(other, one, BODY)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        pytest.param("社保查询", True, id="same"),
        pytest.param("粤社保查询服务", True, id="holds the name"),
        pytest.param("社保", True, id="part of the name"),
        pytest.param("社", False, id="one character"),
        pytest.param("", False, id="empty"),
        pytest.param(" - ", False, id="marks only"),
        pytest.param("公积金查询", False, id="another service"),
        pytest.param(BODY, False, id="the body only"),
    ],
)
def test_which_titles_agree_with_the_registered_name(title, expected):
    assert agree(title, "社保查询", BODY) is expected
