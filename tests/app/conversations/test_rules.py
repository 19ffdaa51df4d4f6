from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.conversations.rules import (
    BUILT_IN,
    ROUTES_MAX,
    WORDLESS,
    Action,
    Choice,
    Duty,
    Route,
    Rules,
    Trigger,
    choose,
    from_json,
    problems,
    to_json,
)
from channels.base import EventKind


def a_route(
    name="社保", trigger=Trigger.CONTAINS, words=("社保",), action=Action.SAY, said="社保在这里", **more
):
    return Route(name, trigger, words, action, said, **more)


def said_to(rules, text, kind=EventKind.TEXT, action=""):
    chosen = choose(rules, kind, text, action)
    return chosen and chosen.name


def test_an_account_that_nobody_set_up_searches_for_what_is_asked():
    assert choose(BUILT_IN, EventKind.TEXT, "户口", "") == Choice("搜索", Action.SEARCH)


@pytest.mark.parametrize("text", ["社保", "我想查 社保", "社保怎么交？"])
def test_a_word_inside_a_sentence_sets_its_route_off(text):
    assert said_to(Rules(routes=(a_route(),)), text) == "社保"


def test_an_exact_word_must_be_all_that_was_said():
    rules = Rules(routes=(a_route(trigger=Trigger.EXACT),))

    assert said_to(rules, " 社保 ") == "社保"
    assert said_to(rules, "社保卡") == "搜索"


@pytest.mark.parametrize("text", ["ＡＢＣ卡", "abc卡", "Abc卡", "ａｂｃ卡"])
def test_width_and_case_make_no_difference(text):
    assert said_to(Rules(routes=(a_route(words=("aBc",)),)), text) == "社保"


def test_traditional_and_simplified_characters_are_alike_both_ways():
    assert said_to(Rules(routes=(a_route(words=("户口迁移",)),)), "戶口遷移怎麼辦") == "社保"
    assert said_to(Rules(routes=(a_route(words=("戶口遷移",)),)), "户口迁移怎么办") == "社保"


def test_the_smaller_priority_goes_first_and_among_equals_the_table_decides():
    late, early = a_route("late", priority=200), a_route("early", priority=10)

    assert said_to(Rules(routes=(late, early)), "社保") == "early"
    assert said_to(Rules(routes=(a_route("first"), a_route("second"))), "社保") == "first"


def test_a_route_that_is_switched_off_does_not_answer():
    assert said_to(Rules(routes=(a_route(active=False),)), "社保") == "搜索"


def test_own_routes_go_before_the_words_for_a_person():
    rules = Rules(handover=True, routes=(a_route("own", words=("人工",)),))

    assert said_to(rules, "人工") == "own"
    assert said_to(replace(rules, routes=()), "人工") == "转人工"
    assert said_to(replace(rules, routes=(), handover=False), "人工") == "搜索"


def test_without_search_words_get_the_default_answer():
    assert choose(Rules(search=False, default_text="您好"), EventKind.TEXT, "x", "") == Choice(
        "默认回复", Action.SAY, "您好"
    )


def test_menu_keys_and_scenes_have_routes_of_their_own():
    rules = Rules(
        routes=(a_route("menu", Trigger.MENU, ("m1",)), a_route("scene", Trigger.SCENE, ("desk-7",)))
    )

    assert said_to(rules, "", EventKind.MENU, "m1") == "menu"
    assert said_to(rules, "", EventKind.SCAN, "desk-7") == "scene"
    assert said_to(rules, "", EventKind.FOLLOW, "desk-7") == "scene"
    assert said_to(rules, "", EventKind.FOLLOW, "") == "关注欢迎语"
    assert said_to(rules, "desk-7") == "搜索"


def test_our_own_menu_keys_are_answered_unless_a_route_takes_them():
    assert said_to(BUILT_IN, "", EventKind.MENU, "help") == "内置：怎样使用"
    assert said_to(BUILT_IN, "", EventKind.MENU, "https://hall.example/") is None
    assert (
        said_to(Rules(routes=(a_route("own", Trigger.MENU, ("help",)),)), "", EventKind.MENU, "help") == "own"
    )


def test_entering_is_greeted_only_with_words_of_the_accounts_own():
    assert said_to(BUILT_IN, "", EventKind.ENTER) is None
    assert said_to(Rules(enter_greeting="您好"), "", EventKind.ENTER) == "进入欢迎语"


@pytest.mark.parametrize("kind", sorted(WORDLESS))
def test_what_is_no_words_is_answered_with_how_to_ask(kind):
    assert said_to(BUILT_IN, "", kind) == "看不懂的消息"


@pytest.mark.parametrize(
    "kind",
    [
        EventKind.UNFOLLOW,
        EventKind.RECEIPT,
        EventKind.CONSENT,
        EventKind.POSITION,
        EventKind.SERVICE,
        EventKind.ACCOUNT,
        EventKind.UNKNOWN,
        EventKind.SCAN,
    ],
)
def test_what_nobody_said_to_us_is_not_answered(kind):
    assert choose(BUILT_IN, kind, "", "desk-7") is None


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        pytest.param({"greeting": "a" * 601}, "greeting", id="too long"),
        pytest.param({"greeting": "a\x00"}, "greeting", id="control character"),
        pytest.param({"greeting": "\ud800"}, "greeting", id="half a character"),
        pytest.param({"matches": 0}, "matches", id="no matches"),
        pytest.param({"matches": 9}, "matches", id="too many matches"),
        pytest.param({"fresh_minutes": 61}, "fresh_minutes", id="stale"),
        pytest.param({"duty": Duty.DAILY, "opens": 600, "closes": 600}, "opens", id="no hours"),
        pytest.param({"handover": True, "handover_words": ()}, "handover_words", id="no words"),
        pytest.param({"hotline": ""}, "hotline", id="nobody to call"),
        pytest.param({"routes": (a_route(),) * (ROUTES_MAX + 1)}, "routes", id="too many routes"),
        pytest.param({"routes": (a_route(name=""),)}, "route-0", id="no name"),
        pytest.param({"routes": (a_route(words=()),)}, "route-0", id="no keyword"),
        pytest.param({"routes": (a_route(), a_route(words=("a" * 41,)))}, "route-1", id="long keyword"),
        pytest.param({"routes": (a_route(said=""),)}, "route-0", id="nothing said"),
        pytest.param({"routes": (a_route(priority=1000),)}, "route-0", id="priority"),
        pytest.param({"routes": (a_route(action=Action.PICTURE),)}, "route-0", id="no pictures here"),
        pytest.param(
            {"routes": (a_route(trigger=Trigger.SCENE, action=Action.SEARCH, said=""),)},
            "route-0",
            id="no words",
        ),
    ],
)
def test_rules_that_cannot_work_are_refused_by_field(changed, field):
    assert list(problems(replace(BUILT_IN, **changed), pictures=False)) == [field]


def test_the_hall_brings_along_rules_without_a_fault():
    assert problems(BUILT_IN, pictures=False) == {}


ROUTES = st.builds(
    Route,
    name=st.text(max_size=5),
    trigger=st.sampled_from(Trigger),
    words=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    action=st.sampled_from(Action),
    said=st.text(max_size=5),
    priority=st.integers(0, 5),
    active=st.booleans(),
)
RULES = st.builds(
    Rules,
    search=st.booleans(),
    handover=st.booleans(),
    duty=st.sampled_from(Duty),
    routes=st.lists(ROUTES, max_size=4).map(tuple),
)


@settings(max_examples=50)
@given(rules=RULES)
def test_rules_are_read_as_they_were_kept(rules):
    assert from_json(to_json(rules)) == rules


@settings(max_examples=50)
@given(rules=RULES, text=st.text(max_size=8), kind=st.sampled_from(EventKind))
def test_any_words_under_any_rules_are_answered_or_left_in_silence(rules, text, kind):
    chosen = choose(rules, kind, text, text)

    assert chosen is None or chosen.action in Action


def test_a_setting_that_is_newer_than_what_was_kept_has_its_built_in_value():
    kept = to_json(Rules(greeting="您好"))
    del kept["fresh_minutes"]

    assert from_json(kept) == Rules(greeting="您好")
