"""Twenty thousand pages a minute: rate, CPU, memory and start lag of the prober, with results stored."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import uvloop
from sqlalchemy import insert

from app import create_app
from app.core import clock, db, migrate
from app.core.ids import new_id
from app.mobile_access.models import MobilePage
from app.mobile_access.service import State, Theme
from app.monitoring.models import StateSpan, Watch
from bench.load import cpu_seconds, family, free_port, rss_mb
from bench.probe_targets import GOOD, MARKER, NAMES, Targets, serving
from bench.servers import ROOT
from config.settings import Settings
from mobile_pages.guard import Policy
from mobile_pages.probe.base import Condition, ProbeResult, ProbeTarget, Verdict
from mobile_pages.probe.dns import DnsResolver
from mobile_pages.probe.http import HttpProber
from mobile_pages.probe.state import Sample, begin, observe, to_dict
from tests import mariadb
from tests.builders import a_body

PAGES = 20_000
INTERVAL_SECONDS = 54
WARM_SECONDS = 8.0
STEADY_SECONDS = 14.0
HANG_SECONDS = 20.0
BLACKBOX_SECONDS = 7.0
HEALTHY, SILENT = 200, 24


@dataclass(slots=True)
class Heard:
    """What the prober's process said of a phase; lags are those of the last thousand looks, each second."""

    verdicts: Counter[str] = field(default_factory=Counter)
    lags_p50: list[float] = field(default_factory=list)
    lags_p99: list[float] = field(default_factory=list)
    looks: int = 0
    running: int = 0
    rate: float = 0.0
    cpu: float = 0.0
    rss: float = 0.0

    @property
    def lag_p99(self) -> float:
        """The 99th percentile in the worst second."""
        return max(self.lags_p99, default=-1)


@dataclass(slots=True)
class Running:
    """The prober's process."""

    process: subprocess.Popen[str]
    database_pids: list[int]
    heard: Heard = field(default_factory=Heard)

    def listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told, heard = json.loads(line), self.heard
            heard.verdicts.update(told.get("verdicts", {}))
            heard.looks += told.get("looks", 0)
            heard.running = max(heard.running, told.get("running", 0))
            if "lag_p99" in told:
                heard.lags_p50.append(told["lag_p50"])
                heard.lags_p99.append(told["lag_p99"])

    def phase(self, name: str, seconds: float) -> Heard:
        """Listen for so long and print what was heard."""
        self.heard = Heard()
        before, database = cpu_seconds([self.process.pid]), cpu_seconds(self.database_pids)
        began = time.perf_counter()
        time.sleep(seconds)
        elapsed = time.perf_counter() - began
        heard, self.heard = self.heard, Heard()
        heard.rate, heard.rss = heard.looks / elapsed, rss_mb(self.process.pid)
        heard.cpu = (cpu_seconds([self.process.pid]) - before) / max(1, heard.looks) * 1000
        stored = (cpu_seconds(self.database_pids) - database) / max(1, heard.looks) * 1000
        print(
            f"  {name:<20} {heard.rate:4.0f}/s stored, {heard.cpu:.2f} ms CPU a probe"
            f" (database {stored:.2f}),"
            f" start lag p50 {statistics.median(heard.lags_p50 or [-1]):.0f} ms,"
            f" p99 in the worst second {heard.lag_p99:.0f} ms,"
            f" {heard.rss:.0f} MB, {heard.running} under way: {dict(heard.verdicts)}"
        )
        return heard


@contextmanager
def probing(environment: Mapping[str, str], targets: Targets, database_pids: list[int]) -> Iterator[Running]:
    command = [sys.executable, "-m", "bench.probe_process"]
    places = [str(targets.port), str(targets.plain_port), str(targets.dns_port), str(targets.ca_file)]
    process = subprocess.Popen(
        [*command, *places],
        env={**os.environ, **environment},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    running = Running(process, database_pids)
    listener = threading.Thread(target=running.listen)
    listener.start()
    try:
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        listener.join()
        assert process.stdout is not None
        process.stdout.close()


def fill(settings: Settings, targets: Targets) -> None:
    """Write twenty thousand watched pages that are up."""
    migrate.upgrade(settings.database_url)
    app = create_app(settings)
    with app.app_context():
        db.transaction(lambda: _insert(targets, clock.system_clock()))
    app.extensions["hall_db"].dispose()


def _insert(targets: Targets, now: datetime) -> None:
    body = a_body()
    up = observe(begin(now), Sample(now, Verdict.UP)).state
    pages = [(new_id(), targets.url(number)) for number in range(PAGES)]
    page = {
        "body_id": body.id,
        "name": "户政服务",
        "theme": Theme.HOUSEHOLD,
        "state": State.ONLINE,
        "version": 1,
        "served": True,
        "checks": 0,
        "domains": [],
        "may_probe_paths": False,
        "created_by": "bench",
        "created_at": now,
        "changed_at": now,
    }
    texts = {
        column.name: ""
        for column in MobilePage.__table__.columns
        if column.name not in page and not column.nullable and column.name not in {"id", "url"}
    }
    watch = {
        "kind": "page",
        "body_id": body.id,
        "name": "户政服务",
        "watched": True,
        "begun_at": now,
        "condition": Condition.UP,
        "since": now,
        "cause": "",
        "memory": to_dict(up),
        "version": 1,
    }
    db.writing().execute(insert(MobilePage), [{"id": key, "url": url, **page, **texts} for key, url in pages])
    db.writing().execute(
        insert(Watch), [{"check_id": key, "page_id": key, "url": url, **watch} for key, url in pages]
    )
    db.writing().execute(
        insert(StateSpan),
        [{"check_id": key, "started_at": now, "condition": Condition.UP, "cause": ""} for key, _ in pages],
    )


def blackbox(targets: Targets, folder: Path, *, rate: float, seconds: float) -> float | None:
    """Return CPU milliseconds a probe of prometheus-blackbox-exporter for the same look at the same rate."""
    if shutil.which("prometheus-blackbox-exporter") is None:
        print("  prometheus-blackbox-exporter is not installed: no ratio")
        return None
    config = folder / "blackbox.yml"
    config.write_text(
        f"""modules:
  page:
    prober: http
    timeout: 15s
    http:
      preferred_ip_protocol: ip4
      fail_if_body_not_matches_regexp: ["{MARKER}"]
      tls_config: {{ca_file: {targets.ca_file}}}
"""
    )
    resolv = folder / "resolv.conf"
    resolv.write_text(f"nameserver {NAMES}\n")
    port = free_port()
    exporter = (
        f"exec prometheus-blackbox-exporter --config.file={config} --web.listen-address=127.0.0.1:{port}"
    )
    command = f"mount --bind {resolv} /etc/resolv.conf && {exporter} --log.level=error"
    process = subprocess.Popen(["unshare", "--mount", "sh", "-c", command])
    try:
        return _drive(process.pid, port, targets, rate, seconds)
    finally:
        process.terminate()
        process.wait(20)


def _drive(pid: int, port: int, targets: Targets, rate: float, seconds: float) -> float | None:
    time.sleep(0.7)
    done: Counter[bool] = Counter()
    workers = 24

    def ask(first: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        number = first
        while (due := began + number / rate) < began + seconds:
            time.sleep(max(0.0, due - time.perf_counter()))
            url = f"/probe?module=page&target={quote(targets.url(number % PAGES), safe='')}"
            connection.request("GET", url)
            done[b"probe_success 1" in connection.getresponse().read()] += 1
            number += workers
        connection.close()

    began = time.perf_counter()
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(workers)]
    before = cpu_seconds([pid])
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cost = (cpu_seconds([pid]) - before) / sum(done.values()) * 1000
    elapsed = time.perf_counter() - began
    print(
        f"  blackbox_exporter      {sum(done.values()) / elapsed:6.0f}/s"
        f"  {cost:5.2f} ms CPU a probe  {dict(done)}"
    )
    return cost


def silent_names(targets: Targets) -> None:
    """Print how 200 healthy pages fare among 24 names whose name server never answers."""

    async def look() -> tuple[list[ProbeResult], list[ProbeResult]]:
        policy = Policy.allowing([(f"{GOOD}/32", targets.port)], test_or_demo=True)
        resolver = DnsResolver([f"{GOOD}:{targets.dns_port}"])
        prober = HttpProber(policy, resolve=resolver, ca_file=str(targets.ca_file))
        silent = [
            asyncio.create_task(prober.look(ProbeTarget(f"s{number}", targets.url(number, "silent"))))
            for number in range(SILENT)
        ]
        healthy = []
        for number in range(HEALTHY):
            healthy.append(asyncio.create_task(prober.look(ProbeTarget(str(number), targets.url(number)))))
            await asyncio.sleep(0.01)
        results = await asyncio.gather(*healthy), await asyncio.gather(*silent)
        await prober.close()
        await resolver.close()
        return results

    healthy, silent = uvloop.run(look())
    times = sorted(one.phases.total_ms for one in healthy)
    down = sum(one.verdict is Verdict.DOWN for one in healthy)
    print(
        f"  {SILENT} silent names among {HEALTHY} healthy: p50 {times[HEALTHY // 2]:.0f} ms,"
        f" p95 {times[HEALTHY * 95 // 100]:.0f} ms (at most 500), falsely down {down} (0);"
        f" silent ones: {dict(Counter(one.cause for one in silent))}"
    )


def run(environment: Mapping[str, str], folder: Path) -> None:
    """Print every figure of the probing, on both databases."""
    folder.mkdir()
    folder.chmod(0o755)  # nginx's worker has no rights of ours
    print(f"Probing {PAGES} pages every {INTERVAL_SECONDS} s: fresh DNS, TCP, whole TLS handshake; stored")
    own = {
        **environment,
        "HALL_PROBE_INTERVAL_SECONDS": str(INTERVAL_SECONDS),
        "HALL_VAR_DIR": str(folder),
    }
    with serving(folder) as targets:
        silent_names(targets)
        with mariadb.server() as url:
            _on_mariadb({**own, "DATABASE_URL": url}, targets, folder)
        sqlite = {**own, "DATABASE_URL": f"sqlite:///{folder}/probes.sqlite"}
        fill(Settings.from_env(sqlite), targets)
        with probing(sqlite, targets, []) as running:
            running.phase("SQLite, beginning", WARM_SECONDS)
            running.phase("SQLite, steady", STEADY_SECONDS / 2)


def _on_mariadb(environment: Mapping[str, str], targets: Targets, folder: Path) -> None:
    fill(Settings.from_env(environment), targets)
    database = [pid for pid in family(os.getpid()) if _name(pid) == "mariadbd"]
    with probing(environment, targets, database) as running:
        running.phase("MariaDB, beginning", WARM_SECONDS)
        ours = running.phase("MariaDB, steady", STEADY_SECONDS)
        targets.let_all_hang(True)
        hanging = running.phase("MariaDB, all hang", HANG_SECONDS)
        targets.let_all_hang(False)
    theirs = blackbox(targets, folder, rate=PAGES / INTERVAL_SECONDS, seconds=BLACKBOX_SECONDS)
    print(
        f"  rate {ours.rate:.0f}/s (at least 350); memory {ours.rss:.0f} MB (at most 250);"
        f" lag p99 {ours.lag_p99:.0f} ms, hanging {hanging.lag_p99:.0f} ms (at most 1000)"
    )
    if theirs:
        print(f"  CPU a probe against blackbox_exporter: {ours.cpu / theirs:.2f} (at most 1.00)")


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()
