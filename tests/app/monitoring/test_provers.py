"""Provers as real processes, one of which is killed; a database that is away for a while."""

import contextlib
import selectors
import signal
import socket
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from app import create_app
from app.core import clock, db
from app.mobile_access.service import State
from app.monitoring.models import ProbeSample, ShardLease
from app.monitoring.prober import Desk, is_away
from mobile_pages.probe.spool import Spool, SpooledStore
from tests.app.mobile_access.builders import a_page
from tests.app.monitoring.builders import TERMS, a_watched_page, looks, spans
from tests.app.monitoring.test_prober import HEALTH, department, port_of, process_environment, until
from tests.builders import settings_for

INTERVAL_SECONDS = 16
PAGES = 12


@contextlib.contextmanager
def prober(app, folder, name, url):
    environment = {
        **process_environment(app, folder, HALL_OUTBOUND_ALLOW=f"127.0.0.1/32:{port_of(url)}"),
        "HALL_PROBE_INTERVAL_SECONDS": str(INTERVAL_SECONDS),
        "HALL_PROBE_CANARIES": url,
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "monitor", "run", "--name", name]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def leased(app):
    """Return how many shards each prober holds."""
    with app.app_context():
        counts = select(ShardLease.owner, func.count()).group_by(ShardLease.owner)
        return {row[0]: row[1] for row in db.session().execute(counts)}


def looked_at(app, since):
    with app.app_context():
        return set(db.session().scalars(select(ProbeSample.check_id).where(ProbeSample.at >= since)))


def test_a_second_prober_takes_its_share_and_a_killed_one_costs_no_check_two_intervals(app, given, tmp_path):
    with department() as url, contextlib.ExitStack() as running:
        ids = {given(a_page, state=State.ONLINE, url=f"{url}?{number}").id for number in range(PAGES)}
        running.enter_context(prober(app, tmp_path, "a", url))
        doomed = running.enter_context(prober(app, tmp_path, "b", url))
        until(lambda: leased(app) == {"a": 32, "b": 32}, 60)

        doomed.kill()
        killed_at = clock.system_clock()

        until(lambda: looked_at(app, killed_at) == ids, 90)
        with app.app_context():
            first = select(func.min(ProbeSample.at)).where(ProbeSample.at >= killed_at)
            latest = db.session().scalars(first.group_by(ProbeSample.check_id)).all()
        assert max(latest) - killed_at <= timedelta(seconds=2 * INTERVAL_SECONDS)


class Gate:
    """A way to a server that can be shut: what is under way breaks, what comes is refused."""

    def __init__(self, port):
        self.server_port = port
        self.port = 0
        self.open()

    def open(self):
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def shut(self):
        self._stop.send(b"x")
        self._thread.join()
        for one in (self._stop, self._stopped, self._listener):
            one.close()

    def _serve(self):
        pairs = {}
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._listener, selectors.EVENT_READ)
            waiting.register(self._stopped, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in waiting.select()]
                if self._stopped in ready:
                    break
                for one in ready:
                    if one is self._listener:
                        near = one.accept()[0]
                        far = socket.create_connection(("127.0.0.1", self.server_port))
                        pairs |= {near: far, far: near}
                        waiting.register(near, selectors.EVENT_READ)
                        waiting.register(far, selectors.EVENT_READ)
                    elif one in pairs and (data := one.recv(65536)):
                        pairs[one].sendall(data)
                    elif one in pairs:
                        for end in (one, pairs.pop(one)):
                            pairs.pop(end, None)
                            waiting.unregister(end)
                            end.close()
            for one in pairs:
                one.close()


@contextlib.contextmanager
def a_store_behind_a_gate(url, folder):
    """Give the prober's store, over a database that can be reached through a gate only."""
    address = make_url(url)
    gate = Gate(address.port)
    behind = create_app(
        settings_for(address.set(port=gate.port).render_as_string(hide_password=False), folder)
    )
    desk = Desk(behind, "p1", TERMS, lambda: HEALTH)
    try:
        yield gate, SpooledStore(desk.store, desk.tell_outage, Spool(folder / "spool"), is_away)
    finally:
        behind.extensions["hall_db"].dispose()
        gate.shut()


@pytest.mark.parametrize("app", ["mariadb"], indirect=True)
def test_results_of_a_time_without_database_appear_when_it_is_back(app, given, tmp_path):
    page = given(a_watched_page)
    with a_store_behind_a_gate(app.extensions["hall_settings"].database_url, tmp_path) as (gate, store):
        store.store(looks(page.id, "U"))
        gate.shut()
        for minute, letter in enumerate("DDDU", start=2):
            store.store(looks(page.id, letter, minute=minute))
        waited = store.waiting
        gate.open()
        store.store(looks(page.id, "U", minute=6))

    with app.app_context():
        assert spans(page.id) == [(0, 1, "unknown"), (1, 2, "up"), (2, 5, "down"), (5, None, "up")]
    assert waited == 4


@pytest.mark.parametrize("app", ["mariadb"], indirect=True)
def test_a_restart_while_the_database_is_away_loses_nothing(app, given, tmp_path):
    page = given(a_watched_page)
    url = app.extensions["hall_settings"].database_url
    with a_store_behind_a_gate(url, tmp_path) as (gate, store):
        gate.shut()
        store.store(looks(page.id, "UUU"))
        gate.open()

    with a_store_behind_a_gate(url, tmp_path) as (_, store):
        store.store(looks(page.id, "U", minute=4))

    with app.app_context():
        assert spans(page.id) == [(0, 1, "unknown"), (1, None, "up")]
        assert db.session().scalar(select(func.count()).select_from(ProbeSample)) == 4
