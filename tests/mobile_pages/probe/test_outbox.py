from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.base import Verdict
from mobile_pages.probe.outage import Outage
from mobile_pages.probe.outbox import Outbox

from .builders import START, a_result

OUTAGE = Outage(START, START, over=False)


def an_outbox(*items, limit=100) -> Outbox:
    outbox = Outbox(limit)
    for item in items:
        outbox.add(item)
    return outbox


def taken(outbox: Outbox) -> list:
    batches = []
    while (batch := outbox.take()) is not None:
        batches.append(batch)
    return batches


def test_results_come_out_as_one_batch_in_order():
    first, second = a_result(second=1), a_result(second=2)

    assert taken(an_outbox(first, second)) == [[first, second]]


def test_an_outage_stands_alone_between_what_came_before_and_after():
    before, after = a_result(second=1), a_result(second=2)

    assert taken(an_outbox(before, OUTAGE, after)) == [[before], OUTAGE, [after]]


def test_what_could_not_be_stored_comes_first_again():
    outbox = an_outbox(a_result(second=1), a_result(second=2))
    batch = outbox.take()
    outbox.add(a_result(second=3))

    outbox.put_back(batch)

    assert [one.started_at.second for one in outbox.take()] == [1, 2, 3]


def test_an_outage_not_told_is_told_again():
    outbox = an_outbox(OUTAGE)

    outbox.put_back(outbox.take())

    assert taken(outbox) == [OUTAGE]


def test_given_up_results_leave_one_missed_look_a_page_at_the_first_of_them():
    outbox = an_outbox(*(a_result(name, second) for second in range(4) for name in "ab"), limit=4)

    gaps, kept = taken(outbox)

    assert [(one.target_id, one.verdict, one.cause) for one in gaps] == [
        ("a", Verdict.UNKNOWN, "missed"),
        ("b", Verdict.UNKNOWN, "missed"),
    ]
    assert [one.started_at.second for one in gaps + kept] == [0, 0, 2, 2, 3, 3]
    assert outbox.lost_count == 4


def test_an_outage_is_never_given_up():
    outbox = an_outbox(OUTAGE, *(a_result(second=second) for second in range(5)), limit=2)

    assert OUTAGE in taken(outbox)


@given(st.integers(1, 10), st.lists(st.sampled_from(["abc", "take", "fail"]), max_size=60))
def test_every_result_is_handed_on_or_counted_as_lost(limit, steps):
    outbox, added, handed = Outbox(limit), 0, 0
    for number, step in enumerate(steps):
        if step == "abc":
            outbox.add(a_result(step[number % 3], number))
            added += 1
        elif (batch := outbox.take()) is not None and step == "fail":
            outbox.put_back(batch)
        elif batch is not None:
            handed += sum(one.verdict is Verdict.UP for one in batch)

    rest = sum(one.verdict is Verdict.UP for batch in taken(outbox) for one in batch)

    assert handed + rest <= added <= handed + rest + outbox.lost_count
