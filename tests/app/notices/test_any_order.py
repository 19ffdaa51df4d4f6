"""Whatever happens in whatever order, a message makes no forbidden move and nobody is told twice."""

from __future__ import annotations

import itertools
import json
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.core import db
from app.core.quiet import Quiet
from app.notices import service
from app.notices.domain import MOVES, QUIET, DeliveryState
from app.notices.service import Right, Settings
from channels.base import DeliveryReceipt, Outcome
from tests.app.notices.builders import (
    a_form,
    a_resident,
    a_template,
    allow,
    an_account,
    deliveries,
    go,
    tell,
    the,
)
from tests.builders import NOW
from tests.channels import platform_wechat
from tests.channels.platform_wechat import RECIPIENT
from tests.channels.server import Answer, a_platform

WAITS = [0, 1, 1, 6, 31, 200, 700]
SENDS = ("message/template/send", "message/subscribe/bizsend", "message/custom/send")
MOODS = ["good", "good", "silent", "silent", -1, 43004, 43101, 40037, 45009, 45015, 48001]
ROUND = st.tuples(st.sampled_from(WAITS), st.sampled_from(MOODS))
TOLD = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED)
_numbers = itertools.count(1)


class Platform(platform_wechat.Api):
    """Takes, refuses or falls silent as its mood is; shows repeats of one client_msg_id once."""

    def __init__(self):
        super().__init__()
        self.mood = "good"
        self.shown = []
        self.known = {}

    def __call__(self, call):
        path = call.target.split("?")[0].removeprefix("/cgi-bin/")
        if path not in SENDS or isinstance(self.mood, int):
            return super().__call__(call)
        body = json.loads(call.body)
        once = body.get("client_msg_id") or f"#{next(_numbers)}"
        if once not in self.known:
            self.known[once] = 1000 + next(_numbers)
            self.shown.append(body.get("url") or body.get("page") or body["text"]["content"].splitlines()[-1])
        if self.mood == "silent":
            return Answer(b"", 502)
        return Answer(json.dumps({"errcode": 0, "msgid": self.known[once]}).encode())

    def _with_token(self, path, body):
        if path in SENDS and isinstance(self.mood, int):
            return {"errcode": self.mood, "errmsg": "no"}
        return super()._with_token(path, body)


class Messages(RuleBasedStateMachine):
    """One resident, one account, messages at any state; ``platform`` and ``base_url`` are set by the test."""

    platform: Platform
    base_url: str

    def __init__(self):
        super().__init__()
        self.now, self.seen, self.ids = NOW, {}, []
        self.key = f"order-{next(_numbers)}"
        self.platform.mood, self.platform.shown[:] = "good", []
        db.transaction(self.build)

    def build(self):
        self.account = an_account(self.key, self.base_url)
        forms = (a_form(self.account, Right.SUBSCRIBE), a_form(self.account, Right.TEMPLATE))
        a_template(*forms, key=self.key, valid_hours=48)
        subject = f"{RECIPIENT}-{self.key}"
        self.resident = a_resident(self.account, subject=subject)
        self.subject = subject

    @rule(again=st.integers(0, 5))
    def the_same_news(self, again):
        if self.ids:
            number = again % len(self.ids)
            assert tell(self.resident, self.key, once=f"{number}", now=self.now) == self.ids[number]

    @rule(allowed=st.booleans(), rounds=st.lists(ROUND, min_size=1, max_size=4))
    def news(self, allowed, rounds):
        """Tell something new and let time pass, while the platform is in this mood and in that."""
        if allowed:
            allow(self.account, at=self.now, subject=self.subject)
        self.ids.append(tell(self.resident, self.key, once=f"{len(self.ids)}", now=self.now))
        for minutes, mood in rounds:
            self.now += timedelta(minutes=minutes)
            self.platform.mood = mood
            before = len(self.platform.shown)
            for message_id in self.ids:
                go(message_id, self.now)
            assert len(self.platform.shown) == before or not QUIET.covers(self.now)

    @rule(does=st.sampled_from(["writes", "follows", "leaves", "reads"]))
    def the_resident(self, does):
        note = {
            "writes": lambda: service.note_contact(self.account, self.subject, self.now),
            "follows": lambda: service.note_follow(self.account, self.subject, self.now),
            "leaves": lambda: service.note_unfollow(self.account, self.subject, self.now),
            "reads": lambda: service.mark_all_read(self.resident, self.now),
        }
        db.transaction(note[does])

    @rule(outcome=st.sampled_from([Outcome.ACCEPTED, Outcome.NEEDS_CONSENT, Outcome.RETRYABLE]))
    def receipts_come(self, outcome):
        for row in self.mine():
            if row.platform_id:
                receipt = DeliveryReceipt(row.platform_id, outcome)
                db.transaction(lambda r=receipt: service.note_receipt(self.account, r, self.now))

    def mine(self):
        return [row for message_id in self.ids for row in deliveries(message_id)]

    @invariant()
    def only_moves_that_there_are(self):
        for row in self.mine():
            before = self.seen.get(row.id, row.state)
            assert row.state in reachable(before), (before, row.state)
            self.seen[row.id] = row.state

    @invariant()
    def told_on_one_way(self):
        for message_id in self.ids:
            told = [one for one in deliveries(message_id) if one.state in TOLD]
            assert len(told) <= 1
            if the(message_id).state in TOLD:
                assert [one.state for one in told] == [the(message_id).state]

    @invariant()
    def shown_once_unless_a_receipt_said_it_was_lost(self):
        for message_id in self.ids:
            shown = sum(one.endswith(f"/me/messages/{message_id}") for one in self.platform.shown)
            lost = sum(bool(one.platform_id) and one.state not in TOLD for one in deliveries(message_id))
            assert shown <= 1 + lost


def reachable(state):
    found, left = {state}, [state]
    while left:
        for following in MOVES[left.pop()] - found:
            found.add(following)
            left.append(following)
    return found


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_no_order_of_events_breaks_the_rules(app, context):
    platform = Platform()
    quick = settings(
        max_examples=20,
        stateful_step_count=8,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    with a_platform(platform) as server:
        Messages.platform, Messages.base_url = platform, server.base_url
        run_state_machine_as_test(Messages, settings=quick)


# Around midnight, for hours that span it and hours that do not.
@pytest.mark.parametrize(
    ("quiet", "at", "due"),
    [
        pytest.param((22 * 60, 8 * 60), "2026-03-02 21:59", "2026-03-02 21:59", id="just before"),
        pytest.param((22 * 60, 8 * 60), "2026-03-02 22:00", "2026-03-03 08:00", id="at the start"),
        pytest.param((22 * 60, 8 * 60), "2026-03-02 23:59", "2026-03-03 08:00", id="before midnight"),
        pytest.param((22 * 60, 8 * 60), "2026-03-03 00:00", "2026-03-03 08:00", id="at midnight"),
        pytest.param((22 * 60, 8 * 60), "2026-03-03 07:59", "2026-03-03 08:00", id="just before the end"),
        pytest.param((22 * 60, 8 * 60), "2026-03-03 08:00", "2026-03-03 08:00", id="at the end"),
        pytest.param((0, 60), "2026-03-02 23:59", "2026-03-02 23:59", id="from midnight, before"),
        pytest.param((0, 60), "2026-03-03 00:00", "2026-03-03 01:00", id="from midnight"),
        pytest.param(None, "2026-03-03 03:00", "2026-03-03 03:00", id="none"),
    ],
)
@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_quiet_hours_around_midnight(app, context, quiet, at, due):
    moment, expected = (datetime.fromisoformat(f"{one}+08:00") for one in (at, due))

    def build():
        a_template()
        resident_id = a_resident(an_account())
        wanted = Settings(quiet=Quiet(*quiet) if quiet else None)
        service.change_settings(resident_id, wanted, version=0, now=NOW)
        return resident_id

    message_id = tell(db.transaction(build), now=moment)
    go(message_id, moment)

    assert the(message_id).due_at == expected
    assert (the(message_id).state == "accepted") == (expected == moment)


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_what_is_urgent_passes_quiet_hours_and_what_lost_its_meaning_by_morning_expires(app, context):
    night = datetime.fromisoformat("2026-03-03T03:00+08:00")
    with a_platform(platform_wechat.Api()) as server:

        def build():
            account = an_account(base_url=server.base_url)
            a_template(a_form(account), key="urgent", urgent=True)
            a_template(a_form(account), key="short", valid_hours=4)
            return a_resident(account)

        resident_id = db.transaction(build)
        urgent, short = (
            tell(resident_id, "urgent", now=night),
            tell(resident_id, "short", once="2", now=night),
        )
        for message_id in (urgent, short):
            go(message_id, night)
            go(message_id, night + timedelta(hours=5))

    assert (the(urgent).state, the(short).state) == ("accepted", "expired")
    assert len(service.messages(resident_id).items) == 2


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("binding", "way"), [(False, "hall"), (True, "wechat.template")])
def test_what_is_turned_off_stays_in_the_hall_unless_it_has_legal_effect(app, context, binding, way):
    with a_platform(platform_wechat.Api()) as server:

        def build():
            account = an_account(base_url=server.base_url)
            a_template(a_form(account), binding=binding)
            resident_id = a_resident(account)
            service.opt_out(resident_id, service.Topic.PROGRESS, "wechat", now=NOW)
            return resident_id

        message_id = tell(db.transaction(build))
        go(message_id)

    assert [one.way for one in deliveries(message_id)] == [way]
