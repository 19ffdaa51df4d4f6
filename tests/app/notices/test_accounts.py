"""Pace, quota and breaker of an account: one row for all processes, nobody called in vain."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from app.core import db
from app.notices import health, service
from app.notices.models import Message
from app.notices.outcomes import Verdict, verdict_on
from app.notices.service import Right
from channels.base import Outcome, SendResult
from tests.app.notices.builders import (
    a_form,
    a_resident,
    a_template,
    allow,
    an_account,
    attempts,
    deliveries,
    go,
    later,
    sent_to,
    states,
    tell,
)
from tests.builders import NOW
from tests.channels import platform_wechat
from tests.channels.server import a_platform

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
MANY = 25


def fail(account, times=health.CALLS_MIN, at=NOW, *, ok=False, trial=False):
    for _ in range(times):
        db.transaction(lambda: health.report(account.id, ok=ok, trial=trial, code="timeout", now=at))


def ask(account, at):
    return db.transaction(lambda: health.admit(account.id, Right.TEMPLATE, at))


@on_sqlite
def test_a_few_failures_among_many_good_calls_open_nothing(context):
    account = db.transaction(an_account)
    fail(account, 20, ok=True)
    fail(account, 15)

    assert ask(account, NOW).retry_at is None


@on_sqlite
def test_failures_of_long_ago_do_not_count(context):
    account = db.transaction(an_account)
    fail(account, health.CALLS_MIN - 1)
    fail(account, 1, later(minutes=2))

    assert ask(account, later(minutes=2)).retry_at is None


@on_sqlite
def test_an_open_breaker_lets_one_trial_through_and_rests_longer_each_time(context):
    account = db.transaction(an_account)
    fail(account)
    until = ask(account, NOW).retry_at
    trial = ask(account, until)
    second = ask(account, until)
    fail(account, 1, until, trial=True)

    assert until == NOW + health.OPEN_FOR
    assert trial.trial
    assert second.reason == "breaker_open"
    assert ask(account, until).retry_at == until + 2 * health.OPEN_FOR


@on_sqlite
def test_a_trial_that_works_closes_it_and_a_late_failure_from_before_opens_nothing(context):
    account = db.transaction(an_account)
    fail(account)
    until = NOW + health.OPEN_FOR
    assert ask(account, until).trial
    fail(account, 1, until)
    fail(account, 1, until, ok=True, trial=True)

    assert service.open_breakers() == {}
    assert ask(account, until).retry_at is None


@on_sqlite
def test_a_trial_whose_process_died_is_followed_by_another(context):
    account = db.transaction(an_account)
    fail(account)
    first = NOW + health.OPEN_FOR
    assert ask(account, first).trial

    assert ask(account, first + health.TRIAL_FOR).trial


@on_sqlite
def test_a_sick_platform_is_left_alone_and_messages_take_another_way_meanwhile(context):
    with a_platform(platform_wechat.Api()) as good:

        def build():
            sick = an_account("sick", "http://127.0.0.1:9")
            well = an_account("well", good.base_url)
            a_template(a_form(sick), a_form(well))
            return sick, well, a_resident(sick, well)

        sick, _, resident_id = db.transaction(build)
        fail(sick)
        message_id = tell(resident_id)
        go(message_id)

    assert len(sent_to(good)) == 1
    assert states(message_id) == {"wechat.template": "accepted"}


@on_sqlite
def test_a_message_waits_for_the_breaker_when_there_is_no_other_way(context):
    with a_platform(platform_wechat.Api()) as platform:
        account, resident_id = db.transaction(lambda: one_way(platform))
        fail(account)
        message_id = tell(resident_id)
        go(message_id)
        resting = len(sent_to(platform))
        go(message_id, NOW + health.OPEN_FOR)

    assert (resting, len(sent_to(platform))) == (0, 1)
    assert service.open_breakers() == {}


def one_way(platform, right=Right.TEMPLATE, **template):
    account = an_account(base_url=platform.base_url)
    a_template(a_form(account, right), **template)
    return account, a_resident(account)


def at_once(app, work, count=MANY):
    """Do ``work`` in many threads at the same moment, each as a process of its own would."""
    gate, results = threading.Barrier(count), []

    def run():
        with app.app_context():
            gate.wait()
            results.append(work())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_the_same_news_many_times_at_once_is_one_message_sent_once(app, context):
    with a_platform(platform_wechat.Api()) as platform:
        account, resident_id = db.transaction(lambda: one_way(platform))
        ids = at_once(app, lambda: tell(resident_id))
        at_once(app, lambda: go(ids[0]))

    assert (len(ids), len(set(ids))) == (MANY, 1)
    assert db.session().scalar(select(func.count()).select_from(Message)) == 1
    assert len(sent_to(platform)) == 1
    assert attempts() == ["accepted"]


def test_many_at_once_use_up_no_more_consents_than_there_are(app, context):
    with a_platform(platform_wechat.Api()) as platform:
        account, resident_id = db.transaction(lambda: one_way(platform, Right.SUBSCRIBE))
        allow(account, times=3)
        ids = [tell(resident_id, once=f"case:{number}") for number in range(8)]
        waiting = iter(ids)
        at_once(app, lambda: go(next(waiting)), count=len(ids))

    assert len(sent_to(platform)) == 3
    assert sorted(one.way for one in deliveries()) == ["hall"] * 5 + ["wechat.subscribe"] * 3


def test_one_trial_only_when_all_ask_at_once(app, context):
    account = db.transaction(an_account)
    fail(account)
    due = NOW + health.OPEN_FOR

    trials = at_once(app, lambda: ask(account, due).trial, count=8)

    assert trials.count(True) == 1


@pytest.mark.parametrize(
    ("outcome", "code", "verdict"),
    [
        (Outcome.ACCEPTED, "", Verdict.ACCEPTED),
        (Outcome.RETRYABLE, "-1", Verdict.RETRY),
        (Outcome.RETRYABLE, "not_reached", Verdict.RETRY),
        (Outcome.RETRYABLE, "timeout", Verdict.UNKNOWN),
        (Outcome.RETRYABLE, "connection_lost", Verdict.UNKNOWN),
        (Outcome.RETRYABLE, "http_502", Verdict.UNKNOWN),
        (Outcome.UNKNOWN, "too_large", Verdict.UNKNOWN),
        (Outcome.AUTH, "bad_signature", Verdict.UNKNOWN),
        (Outcome.RETRYABLE, "unverified", Verdict.UNKNOWN),
        (Outcome.QUOTA, "45009", Verdict.TOMORROW),
        (Outcome.QUOTA, "45011", Verdict.RETRY),
        (Outcome.QUOTA, "45047", Verdict.FAILED),
        (Outcome.NEEDS_CONSENT, "43101", Verdict.REFUSED),
        (Outcome.NOT_FOLLOWING, "43004", Verdict.REFUSED),
        (Outcome.BAD_TEMPLATE, "40037", Verdict.FAILED),
        (Outcome.AUTH, "48001", Verdict.FAILED),
        (Outcome.UNKNOWN, "99999", Verdict.FAILED),
    ],
)
def test_what_an_answer_means(outcome, code, verdict):
    assert verdict_on(SendResult(outcome, code=code)) is verdict
