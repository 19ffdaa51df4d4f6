"""Messages on their way to a scripted platform over real HTTP: one way after the other until one takes it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import timedelta

import pytest

from app.core import db
from app.notices import service
from app.notices.service import Right
from channels.base import Consent, DeliveryReceipt, Outcome
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
    the,
)
from tests.builders import NOW
from tests.channels import platform_wechat
from tests.channels.platform_wechat import RECIPIENT
from tests.channels.server import Answer, a_platform

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
TEMPLATE, SUBSCRIBE, CUSTOM = "message/template/send", "message/subscribe/bizsend", "message/custom/send"


@contextmanager
def a_hall(answers=None, *, rights=(Right.SUBSCRIBE, Right.TEMPLATE), respond=None, **template):
    """A platform, an account on it with a form per right, a resident of it, and a published template."""
    with a_platform(respond or platform_wechat.Api(answers)) as platform:

        def build():
            account = an_account(base_url=platform.base_url)
            a_template(*(a_form(account, right) for right in rights), **template)
            return account, a_resident(account)

        account, resident_id = db.transaction(build)
        yield platform, account, resident_id


def refusing(code):
    return {"errcode": code, "errmsg": "no"}


def test_a_template_message_carries_the_values_and_leads_to_the_message(context):
    with a_hall() as (platform, _, resident_id):
        message_id = tell(resident_id)
        go(message_id)

    ((path, body),) = sent_to(platform)
    assert (path, body["touser"], body["template_id"]) == ("template/send", RECIPIENT, "T1")
    assert body["data"]["thing1"] == {"value": "户口迁移"}
    assert body["url"] == f"http://hall.example.cn/me/messages/{message_id}"
    assert states() == {"wechat.template": "accepted"}
    assert the(message_id).state == "accepted"


def test_a_consent_is_used_first_and_only_once(context):
    with a_hall() as (platform, account, resident_id):
        allow(account)
        for number in range(2):
            go(tell(resident_id, once=f"case:{number}"))

    assert [path for path, _ in sent_to(platform)] == ["subscribe/bizsend", "template/send"]


def test_each_accepted_window_is_one_message_more(context):
    with a_hall(rights=(Right.SUBSCRIBE,)) as (platform, account, resident_id):
        allow(account, times=3)
        for number in range(5):
            go(tell(resident_id, once=f"case:{number}"))

    assert len(sent_to(platform)) == 3
    assert [one.way for one in deliveries()].count("hall") == 2


def test_who_forbids_it_takes_back_all_that_was_allowed(context):
    with a_hall() as (platform, account, resident_id):
        allow(account, times=3)
        forbid = [Consent("S1", False)]
        db.transaction(lambda: service.note_consents(account, RECIPIENT, forbid, NOW))
        go(tell(resident_id))

    assert states() == {"wechat.template": "accepted"}


def test_a_consent_the_platform_knows_nothing_of_is_cleared_and_the_next_way_taken(context):
    with a_hall({SUBSCRIBE: refusing(43101)}) as (platform, account, resident_id):
        allow(account, times=2)
        go(tell(resident_id))
        go(tell(resident_id, once="case:2"))

    assert [path for path, _ in sent_to(platform)] == ["subscribe/bizsend", "template/send", "template/send"]
    refused = [(one.way, one.code) for one in deliveries() if one.state == "refused"]
    assert refused == [("wechat.subscribe", "43101")]


def test_who_left_gets_no_template_message_any_more_and_finds_it_in_the_hall(context):
    with a_hall({TEMPLATE: refusing(43004)}) as (platform, _, resident_id):
        first = tell(resident_id)
        go(first)
        go(tell(resident_id, once="case:2"))

    assert len(sent_to(platform)) == 1
    assert states(first) == {"wechat.template": "refused", "hall": "accepted"}
    assert the(first).state == "accepted"


def test_who_wrote_within_48_hours_gets_words_where_no_form_may_go(context):
    with a_hall(rights=()) as (platform, account, resident_id):
        db.transaction(lambda: service.note_contact(account, RECIPIENT, NOW))
        go(tell(resident_id))
        go(tell(resident_id, once="case:2"), later(hours=47.9))

    ((path, body),) = sent_to(platform)
    assert path == "custom/send"
    assert body["text"]["content"].startswith("户口迁移已受理\n您申请的“户口迁移”")


def test_a_window_that_the_platform_says_is_over_is_not_tried_again(context):
    with a_hall({CUSTOM: refusing(45015)}, rights=()) as (platform, account, resident_id):
        db.transaction(lambda: service.note_follow(account, RECIPIENT, NOW))
        go(tell(resident_id))
        go(tell(resident_id, once="case:2"))

    assert len(sent_to(platform)) == 1


def test_a_busy_platform_is_tried_again_on_a_ladder_and_then_left(context):
    with a_hall({TEMPLATE: refusing(-1)}) as (platform, _, resident_id):
        message_id = tell(resident_id)
        at = NOW
        tried = []
        for wait in (0, 9, 1, 60, 300, 1800, 1):
            at += timedelta(seconds=wait)
            go(message_id, at)
            tried.append(len(sent_to(platform)))

    assert tried == [1, 1, 2, 3, 4, 5, 5]
    assert states() == {"wechat.template": "failed", "hall": "accepted"}
    assert attempts() == ["retryable"] * 5


def test_an_urgent_message_does_not_wait_for_a_busy_platform(context):
    with a_hall({TEMPLATE: refusing(-1)}, urgent=True) as (platform, account, resident_id):
        db.transaction(lambda: service.note_contact(account, RECIPIENT, NOW))
        go(tell(resident_id))

    assert [path for path, _ in sent_to(platform)] == ["template/send", "custom/send"]
    assert states() == {"wechat.template": "failed", "wechat.service": "accepted"}


def test_a_wrong_form_is_left_for_the_next_way_at_once(context):
    with a_hall({TEMPLATE: refusing(40037)}) as (_, _account, resident_id):
        message_id = tell(resident_id)
        go(message_id)

    assert {(one.way, one.state, one.code) for one in deliveries(message_id)} == {
        ("wechat.template", "failed", "40037"),
        ("hall", "accepted", ""),
    }


def test_the_days_quota_stops_the_account_until_the_next_day_in_guangdong(context):
    api = platform_wechat.Api({TEMPLATE: refusing(45009)})
    with a_hall(respond=api, valid_hours=48) as (platform, _, resident_id):
        first, second = tell(resident_id), tell(resident_id, once="case:2")
        go(first)
        go(second, later(hours=1))
        stopped = len(sent_to(platform))
        api.answers.clear()
        go(second, later(hours=15 + 8))

    assert stopped == 1
    assert states(first) == {"wechat.template": "queued"}
    assert states(second) == {"wechat.template": "accepted"}


def test_our_own_count_stops_before_the_platforms_limit(context):
    with a_hall() as (platform, account, resident_id):
        limits = {Right.TEMPLATE: 2}
        db.transaction(
            lambda: service.set_limits(account.id, per_second=50, daily_limits=limits, by="staff:1", now=NOW)
        )
        for number in range(4):
            go(tell(resident_id, once=f"case:{number}"))

    assert len(sent_to(platform)) == 2
    assert service.sender(account.id, NOW).used[Right.TEMPLATE] == 2


def test_an_account_keeps_its_pace(context):
    with a_hall() as (platform, account, resident_id):
        db.transaction(
            lambda: service.set_limits(account.id, per_second=2, daily_limits={}, by="staff:1", now=NOW)
        )
        ids = [tell(resident_id, once=f"case:{number}") for number in range(5)]
        for message_id in ids:
            go(message_id)
        at_once = len(sent_to(platform))
        for message_id in ids:
            go(message_id, later(seconds=1))

    assert (at_once, len(sent_to(platform))) == (2, 4)


def silent_once(api, path):
    """Return a platform that takes the first message on ``path`` and breaks off before it answers."""
    seen = []

    def respond(call):
        answer = api(call)
        if call.target.split("?")[0] == f"/cgi-bin/{path}" and not seen:
            seen.append(call)
            return Answer(b"<html>502</html>", 502, "text/html")
        return answer

    return respond


def test_an_unknown_result_is_repeated_where_the_platform_shows_repeats_once(context):
    api = platform_wechat.Api()
    with a_hall(respond=silent_once(api, TEMPLATE)) as (platform, _, resident_id):
        message_id = tell(resident_id)
        go(message_id)
        go(message_id, later(seconds=10))

    first, second = (body for _, body in sent_to(platform))
    assert first["client_msg_id"] == second["client_msg_id"]
    assert attempts() == ["unknown_result", "accepted"]
    assert states() == {"wechat.template": "accepted"}


def test_an_unknown_result_is_not_repeated_once_the_platform_has_forgotten_the_first(context):
    api = platform_wechat.Api()
    with a_hall(respond=silent_once(api, TEMPLATE)) as (platform, _, resident_id):
        message_id = tell(resident_id)
        go(message_id)
        go(message_id, later(minutes=11))

    assert len(sent_to(platform)) == 1
    assert states() == {"wechat.template": "failed", "hall": "accepted"}


def test_what_may_have_gone_out_takes_no_better_way_that_opens_meanwhile(context):
    api = platform_wechat.Api()
    with a_hall(respond=silent_once(api, TEMPLATE)) as (platform, account, resident_id):
        message_id = tell(resident_id)
        go(message_id)
        allow(account)
        go(message_id, later(seconds=10))

    assert [path for path, _ in sent_to(platform)] == ["template/send"] * 2


def test_a_refusal_of_the_repeat_says_nothing_of_the_first_try(context):
    api = platform_wechat.Api({TEMPLATE: refusing(40037)})
    with a_hall(respond=silent_once(api, TEMPLATE)) as (platform, account, resident_id):
        db.transaction(lambda: service.note_contact(account, RECIPIENT, NOW))
        message_id = tell(resident_id)
        go(message_id)
        go(message_id, later(seconds=10))

    assert [path for path, _ in sent_to(platform)] == ["template/send"] * 2
    assert states() == {"wechat.template": "failed", "hall": "accepted"}


@pytest.mark.parametrize(("binding", "tried"), [(False, 1), (True, 2)], ids=["ordinary", "with legal effect"])
def test_an_unknown_result_elsewhere_is_never_repeated_there(context, binding, tried):
    api = platform_wechat.Api()
    respond = silent_once(api, SUBSCRIBE)
    with a_hall(respond=respond, binding=binding) as (platform, account, resident_id):
        allow(account)
        message_id = tell(resident_id)
        go(message_id)
        go(message_id, later(minutes=5))

    assert len(sent_to(platform)) == tried
    assert states()["wechat.subscribe"] == "failed"
    assert {one.code for one in deliveries() if one.way == "wechat.subscribe"} == {"unknown_result"}


def arrived(account, number, outcome=Outcome.ACCEPTED, code=""):
    receipt = DeliveryReceipt(str(number), outcome, code)
    return db.transaction(lambda: service.note_receipt(account, receipt, later(seconds=1)))


def test_a_receipt_says_that_it_arrived_and_another_changes_nothing(context):
    with a_hall() as (_, account, resident_id):
        message_id = tell(resident_id)
        go(message_id)

        assert arrived(account, 200228332)
        assert arrived(account, 200228332, Outcome.UNKNOWN)

    assert states() == {"wechat.template": "delivered"}
    assert the(message_id).state == "delivered"


def test_a_message_that_did_not_arrive_takes_the_next_way(context):
    with a_hall() as (platform, account, resident_id):
        db.transaction(lambda: service.note_contact(account, RECIPIENT, NOW))
        message_id = tell(resident_id)
        go(message_id)
        arrived(account, 200228332, Outcome.NEEDS_CONSENT, "failed:user block")
        go(message_id, later(seconds=2))

    assert [path for path, _ in sent_to(platform)] == ["template/send", "custom/send"]
    assert states() == {"wechat.template": "refused", "wechat.service": "accepted"}


def test_a_receipt_for_somebody_elses_message_is_none_of_ours(context):
    with a_hall() as (_, account, resident_id):
        go(tell(resident_id))

        assert not arrived(account, 1)
        assert not arrived(account, "")


def test_without_a_receipt_it_stays_accepted_and_is_not_called_delivered(context):
    with a_hall() as (platform, _, resident_id):
        message_id = tell(resident_id)
        go(message_id)
        go(message_id, later(days=30))

    assert states() == {"wechat.template": "accepted"}
    assert len(sent_to(platform)) == 1


def test_a_receipt_that_comes_before_the_answer_is_not_lost(app, context):
    told = []

    def respond(call):
        if call.target.split("?")[0] == f"/cgi-bin/{TEMPLATE}":
            told.append(arrived_in_thread(200228332))
        return api(call)

    api = platform_wechat.Api()
    with a_hall(respond=respond) as (_, account, resident_id):

        def arrived_in_thread(number):
            with app.app_context():
                return arrived(account, number)

        message_id = tell(resident_id)
        go(message_id)

    assert told == [False]
    assert states() == {"wechat.template": "delivered"}


def test_values_are_never_read_as_text_with_variables(context):
    with a_hall(rights=()) as (platform, account, resident_id):
        db.transaction(lambda: service.note_contact(account, RECIPIENT, NOW))
        go(tell(resident_id, data={"事项": "{编号}]]>😀"}))

    ((_, body),) = sent_to(platform)
    assert body["text"]["content"].startswith("{编号}]]>😀已受理")
    assert json.dumps(body)
