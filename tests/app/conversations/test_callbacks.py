"""What a platform gets when it calls us: one effect, one answer, never a 500."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from app.conversations import answering, service
from app.conversations.models import InboundMessage
from app.core import db
from app.core.outbox import JobRow
from app.core.runner import Worker
from tests.app.conversations.senders import an_account, deliver, now
from tests.channels import platform_alipay, platform_wechat
from tests.channels.server import a_platform

PLATFORMS = {"wechat": platform_wechat, "alipay": platform_alipay}
on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
BOTH = pytest.mark.parametrize("kind", list(PLATFORMS))


@pytest.fixture
def accounts(given):
    """One account per platform, whose key is the kind's name."""
    for kind, platform in PLATFORMS.items():
        given(an_account, kind, platform.config())


def messages_kept(app):
    with app.app_context():
        return db.session().scalar(select(func.count()).select_from(InboundMessage))


@BOTH
@on_sqlite
def test_the_platforms_check_of_our_address_is_answered(client, accounts, kind):
    platform = PLATFORMS[kind]

    assert platform.accepts_handshake(deliver(client, kind, platform.handshake()))


@on_sqlite
def test_words_without_a_match_are_answered_with_the_way_to_all_services(client, accounts):
    answer = deliver(client, "wechat", platform_wechat.text("火星签证", at=now()))

    said = platform_wechat.read_reply(answer)
    assert "没有找到与“火星签证”有关的服务" in said
    assert "/?channel=wechat" in said


@on_sqlite
def test_following_is_greeted(client, accounts):
    answer = deliver(client, "wechat", platform_wechat.event("follow", at=now()))

    assert "欢迎关注" in platform_wechat.read_reply(answer)


@BOTH
@on_sqlite
def test_leaving_and_unknown_events_are_received_in_silence(client, accounts, kind):
    platform = PLATFORMS[kind]

    for name in ("unfollow", "brand_new_event"):
        assert deliver(client, kind, platform.event(name, at=now())).body == b"success"


@BOTH
def test_a_repeat_gets_the_very_same_answer_and_has_no_second_effect(app, client, accounts, kind):
    message = PLATFORMS[kind].text("户口", at=now())

    first = deliver(client, kind, message)
    again = deliver(client, kind, message)

    assert again == first
    assert messages_kept(app) == 1


def test_the_same_message_many_times_at_once_has_one_effect_and_one_answer(app, accounts):
    message, answers = platform_wechat.text("户口", at=now()), []

    def send():
        answers.append(deliver(app.test_client(), "wechat", message))

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 12
    assert {answer.body for answer in answers} == {answers[0].body}
    assert answers[0].status == 200
    assert messages_kept(app) == 1


def test_two_events_of_one_person_in_one_second_are_two(app, client, accounts):
    at = now()

    deliver(client, "wechat", platform_wechat.event("click", "help", at=at))
    deliver(client, "alipay", platform_alipay.event("click", "help", at=at))
    deliver(client, "alipay", platform_alipay.event("click", "home", at=at))

    assert messages_kept(app) == 3


def test_a_captured_signature_does_not_carry_another_body(app, client, given):
    config = platform_wechat.config(mode="plain")
    given(an_account, "wechat", config)
    at = now()
    body = platform_wechat.message(at, MsgType="text", Content="a", MsgId="1")
    deliver(client, "wechat", platform_wechat.plain(body, at))

    forged = platform_wechat.message(at, MsgType="text", Content="b", MsgId="2")
    answer = deliver(client, "wechat", platform_wechat.plain(forged, at))

    assert answer.status == 403
    assert messages_kept(app) == 1


@on_sqlite
def test_an_old_unbound_signature_is_refused(client, given):
    given(an_account, "wechat", platform_wechat.config(mode="plain"))
    at = now() - timedelta(minutes=11)
    body = platform_wechat.message(at, MsgType="text", Content="a", MsgId="1")

    assert deliver(client, "wechat", platform_wechat.plain(body, at)).status == 403


def test_a_window_without_passive_answers_gets_the_reply_pushed_once(app, client, given):
    with a_platform(platform_alipay.api()) as platform:
        given(an_account, "alipay", platform_alipay.config(platform.base_url))
        message = platform_alipay.text("户口", at=now())

        for _ in range(3):
            assert deliver(client, "alipay", message).body == b"success"
        Worker(app, app.extensions["hall_jobs"]).drain()

        asked = [f"{call.target} {call.body!r}" for call in platform.calls]
        assert sum("message.custom.send" in one for one in asked) == 1


@on_sqlite
def test_the_users_id_stands_in_no_job_and_no_message_row(app, client, accounts):
    deliver(client, "alipay", platform_alipay.text("户口", at=now()))

    with app.app_context():
        jobs = [str(job.payload) for job in db.session().scalars(select(JobRow))]
        rows = [str(vars(row)) for row in db.session().scalars(select(InboundMessage))]
    assert jobs
    assert not any(platform_alipay.RECIPIENT in text for text in jobs + rows)


@pytest.mark.parametrize(
    ("body", "query"),
    [
        pytest.param(b"", "", id="nothing"),
        pytest.param(b"<xml>", "", id="unsigned"),
        pytest.param(b"\x00\xff" * 100, "signature=a&timestamp=1&nonce=2", id="noise"),
        pytest.param(b"a" * 70_000, "", id="huge"),
        pytest.param(b"<!DOCTYPE x [<!ENTITY a 'b'>]><xml>&a;</xml>", "", id="entities"),
        pytest.param(b"<xml>" + b"<a>" * 5000, "encrypt_type=aes", id="deeply nested"),
        pytest.param(b"sign=%%%&charset=utf-8&biz_content=%ff", "", id="bad encoding"),
        pytest.param(b"", "a=" + "b" * 7000, id="long query"),
    ],
)
@BOTH
@on_sqlite
def test_what_no_platform_sends_is_refused_and_leaves_nothing(app, client, accounts, kind, body, query):
    answer = client.post(f"/callbacks/{kind}?{query}", data=body, content_type="text/xml")

    assert 400 <= answer.status_code < 500 or b"<success>false</success>" in answer.data
    assert messages_kept(app) == 0


def test_a_message_whose_worker_died_has_no_effect_and_is_answered_at_its_repeat(
    app, client, accounts, monkeypatch
):
    message = platform_wechat.text("火星签证", at=now())
    with monkeypatch.context() as patch:
        patch.setattr(service, "_note", lambda *_: 1 / 0)  # nothing else dies in this place on demand
        died = deliver(client, "wechat", message)
    kept = messages_kept(app)

    answer = deliver(client, "wechat", message)

    assert (died.status, kept) == (500, 0)
    assert "没有找到与“火星签证”有关的服务" in platform_wechat.read_reply(answer)


def test_who_was_overtaken_by_a_repeat_gives_its_answer(app, client, accounts, monkeypatch):
    message, look_up = platform_wechat.text("火星签证", at=now()), answering.answer
    answers = []

    def slowly(*details):
        monkeypatch.setattr(answering, "answer", look_up)  # the repeat comes while the first still thinks
        answers.append(deliver(app.test_client(), "wechat", message))
        return look_up(*details)

    monkeypatch.setattr(answering, "answer", slowly)

    assert deliver(client, "wechat", message) == answers[0]
    assert "火星签证" in platform_wechat.read_reply(answers[0])
    assert messages_kept(app) == 1


@on_sqlite
def test_a_late_repeat_is_answered_without_looking_anything_up(client, accounts, monkeypatch):
    message = platform_wechat.text("火星签证", at=now() - timedelta(seconds=5))
    first = deliver(client, "wechat", message)
    monkeypatch.setattr(answering, "answer", lambda *_: 1 / 0)

    assert deliver(client, "wechat", message) == first


def statements_of(app):
    """Return a list that fills with what is sent to the database, commits among it."""
    sent = []
    for engine in (app.extensions["hall_db"].read_engine, app.extensions["hall_db"].write_engine):
        event.listen(engine, "before_cursor_execute", lambda *call: sent.append(call[2].split()[0]))
    event.listen(app.extensions["hall_db"].write_engine, "commit", lambda _connection: sent.append("COMMIT"))
    return sent


@on_sqlite
def test_a_usual_message_is_one_transaction_of_few_statements(app, client, accounts):
    for number in range(2):
        deliver(client, "wechat", platform_wechat.text("户口", str(number), at=now()))
    sent = statements_of(app)

    deliver(client, "wechat", platform_wechat.text("户口", "3", at=now()))

    # The account, whether what is published changed, and the transaction with the message.
    assert sent == ["SELECT", "SELECT", "BEGIN", "INSERT", "COMMIT"]


@on_sqlite
def test_an_unknown_account_is_not_found(client, accounts):
    assert client.post("/callbacks/nobody", data=b"x").status_code == 404
