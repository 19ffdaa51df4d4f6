"""A page that begins to fail silently makes the reference addresses due at once: it may be us."""

from mobile_pages.probe.base import ProbeTarget
from mobile_pages.probe.schedule import Scheduler

NOW = 1_000_000.0


def loaded():
    schedule = Scheduler()
    schedule.load([ProbeTarget("r", "https://r.example.cn/", interval_seconds=60)], NOW)
    return schedule


def test_a_hastened_page_is_due_now_and_again_at_its_turn():
    schedule = loaded()
    regular = schedule.next_at()

    schedule.hasten("r", NOW)
    (due,) = schedule.take(NOW)
    schedule.done("r", NOW)

    assert (due.target.id, due.confirming) == ("r", True)
    assert schedule.next_at() == regular


def test_a_page_that_is_being_looked_at_is_not_hastened():
    schedule = loaded()
    schedule.hasten("r", NOW)
    schedule.take(NOW)

    schedule.hasten("r", NOW + 0.1)

    assert schedule.take(NOW + 0.1) == []


def test_hastening_what_is_gone_does_nothing():
    schedule = loaded()

    schedule.hasten("x", NOW)

    assert schedule.take(NOW) == []
