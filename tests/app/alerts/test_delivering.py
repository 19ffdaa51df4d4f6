"""Deliveries through real jobs to real servers: every try on record, the next way when one fails."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app import create_app
from app.alerts import service
from app.alerts.delivering import BREAK_AFTER, DeliveryNotMade, deliver
from app.alerts.domain import DELIVERY_TRIES, DeliveryState, EndpointFormat, Severity, Way
from app.alerts.models import Endpoint
from app.alerts.service import NewEndpoint
from app.core import clock, db
from app.core.outbox import JobRow, JobState
from app.organisations import service as organisations
from config.settings import Settings
from tests.app.alerts.builders import deliveries, messages, raise_for, settings_of, work
from tests.app.alerts.receivers import a_mail_server, a_receiver
from tests.app.conversations.test_callbacks import an_account
from tests.builders import a_principal, settings_for
from tests.channels import platform_wechat
from tests.channels.server import a_platform
from tests.mobile_pages.probe.sites import closed_port

MINUTE = timedelta(minutes=1)


def settings_with(app, *ports: int, mail_port: int = 0) -> Settings:
    known = app.extensions["hall_settings"]
    changed = {"HALL_OUTBOUND_ALLOW": " ".join(f"127.0.0.1/32:{port}" for port in ports)}
    if mail_port:
        changed |= {
            "HALL_SMTP_URL": f"smtp+plain://127.0.0.1:{mail_port}",
            "HALL_MAIL_FROM": "alerts@hall.example.cn",
        }
    return settings_for(known.database_url, known.var_dir, **changed)


def tell(severity=Severity.WARNING, key="incident:1", after=MINUTE):
    """Raise an alert and make its messages as the jobs would after a while."""
    now = clock.system_clock()
    db.transaction(lambda: raise_for(severity=severity, group_key=key, at=now))
    service.gather(now + MINUTE)
    people = {f"staff:{one}" for one, _ in _on_duty()} | {
        f"endpoint:{one}" for one in db.session().scalars(select(Endpoint.id))
    }
    for recipient in people:
        db.transaction(lambda recipient=recipient: service.compose(recipient, now + after))


def _on_duty():
    return organisations.on_duty([organisations.Role.DEPARTMENT_OPERATOR])


def an_endpoint(receiver_url, format_=EndpointFormat.GENERIC):
    watch = a_principal("province_watch")
    wanted = NewEndpoint("值班系统", format_, receiver_url, secret="SECx")
    return service.add_endpoint(watch, wanted, now=clock.system_clock())[0]


def try_all(settings):
    """Make one try at every delivery that is queued."""
    for one in deliveries():
        if one.state is DeliveryState.QUEUED:
            try:
                deliver(one.id, settings, clock.system_clock)
            except DeliveryNotMade:
                continue


def states():
    return [(one.way, one.state) for one in deliveries()]


def test_a_webhook_that_answers_is_proof_of_delivery(app, context):
    with a_receiver() as receiver:
        db.transaction(lambda: an_endpoint(receiver.url))
        tell()
        try_all(settings_with(app, receiver.port))

    assert states() == [(Way.WEBHOOK, DeliveryState.DELIVERED)]
    assert len(receiver.posts) == 1


def test_a_settled_delivery_is_never_sent_again(app, context):
    with a_receiver() as receiver:
        db.transaction(lambda: an_endpoint(receiver.url))
        tell()
        settings = settings_with(app, receiver.port)
        for _ in range(3):
            deliver(deliveries()[0].id, settings, clock.system_clock)

    assert len(receiver.posts) == 1


def test_the_ladder_of_tries_ends_and_says_why(app, context):
    db.transaction(lambda: an_endpoint("http://127.0.0.1:9/x"))
    tell()
    settings = settings_with(app, 9)
    (one,) = deliveries()

    for _ in range(DELIVERY_TRIES):
        db.transaction(lambda: db.writing().execute(update(Endpoint).values(open_until=None)))
        try_all(settings)

    (one,) = deliveries()
    assert (one.state, one.attempts, one.error) == (DeliveryState.FAILED, DELIVERY_TRIES, "not_reached")
    assert one.settled_at is not None


def test_an_endpoint_that_fails_on_and_on_is_left_alone_then_tried_once(app, context):
    with a_receiver(lambda _: (500, b"")) as receiver:
        db.transaction(lambda: an_endpoint(receiver.url))
        for number in range(BREAK_AFTER + 3):
            tell(key=f"incident:{number}", after=(1 + 5 * number) * MINUTE)
        settings = settings_with(app, receiver.port)
        try_all(settings)
        resting = len(receiver.posts)
        soon = clock.system_clock() + 6 * MINUTE
        for one in deliveries()[-2:]:
            try:
                deliver(one.id, settings, lambda: soon)
            except DeliveryNotMade:
                continue

    assert resting == BREAK_AFTER
    assert len(receiver.posts) == BREAK_AFTER + 1
    waiting = list(db.session().scalars(select(JobRow).where(JobRow.run_at > clock.system_clock() + MINUTE)))
    assert waiting


def test_an_answer_closes_the_circuit_again(app, context):
    answers = iter([(500, b"")] * BREAK_AFTER + [(200, b"")])
    with a_receiver(lambda _: next(answers)) as receiver:
        db.transaction(lambda: an_endpoint(receiver.url))
        tell()
        settings, now = settings_with(app, receiver.port), clock.system_clock()
        for number in range(BREAK_AFTER + 1):
            at = now + 6 * number * MINUTE
            try:
                deliver(deliveries()[0].id, settings, lambda at=at: at)
            except DeliveryNotMade:
                continue

    (row,) = db.session().scalars(select(Endpoint).execution_options(populate_existing=True))
    assert (row.failure_count, row.open_until) == (0, None)
    assert states() == [(Way.WEBHOOK, DeliveryState.DELIVERED)]


@pytest.fixture
def bound(context):
    """An operator with WeChat and mail; WeChat's server is a real one on the loopback."""

    def build(platform_url, **wishes):
        account = an_account("wechat", platform_wechat.config(platform_url))
        operator = a_principal("department_operator")
        settings_of(operator, email="zhang@city.example.cn", **wishes)
        service.give_binding(operator.staff_id, account, "oOperator-1", now=clock.system_clock())
        return operator

    return lambda *args, **wishes: db.transaction(lambda: build(*args, **wishes))


def test_the_first_way_is_enough_when_it_works(app, bound):
    with a_platform(platform_wechat.api()) as platform, a_mail_server() as box:
        bound(platform.base_url)
        tell()
        try_all(settings_with(app, mail_port=box.port))

    assert states() == [(Way.WECHAT, DeliveryState.SENT)]
    assert (len(platform.targets("/cgi-bin/message/custom/send")), box.mails) == (1, [])


def test_what_is_critical_goes_every_way_at_once(app, bound):
    with a_platform(platform_wechat.api()) as platform, a_mail_server() as box:
        bound(platform.base_url)
        tell(Severity.CRITICAL)
        try_all(settings_with(app, mail_port=box.port))

    assert set(states()) == {(Way.WECHAT, DeliveryState.SENT), (Way.EMAIL, DeliveryState.SENT)}
    assert len(box.mails) == 1


def test_mail_is_taken_when_wechat_is_away_for_long(app, bound):
    with a_mail_server() as box:
        bound(f"http://127.0.0.1:{closed_port()}")
        tell()
        settings = settings_with(app, mail_port=box.port)
        for _ in range(3):
            try_all(settings)

    assert dict(states()) == {Way.WECHAT: DeliveryState.QUEUED, Way.EMAIL: DeliveryState.SENT}


def test_an_order_of_ways_is_kept(app, bound):
    with a_mail_server() as box:
        bound(f"http://127.0.0.1:{closed_port()}", ways=(Way.EMAIL, Way.WECHAT))
        tell()
        try_all(settings_with(app, mail_port=box.port))

    assert states() == [(Way.EMAIL, DeliveryState.SENT)]


def test_who_was_unbound_meanwhile_gets_nothing_and_the_log_says_so(app, bound):
    operator = bound("http://127.0.0.1:9", ways=(Way.WECHAT,))
    tell()
    (binding,) = service.bindings_of(operator.staff_id)
    db.transaction(lambda: service.unbind(operator.staff_id, binding.id))

    try_all(settings_with(app))

    assert [(one.state, one.error) for one in deliveries()] == [(DeliveryState.FAILED, "address_gone")]


def test_a_test_message_goes_every_way_through_the_jobs_and_shows_the_proof(app, bound):
    with a_platform(platform_wechat.api()) as platform:
        operator = bound(platform.base_url)
        message_id = db.transaction(lambda: service.send_test(operator, now=clock.system_clock()))
        work(app)

    proofs = service.get_message(operator, message_id).deliveries
    assert {(one.way, one.state, one.error) for one in proofs} == {
        (Way.WECHAT, DeliveryState.SENT, ""),
        (Way.EMAIL, DeliveryState.FAILED, "mail_not_configured"),  # this installation has no mail server
    }


def test_two_workers_at_once_make_one_message_and_tell_nobody_twice(app, context):
    db.transaction(lambda: a_principal("department_operator"))
    now = clock.system_clock()
    db.transaction(lambda: [raise_for(group_key=f"incident:{number}", at=now) for number in range(40)])

    def run():
        with app.app_context():
            service.gather(now + MINUTE)
            for one, _ in _on_duty():
                db.transaction(lambda one=one: service.compose(f"staff:{one}", now + 2 * MINUTE))

    workers = [threading.Thread(target=run) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(one.alert_count for one in messages()) == 40
    assert len(messages()) == 1


def test_a_delivery_that_never_ended_is_given_up(app, bound):
    bound("http://127.0.0.1:9")
    tell()

    given_up = db.transaction(lambda: service.give_up(clock.system_clock() + timedelta(hours=30)))

    assert given_up == 1
    assert [(one.state, one.error) for one in deliveries()] == [(DeliveryState.FAILED, "given_up")]


def test_the_jobs_lead_from_the_alert_to_the_endpoint(app, context):
    with a_receiver() as receiver:
        db.transaction(lambda: an_endpoint(receiver.url))
        db.transaction(lambda: raise_for(at=clock.system_clock()))
        made = create_app(settings_with(app, receiver.port))
        for _ in range(3):
            hurry = update(JobRow).where(JobRow.state == JobState.PENDING).values(run_at=clock.system_clock())
            db.transaction(lambda hurry=hurry: db.writing().execute(hurry))
            work(made)
        made.extensions["hall_db"].dispose()

    assert len(receiver.posts) == 1
    assert (Way.WEBHOOK, DeliveryState.DELIVERED) in states()
