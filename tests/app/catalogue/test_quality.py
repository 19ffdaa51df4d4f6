"""The score of a version and of a body: explained rule by rule, kept in step with the versions."""

import pytest
from sqlalchemy import select

from app.catalogue import standing
from app.catalogue.models import ItemFault, ItemStanding
from app.catalogue.quality import assess
from app.catalogue.quality_rules import RULES, Severity, Subject
from app.catalogue.service import VersionEvent, VersionState
from app.core import db
from tests.app.catalogue.builders import FORM, a_content, a_version, an_implementation, an_item

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
GOOD = {
    "questions": [{"question": "要多久", "answer": "八个工作日"}],
    "places": [{"name": "大厅", "address": "示例路 1 号", "hours": "工作日"}],
    "steps": [{"name": "受理", "days": 1}],
    "synonyms": ["暂住证"],
}
BASIS = [{"name": "居住证暂行条例", "number": "国务院令第663号"}]


def helped(form):
    words = {name: {**told, "help": "照实填写"} for name, told in form["fields"].items()}
    return {**form, "fields": words}


def judged(**changed):
    return assess(Subject(a_content(**{**GOOD, **changed}), helped(FORM), BASIS))


def breaches(**changed):
    return {one.rule.code for one in judged(**changed).failed}


def test_a_version_without_a_breach_has_the_full_score():
    assert judged().failed == ()
    assert judged().score == 100


def test_every_rule_says_what_it_asks_for_who_asks_and_how_to_mend_it():
    assert len({one.code for one in RULES}) == len(RULES)
    assert all(one.text and one.source and one.advice and one.weight > 0 for one in RULES)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        pytest.param({"questions": []}, "questions_missing", id="no questions"),
        pytest.param({"synonyms": []}, "synonyms_missing", id="no synonyms"),
        pytest.param({"places": []}, "places_advised", id="no place"),
        pytest.param({"promised_days": 15}, "promise_not_shorter", id="promise as long as the law"),
        pytest.param({"hotline": "请到大厅问"}, "phone_shape", id="no telephone number"),
        pytest.param({"complaint_line": ""}, "complaint_missing", id="nowhere to complain"),
        pytest.param({"conditions": ["有关部门要求的其他条件"]}, "vague_words", id="vague condition"),
        pytest.param(
            {"materials": [{"code": "m1", "name": "其他材料", "handings": ["paper"]}]},
            "vague_words",
            id="vague material",
        ),
        pytest.param(
            {"materials": [{"code": "m1", "name": "合同", "handings": ["paper"], "source": " "}]},
            "material_source",
            id="material from nobody",
        ),
        pytest.param(
            {"fees": [{"name": "工本费", "fen": 500, "standard": "5 元"}]},
            "fee_basis",
            id="fee without basis",
        ),
        pytest.param({"steps": []}, "steps_missing", id="no steps"),
    ],
)
def test_what_could_be_better_is_named_and_costs_points(changed, code):
    assert breaches(**changed) == {code}
    assert 80 < judged(**changed).score < 100


@pytest.mark.parametrize("number", ["12345", "020-12345678", "400-123-4567", "114"])
def test_numbers_that_can_be_dialled_are_good(number):
    assert breaches(hotline=number) == set()


def test_a_version_that_may_not_be_handed_in_does_not_pass():
    assert judged(conditions=[]).score < 60


def test_a_breach_is_explained_by_its_points():
    found = judged(questions=[]).failed[0]

    assert found.rule.severity is Severity.SHOULD
    assert found.problems == ("没有常见问题",)
    assert 0 < found.points <= 100 - judged(questions=[]).score


def standings(app):
    with app.app_context():
        rows = db.session().execute(select(ItemStanding.live_state, ItemStanding.newest_state)).all()
        return [tuple(row) for row in rows]


def faults(app):
    with app.app_context():
        return set(db.session().scalars(select(ItemFault.rule)))


def test_the_standing_follows_the_versions(given, app):
    item_id = given(an_item)
    before = faults(app)

    given(a_version, item_id, until=VersionEvent.SUBMIT, questions=GOOD["questions"])

    assert standings(app) == [(VersionState.PUBLISHED, VersionState.IN_REVIEW)]
    assert faults(app) == before  # residents still see the old one


@on_sqlite
def test_a_published_version_is_judged_anew(given, app):
    item_id = given(an_item)
    assert "questions_missing" in faults(app)

    given(a_version, item_id, questions=GOOD["questions"])

    assert "questions_missing" not in faults(app)


@on_sqlite
def test_an_implementation_without_versions_stands_there_too(given, app):
    given(an_implementation)

    assert standings(app) == [(None, None)]


@on_sqlite
def test_standings_of_older_rules_are_made_anew_by_the_calendar(given, app):
    given(an_item)
    given(lambda: db.writing().query(ItemStanding).update({"edition": 0}))

    with app.app_context():
        app.extensions["hall_jobs"]["catalogue.assess"].run({})

    with app.app_context():
        assert standing.outdated() == []
