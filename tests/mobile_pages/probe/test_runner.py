import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from mobile_pages.guard import Policy
from mobile_pages.probe.base import Cause, Phases, ProbeResult, ProbeTarget, Verdict
from mobile_pages.probe.http import HttpProber, Limits
from mobile_pages.probe.outage import Outage
from mobile_pages.probe.runner import Prober, Settings, serve

from .sites import answers, closed_port, hangs, page, served


class Ledger:
    """What the caller's side keeps: results and outages in the order they were told."""

    def __init__(self, *targets: ProbeTarget, fail_stores: int = 0, fail_loads: int = 0):
        self.targets = targets
        self.told: list = []
        self.batches = 0
        self.fail_stores = fail_stores
        self.fail_loads = fail_loads

    def load(self):
        if self.fail_loads:
            self.fail_loads -= 1
            raise OSError("no database")
        return self.targets

    def store(self, results):
        self.batches += 1
        if self.fail_stores:
            self.fail_stores -= 1
            raise OSError("no database")
        self.told += results

    def outage(self, outage):
        self.told.append(outage)

    def of(self, target_id: str) -> list:
        return [one for one in self.told if not isinstance(one, Outage) and one.target_id == target_id]


def a_target(name: str, port: int, interval: int = 1, timeout: float = 15.0) -> ProbeTarget:
    return ProbeTarget(name, f"http://127.0.0.1:{port}/", interval, timeout_seconds=timeout)


def quick(**settings) -> Settings:
    return Settings(**{"reload_seconds": 0.05, "store_seconds": 0.05, "drain_seconds": 0.1, **settings})


def a_prober(ledger: Ledger, *ports: int, settings: Settings | None = None, **limits) -> Prober:
    policy = Policy.allowing([("127.0.0.1/32", port) for port in ports], test_or_demo=True)
    return Prober(
        lambda: HttpProber(policy, limits=Limits(**{"connections": 20, **limits})),
        ledger.load,
        ledger.store,
        ledger.outage,
        settings or quick(),
    )


@contextlib.asynccontextmanager
async def running(prober: Prober):
    stop = asyncio.Event()
    task = asyncio.create_task(prober.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def until(condition: Callable[[], object]) -> None:
    """Wait for what must come sooner or later; the suite's time-out tells when it never does."""
    while not condition():
        await asyncio.sleep(0.01)


def test_pages_are_looked_at_and_told():
    async def run():
        async with served(answers(page())) as port:
            ledger = Ledger(a_target("a", port), a_target("b", port))
            async with running(prober := a_prober(ledger, port)):
                await until(lambda: ledger.of("a") and ledger.of("b"))
            return ledger, prober.stats()

    ledger, stats = asyncio.run(run())

    assert {one.verdict for one in ledger.told} == {Verdict.UP}
    assert stats.looks == len(ledger.told)
    assert (stats.targets, stats.running, stats.waiting, stats.offline) == (2, 0, 0, False)


def test_results_that_could_not_be_stored_are_told_again():
    async def run():
        async with served(answers(page())) as port:
            ledger = Ledger(a_target("a", port), fail_stores=2)
            async with running(prober := a_prober(ledger, port)):
                await until(lambda: len(ledger.told) >= 2)
            return ledger, prober.stats()

    ledger, stats = asyncio.run(run())

    assert ledger.batches > 2
    assert stats.looks == len(ledger.told)


def test_a_list_that_cannot_be_loaded_is_asked_for_again():
    async def run():
        async with served(answers(page())) as port:
            ledger = Ledger(a_target("a", port), fail_loads=2)
            async with running(a_prober(ledger, port)):
                await until(lambda: ledger.told)
            return ledger

    assert asyncio.run(run()).told


def test_a_page_added_later_is_looked_at_and_one_removed_is_not():
    async def run():
        async with served(answers(page())) as port:
            ledger = Ledger(a_target("old", port))
            async with running(prober := a_prober(ledger, port)):
                await until(lambda: ledger.of("old"))
                ledger.targets = (a_target("new", port),)
                await until(lambda: ledger.of("new"))
                return prober.stats()

    assert asyncio.run(run()).targets == 1


def test_a_page_that_hangs_holds_up_nobody():
    async def run():
        async with served(hangs) as stuck, served(answers(page())) as port:
            ledger = Ledger(a_target("stuck", stuck, timeout=60), a_target("healthy", port))
            async with running(prober := a_prober(ledger, stuck, port)):
                await until(lambda: prober.stats().running and len(ledger.of("healthy")) >= 2)
            return ledger

    ledger = asyncio.run(run())

    assert {one.verdict for one in ledger.of("healthy")} == {Verdict.UP}
    assert ledger.of("stuck") == []


def test_beyond_the_most_looks_at_a_time_the_rest_is_missed_and_told_so():
    async def run():
        async with served(hangs) as port:
            ledger = Ledger(*(a_target(f"page-{number}", port, timeout=60) for number in range(4)))
            async with running(prober := a_prober(ledger, port, settings=quick(running_most=1))):
                await until(lambda: len(ledger.told) >= 3)
            return ledger, prober.stats()

    ledger, stats = asyncio.run(run())

    assert {(one.verdict, one.cause) for one in ledger.told} == {(Verdict.UNKNOWN, Cause.MISSED)}
    assert stats.missed == len(ledger.told)


def test_a_failing_page_is_looked_at_closer_until_it_is_settled():
    async def run():
        port = closed_port()
        ledger = Ledger(a_target("page", port, interval=4, timeout=0.5))
        async with running(a_prober(ledger, port)):
            await until(lambda: len(ledger.of("page")) >= 2)
        return ledger.of("page")

    first, closer = asyncio.run(run())[:2]

    assert closer.started_at - first.started_at < timedelta(seconds=4)
    assert {first.cause, closer.cause} == {Cause.CONNECT_REFUSED}


def test_while_our_own_connection_is_gone_pages_are_unknown_and_the_outage_is_told_first():
    async def run():
        port, gone = closed_port(), closed_port()
        references = (a_target("reference-a", gone), a_target("reference-b", gone))
        ledger = Ledger(a_target("page", port))
        async with running(a_prober(ledger, port, gone, settings=quick(references=references))):
            await until(lambda: any(one.cause == Cause.PROBER_OFFLINE for one in ledger.of("page")))
        return ledger.told

    told = asyncio.run(run())

    outage = next(number for number, one in enumerate(told) if isinstance(one, Outage))
    assert told[outage].over is False
    assert {one.verdict for one in told[outage + 1 :]} == {Verdict.UNKNOWN}
    assert not any(getattr(one, "target_id", "").startswith("reference") for one in told)


def test_the_end_of_our_own_outage_is_told():
    async def run():
        refusing = closed_port()
        references = (a_target("reference", refusing),)
        ledger = Ledger()
        async with running(a_prober(ledger, refusing, settings=quick(references=references))):
            await until(lambda: ledger.told)
            async with served(answers(page()), port=refusing):
                await until(lambda: len(ledger.told) >= 2)
        return [one.over for one in ledger.told]

    assert asyncio.run(run()) == [False, True]


def test_what_was_seen_before_the_stop_is_stored():
    async def run():
        async with served(answers(page())) as port:
            ledger = Ledger(a_target("a", port))
            async with running(prober := a_prober(ledger, port, settings=quick(store_seconds=60))):
                await until(lambda: prober.stats().looks)
                assert not ledger.told
            return ledger

    assert asyncio.run(run()).told


def test_nothing_is_left_running_after_the_stop():
    async def run():
        async with served(hangs) as port:
            ledger = Ledger(a_target("stuck", port, timeout=60))
            async with running(prober := a_prober(ledger, port)):
                await until(lambda: prober.stats().running)
            return len(asyncio.all_tasks()), prober.stats().running

    tasks, still = asyncio.run(run())

    assert still == 0
    assert tasks == 2  # this one and the server's


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_service_ends_cleanly_on_a_signal(number):
    class Signalling(Ledger):
        def load(self):  # the service runs, so its signal handlers stand
            os.kill(os.getpid(), number)
            return ()

    prober = a_prober(Signalling())

    serve(prober)

    assert prober.stats().running == 0


class Stalling:
    """A looker that lets the whole process stand still once, and finds nothing meanwhile."""

    def __init__(self, seconds):
        self.seconds = seconds

    async def look(self, target):
        began = datetime.now(UTC)
        stall, self.seconds = self.seconds, 0.0
        time.sleep(stall)
        await asyncio.sleep(0.01)
        phases = Phases(dns_ms=stall * 1000 + 10)
        return ProbeResult(target.id, began, Verdict.DOWN, Cause.DNS_FAILURE, phases=phases)

    async def close(self):
        pass


def test_what_timed_out_while_the_prober_itself_stood_still_says_nothing_of_the_page():
    async def run():
        ledger = Ledger(ProbeTarget("page", "http://page.gd.example/", 1, soon=True))
        settings = quick(stall_seconds=0.1)
        prober = Prober(lambda: Stalling(0.5), ledger.load, ledger.store, ledger.outage, settings)
        async with running(prober):
            await until(lambda: len(ledger.of("page")) >= 2)
        return ledger.of("page")

    first, second = asyncio.run(run())[:2]

    assert (first.verdict, first.cause) == (Verdict.UNKNOWN, Cause.PROBER_FAULT)
    assert (second.verdict, second.cause) == (Verdict.DOWN, Cause.DNS_FAILURE)
