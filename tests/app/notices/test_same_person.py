"""Whoever holds an account hears of another one that was verified as the same person."""

from __future__ import annotations

import pytest

from app.core import clock, db
from app.core.outbox import JobRow
from app.identity import service as identity
from app.notices import service as notices
from app.notices.jobs import tell_same_person
from app.notices.standard import ensure_standard
from tests.app.identity.people_builders import a_person, a_register, set_up

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
JOB = "notices.tell-same-person"


def told(resident_id):
    return [one.title for one in notices.messages(resident_id).items]


def test_the_holder_is_told_once_and_the_newcomer_is_not(app, context):
    with a_register() as register, set_up(app, register):
        by, now = register.provider(), clock.system_clock()
        db.transaction(lambda: ensure_standard(now=now))
        holder, newcomer = a_person(by), a_person(by)
        asked = db.session().query(JobRow).filter_by(name=JOB).one().payload

        for _ in range(2):
            tell_same_person(asked)

        assert (told(holder), told(newcomer)) == (["另一个账户以您的身份实名"], [])
        assert asked["link_id"] == identity.links(holder)[0].id


def test_an_account_that_was_closed_meanwhile_stops_nothing(app, context):
    with a_register() as register, set_up(app, register):
        by, now = register.provider(), clock.system_clock()
        db.transaction(lambda: ensure_standard(now=now))
        holder = a_person(by)
        a_person(by)
        asked = db.session().query(JobRow).filter_by(name=JOB).one().payload
        db.transaction(lambda: identity.close(holder, now=now))

        tell_same_person(asked)

        assert told(holder) == []
