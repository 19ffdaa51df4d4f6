"""Consents to one message (订阅): used up by a message that may have gone out, and by no other."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from app.core import db
from app.notices import contacts, service
from app.notices.service import Right
from channels.base import Consent
from tests.app.notices.builders import (
    a_form,
    a_resident,
    a_template,
    allow,
    an_account,
    go,
    later,
    states,
    tell,
)
from tests.builders import NOW
from tests.channels import platform_wechat
from tests.channels.platform_wechat import RECIPIENT
from tests.channels.server import a_platform

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
SUBSCRIBE = "message/subscribe/bizsend"


@contextmanager
def one_consent(code, *rights, **template):
    """An account whose subscription messages end with ``code``, and a resident who allowed one."""
    answers = {SUBSCRIBE: {"errcode": code, "errmsg": "no"}}
    with a_platform(platform_wechat.Api(answers)) as platform:

        def build():
            account = an_account(base_url=platform.base_url)
            a_template(*(a_form(account, right) for right in (Right.SUBSCRIBE, *rights)), **template)
            return account, a_resident(account)

        account, resident_id = db.transaction(build)
        allow(account)
        yield account, resident_id


def left(account):
    return contacts.consents_left(account.id, RECIPIENT, "S1", NOW)


def test_a_consent_is_returned_when_another_way_took_the_message(context):
    with one_consent(45009, Right.TEMPLATE) as (account, resident_id):
        message_id = tell(resident_id)
        go(message_id)

        assert states() == {"wechat.subscribe": "failed", "wechat.template": "accepted"}
        assert left(account) == 1


def test_a_consent_is_returned_when_the_message_lost_its_meaning(context):
    with one_consent(-1, valid_hours=1) as (account, resident_id):
        message_id = tell(resident_id)
        go(message_id)
        go(message_id, later(hours=1))

        assert states() == {"wechat.subscribe": "expired"}
        assert left(account) == 1


def test_a_consent_taken_back_meanwhile_is_not_returned(context):
    with one_consent(-1, valid_hours=1) as (account, resident_id):
        message_id = tell(resident_id)
        go(message_id)
        refuse = [Consent("S1", False)]
        db.transaction(lambda: service.note_consents(account, RECIPIENT, refuse, later(minutes=1)))
        go(message_id, later(hours=1))

        assert left(account) == 0


def test_a_late_unfollow_does_not_end_a_consent_that_came_after_it(context):
    with one_consent(0) as (account, _):
        db.transaction(lambda: service.note_follow(account, RECIPIENT, later(minutes=-1)))
        db.transaction(lambda: service.note_unfollow(account, RECIPIENT, later(minutes=-2)))

        assert left(account) == 1


def test_an_unfollow_ends_all_consents_before_it(context):
    with one_consent(0) as (account, _):
        db.transaction(lambda: service.note_unfollow(account, RECIPIENT, later(minutes=1)))

        assert left(account) == 0
