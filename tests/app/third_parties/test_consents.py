"""Consent: asked on a page of the hall, given or refused, seen, ended, over."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core import clock, db
from app.core.errors import NotFound
from app.core.runner import Worker
from app.identity import service as identity
from app.notices.models import Message
from app.third_parties import service
from app.third_parties.models import EventRow
from app.third_parties.service import (
    ConsentMissing,
    EventKind,
    NothingToAsk,
    QuestionOver,
    Scope,
    Stage,
    SubjectUnknown,
)
from tests.app.third_parties.builders import (
    CALLBACK,
    a_boss,
    a_caller,
    a_key,
    a_registration,
    a_resident,
    a_subject,
    an_app,
)
from tests.builders import NOW, a_body

MESSAGES = [Scope.MESSAGES_SEND]
# The rules are the same on every database; what is not stands in test_calling.
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def signed_in(app, resident_id, *, now=NOW):
    """Bring a resident to an approved application as the bridge does; return caller and subject."""
    caller = a_caller(app, Stage.PRODUCTION)
    ticket = identity.issue_ticket(resident_id, identity.body_audience(app.body_id), now=now)
    return caller, service.redeem(caller, ticket, now=now).subject


def agreed(*, days=30, now=NOW, scopes=MESSAGES):
    """Let a new resident agree; return caller, subject and the resident's key."""
    resident_id = a_resident(now=now)
    caller, subject = signed_in(an_app(approved=True, now=now), resident_id, now=now)
    token = service.ask_consent(caller, subject, scopes, days, "s1", now=now)
    service.decide(token, resident_id, granted=True, now=now)
    return caller, subject, resident_id


def kinds():
    return list(db.session().scalars(select(EventRow.kind).order_by(EventRow.at)))


def test_who_redeems_a_ticket_learns_a_name_that_is_the_bodys_own(given):
    resident_id = given(a_resident, now=NOW)
    police, schools = given(an_app, approved=True), given(an_app, approved=True, body=given(a_body, "教育厅"))

    names = [given(signed_in, app, resident_id)[1] for app in (police, police, schools)]

    assert names[0] == names[1] != names[2]
    assert re.fullmatch(r"[0-9a-f]{64}", names[0])


def test_a_ticket_works_once_and_for_its_own_body_only(given):
    resident_id = given(a_resident, now=NOW)
    mine, other = given(an_app, approved=True), given(an_app, approved=True, body=given(a_body, "教育厅"))
    ticket = given(identity.issue_ticket, resident_id, identity.body_audience(mine.body_id), now=NOW)

    with pytest.raises(identity.TicketRefused):
        given(service.redeem, a_caller(other, Stage.PRODUCTION), ticket, now=NOW)
    given(service.redeem, a_caller(mine, Stage.PRODUCTION), ticket, now=NOW)

    with pytest.raises(identity.TicketRefused):
        given(service.redeem, a_caller(mine, Stage.PRODUCTION), ticket, now=NOW)


def test_a_sandbox_key_takes_no_ticket_of_a_resident_and_the_other_way_round(given):
    resident_id, app = given(a_resident, now=NOW), given(an_app, approved=True)
    real = given(identity.issue_ticket, resident_id, identity.body_audience(app.body_id), now=NOW)
    made_up = given(service.sample_ticket, a_caller(app), 1, now=NOW)

    for stage, ticket in ((Stage.SANDBOX, real), (Stage.PRODUCTION, made_up)):
        with pytest.raises(identity.TicketRefused):
            given(service.redeem, a_caller(app, stage), ticket, now=NOW)


def test_a_sample_ticket_lives_a_minute_and_is_used_up(given):
    caller = a_caller(given(an_app))
    ticket = given(service.sample_ticket, caller, 2, now=NOW)

    with pytest.raises(identity.TicketRefused):
        given(service.redeem, caller, ticket, now=NOW + timedelta(seconds=60))
    given(service.redeem, caller, ticket, now=NOW + timedelta(seconds=59))

    with pytest.raises(identity.TicketRefused):
        given(service.redeem, caller, ticket, now=NOW + timedelta(seconds=59))


def test_a_production_key_gets_no_sample(given):
    caller = a_caller(given(an_app, approved=True), Stage.PRODUCTION)

    with pytest.raises(service.NotInSandbox):
        given(service.sample_ticket, caller, 1, now=NOW)


def test_without_consent_nothing_is_done_on_a_resident(given):
    resident_id, app = given(a_resident, now=NOW), given(an_app, approved=True)
    caller, subject = given(signed_in, app, resident_id)

    with pytest.raises(ConsentMissing):
        given(service.use, caller, subject, Scope.MESSAGES_SEND, "x", now=NOW)
    with pytest.raises(SubjectUnknown):
        given(service.use, caller, "f" * 64, Scope.MESSAGES_SEND, "x", now=NOW)


def test_what_a_resident_agreed_to_is_there_for_as_long_as_they_said(given):
    caller, subject, resident_id = given(agreed, days=30)
    last = NOW + timedelta(days=30)

    assert (
        given(service.use, caller, subject, Scope.MESSAGES_SEND, "x", now=last - timedelta(1)) == resident_id
    )
    with pytest.raises(ConsentMissing):
        given(service.use, caller, subject, Scope.MESSAGES_SEND, "x", now=last)
    with pytest.raises(ConsentMissing):
        given(service.use, caller, subject, Scope.APPLICATIONS_READ, "x", now=NOW)


def test_another_application_of_the_same_body_has_no_part_in_it(given):
    caller, subject, resident_id = given(agreed)
    other = given(an_app, approved=True, name="另一个")
    neighbour, same_name = given(signed_in, other, resident_id)

    assert same_name == subject
    with pytest.raises(ConsentMissing):
        given(service.use, neighbour, subject, Scope.MESSAGES_SEND, "x", now=NOW)


def test_the_resident_sees_every_use_and_ends_it_at_once(app, given):
    caller, subject, resident_id = given(agreed)
    given(service.use, caller, subject, Scope.MESSAGES_SEND, "通知：partner.progress", now=NOW)

    with app.app_context():
        (one,) = service.consents_of(resident_id, now=NOW)
        assert [use.what for use in service.uses_of(resident_id, one.id)] == ["通知：partner.progress"]
    given(service.end_consent, resident_id, one.id, now=NOW + timedelta(seconds=1))

    with pytest.raises(ConsentMissing):
        given(service.use, caller, subject, Scope.MESSAGES_SEND, "x", now=NOW)
    with app.app_context():
        assert not service.consents_of(resident_id, now=NOW)[0].in_force
        assert kinds() == [EventKind.CONSENT_GRANTED, EventKind.CONSENT_ENDED]


def test_a_consent_stays_with_the_words_it_was_given_to(app, given):
    caller, _, resident_id = given(agreed)
    boss = given(a_boss)
    with app.app_context():
        known = service.get_app(boss, caller.id)
    new = a_registration(purpose="今后还用来推荐附近的办事网点和预约时间。")
    given(service.change_app, boss, caller.id, new, version=known.version, now=NOW)

    with app.app_context():
        (one,) = service.consents_of(resident_id, now=NOW)
        assert one.purpose == known.purpose
        assert service.get_app(boss, caller.id).purpose_version == 2


def test_who_was_shown_other_words_has_not_agreed_to_the_new_ones(app, client, given):
    key, boss = given(a_key), given(a_boss)
    asked = {"subject": given(a_subject, key.app), "scopes": ["messages.send"]}
    page = key.call(client, "POST", "/consent-requests", asked).json["url"].partition("8000")[2]
    form = form_of(client.get(page, headers={"Accept": "text/html"}).text)
    new = a_registration(purpose="今后还用来推荐附近的办事网点和预约时间。")
    given(service.change_app, boss, key.app.id, new, version=key.app.version, now=NOW)

    answer = client.post(page, data={**form, "answer": "yes"}, headers={"Accept": "text/html"})

    assert (answer.status_code, "今后还用来推荐" in answer.text) == (409, True)
    known = key.call(client, "GET", "/consents", query={"subject": asked["subject"]}).json["items"]
    assert known == []


def form_of(page):
    """Return the hidden fields of a page's form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', page))


def test_a_closed_account_is_out_of_reach_before_anybody_was_told(given):
    caller, subject, resident_id = given(agreed)

    given(identity.close, resident_id, now=NOW)

    with pytest.raises(ConsentMissing):
        given(service.use, caller, subject, Scope.MESSAGES_SEND, "x", now=NOW)


def test_who_closes_the_account_ends_every_consent(app, given):
    caller, subject, resident_id = given(agreed)
    given(identity.close, resident_id, now=NOW)

    Worker(app, app.extensions["hall_jobs"]).drain()

    with pytest.raises(ConsentMissing):
        given(service.use, caller, subject, Scope.MESSAGES_SEND, "x", now=NOW)
    with app.app_context():
        assert EventKind.CONSENT_ENDED in kinds()


def test_nobody_ends_or_reads_the_consent_of_another(given, app):
    _, _, resident_id = given(agreed)
    stranger = given(a_resident, now=NOW)
    with app.app_context():
        (one,) = service.consents_of(resident_id, now=NOW)

    with pytest.raises(NotFound):
        given(service.end_consent, stranger, one.id, now=NOW)
    with pytest.raises(NotFound):
        given(service.uses_of, stranger, one.id)


def test_a_question_is_for_one_person_and_is_answered_once(given):
    resident_id, stranger = given(a_resident, now=NOW), given(a_resident, now=NOW)
    caller, subject = given(signed_in, given(an_app, approved=True), resident_id)
    token = given(service.ask_consent, caller, subject, MESSAGES, 30, "", now=NOW)

    for other in (stranger, None):
        with pytest.raises(QuestionOver):
            given(service.decide, token, other, granted=True, now=NOW)
    given(service.decide, token, resident_id, granted=False, now=NOW)

    with pytest.raises(QuestionOver):
        given(service.decide, token, resident_id, granted=True, now=NOW)
    with pytest.raises(ConsentMissing):
        given(service.use, caller, subject, Scope.MESSAGES_SEND, "x", now=NOW)


def test_a_question_ends_after_ten_minutes(given):
    resident_id = given(a_resident, now=NOW)
    caller, subject = given(signed_in, given(an_app, approved=True), resident_id)
    token = given(service.ask_consent, caller, subject, MESSAGES, 30, "", now=NOW)

    given(service.question, token, resident_id, now=NOW + timedelta(minutes=9, seconds=59))
    with pytest.raises(QuestionOver):
        given(service.question, token, resident_id, now=NOW + timedelta(minutes=10))


def test_what_is_agreed_to_already_is_not_asked_again(given):
    caller, subject, _ = given(agreed, days=30)

    with pytest.raises(NothingToAsk):
        given(service.ask_consent, caller, subject, MESSAGES, 30, "", now=NOW)
    assert given(service.ask_consent, caller, subject, MESSAGES, 31, "", now=NOW)


def test_a_consent_whose_time_is_over_is_closed_and_told_of_once(app, given):
    _, _, resident_id = given(agreed, days=1)
    later = NOW + timedelta(days=1)

    found = [given(service.end_expired, now=later), given(service.end_expired, now=later)]

    assert found == [1, 0]
    with app.app_context():
        assert kinds() == [EventKind.CONSENT_GRANTED, EventKind.CONSENT_ENDED]


def test_closing_the_account_ends_what_was_agreed_to(app, given):
    caller, subject, resident_id = given(agreed, now=clock.system_clock())

    given(identity.close, resident_id, now=clock.system_clock())
    Worker(app, app.extensions["hall_jobs"]).drain()

    with app.app_context():
        assert [one.in_force for one in service.consents_of(resident_id, now=clock.system_clock())] == [False]
        assert EventKind.CONSENT_ENDED in kinds()
    with pytest.raises(ConsentMissing):
        given(service.use, caller, subject, Scope.MESSAGES_SEND, "x", now=clock.system_clock())


@pytest.mark.parametrize("scopes", [["sso"], [], ["webhooks", "messages.send"]])
def test_only_what_needs_consent_is_asked_for(client, given, scopes):
    key = given(a_key)
    asked = {"subject": given(a_subject, key.app), "scopes": scopes}

    assert key.call(client, "POST", "/consent-requests", asked).status_code == 422


def test_the_sandbox_shows_the_same_page_and_leads_back_with_the_answer(client, given):
    key = given(a_key)
    asked = {"subject": given(a_subject, key.app), "scopes": ["messages.send"], "days": 7, "state": "a b&c"}
    page = key.call(client, "POST", "/consent-requests", asked).json["url"].partition("8000")[2]

    shown = client.get(page, headers={"Accept": "text/html"})
    token = re.search(r'name="csrf_token" value="([^"]+)"', shown.text)[1]
    done = client.post(page, data={"csrf_token": token, "answer": "yes"}, headers={"Accept": "text/html"})

    assert "测试环境" in shown.text
    assert "省公安厅" in shown.text
    assert "给您发送办事通知" in shown.text
    assert f"{CALLBACK}?consent=granted&amp;state=a+b%26c" in done.text
    known = key.call(client, "GET", "/consents", query={"subject": asked["subject"]}).json["items"]
    assert [one["scopes"] for one in known] == [["messages.send"]]
    assert client.get(page, headers={"Accept": "text/html"}).status_code == 404


def test_refusing_is_as_easy_as_agreeing(client, given):
    key = given(a_key)
    asked = {"subject": given(a_subject, key.app), "scopes": ["messages.send"]}
    page = key.call(client, "POST", "/consent-requests", asked).json["url"].partition("8000")[2]

    shown = client.get(page, headers={"Accept": "text/html"}).text
    buttons = re.findall(r'<button class="([^"]+)" name="answer" value="(\w+)"', shown)

    assert {value for _, value in buttons} == {"yes", "no"}
    assert len({style for style, _ in buttons}) == 1


def test_a_message_needs_consent_and_in_the_sandbox_nobody_is_sent_one(client, given, app):
    key = given(a_key)
    with app.app_context():
        service.prepare(lambda _done, _total: None)
    subject, now = given(a_subject, key.app), clock.system_clock()
    new = {"subject": subject, "template": "partner.progress", "data": {}, "reference": "r1"}

    before = key.call(client, "POST", "/messages", new)
    caller = a_caller(key.app)
    token = given(service.ask_consent, caller, subject, MESSAGES, 1, "", now=now)
    given(service.decide, token, None, granted=True, now=now)
    after = key.call(client, "POST", "/messages", new)

    assert (before.status_code, before.json["code"]) == (403, "consent_missing")
    assert (after.status_code, after.json) == (202, {"message_id": None, "sent": False})
    Worker(app, app.extensions["hall_jobs"]).drain()


def test_a_reference_carries_one_message_only(client, given, app):
    key = given(a_key)
    with app.app_context():
        service.prepare(lambda _done, _total: None)
    subject, now = given(a_subject, key.app), clock.system_clock()
    token = given(service.ask_consent, a_caller(key.app), subject, MESSAGES, 1, "", now=now)
    given(service.decide, token, None, granted=True, now=now)
    new = {"subject": subject, "template": "partner.progress", "data": {}, "reference": "流水1"}

    first, again = (key.call(client, "POST", "/messages", new) for _ in range(2))
    other = key.call(client, "POST", "/messages", {**new, "data": {"进度": "不予受理"}})

    assert (first.status_code, again.json) == (202, first.json)
    assert (other.status_code, other.json["code"]) == (409, "idempotency_key_reused")


def test_a_real_resident_is_told_through_the_halls_own_notices_once_per_reference(app, given):
    caller, subject, resident_id = given(agreed)
    with app.app_context():
        service.prepare(lambda _done, _total: None)
    data = {"单位": "省公安厅", "事项": "居住证办理", "进度": "已经受理"}

    def send(reference):
        return given(
            service.send_message,
            caller,
            subject,
            "partner.progress",
            data,
            page_id=None,
            reference=reference,
            now=NOW,
        ).message_id

    first, again, other = send("r1"), send("r1"), send("r2")

    assert first == again != other
    with app.app_context():
        rows = db.session().scalars(select(Message).where(Message.resident_id == resident_id)).all()
        assert len(rows) == 2


@pytest.mark.parametrize("template", ["partner.none", "case.accepted", ""])
def test_only_templates_for_third_parties_are_sent(given, template):
    caller, subject, _ = given(agreed)

    with pytest.raises(service.TemplateUnknown):
        given(
            service.send_message,
            caller,
            subject,
            template,
            {},
            page_id=None,
            reference="r",
            now=NOW,
        )
