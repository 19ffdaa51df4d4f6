"""Real processes of a test: free ports, waiting by polling, and proof that nothing is left behind."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
BROWSER = "chromium-headless-shell"
POLL_SECONDS = 0.2

Process = tuple[int, str]
"""A process id and when it began, because ids are given out again."""


def free_ports(count: int) -> list[int]:
    """Return different ports that nobody listens on now."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def until(ask: Callable[[], T], what: str, seconds: float) -> T:
    """Ask until the answer is true and return it; fail with ``what`` was waited for."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:.0f} s: {what}; the last answer was {answer!r}")
        time.sleep(POLL_SECONDS)
    return answer


def family(pid: int) -> set[Process]:
    """Return a process and everything it has started that is still its descendant."""
    parents: dict[int, tuple[int, str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (read := _parent_and_start(int(entry.name))):
            parents[int(entry.name)] = read
    found, fresh = set(), {pid} & parents.keys()
    while fresh:
        found |= fresh
        fresh = {child for child, (parent, _) in parents.items() if parent in fresh} - found
    return {(one, parents[one][1]) for one in found}


def still_there(processes: set[Process]) -> set[Process]:
    """Return those of ``processes`` that have not ended."""
    return {(pid, start) for pid, start in processes if (read := _parent_and_start(pid)) and read[1] == start}


def _parent_and_start(pid: int) -> tuple[int, str] | None:
    """Return parent and start of a process, None when it has ended (a zombie has)."""
    try:
        # The name stands in brackets and may contain anything.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else (int(fields[1]), fields[19])
