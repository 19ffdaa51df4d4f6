"""Themes as staff write them, and what follows when an item changes."""

import pytest

from app.applications import service as applications
from app.catalogue import service as catalogue
from app.catalogue.service import VersionEvent
from app.core import db
from app.core.errors import Conflict, Invalid, LevelTooLow, Stale
from app.core.runner import Worker
from app.notices import service as notices
from app.themes import definition, service
from app.themes.domain import PartStatus, VersionState
from tests.app.applications import builders as cases
from tests.app.catalogue.builders import a_version
from tests.app.themes import builders as build
from tests.builders import NOW

pytestmark = [
    pytest.mark.parametrize("app", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("context"),
]


def told(work, *args, **details):
    return db.transaction(lambda: work(*args, **details))


def change(item_id, code, form, **content):
    """Bring a newer version of an item into force."""
    details = {"name": build.NAMES[code], "materials": build.MATERIALS[code], **build.TOGETHER, **content}
    return told(a_version, item_id, form=form, **details)


@pytest.fixture
def items():
    return told(build.the_items)


def drafted(**changed):
    return told(service.draft, {**build.DEFINITION, **changed}, actor="system", now=NOW)


def test_a_published_theme_cannot_be_changed(items):
    theme = told(build.a_theme)
    version = service.newest_versions()[0]

    with pytest.raises(service.VersionMoveNotAllowed):
        told(service.edit, version.id, build.DEFINITION, version=version.version, actor="system")
    assert version.theme_id == theme


def test_a_newer_version_supersedes_the_older(items):
    told(build.a_theme)
    second = drafted(name="开店一件事")

    told(service.publish, second, version=1, actor="system", now=NOW)

    states = {one.number: one.state for one in service.newest_versions()}
    assert states == {2: VersionState.PUBLISHED}
    assert [one.name for one in service.themes()] == ["开店一件事"]


def test_only_one_draft_of_a_theme_lies_about(items):
    drafted()

    with pytest.raises(Conflict):
        drafted()


def test_two_who_edit_one_draft_do_not_overwrite_each_other(items):
    made = drafted()
    told(service.edit, made, build.DEFINITION, version=1, actor="staff:1")

    with pytest.raises(Stale):
        told(service.edit, made, build.DEFINITION, version=1, actor="staff:2")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param(
            {
                "relations": [
                    {"kind": "prerequisite", "item": "GS", "other": "SP"},
                    {"kind": "prerequisite", "item": "SP", "other": "GS"},
                ]
            },
            "前置关系成了环",
            id="prerequisites in a circle",
        ),
        pytest.param(
            {"relations": [{"kind": "parallel", "item": "GS", "other": "XX"}]},
            "没有这个事项",
            id="unknown item",
        ),
        pytest.param(
            {"relations": [{"kind": "result_feeds", "item": "GS", "other": "SP", "field": "licence"}]},
            "要有前置关系",
            id="a result that is not waited for",
        ),
        pytest.param({"items": [{"code": "GS"}]}, "", id="one item is no theme"),
        pytest.param({"colour": "red"}, "", id="an unknown word"),
    ],
)
def test_a_definition_that_is_not_sound_is_refused(changed, words):
    with pytest.raises(Invalid) as refused:
        definition.read({**build.DEFINITION, **changed})

    assert words in str(refused.value.fields)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param(
            {
                "sections": [
                    {"title": "店铺", "questions": [{"name": "mixed", "uses": {"GS": "shop", "SP": "kind"}}]}
                ]
            },
            "填法不同",
            id="two facts as one",
        ),
        pytest.param(
            {"sections": [{"title": "店铺", "questions": [{"name": "shop", "uses": {"GS": "nothing"}}]}]},
            "nothing",
            id="a field that is nowhere",
        ),
        pytest.param(
            {"sections": [{"title": "店铺", "questions": ["seats", "kind"]}]},
            "排在",
            id="a question too early",
        ),
        pytest.param(
            {
                "items": [{"code": "GS", "scheme": "test"}, {"code": "NO", "scheme": "test"}],
                "relations": [],
                "sections": [{"title": "店铺", "questions": ["shop"]}],
                "materials": [],
            },
            "没有 NO",
            id="an item that is not in the directory",
        ),
    ],
)
def test_a_theme_with_errors_is_not_published(items, changed, words):
    made = drafted(**changed)

    with pytest.raises(Invalid) as refused:
        told(service.publish, made, version=1, actor="system", now=NOW)

    assert words in str(refused.value.fields)


def test_a_changed_item_makes_the_theme_stale_and_says_what_changed(items):
    told(build.a_theme)
    view = service.newest_versions()[0]
    before = service.changes_since(view)

    change(
        items["GS"], "GS", build.a_form(**{**build.FORMS["GS"]["schema"]["properties"], "area": build.SEATS})
    )

    assert before == []
    assert service.changes_since(view) == ["个体工商户登记（省公安厅）从第 1 版改到第 2 版：字段增加area"]


def test_a_draft_follows_the_items_and_is_looked_at_before_it_is_submitted(items):
    theme = told(build.a_theme)
    made = told(build.a_draft, theme)
    row = build.row_of(made)
    change(
        items["GS"], "GS", build.a_form(**{**build.FORMS["GS"]["schema"]["properties"], "area": build.SEATS})
    )

    with pytest.raises(service.ThemeChanged):
        told(service.submit, row.resident_id, made, version=row.version, level=1, now=NOW)
    saved = told(service.save, row.resident_id, made, {}, version=row.version, now=NOW)

    assert saved.theme_changed
    assert "area" in service.my_case(row.resident_id, made).form["fields"]
    assert service.my_case(row.resident_id, made).answers["shop"] == "示例小馆"


def test_an_application_keeps_what_it_was_made_with(items):
    theme = told(build.a_theme)
    made = told(build.an_application, theme)
    owner = build.row_of(made).resident_id
    before = service.my_case(owner, made).form

    change(items["GS"], "GS", build.a_form(shop=build.SHOP))

    assert service.my_case(owner, made).form == before


def test_an_item_that_asks_for_more_by_then_waits_as_a_draft_for_the_applicant(app, items):
    made = told(build.an_application, told(build.a_theme))
    more = {**build.FORMS["SP"]["schema"]["properties"], "area": build.SEATS}
    change(items["SP"], "SP", build.a_form(**more))

    told(build.grant, build.case_of(made, "GS"))
    Worker(app, app.extensions["hall_jobs"]).drain()

    assert build.part_of(made, "SP").status is PartStatus.NEEDS_APPLICANT
    draft = cases.row_of(build.case_of(made, "SP"))
    told_of = [one.title for one in notices.messages(draft.resident_id).items]
    assert "食品经营许可等您补充" in told_of
    assert draft.state is applications.State.DRAFT
    assert draft.answers["shop_name"] == "示例小馆"


def test_the_draft_that_waited_counts_once_it_is_submitted(app, items):
    made = told(build.an_application, told(build.a_theme))
    more = {**build.FORMS["SP"]["schema"]["properties"], "area": build.SEATS}
    change(items["SP"], "SP", build.a_form(**more))
    told(build.grant, build.case_of(made, "GS"))
    worker = Worker(app, app.extensions["hall_jobs"])
    worker.drain()
    draft = cases.row_of(build.case_of(made, "SP"))

    told(applications.save_draft, draft.resident_id, draft.id, {"area": 5}, version=draft.version, now=NOW)
    version = cases.version_of(draft.id)
    told(applications.submit, draft.resident_id, draft.id, version=version, now=NOW)
    worker.drain()

    assert build.part_of(made, "SP").status is PartStatus.OPEN


def test_a_suspended_item_is_opened_when_it_is_open_again(items):
    made = told(build.an_application, told(build.a_theme))
    version = catalogue.item(items["SP"]).version_id
    told(catalogue.move_version, version, VersionEvent.SUSPEND, actor="system", now=NOW, reason="停电")
    told(build.grant, build.case_of(made, "GS"))
    told(service.follow, made, now=NOW)
    closed = build.part_of(made, "SP")
    closed_status, closed_reason = closed.status, closed.reason

    told(catalogue.move_version, version, VersionEvent.RESUME, actor="system", now=NOW)
    told(service.follow, made, now=NOW)

    assert (closed_status, closed_reason) == (PartStatus.WAITING, "暂停办理，恢复后自动提交")
    assert build.part_of(made, "SP").status is PartStatus.OPEN


def test_the_highest_level_of_the_items_is_asked_for(items):
    change(items["GS"], "GS", build.FORMS["GS"], level=2)
    made = told(build.a_draft, told(build.a_theme))
    row = build.row_of(made)

    with pytest.raises(LevelTooLow) as refused:
        told(service.submit, row.resident_id, made, version=row.version, level=1, now=NOW)

    assert refused.value.level_needed == 2


def test_a_retired_theme_takes_no_drafts_and_lets_applications_go_on(items):
    theme = told(build.a_theme)
    made, begun = told(build.an_application, theme), told(build.a_draft, theme)
    view, row = service.newest_versions()[0], build.row_of(begun)

    told(service.retire, view.id, version=view.version, reason="合并", actor="system", now=NOW)

    with pytest.raises(service.ThemeClosed):
        told(service.save, row.resident_id, begun, {}, version=row.version, now=NOW)
    told(build.grant, build.case_of(made, "GS"))
    told(service.follow, made, now=NOW)
    assert build.part_of(made, "SP").status is PartStatus.OPEN
