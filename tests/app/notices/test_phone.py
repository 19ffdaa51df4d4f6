"""What a resident sees and says: on pages, and by the API that mini programs use."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock, db
from app.core.audit import AuditLine
from app.core.vault import VaultEntry
from app.notices import service
from app.notices.domain import KEEP_PROOF, KEEP_TEXT
from app.notices.models import Contact, Message
from app.notices.service import Right, Settings, Topic
from channels.base import Consent
from tests.app.identity.builders import OPENID, a_bearer, a_mini_program, signed_in
from tests.app.identity.builders import a_resident as a_person
from tests.app.notices.builders import DATA, a_form, a_template
from tests.builders import submit

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
API = "/api/v1/my"


def told(given, resident_id, count=1, **changed):
    """Publish a template once and tell a resident ``count`` things; returns the messages' ids."""

    def build():
        if not service.templates():
            a_template()
        first = clock.system_clock() - timedelta(hours=1)
        return [
            service.send(
                resident_id,
                "case.accepted",
                {**DATA, "事项": f"事项{number}"},
                link="/me",
                dedup_key=f"n:{number}",
                now=first + timedelta(seconds=number),
                **changed,
            )
            for number in range(count)
        ]

    return given(build)


def test_messages_come_unread_first_and_page_by_page_none_twice(app, given):
    person = given(a_person)
    ids = told(given, person, 7)
    given(service.mark_read, person, ids[4:6], clock.system_clock())
    caller, bearer = app.test_client(), given(a_bearer, person)

    seen, cursor = [], ""
    while cursor is not None:
        query = f"?limit=3&cursor={cursor}" if cursor else "?limit=3"
        page = caller.get(f"{API}/messages{query}", headers=bearer).json
        seen += [int(one["id"]) for one in page["items"]]
        cursor = page["next_cursor"]

    assert seen == [ids[6], ids[3], ids[2], ids[1], ids[0], ids[5], ids[4]]
    assert page["unread_count"] == 5


def test_opening_a_message_reads_it_and_nobody_else_sees_it(app, given):
    person, other = given(a_person), given(a_person, given(a_mini_program), subject="oOther")
    (message_id,) = told(given, person)
    browser = signed_in(app, given, person)

    before = browser.get("/me/messages").text
    opened = browser.get(f"/me/messages/{message_id}")
    foreign = signed_in(app, given, other).get(f"/me/messages/{message_id}")

    assert "未读" in before
    assert "您申请的“事项0”" in opened.text
    assert "未读" not in browser.get("/me/messages").text
    assert foreign.status_code == 404


def test_all_are_marked_read_by_one_button(app, given):
    person = given(a_person)
    told(given, person, 3)
    browser = signed_in(app, given, person)

    answer = submit(browser, "/me/messages", "/me/messages/read")

    assert answer.status_code == 302
    assert "3 条消息已标为已读" in browser.get("/me/messages").text


@pytest.mark.parametrize("cursor", ["x", "2-1-1", "0-1", f"0-{10**19}-1", f"1-1-{10**19}"])
def test_a_made_up_cursor_is_not_found(app, given, cursor):
    caller, bearer = app.test_client(), given(a_bearer, given(a_person))

    assert caller.get(f"{API}/messages", query_string={"cursor": cursor}, headers=bearer).status_code == 404


def test_others_messages_are_passed_over_when_marked(app, given):
    person, other = given(a_person), given(a_person, given(a_mini_program), subject="oOther")
    (message_id,) = told(given, person)
    caller, bearer = app.test_client(), given(a_bearer, other)

    answer = caller.post(f"{API}/messages/read", json={"ids": [str(message_id)]}, headers=bearer)

    assert answer.json == {"read_count": 0, "unread_count": 0}


def test_settings_are_kept_the_same_on_page_and_api(app, given):
    person = given(a_person)
    browser, bearer = signed_in(app, given, person), given(a_bearer, person)
    form = {"version": "0", "quiet": "on", "quiet_from": "23:00", "quiet_until": "06:30"}

    saved = submit(browser, "/me/notice-settings", on=["decision|wechat", "progress|wechat"], **form)

    shown = app.test_client().get(f"{API}/notice-settings", headers=bearer).json
    assert saved.status_code == 303
    assert (shown["quiet_from"], shown["quiet_until"], shown["version"]) == ("23:00", "06:30", 1)
    muted = {one["topic"] for one in shown["muted"]}
    assert muted == {topic.value for topic in Topic} - {"decision", "progress", "served"}
    assert 'value="23:00"' in browser.get("/me/notice-settings").text


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 200),
        ({"version": 5}, 409),
        ({"quiet_from": "22:00"}, 422),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, 422),
        ({"quiet_from": "25:00", "quiet_until": "22:00"}, 422),
        ({"channels": ["pigeon"]}, 422),
        ({"channels": ["wechat", "wechat"]}, 422),
        ({"muted": [{"topic": "weather", "channels": ["wechat"]}]}, 422),
        ({"muted": [{"topic": "progress", "channels": ["pigeon"]}]}, 422),
        ({"muted": [{"topic": "progress", "channels": []}] * 2}, 422),
    ],
)
def test_wrong_settings_are_refused_and_change_nothing(app, given, changed, status):
    person = given(a_person)
    caller, bearer = app.test_client(), given(a_bearer, person)
    wanted = {"version": 0, "channels": ["wechat"], "muted": [], **changed}

    answer = caller.put(f"{API}/notice-settings", json=wanted, headers=bearer)

    kept = caller.get(f"{API}/notice-settings", headers=bearer).json["version"]
    assert (answer.status_code, kept) == (status, 1 if status == 200 else 0)


def test_a_settings_form_that_is_too_old_is_refused_in_words(app, given):
    person = given(a_person)
    browser = signed_in(app, given, person)
    given(service.change_settings, person, Settings(), version=0, now=clock.system_clock())

    answer = submit(browser, "/me/notice-settings", version="0")

    assert answer.status_code == 422
    assert "已被他人先行处理" in answer.text


def test_a_mini_program_asks_for_what_the_templates_use_and_may_not_count_twice(app, given):
    mini = given(a_mini_program)
    person = given(a_person, mini)
    given(a_template, a_form(mini, Right.SUBSCRIBE))
    caller, bearer = app.test_client(), given(a_bearer, person)
    given(service.note_consents, mini, OPENID, [Consent("S1", True)], clock.system_clock())

    said = caller.post(
        f"{API}/notice-subscriptions", json={"account": mini.key, "allowed": ["S1"]}, headers=bearer
    )
    listed = caller.get(f"{API}/notice-subscriptions?account={mini.key}", headers=bearer).json

    assert said.json == {"noted": False}
    assert [(one["platform_template"], one["remaining"]) for one in listed] == [("S1", 1)]


def test_what_a_message_says_lies_in_the_vault_and_nowhere_else(app, given, capfd):
    mini = given(a_mini_program)
    person = given(a_person, mini)
    told(given, person)
    given(service.note_contact, mini, OPENID, clock.system_clock())

    with app.app_context():
        tables = (Message, Contact, AuditLine)
        stored = repr(
            [
                [getattr(row, column.key) for column in table.__table__.columns]
                for table in tables
                for row in db.session().query(table)
            ]
        )
        sealed = db.session().query(VaultEntry).filter_by(field="notice_values").count()

    assert sealed == 1
    assert "事项0" not in stored
    assert OPENID not in stored
    assert OPENID not in capfd.readouterr().err


def test_texts_are_deleted_after_half_a_year_and_proofs_a_year_later(app, given):
    person = given(a_person)
    told(given, person)
    now = clock.system_clock()

    def counts():
        with app.app_context():
            sealed = db.session().query(VaultEntry).filter_by(field="notice_values").count()
            return sealed, db.session().query(Message).count(), len(service.messages(person).items)

    given(service.forget_texts, now + KEEP_TEXT)
    texts_gone = counts()
    given(service.forget_proofs, now + KEEP_PROOF)

    assert texts_gone == (0, 1, 0)
    assert counts() == (0, 0, 0)
