"""A whole hall as real processes on free ports, as the start script makes it, stopped by process id."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.builders import a_key
from tests.processes import Process, family, free_ports, still_there, until

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
READY_SECONDS = 60
STOP_SECONDS = 30
TAIL_LINES = 40
WENT_WELL = re.compile(r'"status": [23]\d\d, .*"event": "request"')
SECRET_KEY = "a key of this journey that signs cookies only"


@dataclass(frozen=True, slots=True)
class Hall:
    """A running installation with its sandbox. Addresses without a slash at the end."""

    base: str
    sandbox: str
    pages: str
    var: Path
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def flask(self, *words: str) -> str:
        """Run a command of the hall and return what it printed."""
        done = subprocess.run(
            [BIN / "flask", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"flask {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> None:
        """Prepare the database and the accounts, start every process, wait until all answer."""
        self.flask("hall", "prepare")
        self.flask("demo", "accounts")
        for name, command in self._commands().items():
            with (self.var / f"{name}.log").open("wb") as log:
                self.processes[name] = subprocess.Popen(
                    command, cwd=ROOT, env=self.environment, stdout=log, stderr=log
                )
        for address in (f"{self.base}/readyz", f"{self.sandbox}/phone/", f"{self.pages}/catalogue.json"):
            until(lambda url=address: self._answers(url), f"{address} answers", READY_SECONDS)  # type: ignore[misc]

    def stop(self) -> set[Process]:
        """Ask every process to end; return what is still there, browsers and all, and end that too."""
        started = set[Process]().union(*(family(process.pid) for process in self.processes.values()))
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        left = still_there(started)
        for pid, _ in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        return left

    def log(self) -> str:
        """Return everything that all processes have written."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.var.glob("*.log")))

    def tails(self) -> str:
        """Return the last lines of every process's log but for requests that went well."""
        parts = []
        for path in sorted(self.var.glob("*.log")):
            lines = path.read_text(errors="replace").splitlines()
            telling = [line for line in lines if not WENT_WELL.search(line)]
            parts.append("\n".join([f"--- {path.name}", *telling[-TAIL_LINES:]]))
        return "\n".join(parts)

    def _commands(self) -> dict[str, list[str]]:
        config = ["--config", f"{self.var}/sandbox.json"]
        ports = [f"--port={self.sandbox.rpartition(':')[2]}", f"--pages-port={self.pages.rpartition(':')[2]}"]
        return {
            "web": [f"{BIN}/gunicorn", "-c", "config/gunicorn.py", "wsgi:application"],
            "worker": [f"{BIN}/flask", "jobs", "work"],
            "prober": [f"{BIN}/flask", "monitor", "run"],
            "sandbox": [f"{BIN}/python", "-m", "sandbox", *config, *ports],
        }

    def _answers(self, url: str) -> bool:
        for name, process in self.processes.items():
            assert process.poll() is None, f"{name} has ended by itself"
        with contextlib.suppress(requests.RequestException):
            return requests.get(url, timeout=5).ok
        return False


def plan(database_url: str, var: Path) -> Hall:
    """Return an installation over the database at ``database_url`` that is not running yet."""
    web, sandbox, pages = free_ports(3)
    base, phone, samples = (f"http://127.0.0.1:{port}" for port in (web, sandbox, pages))
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {
        **inherited,
        "FLASK_APP": "wsgi",
        "PYTHONUNBUFFERED": "1",
        "HALL_ENV": "demo",
        "HALL_PORT": str(web),
        "HALL_BASE_URL": base,
        "HALL_SANDBOX_URL": phone,
        "HALL_SAMPLE_PAGES_URL": samples,
        "HALL_OUTBOUND_ALLOW": f"127.0.0.1/32:{pages}",
        "HALL_PROBE_INTERVAL_SECONDS": "5",
        "HALL_DOWN_GRACE_SECONDS": "2",
        "HALL_SECRET_KEY": SECRET_KEY,
        "HALL_VAULT_KEYS": f"1:{a_key('journey vault')}",
        "HALL_AUDIT_KEY": a_key("journey audit"),
        "HALL_VAR_DIR": str(var),
        "DATABASE_URL": database_url,
    }
    return Hall(base, phone, samples, var, environment)


@contextlib.contextmanager
def running(hall: Hall) -> Iterator[Hall]:
    """Run ``hall`` for a while; afterwards nothing of it may be left."""
    try:
        try:
            hall.start()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{hall.tails()}") from error
        yield hall
    finally:
        left = hall.stop()
    assert not left, f"still there after the stop: {left}"
