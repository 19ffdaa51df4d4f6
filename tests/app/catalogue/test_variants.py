"""Variants (情形): which one the answers make, what it asks for, what the standard checks refuse."""

import pytest

from app.catalogue import service as catalogue
from app.core.errors import Invalid
from tests.app.catalogue.builders import FORM, a_content

VARIANTS = [
    {"code": "work", "name": "因工作", "when": {"===": [{"var": "ground"}, "work"]}},
    {"code": "home", "name": "因住所", "when": {"===": [{"var": "ground"}, "home"]}},
    {"code": "lost", "name": "补领"},
]
MATERIALS = [
    {"code": "m1", "name": "身份证", "handings": ["shared"]},
    {"code": "m2", "name": "劳动合同", "handings": ["paper"], "variants": ["work"]},
    {"code": "m3", "name": "租赁合同", "handings": ["paper"], "variants": ["home", "lost"]},
]


def with_variants(**changed):
    return a_content(**{"variants": VARIANTS, "materials": MATERIALS, **changed})


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        pytest.param({"ground": "work"}, "work", id="the first that holds"),
        pytest.param({"ground": "home"}, "home", id="another"),
        pytest.param({}, "", id="nothing is known"),
    ],
)
def test_answers_make_the_variant(answers, code):
    assert catalogue.variant_for(with_variants(), answers) == code


@pytest.mark.parametrize(
    ("variant", "codes"),
    [
        pytest.param("", ["m1"], id="what everybody hands in"),
        pytest.param("work", ["m1", "m2"], id="one"),
        pytest.param("lost", ["m1", "m3"], id="one that only the applicant can tell"),
    ],
)
def test_a_variant_asks_for_its_own_materials(variant, codes):
    assert [one.code for one in catalogue.materials_for(with_variants(), variant)] == codes


def test_an_unknown_variant_asks_for_nothing_but_is_refused():
    with pytest.raises(Invalid):
        catalogue.materials_for(with_variants(), "moon")


def test_variants_that_are_sound_pass_the_standard_checks():
    assert catalogue.quality_problems(with_variants(), FORM) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        pytest.param({"variants": [*VARIANTS, VARIANTS[0]]}, "variant_twice", id="a code twice"),
        pytest.param(
            {"variants": [*VARIANTS, {"code": "A-1", "name": "甲"}]}, "variant_codes", id="bad code"
        ),
        pytest.param({"variants": [*VARIANTS, {"code": "no", "name": ""}]}, "variant_names", id="no name"),
        pytest.param({"variants": VARIANTS[:2]}, "material_variant", id="a material of no variant"),
        pytest.param({"level": 4}, "level_range", id="a level that does not exist"),
    ],
)
def test_unsound_variants_are_told(changed, code):
    assert [one.code for one in catalogue.quality_problems(with_variants(**changed), FORM)] == [code]


@pytest.mark.parametrize(
    ("when", "word"),
    [
        pytest.param({"===": [{"var": "moon"}, "x"]}, "moon", id="a field that is not asked"),
        pytest.param({"===": [{"var": "name"}, "某"]}, "个人信息", id="a personal field"),
        pytest.param({"<": [{"var": "rooms"}, 3]}, "不支持", id="another language"),
    ],
)
def test_conditions_of_variants_look_at_plain_fields_only(when, word):
    content = with_variants(variants=[*VARIANTS, {"code": "odd", "name": "别的", "when": when}])

    assert word in catalogue.quality_problems(content, FORM)[0].text


def test_a_condition_without_a_form_is_told():
    content = with_variants(online=False)

    assert [one.code for one in catalogue.quality_problems(content, None)] == ["variant_condition"] * 2
