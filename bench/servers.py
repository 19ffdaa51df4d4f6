"""Starts gunicorn with the hall's own settings over one application, and stops it again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.load import family, free_port

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parent.parent
WAIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """``started_in`` is the time from the command to the first answer, seconds."""

    port: int
    pid: int
    started_in: float

    @property
    def pids(self) -> list[int]:
        return family(self.pid)

    @property
    def worker(self) -> int:
        return self.pids[-1]


@contextmanager
def gunicorn(
    application: str, environment: Mapping[str, str] | None = None, *, path: str = "/"
) -> Iterator[Server]:
    """Serve ``application`` on a free port; ready when ``path`` answers."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    env = {**os.environ, **(environment or {}), "HALL_PORT": str(port), "HALL_BASE_URL": base}
    began = time.perf_counter()
    process = subprocess.Popen(
        [BIN / "gunicorn", "-c", "config/gunicorn.py", application],
        env=env,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(base + path, process)
        yield Server(port, process.pid, time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait(20)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{url} did not come up")
