"""Scripts of scenes: what is refused, where answers lead."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalogue.scene_script import leaves, script_of, script_problems, walk
from config import items

SCRIPT = {
    "name": "居住",
    "summary": "住下来要办什么",
    "start": "want",
    "questions": {
        "want": {
            "text": "想办什么？",
            "choices": [
                {"code": "permit", "text": "居住证", "to": {"question": "ground"}},
                {"code": "other", "text": "别的", "to": {"exit": "ask"}},
            ],
        },
        "ground": {
            "text": "凭什么？",
            "choices": [
                {"code": "work", "text": "工作", "to": {"item": "T001", "scheme": "test", "variant": "work"}},
                {"code": "none", "text": "没有", "to": {"item": "T001", "scheme": "test"}},
            ],
        },
    },
    "exits": {
        "ask": {
            "title": "到窗口问",
            "text": "不在网上办。",
            "where": "街道",
            "phone": "12345",
            "bring": ["身份证"],
        }
    },
}


def changed(path, value):
    raw = copy.deepcopy(SCRIPT)
    place = raw
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return raw


def choice(**to):
    return {"code": "more", "text": "再一个", "to": to}


def with_choice(question, /, **to):
    choices = [*SCRIPT["questions"][question]["choices"], choice(**to)]
    return changed(["questions", question, "choices"], choices)


TWO = [choice(exit="ask"), {**choice(exit="ask"), "code": "another"}]


def test_a_sound_script_has_no_problems():
    assert script_problems(SCRIPT) == []


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        pytest.param(changed(["start"], "nowhere"), "没有开头的问题 nowhere", id="no start"),
        pytest.param(with_choice("want", question="gone"), "没有问题 gone", id="leads to no question"),
        pytest.param(with_choice("want", exit="gone"), "没有出口 gone", id="leads to no exit"),
        pytest.param(with_choice("ground", question="want"), "圈", id="a circle"),
        pytest.param(with_choice("ground", question="ground"), "圈", id="a question that asks itself"),
        pytest.param(
            changed(["questions", "island"], {"text": "谁？", "choices": TWO}),
            "问题 island 走不到",
            id="island",
        ),
        pytest.param(
            changed(["exits", "alone"], SCRIPT["exits"]["ask"]),
            "出口 alone 走不到",
            id="an exit nobody takes",
        ),
        pytest.param(
            changed(["questions", "want", "choices"], [choice(exit="ask"), choice(exit="ask")]),
            "编号重复",
            id="a code twice",
        ),
        pytest.param(
            changed(["questions", "want", "choices"], []), "choices", id="a question without choices"
        ),
        pytest.param(
            changed(["questions", "want", "choices"], SCRIPT["questions"]["want"]["choices"][:1]),
            "choices",
            id="one choice is no question",
        ),
        pytest.param(with_choice("want"), "to", id="a choice that leads nowhere"),
        pytest.param(with_choice("want", exit="ask", question="ground"), "to", id="two ways at once"),
        pytest.param(changed(["exits", "ask", "phone"], "tel:1<script>"), "phone", id="no phone number"),
        pytest.param({"name": "空"}, "required", id="nothing in it"),
        pytest.param([], "object", id="no object"),
    ],
)
def test_what_would_leave_people_stranded_is_told(raw, word):
    assert word in " ".join(script_problems(raw))


@pytest.mark.parametrize(
    ("answers", "asked", "taken", "left"),
    [
        pytest.param([], "want", 0, 2, id="the start"),
        pytest.param(["permit"], "ground", 1, 1, id="on the way"),
        pytest.param(["permit", "work"], None, 2, 0, id="an item"),
        pytest.param(["other"], None, 1, 0, id="an exit"),
        pytest.param(["permit", "work", "more", "more"], None, 2, 0, id="answers after the end"),
    ],
)
def test_answers_lead_on(answers, asked, taken, left):
    found = walk(script_of(SCRIPT), answers)

    assert (found.question.code if found.question else None) == asked
    assert (len(found.taken), found.most_left, found.outdated) == (taken, left, False)


def test_an_answer_that_is_no_choice_any_more_leaves_people_at_its_question():
    found = walk(script_of(SCRIPT), ["permit", "gone", "work"])

    assert (found.question.code, found.outdated) == ("ground", True)


def test_there_are_sample_scenes_of_many_kinds_and_all_are_sound():
    scenes = items.scenes()

    assert len(scenes) >= 6
    assert {key: script_problems(raw) for key, raw in scenes.items()} == {key: [] for key in scenes}


def test_sample_scenes_end_at_items_and_variants_that_exist_and_name_the_variant():
    variants = {one.code: {row["code"] for row in one.content.get("variants", ())} for one in items.samples()}

    ends = [choice.to for raw in items.scenes().values() for _, choice in leaves(script_of(raw))]

    assert [to for to in ends if to.item not in variants] == []
    assert [to for to in ends if bool(to.variant) != bool(variants[to.item])] == []
    assert [to for to in ends if to.variant and to.variant not in variants[to.item]] == []


@settings(max_examples=50)
@given(st.data())
def test_whoever_goes_on_choosing_arrives(data):
    raw = data.draw(st.sampled_from(list(items.scenes().values())))
    script, answers = script_of(raw), []

    found = walk(script, answers)
    while found.question:
        left = found.most_left
        answers.append(data.draw(st.sampled_from([one.code for one in found.question.choices])))
        found = walk(script, answers)
        assert found.most_left < left

    assert found.target is not None
