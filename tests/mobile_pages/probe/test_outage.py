from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.base import Verdict
from mobile_pages.probe.outage import Outage, OwnConnection

from .builders import START, a_result, silent


def second(number: float):
    return START + timedelta(seconds=number)


def a_crowd(count=20, hosts=5) -> OwnConnection:
    connection = OwnConnection(references=0)
    for number in range(count):
        connection.note_page(a_result(f"page-{number}", number), f"host-{number % hosts}")
    return connection


def all_silent(connection: OwnConnection, count=20, hosts=5, start=100):
    told = [
        connection.note_page(silent(f"page-{number}", start + number), f"host-{number % hosts}")
        for number in range(count)
    ]
    return [one for one in told if one is not None]


def test_all_references_silent_is_our_own_outage_since_the_last_that_answered():
    connection = OwnConnection(references=2)
    connection.note_reference(a_result("a", 0))
    connection.note_reference(a_result("b", 5))

    first = connection.note_reference(silent("a", 10))
    second_one = connection.note_reference(silent("b", 15))

    assert (first, second_one) == (None, Outage(second(5), second(15), over=False))


def test_one_reference_silent_among_two_is_its_own_trouble():
    connection = OwnConnection(references=2)
    connection.note_reference(a_result("b", 0))

    told = [connection.note_reference(silent("a", number)) for number in range(5)]

    assert told == [None] * 5
    assert not connection.offline


def test_a_single_reference_must_be_silent_twice():
    connection = OwnConnection(references=1)

    told = [connection.note_reference(silent("a", number)) for number in (0, 10, 20)]

    assert told == [None, Outage(second(10), second(10), over=False), None]


def test_the_first_reference_that_answers_ends_the_outage():
    connection = OwnConnection(references=2)
    for name in ("a", "b"):
        connection.note_reference(silent(name))

    assert connection.note_reference(a_result("a", 30)) == Outage(second(30), second(30), over=True)


def test_a_reference_that_answers_with_an_error_still_shows_the_way_is_open():
    connection = OwnConnection(references=1)

    for number in range(3):
        connection.note_reference(a_result("a", number, Verdict.DOWN, status=503, cause="http_status"))

    assert not connection.offline


def test_a_reference_we_missed_says_nothing():
    connection = OwnConnection(references=1)

    for number in range(3):
        connection.note_reference(a_result("a", number, Verdict.UNKNOWN, cause="missed"))

    assert not connection.offline


def test_only_silent_pages_are_excused_and_only_while_cut_off():
    connection = OwnConnection(references=1)
    assert not connection.excuses(silent())
    for number in (0, 10):
        connection.note_reference(silent("a", number))

    assert connection.excuses(silent(second=11))
    assert not connection.excuses(a_result(second=11, verdict=Verdict.DOWN, status=500))
    assert not connection.excuses(a_result(second=11))


def test_a_look_begun_while_cut_off_is_excused_even_when_it_ends_later():
    connection = OwnConnection(references=1)
    for number in (0, 10):
        connection.note_reference(silent("a", number))
    connection.note_reference(a_result("a", 20))

    assert connection.excuses(silent(second=15))
    assert not connection.excuses(silent(second=25))


def test_without_references_a_silent_crowd_makes_us_doubt_ourselves_once():
    told = all_silent(a_crowd())

    assert [one.over for one in told] == [False]


def test_the_crowd_is_believed_again_when_enough_of_it_answers():
    connection = a_crowd()
    all_silent(connection)

    told = [
        connection.note_page(a_result(f"page-{number}", 200 + number), f"host-{number % 5}")
        for number in range(5)
    ]

    assert [one is not None and one.over for one in told] == [False, False, True, False, False]


@pytest.mark.parametrize(
    ("count", "hosts"), [pytest.param(9, 5, id="too few pages"), pytest.param(20, 2, id="too few hosts")]
)
def test_a_small_crowd_proves_nothing(count, hosts):
    assert all_silent(a_crowd(count, hosts), count, hosts) == []


def test_with_references_the_crowd_is_not_asked():
    connection = OwnConnection(references=1)

    assert all_silent(connection) == []


def test_pages_watched_no_more_do_not_count_in_the_crowd():
    connection = a_crowd(count=12)
    for number in range(11):
        connection.forget(f"page-{number}")

    assert all_silent(connection, count=5) == []


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=40))
def test_outages_begin_and_end_in_turn(looks):
    connection = OwnConnection(references=2)
    told = []

    for number, (name, answers) in enumerate(looks):
        result = a_result(name, number) if answers else silent(name, number)
        told.append(connection.note_reference(result))

    turns = [one.over for one in told if one is not None]
    assert turns == [bool(number % 2) for number in range(len(turns))]
    assert connection.offline == (len(turns) % 2 == 1)
