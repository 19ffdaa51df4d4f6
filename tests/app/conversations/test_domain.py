from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conversations.domain import FRESH_BOUND, Match, call_instead, found, is_stale, nobody_here, on_duty
from app.conversations.rules import Duty, Rules
from app.core.working_time import calendar
from channels.base import Freshness

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HOME = "https://hall.example/"
MINUTES = 10


def a_match(name="户政业务", *, available=True, **more):
    return Match(name, "广东省公安厅", "办理户口登记", "https://hall.example/go/1", available, **more)


def freshness(age, *, bound):
    return Freshness(NOW - age, "n", "d", bound)


def at(day, hour, minute=0):
    """A moment in March 2026 on Guangdong's clock; the 2nd is a Monday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def test_one_match_is_a_card_that_opens_it():
    reply = found("户口", [a_match()], "", HOME)

    assert reply.articles[0].title == "户政业务"
    assert reply.articles[0].url == "https://hall.example/go/1"


def test_several_matches_are_a_numbered_list():
    reply = found("户口", [a_match("甲"), a_match("乙")], "", HOME)

    assert "1. 甲" in reply.text
    assert "2. 乙" in reply.text


def test_a_page_that_is_down_is_named_without_its_address():
    reply = found("户口", [a_match(available=False)], "", HOME)

    assert "暂时无法使用" in reply.text
    assert "12345" in reply.text
    assert "https://hall.example/go/1" not in reply.text


def test_for_a_page_that_is_down_hotline_and_another_page_are_named():
    down = a_match(available=False, hotline="020-12345", instead=("省户政", "https://hall.example/go/2"))

    text = found("户口", [down], "", HOME).text

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
    reply = found(words, [], "", HOME)

    assert "******" in reply.text
    assert not any(part in reply.text for part in ("1380", "8000", "4401", "４４０１", "12345678"))


@given(st.text(min_size=1, max_size=3000))
def test_any_words_are_answered_without_repeating_them_at_length(words):
    assert len(found(words, [], "", HOME).text) < 250


def test_the_accounts_own_words_tell_that_nothing_was_found():
    assert found("火星签证", [], "请拨打 12345。", HOME).text == "请拨打 12345。"


@pytest.mark.parametrize(("bound", "window"), [(True, FRESH_BOUND), (False, timedelta(minutes=MINUTES))])
def test_freshness_ends_at_its_window_in_both_directions(bound, window):
    second = timedelta(seconds=1)

    assert not is_stale(freshness(window, bound=bound), NOW, MINUTES)
    assert is_stale(freshness(window + second, bound=bound), NOW, MINUTES)
    assert is_stale(freshness(-window - second, bound=bound), NOW, MINUTES)


@pytest.mark.parametrize(
    ("moment", "there"),
    [
        pytest.param(at(2, 10), True, id="Monday morning"),
        pytest.param(at(2, 23), False, id="Monday night"),
        pytest.param(at(7, 10), False, id="Saturday"),
        pytest.param(datetime(2026, 10, 1, 2, tzinfo=UTC), False, id="the national day"),
    ],
)
def test_office_hours_are_those_of_the_working_calendar(moment, there):
    assert on_duty(Rules(duty=Duty.OFFICE), moment, calendar()) is there


def test_daily_hours_hold_on_days_of_rest_too_and_end_when_they_say():
    rules = Rules(duty=Duty.DAILY, opens=8 * 60, closes=20 * 60)

    assert [on_duty(rules, at(7, hour), calendar()) for hour in (7, 8, 19, 20)] == [False, True, True, False]
    assert on_duty(Rules(duty=Duty.ALWAYS), at(7, 3), calendar())


def test_outside_the_hours_residents_hear_when_and_whom_to_call():
    text = nobody_here(Rules(duty=Duty.DAILY, opens=510, closes=1080, hotline="020-12345"))

    assert "每天 08:30–18:00" in text
    assert "020-12345" in text
    assert nobody_here(Rules(closed_text="明天见")) == "明天见"
    assert "020-12345" in call_instead(Rules(hotline="020-12345"))
