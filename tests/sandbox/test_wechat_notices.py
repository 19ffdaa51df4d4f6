"""Notices of the hall's adapter are judged, shown and their result told by a platform of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from channels.base import Consent, DeliveryReceipt, Notification, NotificationKind, Outcome
from sandbox import config
from tests.sandbox import builders
from tests.sandbox.servers import Sandbox
from tests.sandbox.test_adapters import Hall, a_meeting

TEMPLATES: list[dict[str, Any]] = [
    {"id": "T1", "kind": "template", "title": "办件进度通知", "fields": ["thing1", "time2"]},
    {"id": "S1", "kind": "subscribe", "title": "取件提醒", "fields": ["thing1", "time2"]},
    {"id": "L1", "kind": "subscribe", "title": "政策提醒", "fields": ["thing1", "time2"], "long_term": True},
]
NOTICE = Notification(
    "T1", {"thing1": "户口迁移", "time2": "2026年11月20日 12:00"}, "https://hall.example.cn/c"
)
ASKED = replace(NOTICE, template_key="S1", kind=NotificationKind.SUBSCRIBE)


@contextmanager
def a_follower(kind: str = "wechat-secure") -> Iterator[tuple[Hall, Sandbox, str]]:
    with a_meeting(kind, templates=TEMPLATES) as (hall, sandbox, key):
        sandbox.act(key, "follow")
        yield hall, sandbox, key


def notify(hall: Hall, notification: Notification) -> tuple[Outcome, str]:
    result = hall.channel.send_notification(hall.events[0].sender, notification)
    return result.outcome, result.platform_id


def receipts(hall: Hall, count: int = 1) -> list[DeliveryReceipt]:
    """Wait for the results, which come some time after the notice was taken."""
    for _ in range(500):
        found = [hall.channel.parse_receipt(event) for event in hall.events]
        told = [receipt for receipt in found if receipt is not None]
        if len(told) >= count:
            return told
        time.sleep(0.02)
    raise AssertionError("no result was told")


@pytest.mark.parametrize("kind", ["wechat-plain", "wechat-compat", "wechat-secure"])
def test_a_template_message_is_shown_and_its_result_told(kind: str) -> None:
    with a_follower(kind) as (hall, sandbox, key):
        outcome, number = notify(hall, NOTICE)

        shown = sandbox.get(f"/control/chats/{key}")["entries"][-1]["text"]
        assert outcome is Outcome.ACCEPTED
        assert shown == "【办件进度通知】\nthing1：户口迁移\ntime2：2026年11月20日 12:00"
        assert receipts(hall) == [DeliveryReceipt(number, Outcome.ACCEPTED, "success")]


def test_a_blocked_notice_is_taken_and_told_as_refused() -> None:
    with a_follower() as (hall, sandbox, key):
        sandbox.post("/control/switches", {"account": key, "block_notices": 1})

        outcome, number = notify(hall, NOTICE)

        assert outcome is Outcome.ACCEPTED
        assert receipts(hall) == [DeliveryReceipt(number, Outcome.NEEDS_CONSENT, "failed:user block")]


def test_a_notice_is_shown_once_however_often_it_is_repeated() -> None:
    with a_follower() as (hall, sandbox, key):
        once = replace(NOTICE, dedup_id="case-1/accepted")

        results = {notify(hall, once) for _ in range(3)}

        texts = [entry["text"] for entry in sandbox.get(f"/control/chats/{key}")["entries"]]
        assert len(results) == 1
        assert sum("办件进度通知" in text for text in texts) == 1


def test_a_subscription_notice_needs_a_consent_for_each() -> None:
    with a_follower() as (hall, sandbox, key):
        before = notify(hall, ASKED)[0]
        sandbox.act(key, "consent", "S1 -X9")
        within, after = notify(hall, ASKED)[0], notify(hall, ASKED)[0]

        assert (before, within, after) == (Outcome.NEEDS_CONSENT, Outcome.ACCEPTED, Outcome.NEEDS_CONSENT)
        assert hall.events[1].consents == (Consent("S1", True), Consent("X9", False))
        assert receipts(hall)[0].outcome is Outcome.ACCEPTED


def test_a_long_term_consent_lasts_until_it_is_taken_back() -> None:
    with a_follower() as (hall, sandbox, key):
        lasting = replace(ASKED, template_key="L1")
        sandbox.act(key, "consent", "L1")
        within = {notify(hall, lasting)[0] for _ in range(3)}
        sandbox.act(key, "consent", "-L1")

        assert (within, notify(hall, lasting)[0]) == ({Outcome.ACCEPTED}, Outcome.NEEDS_CONSENT)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        pytest.param({"template_key": "T9"}, Outcome.BAD_TEMPLATE, id="unknown template"),
        pytest.param({"template_key": "S1"}, Outcome.BAD_TEMPLATE, id="template of the other kind"),
        pytest.param({"data": {"thing1": "一"}}, Outcome.BAD_TEMPLATE, id="value missing"),
        pytest.param({"data": {**NOTICE.data, "thing9": "一"}}, Outcome.BAD_TEMPLATE, id="value too many"),
    ],
)
def test_a_notice_that_fits_no_template_is_refused(changes: dict[str, Any], outcome: Outcome) -> None:
    with a_follower() as (hall, _sandbox, _key):
        assert notify(hall, replace(NOTICE, **changes))[0] is outcome


def test_a_stranger_gets_no_template_message() -> None:
    with a_follower() as (hall, sandbox, key):
        sandbox.act(key, "unfollow")

        assert notify(hall, NOTICE)[0] is Outcome.NOT_FOLLOWING


def test_a_result_opens_no_window_for_messages() -> None:
    with a_follower() as (hall, sandbox, key):
        sandbox.clock.now += 49 * 3600
        notify(hall, NOTICE)
        receipts(hall)

        spoke_at = sandbox.get(f"/control/chats/{key}")["spoke_at"]
        assert sandbox.clock.now - spoke_at == 49 * 3600


@pytest.mark.parametrize(
    "templates",
    [
        pytest.param("T1", id="no list"),
        pytest.param([1], id="no object"),
        pytest.param([{**TEMPLATES[0], "kind": "letter"}], id="unknown kind"),
        pytest.param([{**TEMPLATES[0], "fields": []}], id="no parameters"),
    ],
)
def test_templates_that_cannot_be_are_named(templates: Any) -> None:
    raw = builders.raw_config([builders.raw_wechat(templates=templates)])

    with pytest.raises(config.ConfigError, match="templates"):
        config.parse(raw)
