"""The whole conformance run over real HTTP, by the reference system with its own way of signing."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from werkzeug.serving import make_server

from app.exchange import service
from app.exchange.service import SystemEvent, SystemState
from app.third_parties.service import Stage
from config import exchange
from sandbox.department import Department, run_conformance
from tests.app.exchange.builders import a_system, without_quota
from tests.builders import NOW, a_principal
from tests.processes import free_ports

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@contextmanager
def served(app):
    (port,) = free_ports(1)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def department_of(docked, base):
    return Department(base, docked.code, docked.key.key_id, docked.key.secret)


def test_the_reference_system_passes_every_case_and_may_go_live(app, tables, given):
    docked = given(a_system, state=SystemState.REGISTERED, stage=Stage.SANDBOX)
    given(without_quota, docked, Stage.SANDBOX)
    told = []

    with served(app) as base:
        run = run_conformance(department_of(docked, base), told.append)

    assert (run["note"], run["state"], run["passed"]) == ("", "passed", len(exchange.golden()[1])), told[-1]
    boss = given(a_principal, "province_reviewer")
    version = given(service.get, boss, docked.id).version
    live = given(service.advance, boss, docked.id, SystemEvent.GO_LIVE, version=version, now=NOW)
    assert live.state is SystemState.LIVE
