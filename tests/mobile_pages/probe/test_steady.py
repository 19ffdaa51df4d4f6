from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.base import ProbeTarget
from mobile_pages.probe.schedule import Scheduler
from mobile_pages.probe.steady import PACE, SteadyClock


class Machine:
    """A machine whose clock is set now and then while time goes on."""

    def __init__(self):
        self.wall, self.ticks = 1_000_000.0, 50.0

    def steady(self):
        return SteadyClock(lambda: self.wall, lambda: self.ticks)

    def wait(self, seconds):
        self.wall += seconds
        self.ticks += seconds


def test_it_tells_the_machines_time():
    machine = Machine()
    clock = machine.steady()

    machine.wait(10)

    assert clock() == machine.wall
    assert clock.now().timestamp() == machine.wall


def test_a_clock_set_forward_is_followed_at_once():
    machine = Machine()
    clock = machine.steady()

    machine.wall += 3600

    assert clock() == machine.wall


def test_a_clock_set_back_is_waited_for_without_standing_still():
    machine = Machine()
    clock = machine.steady()
    before = clock()

    machine.wall -= 3600
    machine.wait(60)

    assert clock() == before + 60 * PACE
    machine.wait(3600 / (1 - PACE))
    assert clock() == machine.wall


def test_looks_go_on_after_the_clock_was_set_back():
    machine = Machine()
    clock = machine.steady()
    schedule = Scheduler()
    schedule.load([ProbeTarget("page", "http://page.gd.example/", 60)], clock())
    machine.wall -= 7 * 86400

    looks = 0
    for _ in range(100):
        machine.wait(6)
        for due in schedule.take(clock()):
            looks += not due.missed
            schedule.done(due.target.id, clock())

    assert looks >= 600 * PACE // 60


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(-10_000, 10_000)), max_size=30))
def test_it_never_goes_back(steps):
    machine = Machine()
    clock = machine.steady()
    told = [clock()]
    for seconds, jump in steps:
        machine.wait(seconds)
        machine.wall += jump
        told.append(clock())

    assert told == sorted(told)
