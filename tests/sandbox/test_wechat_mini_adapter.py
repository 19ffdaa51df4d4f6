"""The hall's own adapter for mini programs gets on with a platform that was written without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from channels.base import (
    Article,
    ChannelError,
    Consent,
    EventKind,
    Media,
    MediaKind,
    MiniCode,
    Notification,
    NotificationKind,
    Outcome,
    PageMedium,
    Reply,
    TemplateField,
)
from tests.sandbox.servers import Sandbox
from tests.sandbox.test_adapters import Hall, a_meeting
from tests.sandbox.test_wechat_notices import receipts

NOTICE = Notification(
    "T-progress",
    {"thing1": "户口迁移", "time2": "2026年11月20日 12:00"},
    "https://hall.example.cn/c",
    NotificationKind.SUBSCRIBE,
)
MODES = ["mini-plain", "mini-compat", "mini-secure"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@contextmanager
def a_user(
    kind: str = "mini-secure", reply: Reply | None = None, **changes: Any
) -> Iterator[tuple[Hall, Sandbox, str]]:
    """Bring adapter and sandbox together; the resident has opened the mini program's service."""
    with a_meeting(kind, reply, **changes) as (hall, sandbox, key):
        sandbox.act(key, "enter")
        yield hall, sandbox, key


def said(sandbox: Sandbox, key: str) -> Any:
    return sandbox.get(f"/control/chats/{key}")["entries"][-1]


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("kind", MODES)
def test_words_and_visits_arrive_and_are_handed_over(kind: str, form: str) -> None:
    with a_user(kind, Reply(handover=True), form=form) as (hall, sandbox, key):
        assert sandbox.post(f"/control/accounts/{key}/handshake", {})["ok"] is True
        assert sandbox.act(key, "text", "转人工 😀") == ["answered"]

        told = [(event.kind, event.text) for event in hall.events]
        assert told == [(EventKind.ENTER, ""), (EventKind.TEXT, "转人工 😀")]
        assert said(sandbox, key)["text"] == "（已转接人工客服）"


def test_an_answer_in_words_is_never_given_to_the_push() -> None:
    with a_user(reply=Reply("您好")) as (_, sandbox, key):
        assert sandbox.act(key, "text", "你好") == ["no_answer"]


def test_a_resident_signs_in_and_gives_a_number() -> None:
    with a_user() as (hall, sandbox, key):
        login, phone = (
            sandbox.post(f"/control/accounts/{key}/codes", {"kind": kind})["code"]
            for kind in ("login", "phone")
        )

        identity, number = hall.channel.exchange(login), hall.channel.phone_number(phone)

        assert identity.subject == hall.events[0].sender
        assert (number.country_code, number.number) == ("86", "02012345")
        with pytest.raises(ChannelError) as used:
            hall.channel.exchange(login)
        assert used.value.outcome is Outcome.AUTH


def test_a_resident_the_platform_blocks_is_not_signed_in() -> None:
    with a_user() as (hall, sandbox, key):
        sandbox.post("/control/switches", {"account": key, "blocked_user": 1})
        code = sandbox.post(f"/control/accounts/{key}/codes", {"kind": "login"})["code"]

        with pytest.raises(ChannelError) as refused:
            hall.channel.exchange(code)

    assert (refused.value.code, refused.value.retryable) == ("40226", False)


def test_a_subscription_message_is_shown_once_for_each_consent_and_its_result_told() -> None:
    with a_user() as (hall, sandbox, key):
        user = hall.events[0].sender
        sandbox.act(key, "consent", "T-progress -T-other")
        first, second = (hall.channel.send_notification(user, NOTICE) for _ in range(2))

        assert hall.events[1].consents == (Consent("T-progress", True), Consent("T-other", False))
        assert (first.outcome, second.outcome) == (Outcome.ACCEPTED, Outcome.NEEDS_CONSENT)
        assert said(sandbox, key)["text"].startswith("【办件进度通知】")
        assert receipts(hall)[0].platform_id == first.platform_id


def test_a_blocked_message_is_told_as_refused() -> None:
    with a_user() as (hall, sandbox, key):
        sandbox.act(key, "consent", "T-progress")
        sandbox.post("/control/switches", {"account": key, "block_notices": 1})
        hall.channel.send_notification(hall.events[0].sender, NOTICE)

        assert receipts(hall)[0].outcome is Outcome.NEEDS_CONSENT


def test_a_notice_to_a_page_that_is_not_there_is_refused_as_a_bad_template() -> None:
    with a_user() as (hall, sandbox, key):
        sandbox.act(key, "consent", "T-progress")
        result = hall.channel.send_notification(
            hall.events[0].sender, replace(NOTICE, page="pages/none/none")
        )

    assert (result.outcome, result.code) == (Outcome.BAD_TEMPLATE, "41030")


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        pytest.param(Reply("您的件已办结 ]]> 😀"), "您的件已办结 ]]> 😀", id="text"),
        pytest.param(Reply(articles=(Article("公积金", "", "https://a.cn/"),)), "", id="web page"),
    ],
)
def test_what_we_say_is_shown_on_the_phone(reply: Reply, shown: str) -> None:
    with a_user() as (hall, sandbox, key):
        assert hall.channel.send(hall.events[0].sender, reply).outcome is Outcome.ACCEPTED

        entry = said(sandbox, key)
        assert (entry["author"], entry["text"]) == ("account", shown)
        assert bool(entry["articles"]) is bool(reply.articles)


def test_an_uploaded_picture_and_a_page_of_our_own_are_shown() -> None:
    with a_user() as (hall, sandbox, key):
        user = hall.events[0].sender
        media = hall.channel.upload(Media(MediaKind.IMAGE, "a.png", PNG)).value

        sent = [
            hall.channel.send(user, reply).outcome
            for reply in (
                Reply(image=media),
                Reply(articles=(Article("进度", url="pages/item/item?id=7", picture=media),)),
            )
        ]

        assert sent == [Outcome.ACCEPTED, Outcome.ACCEPTED]
        assert said(sandbox, key)["text"] == "［小程序］进度（pages/item/item?id=7）"


@pytest.mark.parametrize("medium", [PageMedium.URL_LINK, PageMedium.SCHEME, PageMedium.SHORT_LINK])
def test_links_open_the_page_they_were_made_for(medium: PageMedium) -> None:
    with a_user() as (hall, sandbox, key):
        link = hall.channel.page_link("https://a.cn/p?x=1&y=中", {"from": "短信"}, medium)
        opened = sandbox.post(f"/control/accounts/{key}/open", {"value": link.value})

    assert opened["path"] == "pages/web/web"
    assert parse_qs(opened["query"])["url"] == ["https://a.cn/p?x=1&y=%E4%B8%AD&from=%E7%9F%AD%E4%BF%A1"]


@pytest.mark.parametrize("square", [False, True])
def test_drawn_codes_are_pictures(square: bool) -> None:
    with a_user() as (hall, _, _key):
        with_scene = hall.channel.mini_code(MiniCode("pages/item/item", "item=7", square=square))
        without = hall.channel.mini_code(MiniCode("pages/item/item?id=7", square=square))

    assert with_scene.content_type == without.content_type == "image/png"


def test_templates_are_listed() -> None:
    with a_user() as (hall, _, _key):
        (template,) = hall.channel.list_templates()

    assert (template.id, template.title) == ("T-progress", "办件进度通知")
    assert template.fields == (TemplateField("thing1", "事项"), TemplateField("time2", "时间"))


@pytest.mark.parametrize("switch", ["unsigned", "garbage", "replay_other_body"])
def test_what_is_not_the_platforms_has_no_effect(switch: str) -> None:
    with a_user() as (hall, sandbox, key):
        sandbox.post("/control/switches", {"account": key, switch: 1})
        sandbox.act(key, "text", "你好")

        assert "伪造" not in "".join(event.text for event in hall.events)
        assert len(hall.refused) == 1


def test_what_comes_twice_is_one_event_and_what_comes_late_comes_still() -> None:
    with a_user() as (hall, sandbox, key):
        sandbox.post("/control/switches", {"account": key, "duplicate": 1})
        sandbox.act(key, "text", "一")
        sandbox.post("/control/switches", {"account": key, "reorder": 1})
        sandbox.act(key, "text", "二")
        sandbox.act(key, "text", "三")

        told = hall.events[1:]
        assert [event.text for event in told] == ["一", "一", "三", "二"]
        assert len({hall.channel.dedup_key(event) for event in told}) == 3


def test_a_dropped_token_loses_no_message() -> None:
    with a_user() as (hall, sandbox, key):
        user = hall.events[0].sender
        hall.channel.send(user, Reply("一"))
        sandbox.post("/control/switches", {"account": key, "drop_token": True})

        assert hall.channel.send(user, Reply("二")).outcome is Outcome.ACCEPTED
        assert said(sandbox, key)["text"] == "二"


@pytest.mark.parametrize(
    ("switch", "outcome"),
    [("quota_45009", Outcome.QUOTA), ("api_busy", Outcome.RETRYABLE), ("api_garbage", Outcome.RETRYABLE)],
)
def test_a_platform_that_misbehaves_is_told_as_such(switch: str, outcome: Outcome) -> None:
    with a_user() as (hall, sandbox, key):
        hall.channel.probe()
        sandbox.post("/control/switches", {"account": key, switch: 1})

        assert hall.channel.send(hall.events[0].sender, Reply("您好")).outcome is outcome
        assert hall.channel.probe().ok
