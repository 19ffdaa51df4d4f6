from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.base import Condition, Verdict
from mobile_pages.probe.flapping import FlapRule
from mobile_pages.probe.holding import Hold
from mobile_pages.probe.replay import Look, Story, Trial, replay
from mobile_pages.probe.state import Rule
from mobile_pages.probe.uptime import Window, tally
from tests.mobile_pages.probe.watches import MINUTE, START, Told, minute

RULE = Rule(longest_gap=3 * MINUTE, flaps=FlapRule())
VERDICTS = {"u": Verdict.UP, "g": Verdict.DEGRADED, "d": Verdict.DOWN, "?": Verdict.UNKNOWN}


def looks(letters: str) -> list[Look]:
    return [
        Look(minute(at), VERDICTS[letter], 6000 if letter == "g" else 200, {"g": "slow"}.get(letter, ""))
        for at, letter in enumerate(letters)
        if letter != "."
    ]


def replayed(letters: str, rule: Rule = RULE, *, timeout_ms=15_000, slow_ms=5000, holds=()) -> Story:
    trial = Trial(rule, timeout_ms, slow_ms)
    return replay(looks(letters), holds, trial, begun_at=START, until=minute(len(letters)))


def test_a_longer_row_would_not_have_opened_the_incident():
    letters = "uuddduuu"

    assert len(replayed(letters).incidents) == 1
    assert replayed(letters, Rule(down_after=4)).incidents == []


def test_a_shorter_row_would_have_opened_one_more():
    assert len(replayed("uudduu", Rule(down_after=2)).incidents) == 1


def test_a_page_slower_than_a_shorter_time_out_would_have_been_down():
    assert len(replayed("uggguu", timeout_ms=6000).incidents) == 1


def test_a_page_is_slow_only_from_the_limit_on():
    spent = tally(replayed("ggggg", slow_ms=6001).spans, Window(START, minute(5)))

    assert (spent.degraded, spent.up) == (0 * MINUTE, 5 * MINUTE)


def test_flapping_would_have_been_one_incident():
    story = replayed("uu" + "ddduu" * 8 + "u" * 12)

    assert len(story.downs) == 8
    assert [one.flapping for one in story.incidents] == [False, False, True]


def test_failures_in_maintenance_would_have_opened_none():
    window = (Hold(minute(1.5), minute(9.5), Condition.MAINTENANCE),)

    assert replayed("uu" + "d" * 7 + "uu", holds=window).incidents == []


def test_an_outage_that_lasts_has_no_end():
    (incident,) = replayed("uuddd").incidents

    assert (incident.since, incident.end) == (minute(2), None)


@given(st.text("ugd?.", min_size=1, max_size=80))
def test_a_replay_under_the_same_rules_tells_the_same_story(letters):
    told = Told(RULE).told(letters)

    story = replayed(letters)

    within = Window(START, minute(len(letters) - 1))
    assert tally(story.spans, within) == tally(told.spans(), within)
    assert len(story.downs) == sum(type(one).__name__ == "WentDown" for one in told.events)


@given(st.text("uuud", min_size=1, max_size=80))
def test_a_longer_row_never_counts_more_time_down(letters):
    within = Window(START, minute(len(letters)))

    short, long = (tally(replayed(letters, Rule(down_after=n)).spans, within).down for n in (2, 4))

    assert long <= short
