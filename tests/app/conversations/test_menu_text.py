import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.conversations.menu_text import BadMenu, difference, labelled, read, write
from channels.base import MenuEntry, MenuRule

NAMES = st.text(st.sampled_from("办事社保户口 a1"), min_size=1, max_size=6).filter(
    lambda name: name == name.strip()
)
LEAVES = st.builds(
    lambda name, target: MenuEntry(name, **target),
    NAMES,
    st.sampled_from([{"url": "https://hall.example/go/1?a=b"}, {"key": "help"}]),
)
TOPS = st.one_of(
    LEAVES,
    st.builds(
        lambda name, children: MenuEntry(name, children=tuple(children)),
        NAMES,
        st.lists(LEAVES, min_size=1, max_size=3),
    ),
)


def test_a_menu_is_written_line_by_line():
    menu = (
        MenuEntry(
            "办事", children=(MenuEntry("户口", url="https://hall.example/1"), MenuEntry("帮助", key="help"))
        ),
        MenuEntry("首页", url="https://hall.example/"),
    )

    assert write(menu).split("\n") == [
        "办事",
        "- 户口 | https://hall.example/1",
        "- 帮助 | key:help",
        "首页 | https://hall.example/",
    ]


@settings(max_examples=50)
@given(menu=st.lists(TOPS, max_size=3).map(tuple))
def test_what_was_written_is_read_again(menu):
    assert read(write(menu)) == menu


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("- 户口 | https://a.example/", "第 1 行", id="child without parent"),
        pytest.param(
            "首页 | https://a.example/\n- 户口 | https://a.example/", "第 2 行", id="parent with address"
        ),
        pytest.param("办事", "第 1 行", id="leads nowhere"),
        pytest.param("办事\n- 户口", "第 2 行", id="child leads nowhere"),
        pytest.param("| https://a.example/", "第 1 行", id="no name"),
        pytest.param("a" * 8001, "最多", id="too long"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(text, line):
    with pytest.raises(BadMenu, match=line):
        read(text)


@settings(max_examples=50)
@given(text=st.text(st.sampled_from("办-| k:ey\n\t\u2028"), max_size=30))
def test_any_text_is_a_menu_or_refused(text):
    try:
        menu = read(text)
    except BadMenu:
        return
    assert all(isinstance(entry, MenuEntry) for entry in menu)


def test_what_differs_is_shown_with_both_sides():
    ours, theirs = (MenuEntry("新", key="k"),), (MenuEntry("旧", key="k"),)

    assert difference(ours, theirs) == ["-旧 | key:k", "+新 | key:k"]
    assert difference(ours, ours) == []


def test_a_rule_is_called_by_whom_it_is_for():
    tree = (MenuEntry("a", key="k"),)

    assert labelled(MenuRule(tree, tag="7", system="ios")) == "标签 7、苹果"
    assert labelled(MenuRule(tree, system="android")) == "安卓"
