"""Looks by way of a queue: what is due is sent once, and what is sent is looked at and stored."""

import contextlib
import os
import signal
import subprocess
import sys
from threading import Event

import pytest
from sqlalchemy import select

from app.core import db
from app.mobile_access.service import State
from app.monitoring.models import ProberBeat, ProbeSample
from app.monitoring.prober import Desk
from app.monitoring.queue_worker import QueueWorker, relay
from app.monitoring.samples import verdict_of
from mobile_pages.probe.base import Verdict
from tests import rabbitmq
from tests.app.mobile_access.builders import a_page
from tests.app.monitoring.builders import TERMS
from tests.app.monitoring.test_prober import HEALTH, department, port_of, process_environment, until
from tests.builders import settings_for
from tests.mobile_pages.probe.sites import closed_port

in_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@contextlib.contextmanager
def a_worker(app, folder, *, allow, canaries=""):
    url = app.extensions["hall_settings"].database_url
    settings = settings_for(url, folder, HALL_OUTBOUND_ALLOW=allow, HALL_PROBE_CANARIES=canaries)
    worker = QueueWorker(app, settings, "host")
    try:
        yield worker
    finally:
        worker.close()


def stored(app, page):
    with app.app_context():
        query = select(ProbeSample.verdict, ProberBeat.name).join(
            ProberBeat, ProberBeat.number == ProbeSample.prober
        )
        return [
            (verdict_of(verdict), name)
            for verdict, name in db.session().execute(query.where(ProbeSample.check_id == page.id))
        ]


@in_sqlite
def test_a_worker_looks_at_what_it_is_asked_and_stores_it_under_its_own_name(app, given, tmp_path):
    with department() as url, a_worker(app, tmp_path, allow=f"127.0.0.1/32:{port_of(url)}") as worker:
        page = given(a_page, state=State.ONLINE, url=url)

        worker.look([page.id, page.id + 1], 0.0)

    assert stored(app, page) == [(Verdict.UP, "queue:host")]


@in_sqlite
def test_a_worker_whose_own_network_is_away_says_nothing_of_the_page(app, given, tmp_path):
    closed = closed_port()
    canary = f"http://127.0.0.1:{closed}/"
    with a_worker(app, tmp_path, allow=f"127.0.0.1/32:{closed}", canaries=canary) as worker:
        page = given(a_page, state=State.ONLINE, url=canary)

        worker.look([page.id], 0.0)

    assert [verdict for verdict, _ in stored(app, page)] == [Verdict.UNKNOWN]


@in_sqlite
def test_what_is_due_is_put_into_the_queue_once_and_expires_after_an_interval(app, given):
    pages = {given(a_page, state=State.ONLINE).id for _ in range(3)}
    sent, stop, now = [], Event(), [1_000_000.0]

    def send(check_ids, due_at, *, expires_seconds):
        sent.append((list(check_ids), expires_seconds))

    def clock():
        now[0] += 0.3
        if now[0] > 1_000_000 + 2 * TERMS.interval_seconds:
            stop.set()
        return now[0]

    stop.wait = lambda _seconds: None
    relay(Desk(app, "relay", TERMS, lambda: HEALTH), send, stop, clock)

    told = [check_id for ids, _ in sent for check_id in ids]
    assert set(told) == pages
    assert all(told.count(one) <= 2 for one in pages)
    assert {expires for _, expires in sent} == {TERMS.interval_seconds}


@contextlib.contextmanager
def running(*command, environment):
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


@in_sqlite
def test_looks_go_through_rabbitmq_to_a_worker_of_celery(app, given, tmp_path):
    if reason := rabbitmq.missing():
        pytest.skip(f"RabbitMQ half: {reason}")
    with department() as url, rabbitmq.server() as broker:
        page = given(a_page, state=State.ONLINE, url=url)
        environment = {
            **os.environ,
            **process_environment(app, tmp_path, HALL_OUTBOUND_ALLOW=f"127.0.0.1/32:{port_of(url)}"),
            "HALL_CELERY_BROKER": broker,
        }
        worker = ("celery", "-A", "app.monitoring.celery_app", "worker", "--pool", "solo")
        relaying = ("flask", "--app", "wsgi", "monitor", "relay")
        with running(*worker, environment=environment), running(*relaying, environment=environment):
            found = until(lambda: stored(app, page), 90)

    verdict, name = found[0]
    assert verdict is Verdict.UP
    assert name.startswith("queue:")
