from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.recurrence import BadRule, checked, following, occurrences
from mobile_pages.probe.uptime import PROVINCE_TIME, Window

SUNDAY = datetime(2016, 9, 4, 2, 0, tzinfo=PROVINCE_TIME)  # 18:00 of Saturday, UTC
HOUR = timedelta(hours=1)
RULES = (
    "",
    "FREQ=DAILY",
    "FREQ=WEEKLY;BYDAY=SU",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU",
    "FREQ=MONTHLY;BYDAY=1SU",
)


def found(rule: str, days: int, *, until: datetime | None = None) -> list[datetime]:
    asked = Window(SUNDAY, SUNDAY + timedelta(days=days))
    return [one.start for one in occurrences(SUNDAY, HOUR, rule, until, asked)]


def local(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=PROVINCE_TIME)


def test_once_is_once():
    assert found("", 400) == [SUNDAY]


def test_sundays_are_guangdongs_sundays():
    assert found("FREQ=WEEKLY;BYDAY=SU", 15) == [SUNDAY + timedelta(days=7 * n) for n in range(3)]


def test_the_first_sunday_of_a_month():
    assert found("FREQ=MONTHLY;BYDAY=1SU", 62) == [SUNDAY, local(2016, 10, 2, 2)]


def test_a_month_without_a_31st_has_none():
    start = local(2016, 8, 31, 2)
    asked = Window(start, local(2016, 11, 30))

    days = [one.start for one in occurrences(start, HOUR, "FREQ=MONTHLY;BYMONTHDAY=31", None, asked)]

    assert days == [start, local(2016, 10, 31, 2)]


def test_nothing_begins_after_the_end():
    assert len(found("FREQ=DAILY", 30, until=SUNDAY + timedelta(days=3))) == 4


def test_a_window_under_way_is_among_them():
    asked = Window(SUNDAY + HOUR / 2, SUNDAY + HOUR)

    assert [one.start for one in occurrences(SUNDAY, HOUR, "FREQ=DAILY", None, asked)] == [SUNDAY]


def test_the_next_one_is_told():
    assert following(SUNDAY, "FREQ=WEEKLY;BYDAY=SU", SUNDAY) == SUNDAY + timedelta(days=7)
    assert following(SUNDAY, "", SUNDAY) is None


def test_the_usual_spelling_is_kept():
    assert checked(" rrule:freq=weekly;byday=su ", SUNDAY) == "FREQ=WEEKLY;BYDAY=SU"
    assert checked("", SUNDAY) == ""


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        pytest.param("FREQ=SECONDLY", "每天、每周或每月", id="every second"),
        pytest.param("FREQ=DAILY;COUNT=3", "只能写", id="an end of its own"),
        pytest.param("FREQ=DAILY;UNTIL=20170101", "只能写", id="another end of its own"),
        pytest.param("FREQ=DAILY;BYHOUR=3", "只能写", id="another hour"),
        pytest.param("FREQ=DAILY;FREQ=WEEKLY", "只能写", id="twice"),
        pytest.param("FREQ=DAILY;INTERVAL=0", "间隔", id="never on"),
        pytest.param("FREQ=DAILY;INTERVAL=9999999999", "间隔", id="for ever"),
        pytest.param("FREQ=WEEKLY;BYDAY=XX", "看不懂", id="no day"),
        pytest.param("FREQ=MONTHLY;BYMONTHDAY=99", "不在重复规律里", id="no such day of a month"),
        pytest.param("FREQ=WEEKLY;BYDAY=MO", "不在重复规律里", id="begins on a Sunday"),
        pytest.param("DTSTART:20160904T020000\nRRULE:FREQ=DAILY", "只能写", id="a whole calendar"),
        pytest.param("FREQ=DAILY;" + "BYDAY=SU," * 60, "太长", id="endless"),
        pytest.param("每周日", "只能写", id="words"),
    ],
)
def test_other_rules_are_refused_in_words(rule, said):
    with pytest.raises(BadRule, match=said):
        checked(rule, SUNDAY)


@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_is_refused(text):
    try:
        rule = checked(text, SUNDAY)
    except BadRule:
        return

    assert SUNDAY in found(rule, 1)


@given(
    st.sampled_from(RULES),
    st.integers(0, 400),
    st.integers(1, 200),
    st.integers(1, 600),
)
def test_every_window_asked_for_in_parts_is_found_once_or_where_it_crosses(rule, first, days, minutes):
    length = timedelta(minutes=minutes)
    start = SUNDAY.astimezone(UTC) + timedelta(days=first)
    middle, end = start + timedelta(days=days / 2), start + timedelta(days=days)

    def asked(a, b):
        return list(occurrences(SUNDAY, length, rule, None, Window(a, b)))

    whole, parts = asked(start, end), asked(start, middle) + asked(middle, end)
    assert sorted(set(parts), key=lambda one: one.start) == whole
    assert all(one.end > start and one.start < end and one.length == length for one in whole)
