"""A private MariaDB for one test run: own folder, free port, stopped by pid."""

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

import pymysql

WAIT_SECONDS = 60


def missing() -> str:
    """Return why MariaDB cannot be started here, empty when it can."""
    absent = [name for name in ("mariadbd", "mariadb-install-db") if not shutil.which(name)]
    return f"not installed: {', '.join(absent)}" if absent else ""


@contextmanager
def server(*, memory: str = "64M", durable: bool = False) -> Iterator[str]:
    """Run a server and yield the URL of its empty database ``hall``.

    Args:
        memory: of its buffer pool.
        durable: write the log to disk at each commit, as one that serves people does.
    """
    folder = Path(tempfile.mkdtemp(prefix="hall-mariadb-"))
    port = _free_port()
    user = ["--user=root"] if os.geteuid() == 0 else []
    common = ["--no-defaults", f"--datadir={folder}/data", *user]
    with (folder / "log").open("wb") as log:
        subprocess.run(
            ["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True,
            stdout=log,
            stderr=log,
        )
        daemon = subprocess.Popen(
            [
                shutil.which("mariadbd") or "mariadbd",
                *common,
                f"--port={port}",
                f"--socket={folder}/s",
                f"--tmpdir={folder}",  # a server that starts clears the temporary tables of a shared one
                "--bind-address=127.0.0.1",
                f"--innodb-buffer-pool-size={memory}",
                f"--innodb-flush-log-at-trx-commit={int(durable)}",
                "--skip-name-resolve",
                "--skip-log-bin",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_up(daemon, port, folder / "log")
        yield f"mysql+pymysql://root@127.0.0.1:{port}/hall"
    finally:
        daemon.terminate()
        daemon.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_up(daemon: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if daemon.poll() is not None:
            raise RuntimeError(f"mariadbd ended: {log.read_text(errors='replace')[-2000:]}")
        try:
            connection = pymysql.connect(host="127.0.0.1", port=port, user="root")
        except pymysql.err.OperationalError:
            time.sleep(0.1)
            continue
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE hall CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        return
    raise RuntimeError("mariadbd did not come up")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
