"""A page's skeleton: the same for other news, another for another layout, never a trouble."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.content import structure, title

PAGE = "<title>户政</title><main><ul><li><a href=1>一</a></li></ul></main>"


def test_more_news_in_the_list_is_the_same_page():
    more = PAGE.replace("</ul>", "<li><a href=2>二</a></li></ul>")

    assert structure(PAGE) == structure(more)


def test_another_layout_is_another_page():
    assert structure(PAGE) != structure("<title>户政</title><h1>停用</h1>")


@pytest.mark.timeout(60)  # the whole page would take hours
@pytest.mark.parametrize("piece", ["<div>", "<a><b>", "<a><b></p>", "<div><style></div></style>"])
def test_a_page_built_to_be_slow_costs_little(piece):
    page = piece * (4_000_000 // len(piece))

    assert (len(structure(page)), title(page)) == (16, "")


def test_a_title_far_down_a_long_head_is_found():
    head = "<script>" + "x" * 200_000 + "</script>"

    assert title(f"<head>{head}<title> 户政\n服务</title></head>") == "户政 服务"


@given(st.text(max_size=300))
def test_any_text_has_a_skeleton_and_a_title(text):
    assert len(structure(text)) == 16
    assert isinstance(title(text), str)
