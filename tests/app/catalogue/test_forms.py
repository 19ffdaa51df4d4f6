"""Forms: what is sound, what is asked for, which answers are good."""

import copy
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalogue import conditions, forms
from config import items
from tests.app.catalogue.builders import FORM, an_id_number, good_answers, valid_id_number

TODAY = date(2026, 3, 2)


def changed_form(**changes):
    form = copy.deepcopy(FORM)
    for path, value in changes.items():
        place, name = path.split("__")
        target = form["schema"]["properties"] if place == "properties" else form["fields"]
        target[name] = value
    return form


def test_every_sample_form_is_sound():
    faults = {one.code: forms.form_problems(one.form) for one in items.samples() if one.form}

    assert {code: found for code, found in faults.items() if found} == {}


@pytest.mark.parametrize(
    ("form", "word"),
    [
        pytest.param(changed_form(properties__name={"type": "string"}), "name", id="text without a limit"),
        pytest.param(
            changed_form(properties__name={"type": "string", "maxLength": 9, "pattern": "(a+)+"}),
            "name",
            id="a pattern, which may never end",
        ),
        pytest.param(changed_form(properties__more={"type": "boolean"}), "小节", id="in no section"),
        pytest.param(
            changed_form(fields__name={"label": "姓名", "visible_if": {"===": [{"var": "ground"}, "work"]}}),
            "前面",
            id="hangs on a later field",
        ),
        pytest.param(
            changed_form(fields__since={"label": "日", "visible_if": {"===": [{"var": "name"}, "某"]}}),
            "个人信息",
            id="hangs on a personal answer",
        ),
        pytest.param(
            changed_form(fields__rooms={"label": "数", "visible_if": {"<": [{"var": "ground"}, 3]}}),
            "不支持",
            id="a loose operator",
        ),
    ],
)
def test_unsound_forms_are_told(form, word):
    assert word in " ".join(forms.form_problems(form))


@pytest.mark.parametrize("name", ["version", "statement", "key"])
def test_a_field_cannot_take_a_name_that_the_page_itself_sends(name):
    form = copy.deepcopy(FORM)
    form["schema"]["properties"][name] = {"type": "string", "maxLength": 9}
    form["fields"][name] = {"label": "说明"}
    form["sections"][0]["fields"].append(name)

    assert forms.form_problems(form) == [f"{name}: 这个字段名是网页自己用的，请换一个，例如 my_{name}"]


def test_good_answers_have_no_problems():
    assert forms.problems(FORM, good_answers(), TODAY) == {}


@pytest.mark.parametrize(
    ("changed", "field", "word"),
    [
        pytest.param({"name": None}, "name", "请填写", id="missing"),
        pytest.param({"rooms": 3}, "rooms", "不需要", id="answer to a hidden field"),
        pytest.param({"nothing": "x"}, "nothing", "不需要", id="unknown field"),
        pytest.param({"id_number": valid_id_number()[:17] + "0"}, "id_number", "校验码", id="check digit"),
        pytest.param({"id_number": an_id_number("990001")}, "id_number", "地区", id="no such region"),
        pytest.param({"phone": "12345"}, "phone", "手机", id="not a mobile number"),
        pytest.param({"since": "2026-03-03"}, "since", "晚于", id="tomorrow"),
        pytest.param({"since": "2026-02-30"}, "since", "存在", id="no such day"),
        pytest.param({"since": "1756-01-01"}, "since", "早于", id="before everybody's time"),
        pytest.param({"ground": "love"}, "ground", "选项", id="not one of the choices"),
        pytest.param({"truthful": False}, "truthful", "勾选", id="not agreed"),
        pytest.param({"truthful": 1}, "truthful", "不对", id="a number for a yes"),
        pytest.param({"employer": "x" * 31}, "employer", "30", id="too long"),
    ],
)
def test_bad_answers_are_told_by_field(changed, field, word):
    assert word in forms.problems(FORM, good_answers(**changed), TODAY)[field][0]


def test_a_hidden_field_is_not_demanded():
    answers = good_answers(ground="home", employer=None)

    assert forms.problems(FORM, answers, TODAY) == {}


def test_a_draft_keeps_what_is_half_typed_but_not_what_cannot_be_an_answer():
    found = forms.shape_problems(FORM, {"id_number": "4453", "employer": "x" * 31, "rooms": "三", "no": 1})

    assert set(found) == {"employer", "rooms", "no"}


def test_what_people_type_is_normalised():
    kept = {
        "id_number": forms.normalised(FORM, "id_number", " 44539919560229004x"),
        "phone": forms.normalised(FORM, "phone", "+86 138-0000-0000"),
        "name": forms.normalised(FORM, "name", "  "),
    }

    assert kept == {"id_number": "44539919560229004X", "phone": "13800000000", "name": None}


names = st.sampled_from(["a", "b", "c"])
plain = st.sampled_from(["x", "y", True, False, 0, 1])
values = st.dictionaries(names, st.one_of(plain, st.lists(plain, max_size=2)))
compares = st.tuples(st.sampled_from(["===", "!=="]), names, plain).map(
    lambda t: {t[0]: [{"var": t[1]}, t[2]]}
)
one_of = st.tuples(names, st.lists(plain, min_size=1, max_size=3)).map(
    lambda t: {"in": [{"var": t[0]}, t[1]]}
)
condition = st.recursive(
    compares | one_of,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2).map(lambda told: {"and": told})
        | st.lists(inner, min_size=1, max_size=2).map(lambda told: {"or": told})
        | inner.map(lambda told: {"!": told})
    ),
    max_leaves=4,
)


@settings(max_examples=50)
@given(condition, values)
def test_a_negated_condition_holds_exactly_when_the_condition_does_not(told, answers):
    assert conditions.holds({"!": told}, answers) is not conditions.holds(told, answers)


def test_true_is_not_one():
    assert not conditions.holds({"===": [{"var": "a"}, 1]}, {"a": True})
    assert not conditions.holds({"in": [True, {"var": "a"}]}, {"a": [1]})
