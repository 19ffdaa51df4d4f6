import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.base import Condition, Span, Verdict
from mobile_pages.probe.state import (
    CameBack,
    Changed,
    LostSight,
    Rule,
    Sample,
    Voided,
    WatchState,
    WentDown,
    begin,
    from_dict,
    hold,
    lapse,
    observe,
    open_spans,
    release,
    to_dict,
    void,
)
from mobile_pages.probe.uptime import Window, tally

START = datetime(2016, 9, 1, tzinfo=UTC)
VERDICTS = {"u": Verdict.UP, "g": Verdict.DEGRADED, "d": Verdict.DOWN, "?": Verdict.UNKNOWN}
UP, DOWN, UNKNOWN, SLOW = Condition.UP, Condition.DOWN, Condition.UNKNOWN, Condition.DEGRADED


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


class Watch:
    """A state that is told things, with the ledger of spans and the events a caller would keep."""

    def __init__(self, rule: Rule | None = None):
        self.rule = rule
        self.state = begin(START)
        self.ledger: list[Span] = []
        self.events: list[object] = []
        self.clock = 0

    def take(self, step):
        if step.retract_from is not None:
            self.ledger = [one for one in self.ledger if one.start < step.retract_from]
        self.state = step.state
        self.ledger += step.spans
        self.events += step.events
        return self

    def told(self, letters: str) -> "Watch":
        """One look a minute: u up, g degraded, d down, ? no answer from ourselves, . none."""
        for letter in letters:
            if letter in VERDICTS:
                verdict = VERDICTS[letter]
                cause = {"d": "timeout", "g": "slow", "?": "missed"}.get(letter, "")
                self.take(observe(self.state, Sample(minute(self.clock), verdict, cause), self.rule))
            self.clock += 1
        return self

    def held(self, condition: Condition) -> "Watch":
        return self.take(hold(self.state, minute(self.clock), condition))

    def released(self) -> "Watch":
        return self.take(release(self.state, minute(self.clock)))

    def voided(self, since: int) -> "Watch":
        return self.take(void(self.state, minute(since), minute(self.clock)))

    def story(self) -> list[tuple[Condition, int]]:
        """Condition and the minute it began, settled and open together."""
        return [
            (span.condition, (span.start - START) // timedelta(minutes=1))
            for span in [*self.ledger, *open_spans(self.state)]
        ]


def happenings() -> st.SearchStrategy:
    return st.lists(
        st.sampled_from([*VERDICTS, *VERDICTS, "d", "d", "pause", "maintain", "release", "void"]), max_size=60
    )


def played(words) -> Watch:
    watch = Watch()
    for word in words:
        match word:
            case "pause":
                watch.held(Condition.PAUSED)
            case "maintain":
                watch.held(Condition.MAINTENANCE)
            case "release":
                watch.released()
            case "void":
                watch.voided(max(0, watch.clock - 4))
            case letter:
                watch.told(letter)
    return watch


def test_the_first_good_look_is_believed_at_once():
    watch = Watch().told(".u")

    assert watch.story() == [(UNKNOWN, 0), (UP, 1)]
    assert watch.events == [Changed(minute(1), minute(1), UP)]


def test_two_failures_are_not_yet_an_outage():
    watch = Watch().told("uudd")

    assert (watch.state.condition, watch.state.incident) == (UP, None)
    assert watch.state.wants_confirmation


def test_the_third_failure_makes_an_outage_that_began_with_the_first():
    watch = Watch().told("uuddd")

    assert watch.story() == [(UP, 0), (DOWN, 2)]
    assert watch.events[-1] == WentDown(minute(2), minute(4), "timeout")


def test_failures_broken_by_a_good_look_leave_no_trace():
    watch = Watch().told("uddudd" + "u")

    assert watch.story() == [(UP, 0)]
    assert not watch.state.wants_confirmation


def test_one_good_look_does_not_end_an_outage():
    watch = Watch().told("uddd" + "ud")

    assert watch.story() == [(UP, 0), (DOWN, 1)]


def test_two_good_looks_end_an_outage_at_the_first_of_them():
    watch = Watch().told("uddd" + "uu")

    assert watch.story() == [(UP, 0), (DOWN, 1), (UP, 4)]
    assert watch.events[-1] == CameBack(minute(4), minute(5), minute(1))


def test_a_slow_answer_is_a_sign_of_life_too():
    watch = Watch().told("uddd" + "ug")

    assert watch.events[-1] == CameBack(minute(4), minute(5), minute(1))


def test_slowness_needs_three_looks_and_is_no_incident():
    watch = Watch().told("uggg")

    assert watch.story() == [(UP, 0), (SLOW, 1)]
    assert watch.events[-1] == Changed(minute(1), minute(3), SLOW, "slow")
    assert watch.state.incident is None


def test_missed_looks_neither_extend_nor_break_a_row_and_their_time_is_unknown():
    watch = Watch().told("ud?dd")

    assert watch.story() == [(UP, 0), (DOWN, 1), (UNKNOWN, 2), (DOWN, 3)]
    assert WentDown(minute(1), minute(4), "timeout") in watch.events


def test_an_incident_stays_open_while_we_cannot_look():
    watch = Watch().told("uddd" + "???" + "d")

    assert watch.story() == [(UP, 0), (DOWN, 1), (UNKNOWN, 4), (DOWN, 7)]
    assert watch.state.incident.since == minute(1)
    assert sum(isinstance(one, WentDown) for one in watch.events) == 1


def test_our_own_outage_drops_failures_that_were_not_confirmed():
    watch = Watch().told("uudd").voided(since=1).told("?d")

    assert watch.state.incident is None
    assert watch.state.row_count == 1
    assert LostSight(minute(1), "prober_offline") in watch.events


def test_our_own_outage_takes_back_an_incident_it_made():
    watch = Watch().told("uuddd").voided(since=1).told("?uu")

    assert watch.story() == [(UP, 0), (UNKNOWN, 2), (UP, 6)]
    assert Voided(minute(5), minute(2)) in watch.events
    assert not any(isinstance(one, CameBack) for one in watch.events)


def test_spans_settled_meanwhile_are_taken_back_with_the_incident():
    watch = Watch().told("uuddd" + "??").voided(since=1)

    assert watch.story() == [(UP, 0), (UNKNOWN, 2)]


def test_an_incident_seen_with_a_working_connection_survives_our_outage():
    watch = Watch().told("uddd" + "d").voided(since=4).told("?d")

    assert watch.state.incident.since == minute(1)
    assert watch.story() == [(UP, 0), (DOWN, 1), (UNKNOWN, 4), (DOWN, 6)]


@pytest.mark.parametrize("aside", [Condition.PAUSED, Condition.MAINTENANCE])
def test_nothing_is_judged_while_a_page_is_set_aside(aside):
    watch = Watch().told("u").held(aside).told("dddd").released().told("u")

    assert watch.story() == [(UP, 0), (aside, 1), (UP, 5)]
    assert not any(isinstance(one, WentDown) for one in watch.events)


def test_after_a_pause_the_page_is_unknown_until_looked_at():
    watch = Watch().told("u").held(Condition.PAUSED).told("..").released().told(".u")

    assert watch.story() == [(UP, 0), (Condition.PAUSED, 1), (UNKNOWN, 3), (UP, 4)]


def test_maintenance_is_no_excuse_for_an_outage_that_went_before():
    watch = Watch().told("uddd").held(Condition.MAINTENANCE).told("..").released().told("uu")

    assert watch.events[-1] == CameBack(minute(6), minute(7), minute(1))


def test_only_pause_and_maintenance_hold_a_watch():
    with pytest.raises(ValueError, match="no way to hold"):
        hold(begin(START), START, Condition.DOWN)


def test_releasing_what_is_not_held_changes_nothing():
    state = Watch().told("uu").state

    assert release(state, minute(9)).state == state


def test_a_look_told_twice_or_late_changes_nothing():
    watch = Watch().told("uudd")
    before = watch.state

    for late in (0.5, 2, 3):
        watch.take(observe(watch.state, Sample(minute(late), Verdict.DOWN, "timeout")))

    assert watch.state == before


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_length_of_the_row_can_be_chosen(count):
    watch = Watch(Rule(down_after=count)).told("u" + "d" * (count - 1))
    assert watch.state.incident is None

    watch.told("d")

    assert watch.state.incident.since == minute(1)


def test_time_without_any_look_is_unknown_after_the_longest_gap():
    watch = Watch(Rule(longest_gap=timedelta(minutes=3))).told("uu" + "." * 10 + "u")

    assert watch.story() == [(UP, 0), (UNKNOWN, 4), (UP, 12)]
    assert LostSight(minute(4), "missed") in watch.events


def test_a_gap_shows_before_the_next_look_comes():
    rule = Rule(longest_gap=timedelta(minutes=3))
    watch = Watch(rule).told("uddd")

    watch.take(lapse(watch.state, minute(7), rule)).take(lapse(watch.state, minute(99), rule))

    assert watch.story() == [(UP, 0), (DOWN, 1), (UNKNOWN, 6)]
    assert watch.state.incident is not None


@pytest.mark.parametrize("now", [3, 6])
def test_a_short_gap_is_none(now):
    rule = Rule(longest_gap=timedelta(minutes=3))
    state = Watch(rule).told("uddd").state

    assert lapse(state, minute(now), rule).state == state


def test_a_row_of_no_looks_is_refused():
    with pytest.raises(ValueError, match="at least one look"):
        Rule(down_after=0)


def test_times_without_zone_are_refused():
    with pytest.raises(ValueError, match="aware"):
        begin(datetime(2016, 9, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param({}, id="empty"),
        pytest.param(None, id="none"),
        pytest.param({"version": 2, "stretches": []}, id="other version"),
        pytest.param({**to_dict(begin(START)), "belief": "asleep"}, id="unknown word"),
        pytest.param({**to_dict(begin(START)), "stretches": [["2016-09-01", "up", ""]]}, id="no zone"),
        pytest.param({**to_dict(begin(START)), "stretches": [["up"]]}, id="wrong shape"),
    ],
)
def test_what_is_no_state_is_refused(raw):
    with pytest.raises(ValueError, match=r"."):
        from_dict(raw)


@given(happenings())
def test_settled_and_open_spans_cover_the_time_from_the_beginning_without_gap_or_overlap(words):
    watch = played(words)

    spans = [*watch.ledger, *open_spans(watch.state)]

    assert spans[0].start == START
    assert [one.end for one in spans[:-1]] == [one.start for one in spans[1:]]
    assert spans[-1].end is None
    assert all(one.start < one.end for one in spans[:-1])


@given(happenings())
def test_any_state_survives_the_way_through_json(words):
    state = played(words).state

    assert from_dict(json.loads(json.dumps(to_dict(state)))) == state


@given(happenings())
def test_an_incident_is_open_exactly_between_its_events(words):
    watch = played(words)

    opened = sum(isinstance(one, WentDown) for one in watch.events)
    closed = sum(isinstance(one, CameBack | Voided) for one in watch.events)
    assert opened - closed == (watch.state.incident is not None)
    assert (watch.state.belief is DOWN) == (watch.state.incident is not None)


@given(st.text("ugd?", max_size=60))
def test_an_outage_is_exactly_where_three_failures_stand_in_a_row(letters):
    watch = Watch().told(letters)

    known = letters.replace("?", "")
    assert any(isinstance(one, WentDown) for one in watch.events) == ("ddd" in known)


@given(st.text("ud", min_size=1, max_size=80))
def test_outages_last_from_the_first_of_three_failures_to_the_first_of_two_good_looks(letters):
    watch = Watch().told(letters)

    spent = tally([*watch.ledger, *open_spans(watch.state)], Window(START, minute(len(letters))))

    outages = re.findall(r"ddd(?:(?!uu).)*", letters)
    assert spent.down == timedelta(minutes=sum(map(len, outages)))


@given(happenings())
def test_what_waits_for_confirmation_stays_small(words):
    state: WatchState = played(words).state

    assert len(state.stretches) <= 2 * Rule().down_after + 1


@given(happenings(), st.integers(0, 60))
def test_telling_an_old_look_again_never_matters(words, when):
    watch = played(words)
    last = watch.state.last_at

    step = observe(watch.state, Sample(min(minute(when), last or START), Verdict.DOWN, "timeout"))

    if last is not None:
        assert (step.state, step.spans, step.events) == (watch.state, (), ())
