"""A bounded load over keep-alive connections to 127.0.0.1, and what it cost the server."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 8
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Load:
    """requests per second of wall time; CPU milliseconds of the server per request."""

    per_second: float
    cpu_ms: float


def measure(port: int, path: str, pids: list[int], *, requests: int) -> Load:
    """Ask ``requests`` times for ``path``; every answer must be a 200."""
    one = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    return measure_each(port, [one] * requests, pids)


def measure_each(port: int, requests: Sequence[bytes], pids: list[int]) -> Load:
    """Send every one of ``requests`` once; every answer must be a 200."""
    errors: list[BaseException] = []

    def ask(share: Sequence[bytes]) -> None:
        try:
            _ask(port, share)
        except BaseException as error:
            errors.append(error)

    shares = [requests[at::CONNECTIONS] for at in range(CONNECTIONS)]
    cpu_before, began = cpu_seconds(pids), time.perf_counter()
    threads = [threading.Thread(target=ask, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - began
    if errors:
        raise errors[0]
    return Load(len(requests) / elapsed, (cpu_seconds(pids) - cpu_before) / len(requests) * 1000)


def _ask(port: int, requests: Sequence[bytes]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        rest = b""
        for request in requests:
            connection.sendall(request)
            rest = _read_answer(connection, rest)


def _read_answer(connection: socket.socket, rest: bytes) -> bytes:
    while b"\r\n\r\n" not in rest:
        rest += connection.recv(65536)
    head, _, body = rest.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"not a 200: {head[:60]!r}")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return body[length:]


def cpu_seconds(pids: list[int]) -> float:
    """Return user and system time of the processes, with that of children they have waited for."""
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # ended: its parent has its times
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def family(pid: int) -> list[int]:
    """Return ``pid`` and all its living descendants."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
                todo += [int(child) for child in task.read_text().split()]
    return found


def rss_mb(pid: int) -> float:
    """Return the resident memory of one process, MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
