"""Versions of items: the machine of the facts, standard checks, one in force at a time."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml

from app.catalogue import domain
from app.catalogue import service as catalogue
from app.catalogue.content import from_json
from app.catalogue.quality import quality_problems
from app.catalogue.service import VersionEvent, VersionMoveNotAllowed, VersionState
from app.core.errors import Conflict, Invalid, NotFound
from config import items
from tests.app.catalogue.builders import FORM, a_content, a_version, an_implementation, an_item
from tests.builders import NOW

FACTS = yaml.safe_load(Path("config/notice/state_machines.yaml").read_text(encoding="utf-8"))["item_version"]

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
"""For rules that hang on no SQL."""


def test_the_machine_is_that_of_the_facts():
    moves = {(move.state.value, move.event.value, move.to.value, move.who) for move in domain.VERSION_MOVES}

    assert moves == {tuple(row[:4]) for row in FACTS["t"]}
    assert {state.value: label for state, label in domain.VERSION_LABELS.items()} == FACTS["states"]


def test_every_sample_passes_the_standard_checks():
    faults = {
        (one.code, place.body): quality_problems(from_json({**one.content, **place.changed}), one.form)
        for one in items.samples()
        for place in one.implementations
    }

    assert {place: found for place, found in faults.items() if found} == {}
    assert len(items.samples()) >= 20


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        pytest.param({"promised_days": 16}, "promise_over_law", id="promise over the law"),
        pytest.param({"case_type": "1"}, "on_the_spot_days", id="on the spot takes days"),
        pytest.param({"visits": 1, "full_process": False}, "visit_reason", id="visit without a reason"),
        pytest.param({"full_process": False}, "zero_visits", id="no visit but not whole online"),
        pytest.param({"online": False}, "online_form", id="form without online"),
        pytest.param({"conditions": []}, "conditions_missing", id="no conditions"),
    ],
)
def test_breaches_of_the_standard_are_named(changed, code):
    assert code in {one.code for one in quality_problems(a_content(**changed), FORM)}


@pytest.mark.parametrize("wrong", [{"served": ["9"]}, {"surprise": 1}, {"materials": [{"code": "m1"}]}])
def test_content_of_another_shape_is_refused(wrong):
    with pytest.raises(ValueError, match="."):
        a_content(**wrong)


def test_a_new_version_takes_the_place_of_the_old_one_and_cases_keep_theirs(given, app):
    item_id = given(an_item)
    with app.app_context():
        old = catalogue.item(item_id)

    given(a_version, item_id, promised_days=5)

    with app.app_context():
        assert catalogue.item(item_id).content.promised_days == 5
        kept = catalogue.version(old.version_id)
        assert (kept.state, kept.content.promised_days) == (VersionState.SUPERSEDED, 8)


@on_sqlite
def test_a_version_does_not_come_into_force_before_its_day(given, app):
    item_id = given(an_implementation)
    tomorrow = NOW.date() + timedelta(days=1)

    with pytest.raises(Conflict):
        given(a_version, item_id, effective_on=tomorrow)

    with app.app_context(), pytest.raises(NotFound):
        catalogue.item(item_id)


def test_the_calendar_brings_filed_versions_into_force(given, app):
    item_id = given(an_implementation)
    given(a_version, item_id, effective_on=date(2026, 3, 2), until=VersionEvent.FILE)

    with app.app_context():
        app.extensions["hall_jobs"]["catalogue.publish-due"].run({})

    with app.app_context():
        assert catalogue.item(item_id).state is VersionState.PUBLISHED


@on_sqlite
def test_what_left_the_desk_is_never_changed(given):
    version_id = given(a_version, given(an_implementation), until=VersionEvent.SUBMIT)

    with pytest.raises(VersionMoveNotAllowed):
        given(
            catalogue.edit_version,
            version_id,
            a_content(),
            FORM,
            effective_on=date(2026, 3, 2),
            actor="system",
        )


@on_sqlite
def test_a_version_that_breaks_the_standard_is_not_taken(given):
    version_id = given(a_version, given(an_implementation), until=None, promised_days=16)

    with pytest.raises(Invalid) as refused:
        given(catalogue.move_version, version_id, VersionEvent.SUBMIT, actor="system", now=NOW)

    assert refused.value.fields == {"promised_days": ["承诺时限不能长于法定时限"]}


@on_sqlite
def test_a_returned_version_needs_a_reason_and_can_be_mended(given, app):
    version_id = given(a_version, given(an_implementation), until=VersionEvent.SUBMIT)

    with pytest.raises(Invalid):
        given(catalogue.move_version, version_id, VersionEvent.RETURN, actor="system", now=NOW)
    given(
        catalogue.move_version,
        version_id,
        VersionEvent.RETURN,
        actor="system",
        now=NOW,
        reason="材料名称不规范",
    )
    given(catalogue.edit_version, version_id, a_content(), FORM, effective_on=NOW.date(), actor="system")

    with app.app_context():
        assert catalogue.version(version_id).state is VersionState.DRAFT


@on_sqlite
def test_a_suspended_item_is_shown_but_not_open(given, app):
    item_id = given(an_item)
    with app.app_context():
        version_id = catalogue.item(item_id).version_id

    given(
        catalogue.move_version, version_id, VersionEvent.SUSPEND, actor="system", now=NOW, reason="系统升级"
    )

    with app.app_context():
        assert not catalogue.item(item_id).open
        assert [one.online for one in catalogue.search("居住证")] == [False]
