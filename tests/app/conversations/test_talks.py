"""Handing a resident over to a person, and being silent until the person is done."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import unquote_plus

import pytest
from sqlalchemy import func, select

from app.conversations import service, talks, versions
from app.conversations.models import PersonTalk
from app.conversations.rules import Duty, Rules
from app.core import db
from app.core.clock import HALL_TIME
from app.core.errors import NotFound, Stale
from app.core.runner import Worker
from app.notices.models import Contact
from tests.app.conversations.senders import an_account, deliver, now, save_rules
from tests.channels import platform_alipay, platform_wechat
from tests.channels.server import a_platform

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture
def account(given):
    """A WeChat account that hands over at any hour."""
    made = given(an_account, "wechat", platform_wechat.config())
    given(save_rules, made, rules=Rules(handover=True, duty=Duty.ALWAYS))
    return made


def say(client, words, message_id="1"):
    return deliver(client, "wechat", platform_wechat.text(words, message_id, at=now()))


def person(client, what):
    return deliver(client, "wechat", platform_wechat.event(f"kf_{what}_session", at=now()))


def count(app, model):
    with app.app_context():
        return db.session().scalar(select(func.count()).select_from(model))


@on_sqlite
def test_who_asks_for_a_person_is_handed_over(client, account):
    assert platform_wechat.hands_over(say(client, "轉人工"))


@on_sqlite
def test_while_nobody_has_taken_over_every_word_goes_to_the_people(client, account):
    say(client, "人工", "1")

    assert platform_wechat.hands_over(say(client, "有人吗", "2"))


def test_once_a_person_has_taken_over_the_hall_is_silent_until_the_person_is_done(client, account):
    say(client, "人工", "1")
    person(client, "create")
    during = say(client, "户口", "2")
    person(client, "close")

    after = say(client, "火星签证", "3")

    assert during.body == b"success"
    assert "火星签证" in platform_wechat.read_reply(after)


@on_sqlite
def test_a_person_may_begin_and_pass_on_a_talk_unasked(client, account):
    person(client, "create")
    person(client, "switch")

    assert say(client, "户口").body == b"success"


@on_sqlite
def test_staff_give_a_talk_back_once(app, client, account, given):
    say(client, "人工")
    with app.app_context():
        (talk,) = talks.under_way(account.id, now())
    given(talks.end, account.id, talk.id, actor="staff:1")

    assert count(app, PersonTalk) == 0
    with pytest.raises(NotFound):
        given(talks.end, account.id, talk.id, actor="staff:1")


@on_sqlite
def test_a_talk_ends_by_itself(app, client, account, given):
    say(client, "人工")
    later = now() + timedelta(minutes=31)

    with app.app_context():
        assert talks.under_way(account.id, later) == []
    given(service.forget_old_messages, later)
    assert count(app, PersonTalk) == 0


@on_sqlite
def test_outside_the_hours_residents_are_told_whom_to_call(app, client, given):
    account = given(an_account, "wechat", platform_wechat.config())
    opens = 0 if now().astimezone(HALL_TIME).hour >= 12 else 23 * 60
    rules = Rules(handover=True, duty=Duty.DAILY, opens=opens, closes=opens + 1, hotline="020-12345")
    given(save_rules, account, rules=rules)

    said = platform_wechat.read_reply(say(client, "人工"))

    assert "020-12345" in said
    assert count(app, PersonTalk) == 0


@on_sqlite
def test_where_the_platform_has_nobody_the_hotline_is_named(app, client, given):
    with a_platform(platform_alipay.api()) as platform:
        account = given(an_account, "alipay", platform_alipay.config(platform.base_url))
        given(save_rules, account, rules=Rules(handover=True, duty=Duty.ALWAYS, hotline="020-12345"))
        deliver(client, "alipay", platform_alipay.text("人工", at=now()))
        Worker(app, app.extensions["hall_jobs"]).drain()

        said = unquote_plus(" ".join(f"{call.target} {call.body!r}" for call in platform.calls))

    assert "020-12345" in said
    assert count(app, PersonTalk) == 0


@on_sqlite
def test_the_table_does_not_say_who_talks(app, client, account):
    say(client, "人工")

    with app.app_context():
        row = db.session().scalars(select(PersonTalk)).one()
        assert platform_wechat.RECIPIENT not in str(vars(row))


def test_each_save_is_a_version_and_the_newest_holds(app, account, given):
    given(save_rules, account, 1, Rules(greeting="您好"))

    with app.app_context():
        assert versions.in_force(account.id).rules.greeting == "您好"
        assert [one.number for one in versions.history(account.id)] == [2, 1]
        assert versions.version(account.id, 1).rules.handover
        with pytest.raises(NotFound):
            versions.version(account.id, 3)


@on_sqlite
def test_who_edited_an_old_version_is_told_so(account, given):
    with pytest.raises(Stale):
        given(save_rules, account, 0, Rules())


@on_sqlite
def test_a_repeat_of_a_message_does_not_change_who_is_in_touch(app, client, account):
    for _ in range(3):
        say(client, "户口")

    assert count(app, Contact) == 1


def test_following_consenting_and_leaving_reach_the_notices(app, client, account):
    deliver(client, "wechat", platform_wechat.event("follow", at=now()))
    with app.app_context():
        following = db.session().scalars(select(Contact.following)).one()
    deliver(client, "wechat", platform_wechat.event("unfollow", at=now()))

    with app.app_context():
        left = db.session().scalars(select(Contact.following)).one()
    assert (following, left) == (True, False)
