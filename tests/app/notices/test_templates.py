"""Templates: what may be saved, what a version is, and that what was published never changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import db
from app.core.errors import Conflict, Invalid, Stale
from app.notices import service
from app.notices.domain import PlatformForm, Variable, VariableType
from app.notices.service import NotDraft, Right, UnknownTemplate
from app.notices.wording import BadText, checked_values, filled, names_in, problems_of
from tests.app.notices.builders import (
    FIELDS,
    VARIABLES,
    a_form,
    a_resident,
    a_template,
    a_wording,
    an_account,
    tell,
)
from tests.builders import NOW

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
letters = st.text(st.characters(codec="utf-8"), max_size=20)
NAME = Variable("事项", VariableType.TEXT, 20, "户口迁移")


def test_a_sound_wording_has_no_problem():
    assert problems_of(a_wording()) == {}


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        pytest.param({"body": "{事项}{没有}{编号}{时间}"}, "body", "没有声明的变量：没有", id="undeclared"),
        pytest.param({"body": "{事项}{编号}"}, "variables", "变量“时间”没有用到", id="unused"),
        pytest.param({"body": "{事项"}, "body", "大括号没有成对", id="open brace"),
        pytest.param({"body": "事项}"}, "body", "大括号没有成对", id="closing brace"),
        pytest.param({"title": "{事项.__class__}"}, "title", "不是变量名", id="attribute"),
        pytest.param({"title": "{事项[0]}"}, "title", "不是变量名", id="index"),
        pytest.param({"title": "{事项!r}"}, "title", "不是变量名", id="conversion"),
        pytest.param({"title": "{事项:>99}"}, "title", "不是变量名", id="format"),
        pytest.param({"title": "{}"}, "title", "不是变量名", id="no name"),
        pytest.param({"title": "{0}"}, "title", "不是变量名", id="number"),
        pytest.param(
            {"variables": (replace(VARIABLES[0], sample=""), *VARIABLES[1:])},
            "variables",
            "示例",
            id="no sample",
        ),
        pytest.param(
            {"variables": (*VARIABLES[:2], replace(VARIABLES[2], sample="明天"))},
            "variables",
            "格式不对",
            id="no date",
        ),
        pytest.param(
            {"variables": (replace(VARIABLES[0], chars_max=0), *VARIABLES[1:])},
            "variables",
            "长度",
            id="no length",
        ),
        pytest.param({"variables": (*VARIABLES, VARIABLES[0])}, "variables", "重复", id="twice"),
        pytest.param({"order": ("wechat.template", "pigeon")}, "order", "不认识", id="unknown way"),
        pytest.param({"order": ("wechat.template",) * 2}, "order", "重复", id="way twice"),
    ],
)
def test_what_is_wrong_with_a_wording_is_told_at_its_field(changed, field, said):
    assert said in problems_of(a_wording(**changed))[field]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({**FIELDS, "thing1": "您的{事项}"}, "最长可能 22 个字，平台只显示 20 个"),
        ({**FIELDS, "phrase1": "{事项}"}, "平台只显示 5 个"),
        ({**FIELDS, "thing1": "{没有}"}, "没有声明的变量"),
    ],
)
def test_the_longest_value_must_fit_the_platforms_field(fields, said):
    wording = a_wording(PlatformForm(1, Right.TEMPLATE, "T1", fields))

    assert said in " ".join(problems_of(wording).values())


@given(letters | st.just("{编号}"), letters)
@settings(max_examples=50)
def test_a_filled_text_holds_the_values_as_they_are(matter, number):
    values = {"事项": matter, "编号": number}

    assert filled("甲{事项}乙{编号}{{丙}}", values) == "甲" + matter + "乙" + number + "{丙}"


@given(st.text(max_size=40))
@settings(max_examples=50)
def test_no_text_breaks_the_reader(text):
    try:
        names = names_in(text)
    except BadText:
        return
    assert filled(text, dict.fromkeys(names, "x")) is not None


@given(st.text(st.characters(codec="utf-8"), max_size=60))
@settings(max_examples=50)
def test_a_value_is_one_printable_line_of_its_length_or_refused(given_value):
    try:
        made = checked_values((NAME,), {"事项": given_value})["事项"]
    except Invalid:
        return
    assert 1 <= len(made) <= 20
    assert made.isprintable()


def test_a_long_value_is_cut_between_characters_emoji_included():
    assert checked_values((NAME,), {"事项": "😀" * 30})["事项"] == "😀" * 19 + "…"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "事项"),
        ({"事项": "  \n"}, "事项"),
        ({"事项": "甲", "别的": "乙"}, "别的"),
    ],
)
def test_values_that_do_not_fit_are_refused_by_name(data, field):
    with pytest.raises(Invalid) as refused:
        checked_values((NAME,), data)

    assert field in refused.value.fields


@on_sqlite
def test_a_form_the_platform_would_refuse_is_refused_at_save(context):
    account = db.transaction(an_account)
    wrong = a_form(account, fields={"character_string1": "{事项}", "thing2": "{编号}{时间}"})
    wording = a_wording(
        wrong, variables=tuple(replace(one, chars_max=10, sample=one.sample[:4] + "1") for one in VARIABLES)
    )

    with pytest.raises(Invalid) as refused:
        db.transaction(lambda: a_template(wording=wording))

    assert "forms.0" in " ".join(refused.value.fields)


@on_sqlite
def test_what_was_published_never_changes(context):
    published = db.transaction(a_template)

    with pytest.raises(NotDraft):
        db.transaction(lambda: service.change_draft(published.id, a_wording(), row_version=1, by="staff:1"))
    with pytest.raises(NotDraft):
        db.transaction(lambda: service.publish(published.id, by="staff:1", now=NOW))


@on_sqlite
def test_a_new_version_begins_with_the_old_words_and_takes_their_place_when_published(context):
    first = db.transaction(a_template)
    draft = db.transaction(lambda: service.new_version(first.template_id, by="staff:1", now=NOW))
    wording = replace(draft.wording, title="{事项}收到了")
    changed = db.transaction(
        lambda: service.change_draft(draft.id, wording, row_version=draft.row_version, by="staff:1")
    )
    db.transaction(lambda: service.publish(draft.id, by="staff:1", now=NOW))

    states = [(one.number, one.state) for one in service.versions(first.template_id)]
    assert draft.wording == first.wording
    assert states == [(2, "published"), (1, "retired")]
    assert service.difference(first, changed)[:2] == ["- 标题：{事项}已受理", "+ 标题：{事项}收到了"]


@on_sqlite
def test_a_message_keeps_the_words_it_was_made_with(context):
    def build():
        return a_template(), a_resident(an_account())

    first, resident_id = db.transaction(build)
    tell(resident_id)
    draft = db.transaction(lambda: service.new_version(first.template_id, by="staff:1", now=NOW))
    wording = replace(draft.wording, title="换了：{事项}")
    db.transaction(lambda: service.change_draft(draft.id, wording, row_version=1, by="staff:1"))
    db.transaction(lambda: service.publish(draft.id, by="staff:1", now=NOW))
    tell(resident_id, once="case:2")

    titles = [one.title for one in service.messages(resident_id).items]
    assert sorted(titles) == ["户口迁移已受理", "换了：户口迁移"]


@on_sqlite
def test_two_people_cannot_change_one_draft_unseen(context):
    first = db.transaction(a_template)
    draft = db.transaction(lambda: service.new_version(first.template_id, by="staff:1", now=NOW))
    db.transaction(lambda: service.change_draft(draft.id, a_wording(), row_version=1, by="staff:1"))

    with pytest.raises(Stale):
        db.transaction(lambda: service.change_draft(draft.id, a_wording(), row_version=1, by="staff:2"))
    with pytest.raises(Conflict):
        db.transaction(lambda: service.new_version(first.template_id, by="staff:2", now=NOW))


@on_sqlite
def test_nothing_is_sent_from_a_draft_or_a_retired_version(context):
    resident_id = db.transaction(lambda: a_resident(an_account()))
    with pytest.raises(UnknownTemplate):
        tell(resident_id)
    published = db.transaction(a_template)
    db.transaction(lambda: service.retire(published.id, by="staff:1", now=NOW))

    with pytest.raises(UnknownTemplate):
        tell(resident_id)


@on_sqlite
def test_the_standard_templates_are_sound_and_added_once(context):
    added = db.transaction(lambda: service.ensure_standard(now=NOW))
    again = db.transaction(lambda: service.ensure_standard(now=NOW))

    assert added == len(service.templates()) >= 8
    assert again == 0
    assert all(one.published == 1 for one in service.templates())
