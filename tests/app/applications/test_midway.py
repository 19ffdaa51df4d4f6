"""What changes while somebody fills in, hands in or waits: the item, the day, the clock of another server."""

import copy
from datetime import timedelta

import pytest

from app.applications import jobs, retention, service
from app.applications.service import Event, State
from app.catalogue import service as catalogue
from app.core import db
from tests.app.applications.builders import (
    a_case,
    a_draft,
    an_open_item,
    owner_of,
    row_of,
    take_step,
    version_of,
)
from tests.app.catalogue.builders import FORM, a_version, good_answers
from tests.builders import NOW

pytestmark = [
    pytest.mark.parametrize("app", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("context"),
]


def do(work, *args, **details):
    return db.transaction(lambda: work(*args, **details))


def a_form(*without, **changed):
    """Return the usual form without some fields, and with others defined anew."""
    form = copy.deepcopy(dict(FORM))
    form["schema"]["properties"] |= changed
    for name in without:
        del form["schema"]["properties"][name], form["fields"][name]
    form["schema"]["required"] = [one for one in form["schema"]["required"] if one not in without]
    for section in form["sections"]:
        section["fields"] = [one for one in section["fields"] if one not in without]
    return form


def save(case_id, answers, **details):
    version = version_of(case_id)
    return do(service.save_draft, owner_of(case_id), case_id, answers, version=version, now=NOW, **details)


def test_a_page_of_the_former_form_is_still_saved_without_what_the_new_one_does_not_ask():
    item_id = do(an_open_item)
    draft_id = do(a_draft, item_id)
    do(a_version, item_id, form=a_form("employer", "phone"))

    saved = save(
        draft_id, {"name": "测试二", "employer": "示例工厂", "phone": None}, materials={"m9": "paper"}
    )

    assert saved.item_changed
    assert saved.cleared == ["employer"]
    assert service.my_case(owner_of(draft_id), draft_id).answers["name"] == "测试二"


def test_an_answer_that_the_new_form_hides_keeps_nobody_from_saving():
    item_id = do(an_open_item)
    draft_id = do(a_draft, item_id)
    form = a_form()
    form["fields"]["truthful"]["visible_if"] = {"===": [{"var": "ground"}, "home"]}
    do(a_version, item_id, form=form)

    saved = save(draft_id, {"truthful": True, "since": "2015-08-01"})

    assert (saved.item_changed, saved.cleared) == (True, ["truthful"])


def test_a_day_that_was_good_when_handed_in_does_not_stop_a_supplement_later():
    form = a_form(since={"type": "string", "format": "date", "x-not-before": "today"})
    case_id = do(a_case, item_id=do(an_open_item, form=form), since=NOW.date().isoformat())
    later = NOW + timedelta(days=3)
    do(take_step, case_id, Event.ASK_SUPPLEMENT, now=later)

    told = {"employer": "示例工厂有限公司"}
    do(service.supply, owner_of(case_id), case_id, told, {}, "", version=version_of(case_id), now=later)

    assert row_of(case_id).state is State.SUBMITTED


def test_a_day_that_is_supplied_must_be_good_on_the_day_it_is():
    form = a_form(since={"type": "string", "format": "date", "x-not-before": "today"})
    case_id = do(a_case, item_id=do(an_open_item, form=form), since=NOW.date().isoformat())
    later = NOW + timedelta(days=3)
    asked = [{"field": "since", "text": "请核对日期"}]
    do(take_step, case_id, Event.ASK_SUPPLEMENT, now=later, items=asked)

    told = {"since": NOW.date().isoformat()}
    with pytest.raises(service.AnswersRefused) as refused:
        do(service.supply, owner_of(case_id), case_id, told, {}, "", version=version_of(case_id), now=later)

    assert list(refused.value.fields) == ["since"]


def test_a_field_that_another_supplied_answer_hides_need_not_be_filled_in():
    case_id = do(a_case)
    asked = [{"field": one, "text": "请核对"} for one in ("ground", "employer")]
    do(take_step, case_id, Event.ASK_SUPPLEMENT, items=asked)

    told = {"ground": "home"}
    do(service.supply, owner_of(case_id), case_id, told, {}, "", version=version_of(case_id), now=NOW)

    assert row_of(case_id).answers.get("employer") is None


def test_one_case_that_fails_holds_up_none_of_the_others(monkeypatch):
    item_id = do(an_open_item)
    several = [do(a_draft, item_id) for _ in range(3)]
    real = retention.end_draft
    done = []

    def act(case_id, *, now):
        if case_id == several[0]:
            raise LookupError("broken")
        done.append(case_id)
        return real(case_id, now=now)

    with pytest.raises(ExceptionGroup, match="1 failed"):
        jobs._each(several, act)

    assert done == several[1:]


def test_a_variant_that_answers_tell_is_not_chosen_against_them():
    told = {"===": [{"var": "ground"}, "home"]}
    variants = [{"code": "own", "name": "自有住房", "when": told}]
    draft_id = do(a_draft, do(an_open_item, variants=variants))

    save(draft_id, {}, variant="own")

    assert row_of(draft_id).variant == ""


def test_a_case_is_still_shown_where_the_place_above_has_not_its_variant():
    item_id = do(an_open_item)
    do(a_version, item_id, variants=[{"code": "own", "name": "自有住房"}])
    case_id = do(a_draft, item_id, ground="home", employer=None)
    save(case_id, {}, variant="own")
    owner = owner_of(case_id)
    do(service.submit, owner, case_id, version=version_of(case_id), now=NOW)
    for event in (Event.ACCEPT, Event.BEGIN, Event.REFER_UP):
        do(take_step, case_id, event)

    above = service.standings([case_id])[case_id].id

    assert above != case_id
    assert [one.code for one in service.my_case(owner, above).needed] == ["m1", "m2"]


def test_whole_numbers_are_whole_however_they_are_written():
    form = a_form()
    form["rules"] = [{"sum": {"of": ["rooms"], "at_most": 3}, "message": "太多"}]
    answers = {**good_answers(employer=None), "ground": "home"}

    kept = catalogue.normalised(form, "rooms", 5.0)

    assert (kept, type(kept)) == (5, int)
    assert "rooms" in catalogue.problems(form, {**answers, "rooms": kept}, NOW.date())


@pytest.mark.parametrize(
    "value",
    [float("inf"), float("nan"), 10**400, -(10**30), {"a": 1}, [[["x"]]]],
    ids=["inf", "nan", "huge", "minus", "object", "nested"],
)
def test_numbers_that_are_none_are_refused_and_not_kept(value):
    draft_id = do(a_draft, ground="home", employer=None)

    with pytest.raises(service.AnswersRefused) as refused:
        save(draft_id, {"rooms": value})

    assert list(refused.value.fields) == ["rooms"]
