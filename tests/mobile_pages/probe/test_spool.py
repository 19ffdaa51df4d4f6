from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile_pages.probe.base import Cause, Phases, Verdict
from mobile_pages.probe.outage import Outage
from mobile_pages.probe.spool import Spool, SpooledStore

from .builders import START, a_result

OUTAGE = Outage(START, START + timedelta(seconds=3), over=False)


class AwayError(Exception):
    pass


class Shelf:
    """A store that may be away, and refuses what is about ``bad``."""

    def __init__(self):
        self.away = False
        self.kept = []

    def store(self, results):
        if self.away:
            raise AwayError
        if any(one.target_id == "bad" for one in results):
            raise ValueError("bad")
        self.kept += results

    def tell_outage(self, outage):
        if self.away:
            raise AwayError
        self.kept.append(outage)


def a_spool(folder, **limits) -> Spool:
    return Spool(folder / "spool", **limits)


def a_store(shelf: Shelf, spool: Spool) -> SpooledStore:
    return SpooledStore(shelf.store, shelf.tell_outage, spool, lambda error: isinstance(error, AwayError))


def seconds(items) -> list:
    return [(one.started_at - START).seconds if not isinstance(one, Outage) else "outage" for one in items]


def test_what_comes_while_the_store_is_away_is_stored_first_when_it_is_back(tmp_path):
    shelf = Shelf()
    store = a_store(shelf, a_spool(tmp_path))
    shelf.away = True
    store.store([a_result(second=1), a_result(second=2)])
    store.tell_outage(OUTAGE)
    store.store([a_result(second=4)])

    shelf.away = False
    store.store([a_result(second=5)])

    assert seconds(shelf.kept) == [1, 2, "outage", 4, 5]
    assert store.waiting == 0


def test_what_waits_outlives_the_process(tmp_path):
    shelf = Shelf()
    shelf.away = True
    whole = replace(
        a_result(second=1),
        phases=Phases(1.5, 2, 3, 4, 5),
        cert_not_after=START,
        address="127.0.0.1",
        final_url="https://a.example.cn/政务",
    )
    a_store(shelf, a_spool(tmp_path)).store([whole])

    shelf.away = False
    after_restart = a_store(shelf, a_spool(tmp_path))
    after_restart.store([])

    assert shelf.kept == [whole]
    assert list((tmp_path / "spool").iterdir()) == []


def test_beyond_the_limit_the_oldest_become_one_missed_look_a_target_and_never_up(tmp_path):
    shelf = Shelf()
    shelf.away = True
    spool = a_spool(tmp_path, limit_bytes=3000, segment_bytes=600)
    store = a_store(shelf, spool)
    for second in range(20):
        store.store([a_result("ab"[second % 2], second)])

    shelf.away = False
    for _ in range(10):
        a_store(shelf, a_spool(tmp_path)).store([])

    gaps = [one for one in shelf.kept if one.verdict is Verdict.UNKNOWN]
    assert [(one.target_id, one.cause, one.status) for one in gaps] == [
        ("a", Cause.MISSED, None),
        ("b", Cause.MISSED, None),
    ]
    assert seconds(gaps) == [0, 1]
    assert len(shelf.kept) - len(gaps) == 20 - store.lost_count
    assert store.lost_count > 0


def test_an_outage_of_our_own_is_never_given_up(tmp_path):
    spool = a_spool(tmp_path, limit_bytes=1000, segment_bytes=300)
    spool.append([OUTAGE])

    for second in range(20):
        spool.append([a_result(second=second)])

    told = []
    while (oldest := spool.oldest()) is not None:
        told += oldest[0]
        oldest[1]()
    assert OUTAGE in told


def test_a_line_cut_short_by_a_crash_costs_only_itself(tmp_path):
    a_spool(tmp_path).append([a_result(second=1), a_result(second=2)])
    (path,) = (tmp_path / "spool").glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-30])
    shelf = Shelf()

    a_store(shelf, a_spool(tmp_path)).store([])

    assert seconds(shelf.kept) == [1]


def test_a_result_that_a_working_store_refuses_holds_up_no_other(tmp_path, caplog):
    shelf = Shelf()
    store = a_store(shelf, a_spool(tmp_path))

    store.store([a_result(second=1), a_result("bad", 2), a_result(second=3)])

    assert seconds(shelf.kept) == [1, 3]
    assert store.lost_count == 1
    assert "probe_result_refused" in caplog.text


def test_a_disk_that_is_gone_is_told(tmp_path):
    shelf = Shelf()
    shelf.away = True
    spool = a_spool(tmp_path)
    (tmp_path / "spool").rmdir()

    with pytest.raises(OSError, match="spool"):
        a_store(shelf, spool).store([a_result()])


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.sampled_from(["told", "away", "back", "restart"]), max_size=40))
def test_everything_told_is_stored_once_in_order_however_the_store_comes_and_goes(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("spool")
    shelf = Shelf()
    store = a_store(shelf, a_spool(folder, segment_bytes=700))
    told = 0
    for step in steps:
        if step == "restart":
            store = a_store(shelf, a_spool(folder, segment_bytes=700))
        elif step == "told":
            store.store([a_result(second=told)])
            told += 1
        else:
            shelf.away = step == "away"

    shelf.away = False
    while store.waiting:
        store.store([])

    assert seconds(shelf.kept) == list(range(told))
