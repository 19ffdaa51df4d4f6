"""Progress of cases: for the applications of their own body, of residents who agreed, and of no other."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.applications.service import Event, State
from app.core import clock, db
from app.core.runner import Worker
from app.identity import service as identity
from app.organisations import service as organisations
from app.third_parties import delivering, service
from app.third_parties.models import Delivery, EventRow, Use
from app.third_parties.service import EventKind, Scope, Stage
from tests.app.alerts.receivers import a_receiver
from tests.app.applications.builders import a_case, owner_of, row_of, take_step
from tests.app.third_parties.builders import a_boss, a_caller, a_key, a_subject, an_app
from tests.app.third_parties.test_webhooks import a_webhook, log_of
from tests.builders import a_body

CHANGED = [EventKind.APPLICATION_CHANGED]
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


def deliver_all(app, guard):
    """Fan everything out that was said so far, and make the first try of each delivery."""
    with app.app_context():
        for event_id in db.session().scalars(select(EventRow.id)).all():
            db.transaction(lambda event=event_id: service.fan_out(event, now=clock.system_clock()))
        for row in db.session().scalars(select(Delivery)).all():
            delivering.deliver(row.id, row.attempts, guard, clock.system_clock)


def test_the_body_of_a_case_reads_its_progress_and_the_resident_sees_that_it_did(app, client, given):
    case = given(a_case, State.SUBMITTED)
    made, subject = given(lambda: agreed(case, own_body(case)))
    key = given(a_key, made, Stage.PRODUCTION)

    (one,) = key.call(client, "GET", "/applications", query={"subject": subject}).json["items"]

    with app.app_context():
        assert one["number"] == row_of(case).number
        assert db.session().scalars(select(Use.what)).all() == ["办件进度"]
        (use,) = identity.uses(owner_of(case))
        assert made.name in use.by
        assert use.purpose == "您同意过：查看您的办件进度"


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


def test_who_lost_the_scope_hears_of_no_case_any_more(app, given):
    case = given(a_case, State.SUBMITTED)
    made, _ = given(lambda: agreed(case, own_body(case)))
    Worker(app, app.extensions["hall_jobs"]).drain()
    before = told(app)
    now = clock.system_clock()
    given(service.decide_scope, given(a_boss), made.id, Scope.APPLICATIONS_READ, grant=False, now=now)
    given(take_step, case, Event.ACCEPT)

    Worker(app, app.extensions["hall_jobs"]).drain()

    assert told(app) == before


def test_news_of_a_case_that_leave_by_webhook_are_a_use_that_the_resident_sees_once(app, given):
    case = given(a_case, State.SUBMITTED)
    made, subject = given(lambda: agreed(case, own_body(case)))
    data, now = {"subject": subject, "number": "1", "state": "accepted"}, clock.system_clock()
    with a_receiver(lambda _: (500, b"")) as receiver:
        _, webhook, _ = given(a_webhook, made, url=receiver.url, kinds=CHANGED, stage=Stage.PRODUCTION)
        told_of = {"app_id": made.id, "stage": Stage.PRODUCTION, "webhook_id": webhook.id}
        given(service.emit, EventKind.APPLICATION_CHANGED, data, now=now, **told_of)
        deliver_all(app, receiver.guard)
        deliver_all(app, receiver.guard)

    assert len([post for post in receiver.posts if b"application.changed" in post.body]) == 2
    uses = given(lambda: identity.uses(owner_of(case)))
    assert [(one.what, one.case_number) for one in uses] == [("办件进度", "1")]


def test_what_was_not_delivered_while_the_consent_lived_is_never_delivered(app, given):
    case = given(a_case, State.SUBMITTED)
    made, subject = given(lambda: agreed(case, own_body(case)))
    data, now = {"subject": subject, "number": "1", "state": "accepted"}, clock.system_clock()
    with a_receiver() as receiver:
        _, webhook, _ = given(a_webhook, made, url=receiver.url, kinds=CHANGED, stage=Stage.PRODUCTION)
        told_of = {"app_id": made.id, "stage": Stage.PRODUCTION, "webhook_id": webhook.id}
        event = given(service.emit, EventKind.APPLICATION_CHANGED, data, now=now, **told_of)
        given(service.fan_out, event, now=now)
        given(lambda: service.end_all(owner_of(case), now=now))
        deliver_all(app, receiver.guard)

    assert [post for post in receiver.posts if b"application.changed" in post.body] == []
    assert {one.state for one in log_of(app, webhook)} == {service.DeliveryState.FAILED}


def test_a_withdrawn_subscription_gets_nothing_that_still_waits(app, given):
    made, now = given(an_app, approved=True), clock.system_clock()
    with a_receiver() as receiver:
        _, webhook, _ = given(a_webhook, made, url=receiver.url, stage=Stage.PRODUCTION)
        event = given(service.emit, EventKind.PAGE_PUBLISHED, {}, now=now)
        given(service.fan_out, event, now=now)
        given(service.decide_scope, given(a_boss), made.id, Scope.WEBHOOKS, grant=False, now=now)
        deliver_all(app, receiver.guard)

    assert receiver.posts == []
