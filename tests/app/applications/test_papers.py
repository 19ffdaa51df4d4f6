"""Papers of a case: issued once, word for word, read by its desk and its applicant only."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from app.applications import retention, service
from app.applications.desk_models import ApplicationDocument
from app.applications.service import Event, State
from app.core import db
from app.core.outbox import JobRow
from app.core.vault import VaultDamaged
from app.identity import service as identity
from tests.app.applications.builders import (
    LATER,
    a_case,
    a_resident,
    an_open_item,
    owner_of,
    row_of,
    take_step,
)
from tests.app.identity.builders import signed_in
from tests.builders import NOW, a_principal, sign_in

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def titles(app, case_id):
    with app.app_context():
        return [one.title for one in service.papers_of(case_id)]


def test_each_step_that_the_law_wants_in_writing_issues_its_paper(given, app):
    item = given(an_open_item, case_type="2", promised_days=8, lawful_days=20)
    case_id = given(a_case, State.SUSPENDED, item_id=item)
    given(take_step, case_id, Event.SPECIAL_END)
    given(take_step, case_id, Event.EXTEND)
    given(
        take_step,
        case_id,
        Event.DECIDE,
        granted=False,
        reason="不符合条件",
        remedy="六十日内可以申请行政复议",
    )

    assert titles(app, case_id) == ["受理通知书", "特别程序告知书", "延长办理期限告知书", "不予决定书"]


@pytest.mark.parametrize(
    ("state", "title", "words"),
    [
        (State.NOT_ACCEPTED, "不予受理通知书", ["理由：不符合受理条件", "六十日内可以申请行政复议"]),
        (State.SUPPLEMENT_DUE, "补正告知书", ["请写单位全称", "2026年3月23日前补正"]),
        (State.RETURNED, "退件通知书", ["逾期没有补正"]),
        (State.DECIDED, "准予决定书", ["决定准予"]),
    ],
)
def test_a_paper_says_what_was_decided_and_what_can_be_done(given, app, state, title, words):
    case_id = given(a_case, state)

    with app.app_context():
        found = service.paper(case_id, service.papers_of(case_id)[-1].id)

    said = str(found.content)
    assert (found.content["title"], found.name) == (title, "测试一")
    assert all(one in said for one in words)
    assert "测试一" not in said


def test_deemed_acceptance_is_told_in_writing_too(given, app):
    case_id = given(a_case)
    given(service.deem_accepted, case_id, now=NOW + LATER)

    with app.app_context():
        found = service.paper(case_id, service.papers_of(case_id)[0].id)

    assert "自2026年3月2日收到申请之日起即为受理" in str(found.content)


def test_a_paper_that_was_tampered_with_is_not_shown(given, app):
    case_id = given(a_case, State.ACCEPTED)

    def tamper():
        row = db.writing().query(ApplicationDocument).one()
        row.content = {**row.content, "texts": ["决定不予受理。"]}

    given(tamper)

    with app.app_context(), pytest.raises(VaultDamaged):
        service.paper(case_id, service.papers_of(case_id)[0].id)


def test_the_desk_and_the_applicant_see_the_same_paper_and_nobody_else_does(given, app):
    me, other = given(a_resident), given(a_resident)
    case_id = given(a_case, State.ACCEPTED, resident_id=me)
    with app.app_context():
        paper_id = service.papers_of(case_id)[0].id
    desk, elsewhere = app.test_client(), app.test_client()
    mine, theirs = signed_in(app, given, me), signed_in(app, given, other)
    sign_in(desk, given, given(a_principal, "city_operator", region_code="440100"))
    sign_in(elsewhere, given, given(a_principal, "city_operator", region_code="440300"))

    shown = [
        desk.get(f"/desk/cases/{case_id}/papers/{paper_id}"),
        mine.get(f"/me/applications/{case_id}/papers/{paper_id}"),
    ]
    refused = [
        elsewhere.get(f"/desk/cases/{case_id}/papers/{paper_id}"),
        theirs.get(f"/me/applications/{case_id}/papers/{paper_id}"),
        theirs.get(f"/me/applications/{case_id}/papers/{paper_id}.pdf"),
        mine.get(f"/me/applications/{case_id}/papers/{paper_id + 1}"),
    ]

    bodies = [re.search("<main>.*</main>", one.text, re.DOTALL)[0] for one in shown]
    assert bodies[0] == bodies[1]
    assert "<b>测试一</b>" in bodies[0]
    assert {one.status_code for one in refused} == {404}


def test_the_applicant_sees_who_read_a_paper_with_the_name_on_it(given, app):
    case_id = given(a_case, State.ACCEPTED)
    with app.app_context():
        paper_id, owner = service.papers_of(case_id)[0].id, owner_of(case_id)
    given(service.keep_print, case_id, paper_id, b"%PDF-1.7")
    desk, mine = app.test_client(), signed_in(app, given, owner)
    sign_in(desk, given, given(a_principal, "city_operator", region_code="440100"))

    desk.get(f"/desk/cases/{case_id}/papers/{paper_id}")
    desk.get(f"/desk/cases/{case_id}/papers/{paper_id}.pdf")
    mine.get(f"/me/applications/{case_id}/papers/{paper_id}")

    found = given(identity.uses, owner)
    assert [one.what for one in found] == ["姓名（受理通知书）"] * 2
    assert {one.case_number for one in found} == {given(lambda: row_of(case_id).number)}


@pytest.mark.browser
def test_the_pdf_is_printed_once_and_stays_the_same_bytes(given, app):
    case_id = given(a_case, State.ACCEPTED)
    with app.app_context():
        paper_id = service.papers_of(case_id)[0].id
        owner = owner_of(case_id)
    browser = signed_in(app, given, owner)
    path = f"/me/applications/{case_id}/papers/{paper_id}.pdf"

    asked = browser.get(path)
    with app.app_context():
        app.extensions["hall_jobs"][service.PRINT_JOB].run(
            {"application_id": str(case_id), "paper_id": str(paper_id)}
        )
    first, again = browser.get(path), browser.get(path)

    assert asked.status_code == 303
    assert first.data.startswith(b"%PDF-")
    assert first.data == again.data
    with app.app_context():
        kept = db.session().get(ApplicationDocument, paper_id).paper
        assert b"%PDF-" not in kept


def test_a_papers_name_is_forgotten_with_its_case_and_its_words_stay(given, app):
    case_id = given(a_case, State.NOT_ACCEPTED)
    with app.app_context():
        paper_id = service.papers_of(case_id)[0].id
        before = service.paper(case_id, paper_id)
    given(service.keep_print, case_id, paper_id, b"%PDF-1.7 named")

    given(retention.forget_case, case_id, now=NOW + LATER)

    with app.app_context():
        after, row = service.paper(case_id, paper_id), db.session().get(ApplicationDocument, paper_id)
        assert (before.name, after.name, after.content) == ("测试一", "申请人", before.content)
        assert service.printed(case_id, paper_id) is None
        assert (row.name_token, row.paper_token, row.paper) == (None, None, None)


def test_a_print_that_failed_for_good_may_be_asked_for_again(given, app):
    case_id = given(a_case, State.NOT_ACCEPTED)
    with app.app_context():
        paper_id = service.papers_of(case_id)[0].id

    for now in (NOW, NOW, NOW + LATER):
        given(service.ask_print, case_id, paper_id, actor="staff:1", now=now)

    with app.app_context():
        asked = select(func.count()).where(JobRow.name == service.PRINT_JOB)
        assert db.session().scalar(asked) == 2
