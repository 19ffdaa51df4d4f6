"""A private Redis for one test: free port, nothing kept, stopped by pid."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field

import redis

WAIT_SECONDS = 20


def missing() -> str:
    """Return why Redis cannot be started here, empty when it can."""
    return "" if shutil.which("redis-server") else "not installed: redis-server"


@dataclass(slots=True)
class RedisServer:
    """A server that can be stopped and started again on the same port."""

    port: int = field(default_factory=lambda: _free_port())
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start an empty server and wait until it answers."""
        self._process = subprocess.Popen(
            [
                shutil.which("redis-server") or "redis-server",
                *("--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", "--databases", "1"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with redis.Redis(port=self.port) as client:
                    client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.02)
        raise RuntimeError("redis-server did not come up")

    def stop(self) -> None:
        """Stop the server; nothing happens when it does not run."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
