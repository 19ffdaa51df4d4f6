from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Invalid
from app.monitoring.domain import CheckKind
from app.monitoring.rules import (
    CITY_DEFAULT,
    FIELDS,
    Rules,
    as_stated,
    checked,
    checked_city_may,
    differing,
    overlaid,
    said,
    terms_of,
)

RULES = Rules()
_ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers())
)


def problems(**stated) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as refused:
        checked(RULES, stated)
    return refused.value.fields


@pytest.mark.parametrize(
    ("name", "value", "said_of_it"),
    [
        pytest.param("interval_seconds", 19, "应在 20 到 86400 之间", id="too close"),
        pytest.param("interval_seconds", 60.5, "请填整数", id="no whole number"),
        pytest.param("down_after", True, "请填整数", id="yes for a number"),
        pytest.param("second_prober", 1, "请填是或否", id="a number for yes"),
        pytest.param("slo_target_rate", 99.5, "应在 90% 到 99.99% 之间", id="per cent for a fraction"),
        pytest.param("official_warn_rate", "3%", "请填 0 到 1 之间的小数", id="text for a fraction"),
        pytest.param("escalate_after_minutes", [0, 30], "请填三个整数", id="two steps"),
        pytest.param("escalate_after_minutes", [0, 30, 20_000], "应在 0 到 14400 之间", id="weeks"),
        pytest.param("escalate_after_minutes", [0, 60, 30], "后一级不能早于前一级", id="province first"),
        pytest.param("hide_kinds", ["page", "page"], "没有这种检查", id="a kind twice"),
        pytest.param("hide_kinds", ["wall"], "没有这种检查", id="no kind"),
        pytest.param("slow_ms", 15_000, "缓慢的界限应小于打开超时", id="slow as the time-out"),
        pytest.param("flap_calm_looks", 2, "不能少于认定故障或恢复所需的次数", id="calm before sure"),
        pytest.param("colour", 1, "没有这项规则", id="unknown"),
    ],
)
def test_what_cannot_hold_is_refused_in_words(name, value, said_of_it):
    assert problems(**{name: value}) == {name: [said_of_it]}


def test_what_a_city_may_not_state_is_refused():
    with pytest.raises(Invalid) as refused:
        checked(RULES, {"down_after": 2}, allowed=CITY_DEFAULT)

    assert refused.value.fields == {"down_after": ["省级规则不允许地市另定这一项"]}


def test_a_city_may_change_only_rules_there_are():
    assert checked_city_may(["slow_ms", "grace_seconds"]) == ("slow_ms", "grace_seconds")
    with pytest.raises(Invalid):
        checked_city_may(["colour"])


def test_only_what_differs_is_stated():
    mine = checked(RULES, {"grace_seconds": 600, "down_after": 3})

    assert differing(RULES, mine) == {"grace_seconds": 600}


def test_terms_confirm_within_half_an_interval():
    terms = terms_of(checked(RULES, {"interval_seconds": 20}))

    assert terms.timeout_seconds == 8.0
    assert terms.rule.longest_gap == timedelta(seconds=68)


def test_a_checks_own_interval_goes_before_the_rules():
    assert terms_of(RULES, 300).interval_seconds == 300


def test_every_rule_is_said_in_words():
    words = {field.name: said(field, getattr(RULES, field.name)) for field in FIELDS}

    assert words["slo_target_rate"] == "99.5%"
    assert words["escalate_after_minutes"] == "0、30、120 分钟"
    assert words["hide_kinds"] == "网页"
    assert all(words.values())


@given(st.sampled_from([field.name for field in FIELDS]), _ANYTHING)
def test_anything_is_either_refused_or_makes_terms(name, value):
    try:
        rules = checked(RULES, {name: value})
    except Invalid:
        return

    assert terms_of(rules).interval_seconds >= 20
    assert overlaid(RULES, as_stated(rules)) == rules


@given(st.sets(st.sampled_from(list(CheckKind))))
def test_rules_survive_being_stored(kinds):
    rules = Rules(hide_kinds=tuple(kinds), escalate_after_minutes=(1, 2, 3))

    assert overlaid(RULES, as_stated(rules)) == rules
