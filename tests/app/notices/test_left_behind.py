"""Processes that die in the middle, jobs that are lost, and what Prometheus sees of it all."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from app.core import db
from app.core.outbox import JobRow
from app.notices import delivering, gauges, health, service
from app.notices.service import Right
from tests.app.notices.builders import (
    BASE,
    a_form,
    a_resident,
    a_template,
    allow,
    an_account,
    attempts,
    go,
    later,
    sent_to,
    states,
    tell,
)
from tests.builders import NOW
from tests.channels import platform_wechat
from tests.channels.server import a_platform

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def begun(message_id):
    """Begin a try and die before the call is made."""
    return db.transaction(lambda: delivering._next(message_id, BASE, NOW))


def a_way(platform, right):
    account = an_account(base_url=platform.base_url)
    a_template(a_form(account, right))
    return account, a_resident(account)


def test_what_a_dead_process_began_is_taken_up_when_its_lease_ends(context):
    with a_platform(platform_wechat.Api()) as platform:
        _, resident_id = db.transaction(lambda: a_way(platform, Right.TEMPLATE))
        message_id = tell(resident_id)
        step = begun(message_id)
        go(message_id, later(seconds=59))
        held = len(sent_to(platform))
        go(message_id, later(seconds=60))
        go(message_id, later(seconds=80))

    assert step.way == "wechat.template"
    assert (held, len(sent_to(platform))) == (0, 1)
    assert attempts() == ["unknown_result", "accepted"]


def test_what_a_dead_process_began_where_repeats_show_twice_is_left_in_the_hall(context):
    with a_platform(platform_wechat.Api()) as platform:
        account, resident_id = db.transaction(lambda: a_way(platform, Right.SUBSCRIBE))
        allow(account)
        message_id = tell(resident_id)
        begun(message_id)
        go(message_id, later(minutes=2))

    assert sent_to(platform) == []
    assert states() == {"wechat.subscribe": "failed", "hall": "accepted"}


def test_an_answer_that_comes_after_the_lease_changes_nothing_any_more(context):
    with a_platform(platform_wechat.Api()) as platform:
        account, resident_id = db.transaction(lambda: a_way(platform, Right.SUBSCRIBE))
        allow(account)
        message_id = tell(resident_id)
        step = begun(message_id)
        go(message_id, later(minutes=2))
        result = delivering._call(step)
        again = db.transaction(lambda: delivering._note(step, result, later(minutes=3), lambda wait: wait))

    assert not again
    assert states() == {"wechat.subscribe": "failed", "hall": "accepted"}


def test_a_message_whose_job_was_lost_is_asked_for_again_once(context):
    resident_id = db.transaction(lambda: a_resident(an_account()))
    db.transaction(a_template)
    tell(resident_id)
    db.transaction(lambda: db.writing().execute(delete(JobRow)))

    early = db.transaction(lambda: service.find_forgotten(later(minutes=9)))
    found = db.transaction(lambda: service.find_forgotten(later(minutes=11)))
    db.transaction(lambda: service.find_forgotten(later(minutes=11)))

    assert (early, found) == (0, 1)
    assert db.session().query(JobRow).count() == 1


def test_prometheus_reads_deliveries_and_open_breakers(context):
    account = db.transaction(an_account)
    for _ in range(health.CALLS_MIN):
        db.transaction(lambda: health.report(account.id, ok=False, trial=False, code="x", now=NOW))

    found = {metric.name: metric.samples for metric in gauges.collect()}

    (breaker,) = found["hall_notice_breaker_open"]
    assert (breaker.labels, breaker.value) == ({"account": "gd-hall"}, 1)
    assert found["hall_notice_deliveries"] == []
