from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conversations.domain import (
    ANSWER_WITHIN,
    CLAIM_LEASE,
    FRESH_BOUND,
    FRESH_UNBOUND,
    Match,
    is_stale,
    reply_to,
)
from channels.base import EventKind, Freshness, InboundEvent

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HOME = "https://hall.example/"


def an_event(kind=EventKind.TEXT, text="户口", action=""):
    return InboundEvent("wechat", "gd", "1", kind, "someone", NOW, text, action)


def a_match(name="户政业务", *, available=True, **more):
    return Match(name, "广东省公安厅", "办理户口登记", "https://hall.example/go/1", available, **more)


def freshness(age, *, bound):
    return Freshness(NOW - age, "n", "d", bound)


def test_one_match_is_a_card_that_opens_it():
    reply = reply_to(an_event(), [a_match()], HOME)

    assert reply.articles[0].title == "户政业务"
    assert reply.articles[0].url == "https://hall.example/go/1"


def test_several_matches_are_a_numbered_list():
    reply = reply_to(an_event(), [a_match("甲"), a_match("乙")], HOME)

    assert "1. 甲" in reply.text
    assert "2. 乙" in reply.text


def test_a_page_that_is_down_is_named_without_its_address():
    reply = reply_to(an_event(), [a_match(available=False)], HOME)

    assert "暂时无法使用" in reply.text
    assert "12345" in reply.text
    assert "https://hall.example/go/1" not in reply.text


def test_for_a_page_that_is_down_hotline_and_another_page_are_named():
    down = a_match(available=False, hotline="020-12345", instead=("省户政", "https://hall.example/go/2"))

    text = reply_to(an_event(), [down], HOME).text

    assert "020-12345" in text
    assert "也可以先用：\n省户政\nhttps://hall.example/go/2" in text


@pytest.mark.parametrize(
    "words",
    [
        "44010619900101123X 的社保",
        "我的号码13800138000",
        "138 0013 8000",
        "４４０１０６１９９００１０１１２３Ｘ",
        "020-12345678",
    ],
)
def test_a_number_that_may_be_a_persons_is_not_quoted(words):
    reply = reply_to(an_event(text=words), [], HOME)

    assert "******" in reply.text
    assert not any(part in reply.text for part in ("1380", "8000", "4401", "４４０１", "12345678"))


def test_a_repeat_waits_long_enough_to_take_over_from_a_worker_that_died():
    assert CLAIM_LEASE < ANSWER_WITHIN


@pytest.mark.parametrize("kind", [EventKind.UNFOLLOW, EventKind.RECEIPT, EventKind.ENTER, EventKind.UNKNOWN])
def test_silence_is_kept_where_no_answer_is_wanted(kind):
    assert reply_to(an_event(kind, text=""), [], HOME) is None


@given(st.text(min_size=1, max_size=3000))
def test_any_words_are_answered_without_repeating_them_at_length(words):
    reply = reply_to(an_event(text=words), [], HOME)

    assert reply is not None
    assert len(reply.text) < 250


@pytest.mark.parametrize(("bound", "window"), [(True, FRESH_BOUND), (False, FRESH_UNBOUND)])
def test_freshness_ends_at_its_window_in_both_directions(bound, window):
    second = timedelta(seconds=1)

    assert not is_stale(freshness(window, bound=bound), NOW)
    assert is_stale(freshness(window + second, bound=bound), NOW)
    assert is_stale(freshness(-window - second, bound=bound), NOW)


@pytest.mark.parametrize(
    "kind", [EventKind.IMAGE, EventKind.VOICE, EventKind.VIDEO, EventKind.LINK, EventKind.LOCATION]
)
def test_what_is_no_words_is_answered_with_how_to_ask(kind):
    reply = reply_to(an_event(kind, text=""), [], HOME)

    assert "现在只能看懂文字" in reply.text


@pytest.mark.parametrize(
    "kind", [EventKind.POSITION, EventKind.CONSENT, EventKind.SERVICE, EventKind.ACCOUNT, EventKind.SCAN]
)
def test_what_nobody_said_to_us_is_not_answered(kind):
    assert reply_to(an_event(kind, text="", action="desk-7"), [], HOME) is None
