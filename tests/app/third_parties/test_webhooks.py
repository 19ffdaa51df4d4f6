"""Webhooks: signed, told to each subscriber by itself, tried again on a ladder, and on record."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from app.alerts.models import AlertRow
from app.core import clock, db
from app.core.errors import Invalid
from app.core.outbox import JobRow
from app.core.runner import Worker
from app.mobile_access import service as mobile_access
from app.mobile_access.service import State
from app.third_parties import delivering, service, webhooks
from app.third_parties.domain import LADDER, next_try
from app.third_parties.models import Delivery, EventRow, Webhook
from app.third_parties.service import EventKind, Stage, WebhookState
from mobile_pages.guard import Guard, Policy
from tests.app.alerts.receivers import a_receiver
from tests.app.mobile_access.builders import a_page
from tests.app.third_parties.builders import a_key, an_app
from tests.builders import NOW, a_principal

LITE = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
PUBLISHED = [EventKind.PAGE_PUBLISHED]
TOLD = "alerts.tell-of-paused-webhook"


def a_webhook(app=None, *, url, kinds=PUBLISHED, stage=Stage.SANDBOX):
    """Subscribe; return application, webhook and secret."""
    found = app or an_app()
    webhook, secret = service.add_webhook(found.id, stage, url, kinds, actor="test", now=clock.system_clock())
    return found, webhook, secret


def emit(kind=EventKind.PAGE_PUBLISHED, **how):
    return service.emit(kind, {"name": "户口"}, now=clock.system_clock(), **how)


def deliver_once(app, guard, *, ahead=timedelta(0), **how):
    """Make the try that is due of the only delivery, at a moment ``ahead`` of now."""
    with app.app_context():
        for event_id in db.session().scalars(select(EventRow.id)):
            db.transaction(lambda event=event_id: service.fan_out(event, now=clock.system_clock()))
        row = db.session().scalars(select(Delivery)).one()
        delivering.deliver(row.id, row.attempts, guard, lambda: clock.system_clock() + ahead, **how)
        return db.session().scalars(select(Delivery).execution_options(populate_existing=True)).one()


def log_of(app, webhook):
    with app.app_context():
        return service.deliveries([webhook.id])


@LITE
def test_a_receiver_verifies_it_with_the_standards_own_library(app, given, tables):
    with a_receiver() as receiver:
        _, webhook, secret = given(a_webhook, url=receiver.url)
        event_id = given(emit)
        row = deliver_once(app, receiver.guard)

    (post,) = receiver.posts
    said = Verifier(secret).verify(post.body, post.headers)
    assert (said["type"], said["data"]) == ("page.published", {"name": "户口"})
    assert post.headers["webhook-id"] == f"evt_{event_id}"
    assert row.state is service.DeliveryState.DELIVERED
    (one,) = log_of(app, webhook)
    assert [(attempt.number, attempt.status, attempt.error) for attempt in one.tries] == [(1, 200, "")]


@LITE
def test_after_a_rotation_both_secrets_verify_for_a_day_then_the_new_one_only(app, given, tables):
    with a_receiver() as receiver:
        made, webhook, old = given(a_webhook, url=receiver.url)
        now = clock.system_clock()
        new = given(service.rotate_secret, made.id, Stage.SANDBOX, webhook.id, actor="test", now=now)
        given(emit)
        deliver_once(app, receiver.guard)

    (post,) = receiver.posts
    assert Verifier(old).verify(post.body, post.headers) == Verifier(new).verify(post.body, post.headers)
    with app.app_context():
        assert secrets_at(webhook.id, now + timedelta(hours=23)) == [new, old]
        assert secrets_at(webhook.id, now + timedelta(hours=24)) == [new]


def secrets_at(webhook_id, at):
    return webhooks.secrets_of(db.session().get_one(Webhook, webhook_id), at)


@hypothesis_settings(max_examples=40)
@hypothesis_given(st.binary(max_size=50), st.binary(min_size=1, max_size=10))
def test_no_other_body_passes_under_a_signature(body, more):
    secret = "whsec_" + "A" * 43 + "="
    text = body.hex().encode()
    lines = delivering.signed_headers(7, text, [secret], clock.system_clock())
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)

    Verifier(secret).verify(text, headers, json_parse=False)

    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(text + more.hex().encode(), headers, json_parse=False)


def test_the_ladder_has_nine_rungs_and_then_ends():
    waits = [next_try(number, NOW) for number in range(1, len(LADDER) + 2)]

    assert [at - NOW for at in waits[:-1]] == list(LADDER)
    assert waits[-1] is None
    assert sum(LADDER, timedelta()) > timedelta(days=2)


@LITE
def test_a_refusal_climbs_the_ladder_and_the_next_success_ends_it(app, given, tables):
    answers = iter([(500, b"no"), (302, b""), (204, b"")])
    with a_receiver(lambda _post: next(answers)) as receiver:
        _, webhook, _ = given(a_webhook, url=receiver.url)
        given(emit)
        waits = []
        for _ in range(3):
            began = clock.system_clock()
            row = deliver_once(app, receiver.guard)
            waits.append(row.next_at and round((row.next_at - began).total_seconds()))

    assert waits == [5, 60, None]
    (one,) = log_of(app, webhook)
    assert [attempt.status for attempt in one.tries] == [500, 302, 204]
    assert len({post.headers["webhook-id"] for post in receiver.posts}) == 1


@LITE
def test_a_webhook_that_takes_nothing_through_the_whole_ladder_is_paused_and_its_owner_told(
    app, given, tables
):
    with a_receiver(lambda _post: (503, b"")) as receiver:
        made, _, _ = given(a_webhook, url=receiver.url)
        given(emit)
        for _ in range(len(LADDER) + 1):
            row = deliver_once(app, receiver.guard)
    with app.app_context():
        told = db.session().scalars(select(JobRow).where(JobRow.name == TOLD)).one()
        app.extensions["hall_jobs"][TOLD].run(told.payload)

        (now,) = service.webhooks_of(made.id)
        alert = db.session().scalars(select(AlertRow)).one()

    assert (row.state, row.attempts) == (service.DeliveryState.FAILED, len(LADDER) + 1)
    assert (now.state, now.last_error) == (WebhookState.PAUSED, "http_503")
    assert (alert.body_id, alert.topic) == (made.body_id, "webhook.paused")
    assert made.name in alert.title


@LITE
def test_410_means_never_again(app, given, tables):
    with a_receiver(lambda _post: (410, b"")) as receiver:
        made, _, _ = given(a_webhook, url=receiver.url)
        given(emit)
        row = deliver_once(app, receiver.guard)

    assert row.state is service.DeliveryState.FAILED
    with app.app_context():
        assert service.webhooks_of(made.id)[0].state is WebhookState.PAUSED


@LITE
def test_a_started_webhook_gets_what_is_delivered_again_by_hand(app, given, tables):
    answers = iter([(410, b""), (200, b"")])
    with a_receiver(lambda _post: next(answers)) as receiver:
        made, webhook, _ = given(a_webhook, url=receiver.url)
        given(emit)
        row = deliver_once(app, receiver.guard)
        given(start, made, webhook)
        given(service.redeliver, made.id, Stage.SANDBOX, row.id, now=clock.system_clock())
        row = deliver_once(app, receiver.guard)

    assert (row.state, row.attempts) == (service.DeliveryState.DELIVERED, 2)


def start(made, webhook):
    version = service.get_webhook(made.id, Stage.SANDBOX, webhook.id).version
    how = {"version": version, "kinds": PUBLISHED, "active": True, "actor": "test"}
    return service.change_webhook(made.id, Stage.SANDBOX, webhook.id, **how)


def test_each_subscriber_is_served_by_itself_and_only_with_what_it_wants(app, given, tables):
    made, _, _ = given(a_webhook, url="http://127.0.0.1:9/a")
    given(a_webhook, made, url="http://127.0.0.1:9/b")
    given(a_webhook, made, url="http://127.0.0.1:9/c", kinds=[EventKind.CONSENT_ENDED])
    event_id = given(emit)

    found = [given(service.fan_out, event_id, now=clock.system_clock()) for _ in range(2)]

    assert found == [2, 0]


@LITE
def test_what_concerns_one_application_in_one_environment_is_told_to_no_other(app, given, tables):
    made, webhook, _ = given(a_webhook, url="http://127.0.0.1:9/a")
    given(a_webhook, given(an_app, name="另一个"), url="http://127.0.0.1:9/b")
    sandbox = given(emit, app_id=made.id, stage=Stage.SANDBOX)
    production = given(emit, app_id=made.id, stage=Stage.PRODUCTION)

    found = [given(service.fan_out, one, now=clock.system_clock()) for one in (sandbox, production)]

    assert found == [1, 0]
    assert [one.webhook_id for one in log_of(app, webhook)] == [webhook.id]


@LITE
def test_a_page_going_online_and_offline_is_told_to_subscribers(app, given, tables):
    kinds = [EventKind.PAGE_PUBLISHED, EventKind.PAGE_SUSPENDED]
    _, webhook, _ = given(a_webhook, url="http://127.0.0.1:9/a", kinds=kinds)
    page = given(a_page, state=State.ONLINE, name="户口办理", now=clock.system_clock())
    given(a_suspension, page.id)

    Worker(app, app.extensions["hall_jobs"]).drain()

    found = log_of(app, webhook)
    assert sorted(one.kind for one in found) == kinds
    assert all(one.tries[0].error for one in found)


def a_suspension(page_id):
    reviewer = a_principal("province_reviewer")
    version = mobile_access.get(reviewer, page_id).version
    mobile_access.suspend(reviewer, page_id, "内容有误", version=version, now=clock.system_clock())


@LITE
@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/x", "http://169.254.169.254/", "ftp://example.cn/", "https://u:p@example.cn/", "x", ""],
)
def test_no_webhook_leads_inside(client, given, url):
    key = given(a_key)

    answer = key.call(client, "POST", "/webhooks", {"url": url, "events": ["page.published"]})

    assert answer.status_code == 422


def test_an_address_that_is_public_must_be_encrypted():
    guard = Guard(Policy.allowing([], test_or_demo=False), resolve=lambda _name: ["93.184.216.34"])

    with pytest.raises(Invalid):
        service.vetted_url("http://hooks.example.cn/x", guard)
    assert service.vetted_url("https://hooks.example.cn/x", guard) == "https://hooks.example.cn/x"


def test_an_address_that_does_not_resolve_yet_must_be_encrypted_too():
    def nowhere(_name):
        raise OSError

    guard = Guard(Policy.allowing([], test_or_demo=False), resolve=nowhere)

    with pytest.raises(Invalid):
        service.vetted_url("http://hooks.example.cn/x", guard)
    assert service.vetted_url("https://hooks.example.cn/x", guard) == "https://hooks.example.cn/x"


@LITE
def test_a_name_that_turns_to_an_inner_address_later_is_not_reached(app, given, tables):
    _, webhook, _ = given(a_webhook, url="https://hooks.example.cn/x")
    given(emit)
    guard = Guard(Policy.allowing([], test_or_demo=False), resolve=lambda _name: ["10.0.0.1"])

    deliver_once(app, guard)

    (one,) = log_of(app, webhook)
    assert one.tries[0].error == "guard_private_address"


@LITE
def test_the_api_sets_up_pings_changes_and_removes_a_webhook(app, client, given):
    key = given(a_key)
    url = {"url": "https://hooks.invalid/x", "events": ["page.published"]}
    made = key.call(client, "POST", "/webhooks", url).json["webhook"]
    path = f"/webhooks/{made['id']}"
    key.call(client, "POST", f"{path}/pings")
    Worker(app, app.extensions["hall_jobs"]).drain()

    log = key.call(client, "GET", f"{path}/deliveries").json["items"]
    assert [one["kind"] for one in log] == ["ping"]
    new = {"events": ["consent.ended"], "active": False, "version": made["version"]}
    assert key.call(client, "PUT", path, new).json["state"] == "paused"
    assert key.call(client, "PUT", path, new).status_code == 409
    assert key.call(client, "POST", f"{path}/pings").json["code"] == "webhook_paused"
    assert key.call(client, "POST", f"{path}/secret").json["secret"].startswith("whsec_")
    assert key.call(client, "DELETE", path).status_code == 204
    assert key.call(client, "GET", path).status_code == 404


@LITE
def test_the_webhooks_of_others_and_of_the_other_environment_are_not_found(app, client, given):
    mine = given(an_app, approved=True)
    key, real = given(a_key, mine), given(a_key, mine, Stage.PRODUCTION)
    stranger = given(a_key, name="另一个")
    _, webhook, _ = given(a_webhook, mine, url="https://hooks.example.cn/x")
    row = given(queued, webhook)

    paths = [("GET", ""), ("GET", "/deliveries"), ("POST", "/pings"), ("POST", "/secret"), ("DELETE", "")]
    found = {
        other.call(client, method, f"/webhooks/{webhook.id}{path}").status_code
        for other in (real, stranger)
        for method, path in paths
    }
    again = f"/deliveries/{row}/redelivery"
    found |= {other.call(client, "POST", again).status_code for other in (real, stranger)}

    assert found == {404}
    assert key.call(client, "GET", f"/webhooks/{webhook.id}").status_code == 200


def queued(webhook):
    event_id = emit()
    service.fan_out(event_id, now=clock.system_clock())
    return db.writing().scalars(select(Delivery.id).where(Delivery.webhook_id == webhook.id)).one()
