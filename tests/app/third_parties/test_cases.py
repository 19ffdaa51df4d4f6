"""Progress of cases: for the applications of their own body, of residents who agreed, and of no other."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.applications.service import Event, State
from app.core import clock, db
from app.core.runner import Worker
from app.identity import service as identity
from app.organisations import service as organisations
from app.third_parties import service
from app.third_parties.models import EventRow, Use
from app.third_parties.service import EventKind, Scope, Stage
from tests.app.applications.builders import a_case, owner_of, row_of, take_step
from tests.app.third_parties.builders import a_caller, a_key, a_subject, an_app
from tests.builders import a_body

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def agreed(case_id, body):
    """Let the owner of a case agree with an application of ``body``; return application and subject."""
    now, owner = clock.system_clock(), owner_of(case_id)
    made = an_app(approved=True, body=body)
    caller = a_caller(made, Stage.PRODUCTION)
    ticket = identity.issue_ticket(owner, identity.body_audience(body.id), now=now)
    subject = service.redeem(caller, ticket, now=now).subject
    token = service.ask_consent(caller, subject, [Scope.APPLICATIONS_READ], 30, "", now=now)
    service.decide(token, owner, granted=True, now=now)
    return made, subject


def own_body(case_id):
    return organisations.get_body(row_of(case_id).body_id)


def told(app):
    with app.app_context():
        rows = db.session().scalars(select(EventRow).where(EventRow.kind == EventKind.APPLICATION_CHANGED))
        return [(row.app_id, row.data) for row in rows]


def test_the_body_of_a_case_reads_its_progress_and_the_resident_sees_that_it_did(app, client, given):
    case = given(a_case, State.SUBMITTED)
    made, subject = given(lambda: agreed(case, own_body(case)))
    key = given(a_key, made, Stage.PRODUCTION)

    (one,) = key.call(client, "GET", "/applications", query={"subject": subject}).json["items"]

    with app.app_context():
        assert one["number"] == row_of(case).number
        assert db.session().scalars(select(Use.what)).all() == ["办件进度"]


def test_another_body_reads_nothing_of_it_although_the_resident_agreed(client, given):
    case = given(a_case, State.SUBMITTED)
    made, subject = given(lambda: agreed(case, a_body("教育厅")))
    key = given(a_key, made, Stage.PRODUCTION)

    answer = key.call(client, "GET", "/applications", query={"subject": subject})

    assert (answer.status_code, answer.json["items"]) == (200, [])


def test_without_consent_the_sandbox_refuses_as_production_does(client, given):
    key = given(a_key)
    subject = given(a_subject, key.app)

    answer = key.call(client, "GET", "/applications", query={"subject": subject})

    assert (answer.status_code, answer.json["code"]) == (403, "consent_missing")


def test_a_step_is_told_to_who_may_follow_the_case_and_to_nobody_else(app, given):
    case = given(a_case, State.SUBMITTED)
    made, subject = given(lambda: agreed(case, own_body(case)))
    given(lambda: agreed(case, a_body("教育厅")))
    given(take_step, case, Event.ACCEPT)

    Worker(app, app.extensions["hall_jobs"]).drain()

    # The submission was before the consent, but is told of after it: who may read it may hear of it.
    found = told(app)
    assert {app_id for app_id, _ in found} == {made.id}
    assert {data["subject"] for _, data in found} == {subject}
    assert "accepted" in {data["state"] for _, data in found}
