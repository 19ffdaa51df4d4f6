"""The prober's process against a real page that goes down and comes back, and real databases."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from app.core import db
from app.mobile_access.service import State
from app.monitoring import service
from app.monitoring.models import Incident, ProberBeat, ProbeSample
from app.monitoring.prober import Desk
from app.monitoring.samples import verdict_of
from app.organisations.service import Principal, Role, grant_for
from config.settings import Settings, SettingsError
from mobile_pages.guard import Policy
from mobile_pages.probe.base import ProbeTarget, Verdict
from mobile_pages.probe.http import HttpProber
from mobile_pages.probe.outage import Outage
from mobile_pages.probe.runner import Stats
from tests.app.mobile_access.builders import a_page
from tests.app.monitoring.builders import TERMS, a_watched_page, at, looks, seen
from tests.builders import an_environment
from tests.mobile_pages.probe.sites import answers, closed_port, page, served
from tests.mobile_pages.servers import html, serving

HEALTH = Stats(0, 0, 0, 0, 0, 0, False, 0.0, 3.4)


def a_desk(app, stats=HEALTH):
    return Desk(app, "p1", TERMS, lambda: stats)


async def two_looks_then_three_at_a_closed_port_then_two(page_id):
    """Look once a minute, by an injected clock, at a real server that goes away and comes back."""
    port, minute = closed_port(), 0
    policy = Policy.allowing([("127.0.0.1/32", port)], test_or_demo=True)
    prober = HttpProber(policy, now=lambda: at(minute))
    target = ProbeTarget(str(page_id), f"http://127.0.0.1:{port}/", timeout_seconds=5)
    found = []
    for is_open, times in ((True, 2), (False, 3), (True, 2)):
        async with served(answers(page()), port=port) if is_open else contextlib.nullcontext():
            for _ in range(times):
                minute += 1
                found.append(await prober.look(target))
    await prober.close()
    return found


def test_a_real_page_that_goes_and_comes_back_leaves_one_closed_incident(app, given):
    watched = given(a_watched_page)
    results = asyncio.run(two_looks_then_three_at_a_closed_port_then_two(watched.id))

    a_desk(app).store(results)

    with app.app_context():
        (incident,) = db.session().scalars(select(Incident))
        assert incident.cause == "connect_refused"
        assert (incident.started_at, incident.opened_at, incident.resolved_at) == (at(3), at(5), at(6))


def test_the_prober_is_given_every_published_page_and_no_other(app, given):
    published = given(a_page, state=State.ONLINE)
    given(a_page, state=State.PASSED)

    targets = a_desk(app).load()

    assert [(one.id, one.url, one.interval_seconds) for one in targets] == [
        (str(published.id), published.url, TERMS.interval_seconds)
    ]
    with app.app_context():
        assert service.watched_ids() == [[published.id]]


def test_every_loading_is_a_sign_of_life(app, given):
    a_desk(app).load()
    a_desk(app, replace(HEALTH, offline=True)).load()

    with app.app_context():
        (beat,) = db.session().scalars(select(ProberBeat))
        assert (beat.name, beat.lag_p99_ms, beat.own_network_ok) == ("p1", 3, False)


def test_a_batch_that_cannot_be_stored_is_refused_whole(app, given):
    watched = given(a_watched_page)
    results = looks(watched.id, "UDDD")
    broken = replace(results[-1], started_at=datetime(2026, 3, 2, 10, 0))  # noqa: DTZ001

    with pytest.raises(TypeError, match="naive"):
        a_desk(app).store([*results, broken])

    with app.app_context():
        assert db.session().scalar(select(func.count()).select_from(ProbeSample)) == 0
        assert db.session().scalar(select(func.count()).select_from(Incident)) == 0


def test_an_outage_of_our_own_is_taken_back_for_all_pages(app, given):
    pages = [given(seen, "UDDD"), given(seen, "UUUU")]

    a_desk(app).tell_outage(Outage(at(1.5), at(5), over=False))
    a_desk(app).tell_outage(Outage(at(6), at(6), over=True))

    with app.app_context():
        outcomes = {one.page_id: one.outcome for one in db.session().scalars(select(Incident))}
        assert outcomes == {pages[0].id: service.Outcome.VOIDED}
        who = a_principal_of_the_province()
        assert {service.page_watch(who, one.id, TERMS, now=at(5)).watch.condition for one in pages} == {
            "unknown"
        }


def a_principal_of_the_province():
    return Principal(1, "测试", (grant_for(Role.PROVINCE_WATCH),))


def test_the_time_out_leaves_room_for_a_confirming_look():
    quick = service.terms(Settings.from_env(an_environment(HALL_PROBE_INTERVAL_SECONDS="10")))
    usual = service.terms(Settings.from_env(an_environment()))

    assert (quick.timeout_seconds, usual.timeout_seconds) == (4.0, 15.0)
    assert quick.slow_ms < quick.timeout_seconds * 1000


def test_canaries_are_addresses():
    with pytest.raises(SettingsError, match="HALL_PROBE_CANARIES"):
        Settings.from_env(an_environment(HALL_PROBE_CANARIES="https://a.example.cn not-an-address"))


def test_in_production_no_canary_is_taken_for_granted():
    production = Settings.from_env(an_environment(HALL_ENV="production"))
    demo = Settings.from_env(an_environment())

    assert production.probe_canaries == ()
    assert demo.probe_canaries == ("http://127.0.0.1:8000/healthz",)


def until(question, seconds=30.0):
    """Ask until the answer is true; fail when it never is."""
    end = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.1)
    return answer


def test_the_process_watches_a_page_and_stops_when_told(app, given, tmp_path):
    with department() as url:
        watched = given(a_page, state=State.ONLINE, url=url)
        environment = process_environment(app, tmp_path, HALL_OUTBOUND_ALLOW=f"127.0.0.1/32:{port_of(url)}")
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "monitor", "run", "--name", "p2"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
            samples = until(lambda: samples_of(app, watched.id))
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=15)

    assert (process.returncode, verdict_of(samples[0].verdict)) == (0, Verdict.UP)
    assert b"Traceback" not in said


def samples_of(app, page_id):
    with app.app_context():
        return list(db.session().scalars(select(ProbeSample).where(ProbeSample.check_id == page_id)))


def process_environment(app, tmp_path, **changed):
    url = app.extensions["hall_settings"].database_url
    quick = {"HALL_PROBE_INTERVAL_SECONDS": "5", "HALL_VAR_DIR": str(tmp_path)}
    return {**os.environ, **an_environment(DATABASE_URL=url, **quick, **changed)}


def port_of(url):
    return urlsplit(url).port


@contextlib.contextmanager
def department():
    """Serve one good page on 127.0.0.1."""
    with serving({"/": html("<title>户政服务</title>")}) as base:
        yield f"{base}/"


@pytest.mark.parametrize("name", ["", "a" * 21, "a\tb"])
def test_a_probers_name_is_short_and_printable(app, name):
    said = app.test_cli_runner().invoke(args=["monitor", "run", "--name", name])

    assert said.exit_code == 2
    assert "printable" in said.output
