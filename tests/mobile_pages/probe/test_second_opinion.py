from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.base import Condition
from mobile_pages.probe.state import Rule
from tests.mobile_pages.probe.watches import Told, minute

RULE = Rule(second_prober=True)


def told(letters: str, probers: list[int], *, second: bool = True, rule: Rule = RULE) -> Told:
    watch = Told(rule)
    for index, (letter, prober) in enumerate(zip(letters, probers, strict=True)):
        watch.look(letter, minute(index), prober=prober, second=second)
    return watch


def test_one_prober_alone_is_not_believed_while_there_is_another():
    watch = told("uddd", [1, 1, 1, 1])

    assert watch.state.incident is None
    assert watch.state.wants_second


def test_a_failing_look_of_another_prober_confirms():
    watch = told("uddd", [1, 1, 1, 2])

    assert watch.state.incident.since == minute(1)


def test_a_good_look_of_another_prober_refutes():
    watch = told("udddu", [1, 1, 1, 1, 2])

    assert watch.state.belief is Condition.UP
    assert watch.state.row_count == 0


def test_without_another_prober_the_usual_row_will_do():
    assert told("uddd", [1, 1, 1, 1], second=False).state.incident is not None


def test_a_second_prober_that_never_looks_hides_no_outage_for_long():
    assert told("udddddd", [1] * 7).state.incident.confirmed_at == minute(6)


def test_without_the_rule_who_looked_does_not_matter():
    assert told("uddd", [1, 1, 1, 1], rule=Rule()).state.incident is not None


@given(st.lists(st.tuples(st.sampled_from("ud"), st.integers(1, 2)), max_size=40))
def test_an_outage_is_never_believed_that_a_single_prober_would_not_have_seen(looks):
    letters, probers = "".join(one[0] for one in looks), [one[1] for one in looks]

    strict, plain = told(letters, probers), told(letters, [1] * len(probers), second=False)

    assert not (strict.state.belief is Condition.DOWN and plain.state.belief is Condition.UP)
