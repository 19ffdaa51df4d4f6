"""What differs between two versions: nothing too much, nothing too little, and in words."""

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from app.catalogue.content import from_json, to_json
from app.catalogue.differences import ChangeKind, Document, applied, differences, normal
from app.catalogue.fields import BY_NAME
from app.catalogue.forms import form_problems
from app.catalogue.wording import told
from tests.app.catalogue.builders import FORM, a_content
from tests.app.catalogue.strategies import CONTENTS, FORMS

DOCUMENTS = st.builds(lambda content, form: Document(to_json(content), form), CONTENTS, FORMS)


def lines(old, new, old_form=FORM, new_form=FORM):
    before, after = Document(to_json(old), old_form), Document(to_json(new), new_form)
    found = told(differences(before, after), before, after)
    return [(one.label, one.kind, one.what, one.old, one.new) for one in found]


def changed_form(name, **words):
    return {**FORM, "fields": {**FORM["fields"], name: {**FORM["fields"][name], **words}}}


@settings(max_examples=150, deadline=None)
@for_all(DOCUMENTS, DOCUMENTS)
def test_the_changes_applied_to_the_old_give_the_new(old, new):
    made = applied(old, differences(old, new))

    assert from_json(made.content) == from_json(new.content)
    assert (made.form and normal(made.form)) == (new.form and normal(new.form))


@settings(max_examples=50, deadline=None)
@for_all(DOCUMENTS)
def test_equal_versions_do_not_differ(document):
    assert differences(document, document) == []


@settings(max_examples=100, deadline=None)
@for_all(DOCUMENTS, DOCUMENTS)
def test_every_change_can_be_said_in_words(old, new):
    for one in told(differences(old, new), old, new):
        assert one.label
        assert one.what or one.old or one.new


def test_every_field_has_a_label_and_a_place_in_the_editor():
    assert set(to_json(a_content())) == set(BY_NAME)


def test_a_normal_form_is_sound_and_asks_the_same():
    assert form_problems(normal(FORM)) == []
    assert normal(FORM) == FORM


def test_codes_are_shown_by_their_labels():
    assert lines(a_content(), a_content(case_type="1", promised_days=0)) == [
        ("办件类型", "changed", "", "承诺件", "即办件"),
        ("承诺办结时限", "changed", "", "8", "0"),
    ]


def test_a_material_is_compared_by_its_code():
    old = [{"code": "m1", "name": "身份证", "handings": ["shared"]}]
    new = [{"code": "m1", "name": "居民身份证", "handings": ["shared"], "copy_count": 1}]

    assert lines(a_content(materials=old), a_content(materials=new)) == [
        ("材料", "changed", "“居民身份证”（m1）：名称", "身份证", "居民身份证"),
        ("材料", "changed", "“居民身份证”（m1）：复印件", "0", "1"),
    ]


def test_what_was_moved_is_no_removal():
    old, new = a_content(conditions=["甲", "乙", "丙"]), a_content(conditions=["丙", "甲", "乙"])

    assert lines(old, new) == [("受理条件", "moved", "“丙”", "", "第 1 位")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param({"help": "照证件填"}, ("填写说明", "（无）", "照证件填"), id="help"),
        pytest.param({"label": "申请人姓名"}, ("名称", "姓名", "申请人姓名"), id="label"),
    ],
)
def test_a_form_is_compared_field_by_field(words, said):
    found = lines(a_content(), a_content(), FORM, changed_form("name", **words))

    assert [(one[0], one[1], one[3:]) for one in found] == [("表单项", ChangeKind.CHANGED, said[1:])]
    assert found[0][2].endswith(f"（name）：{said[0]}")


def test_a_new_form_is_one_change():
    found = lines(a_content(online=False), a_content(online=False), None, FORM)

    assert [(one[0], one[1]) for one in found] == [("表单", "added")]
    assert found[0][4].startswith("姓名、身份证号码")
