"""A private RabbitMQ for one test: own folder, own ports, own name server of Erlang; nothing stays."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import free_ports

_SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
WAIT_SECONDS = 60


def missing() -> str:
    """Return why RabbitMQ cannot be started here, empty when it can."""
    return "" if shutil.which("epmd") and Path(_SERVER).exists() else "not installed: rabbitmq-server"


@contextmanager
def server() -> Iterator[str]:
    """Run a broker and yield its URL."""
    folder = Path(tempfile.mkdtemp(prefix="hall-rabbitmq-"))
    port, names_port, cluster_port = free_ports(3)
    (folder / "plugins").write_text("[].\n")
    (folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\n")
    environment = {
        **os.environ,
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(names_port),
        "RABBITMQ_NODENAME": f"hall-{os.getpid()}@localhost",
        "RABBITMQ_DIST_PORT": str(cluster_port),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
    }
    with (folder / "out").open("wb") as out:
        names = subprocess.Popen(["epmd", "-port", str(names_port), "-address", "127.0.0.1"], stdout=out)
        broker = subprocess.Popen([_SERVER], env=environment, stdout=out, stderr=out)
    try:
        _wait(port, broker, folder / "out")
        yield f"amqp://guest:guest@127.0.0.1:{port}//"
    finally:
        for process in (broker, names):
            process.terminate()
            process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, broker: subprocess.Popen[bytes], out: Path) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end and broker.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
                probe.sendall(b"AMQP\x00\x00\x09\x01")
                if probe.recv(1):
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"rabbitmq did not come up: {out.read_text(errors='replace')[-2000:]}")
