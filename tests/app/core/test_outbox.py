from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from app.core import audit, db, outbox, runner
from app.core.errors import NotFound
from app.core.outbox import Job
from app.core.runner import Worker

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def seen():
    return []


def a_worker(app, run, **options):
    return Worker(app, {"test.note": Job("test.note", run, **options)})


def test_a_job_asked_for_in_a_transaction_is_run(app, given, seen):
    given(outbox.enqueue, "test.note", {"name": "户政"})

    a_worker(app, seen.append).drain()

    assert seen == [{"name": "户政"}]


def test_a_job_of_a_failed_transaction_never_was(app, given, seen):
    def ask_and_fail():
        outbox.enqueue("test.note")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        given(ask_and_fail)

    assert a_worker(app, seen.append).drain() == 0


def test_the_same_key_is_one_job_however_often_it_is_asked_for(app, given, seen):
    for _ in range(3):
        given(outbox.enqueue, "test.note", {}, dedup_key="once")

    a_worker(app, seen.append).drain()
    given(outbox.enqueue, "test.note", {}, dedup_key="once")
    a_worker(app, seen.append).drain()

    assert len(seen) == 1


def test_a_claimed_job_is_nobody_elses_until_its_lease_ends(app, given):
    given(outbox.enqueue, "test.note", run_at=NOW)

    with app.app_context():
        first = outbox.claim("a", limit=5, now=NOW)
        during = outbox.claim("b", limit=5, now=NOW + timedelta(minutes=1))
        after = outbox.claim("b", limit=5, now=NOW + outbox.LEASE + timedelta(seconds=1))

    assert [len(first), len(during), len(after)] == [1, 0, 1]


def test_a_late_acknowledgement_of_a_lost_lease_changes_nothing(app, given):
    given(outbox.enqueue, "test.note", run_at=NOW)

    with app.app_context():
        (job,) = outbox.claim("slow", limit=1, now=NOW)
        outbox.claim("other", limit=1, now=NOW + outbox.LEASE + timedelta(seconds=1))
        outbox.acknowledge(job, "slow", now=NOW)
        assert outbox.counts() == {"pending": 1}


def test_a_late_word_counts_for_nothing_when_the_same_worker_took_the_job_again(app, given):
    given(outbox.enqueue, "test.note", run_at=NOW)
    later = NOW + outbox.LEASE + timedelta(seconds=1)

    with app.app_context():
        (slow,) = outbox.claim("w", limit=1, now=NOW)
        outbox.claim("w", limit=1, now=later)
        outbox.fail(slow, "w", "boom", now=later)
        outbox.acknowledge(slow, "w", now=later)

        assert outbox.claim("other", limit=1, now=later + timedelta(minutes=1)) == []
        assert outbox.counts() == {"pending": 1}


def test_a_job_that_takes_long_stays_with_the_worker_that_renews_it(app, given):
    given(outbox.enqueue, "test.note", run_at=NOW)
    nearly, over = NOW + outbox.LEASE - timedelta(seconds=1), NOW + outbox.LEASE + timedelta(seconds=1)

    with app.app_context():
        held = outbox.claim("slow", limit=1, now=NOW)
        outbox.renew(held, "slow", now=nearly)
        assert outbox.claim("other", limit=1, now=over) == []

        (taken,) = outbox.claim("other", limit=1, now=nearly + outbox.LEASE + timedelta(seconds=1))
        outbox.renew(held, "slow", now=nearly + 9 * outbox.LEASE)
        assert len(outbox.claim("third", limit=1, now=nearly + 3 * outbox.LEASE)) == 1


def test_a_worker_that_is_stopped_renews_and_finishes_what_it_runs(app, given, monkeypatch):
    started, let_go, renewed = Event(), Event(), Event()
    monkeypatch.setattr(runner, "RENEW_EVERY", timedelta())  # else a test would take half a minute
    renew = outbox.renew
    monkeypatch.setattr(outbox, "renew", lambda *held, **at: renew(*held, **at) or renewed.set())
    given(outbox.enqueue, "test.note")
    worker = a_worker(app, lambda _payload: started.set() or let_go.wait(20))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(worker.run_forever)
        started.wait(20)
        worker.stop()
        renewed.clear()
        assert renewed.wait(20)
        let_go.set()
        running.result(20)

    with app.app_context():
        assert outbox.counts() == {"done": 1}


def test_a_job_that_kills_its_worker_every_time_ends_with_the_dead_letters(app, given):
    given(outbox.enqueue, "test.note", run_at=NOW)
    now, tries = NOW, 0

    with app.app_context():
        while outbox.claim("w", limit=1, now=now) and tries < 50:
            now, tries = now + outbox.LEASE + timedelta(seconds=1), tries + 1
            db._forget_read()

        assert (tries, outbox.counts()) == (len(outbox.RETRY_AFTER) + 1, {"dead": 1})


def test_a_failing_job_waits_longer_each_time_and_ends_with_the_dead_letters(app, given):
    given(outbox.enqueue, "test.note", run_at=NOW)
    waits, now = [], NOW

    with app.app_context():
        for _ in range(len(outbox.RETRY_AFTER) + 1):
            (job,) = outbox.claim("w", limit=1, now=now)
            outbox.fail(job, "w", "boom", now=now)
            row = db.session().get(outbox.JobRow, job.id)
            waits.append(row.run_at - now)
            now = max(row.run_at, now)
            db._forget_read()
        assert outbox.counts() == {"dead": 1}
    assert waits[:-1] == list(outbox.RETRY_AFTER)


def test_a_job_that_raises_does_not_stop_the_worker(app, given, seen):
    def explode_once(payload):
        if payload.get("bad"):
            raise ValueError("bad")
        seen.append(payload)

    given(outbox.enqueue, "test.note", {"bad": True})
    given(outbox.enqueue, "test.note", {"good": True})

    a_worker(app, explode_once).drain()

    assert seen == [{"good": True}]


def test_periodic_work_is_asked_for_once_in_its_slot_by_any_number_of_workers(app, tables, seen):
    workers = [a_worker(app, seen.append, every=timedelta(days=1)) for _ in range(3)]

    with app.app_context():
        for worker in workers:
            worker._ask_for_periodic(NOW)
        assert outbox.counts() == {"pending": 1}


def test_what_is_urgent_goes_before_what_waits_for_longer(context):
    for minute, name in enumerate(("slow", "slow", "urgent")):
        at = NOW + timedelta(minutes=minute)
        db.transaction(lambda name=name, at=at: outbox.enqueue(name, run_at=at))

    taken = outbox.claim("me", limit=1, now=NOW + timedelta(hours=1), first={"urgent"})

    assert [one.name for one in taken] == ["urgent"]


def a_dead_letter(app, given):
    """Ask for a job and let it fail in every try; return its id."""
    given(outbox.enqueue, "test.note", {"name": "户政"}, run_at=NOW)
    later = timedelta(days=1)
    with app.app_context():
        for number in range(len(outbox.RETRY_AFTER) + 1):
            at = NOW + later * number
            for claimed in outbox.claim("a", limit=1, now=at):
                outbox.fail(claimed, "a", "ZeroDivisionError", now=at)
        return outbox.dead_letters(limit=1)[0].id


def test_a_job_put_aside_is_tried_again_from_the_beginning_when_staff_say_so(app, given, seen):
    job_id = a_dead_letter(app, given)

    given(outbox.revive, job_id, by="staff:1", now=datetime.now(UTC))
    a_worker(app, seen.append).drain()

    assert seen == [{"name": "户政"}]


def test_a_job_that_staff_give_up_is_never_run(app, given, seen):
    job_id = a_dead_letter(app, given)

    given(outbox.give_up, job_id, by="staff:1")

    assert a_worker(app, seen.append).drain() == 0
    with app.app_context():
        assert outbox.dead_letters(limit=1) == []
        assert [line.action for line in audit.recent(limit=1)] == ["job.give_up"]


def test_of_two_who_decide_about_a_job_the_second_is_told(app, given):
    job_id = a_dead_letter(app, given)
    given(outbox.revive, job_id, by="staff:1", now=NOW)

    with pytest.raises(NotFound):
        given(outbox.give_up, job_id, by="staff:2")
