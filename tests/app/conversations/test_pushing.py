"""Replies that came too late, or that the answer to a callback cannot carry."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.conversations import domain, inbox, service
from app.conversations.models import InboundMessage
from app.conversations.rules import Action, Duty, Route, Rules, Trigger
from app.core import db
from app.core.outbox import JobRow
from app.core.runner import Worker
from app.core.vault import VaultEntry
from tests.app.conversations.senders import an_account, deliver, now, save_rules
from tests.channels import platform_alipay, platform_wechat
from tests.channels.server import Answer, a_platform

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
WHOLE_DAY = Rules(handover=True, duty=Duty.ALWAYS)


@pytest.fixture
def late(monkeypatch):
    """Everything takes too long."""
    monkeypatch.setattr(domain, "ANSWER_WITHIN", timedelta())


def work(app):
    Worker(app, app.extensions["hall_jobs"]).drain()


def rows(app):
    with app.app_context():
        return list(db.session().scalars(select(InboundMessage)))


def seals_of(app, field):
    with app.app_context():
        query = select(func.count()).select_from(VaultEntry).where(VaultEntry.field == field)
        return db.session().scalar(query)


def asked_later(app, client, given, said, rules=WHOLE_DAY, answers=None):
    """Let a resident write what takes too long to answer; returns what was sent later."""
    api = platform_wechat.Api(answers)
    with a_platform(api) as platform:
        account = given(an_account, "wechat", platform_wechat.config(platform.base_url))
        given(save_rules, account, rules=rules)
        message = platform_wechat.text(said, at=now())
        for _ in range(3):
            assert deliver(client, "wechat", message).body == b"success"
        work(app)
    return api.sent


def a_picture():
    return Rules(routes=(Route("地图", Trigger.EXACT, ("地图",), Action.PICTURE, "media-1"),))


def test_a_late_text_is_acknowledged_and_sent_once(app, client, given, late):
    sent = asked_later(app, client, given, "火星签证")

    assert [one["msgtype"] for one in sent] == ["text"]
    assert "没有找到与“火星签证”有关的服务" in sent[0]["text"]["content"]
    assert [row.push_outcome for row in rows(app)] == ["accepted"]


def test_a_late_picture_is_sent_as_a_picture(app, client, given, late):
    sent = asked_later(app, client, given, "地图", a_picture())

    assert [(one["msgtype"], one["image"]) for one in sent] == [("image", {"media_id": "media-1"})]


def test_who_asked_for_a_person_too_late_is_told_to_ask_again(app, client, given, late):
    sent = asked_later(app, client, given, "人工")

    assert [one["msgtype"] for one in sent] == ["text"]
    assert "请再发送一次“人工”" in sent[0]["text"]["content"]


def test_a_reply_the_platform_refuses_is_noted_and_not_tried_again(app, client, given, late):
    refused = {"message/custom/send": {"errcode": 45015, "errmsg": "out of response count limit"}}

    asked_later(app, client, given, "火星签证", answers=refused)

    (row,) = rows(app)
    assert (row.push_outcome, row.push_code, row.recipient_token) == ("not_following", "45015", None)
    assert seals_of(app, domain.RECIPIENT_FIELD) == 0


def test_a_reply_that_the_platform_cannot_take_now_waits_with_its_recipient(app, client, given, late):
    busy = {"message/custom/send": {"errcode": -1, "errmsg": "system busy"}}

    asked_later(app, client, given, "火星签证", answers=busy)

    (row,) = rows(app)
    assert (row.push_outcome, row.recipient_token is None) == (None, False)


@pytest.mark.parametrize(("code", "waits"), [(45009, True), (45011, True), (45047, False)])
def test_a_reply_beyond_the_platforms_pace_waits_but_not_one_too_many_for_one(
    app, client, given, late, code, waits
):
    refused = {"message/custom/send": {"errcode": code, "errmsg": "reach max api limit"}}

    asked_later(app, client, given, "火星签证", answers=refused)

    (row,) = rows(app)
    assert (row.recipient_token is not None) is waits


@pytest.mark.parametrize(("answer", "sent"), [(Answer(b""), 2), (Answer(b"", status=503), 4)])
def test_a_reply_that_may_have_gone_out_is_repeated_once_and_one_that_hardly_did_more_often(
    app, client, given, late, answer, sent
):
    api = platform_wechat.Api()
    with a_platform(lambda call: answer if "custom/send" in call.target else api(call)) as platform:
        given(an_account, "wechat", platform_wechat.config(platform.base_url))
        deliver(client, "wechat", platform_wechat.text("火星签证", at=now()))
        with app.app_context():
            payload = db.session().scalar(select(JobRow.payload).where(JobRow.name == service.SEND_JOB))
            for _ in range(4):
                with suppress(service.ReplyNotSent):
                    service.send_reply(payload, now())

        assert len(platform.targets("/cgi-bin/message/custom/send")) == sent


def test_after_48_hours_nothing_is_sent(app, given):
    with a_platform(platform_alipay.api()) as platform:
        given(an_account, "alipay", platform_alipay.config(platform.base_url))
        deliver(app.test_client(), "alipay", platform_alipay.text("户口", at=now()))
        with app.app_context():
            payload = db.session().scalar(select(JobRow.payload).where(JobRow.name == service.SEND_JOB))
            service.send_reply(payload, now() + timedelta(hours=48))

        assert platform.calls == []
    assert [(row.push_outcome, row.push_code) for row in rows(app)] == [("not_following", "window_over")]


def test_a_job_that_is_run_again_sends_nothing_again(app, given):
    with a_platform(platform_alipay.api()) as platform:
        given(an_account, "alipay", platform_alipay.config(platform.base_url))
        deliver(app.test_client(), "alipay", platform_alipay.text("户口", at=now()))
        work(app)
        with app.app_context():
            payload = db.session().scalar(select(JobRow.payload).where(JobRow.name == service.SEND_JOB))
            service.send_reply(payload, now())

        assert sum("message.custom.send" in f"{call.target} {call.body!r}" for call in platform.calls) == 1


def test_whom_a_reply_was_for_is_forgotten_with_the_message(app, client, given):
    given(an_account, "alipay", platform_alipay.config())
    deliver(client, "alipay", platform_alipay.text("户口", at=now()))
    before = seals_of(app, domain.RECIPIENT_FIELD)

    given(service.forget_old_messages, now() + timedelta(days=4))

    assert (before, seals_of(app, domain.RECIPIENT_FIELD), rows(app)) == (1, 0, [])


def test_old_messages_are_forgotten_some_at_a_time_until_none_is_left(app, client, given, monkeypatch):
    monkeypatch.setattr(inbox, "FORGET_AT_ONCE", 2)
    given(an_account, "alipay", platform_alipay.config())
    for number in "123":
        deliver(client, "alipay", platform_alipay.text("户口", number, at=now()))
    later = now() + timedelta(days=4)

    gone = [given(service.forget_old_messages, later) for _ in range(3)]

    assert gone == [2, 1, 0]


def test_a_message_from_the_end_of_time_is_taken_like_any_other(client, given, late):
    given(an_account, "wechat", platform_wechat.config())
    end = datetime(9999, 12, 31, 23, tzinfo=UTC)
    message = platform_wechat.message(end, MsgType="text", Content="户口", MsgId="1")

    assert deliver(client, "wechat", platform_wechat.sealed(message, now())).status == 200


def test_neither_job_nor_row_tells_who_is_waiting(app, client, given):
    given(an_account, "alipay", platform_alipay.config())

    deliver(client, "alipay", platform_alipay.text("户口", at=now()))

    with app.app_context():
        jobs = [json.dumps(job.payload) for job in db.session().scalars(select(JobRow))]
    assert jobs
    assert not any(platform_alipay.RECIPIENT in text for text in [*jobs, *(str(vars(r)) for r in rows(app))])
