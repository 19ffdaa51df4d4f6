"""CPU-seconds per page of the check: gathering over HTTP and in the browser, and judging."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.mobile_access.gathering import gather
from bench.load import cpu_seconds, family, free_port
from bench.servers import ROOT
from mobile_pages.artifact import Artifact, Declaration
from mobile_pages.gather.browser import BrowserPool
from mobile_pages.guard import Guard, Policy
from mobile_pages.spec.base import Profile
from mobile_pages.spec.engine import judge

PAGES = 10


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of one page."""

    gathering: float
    judging: float
    wall: float


def run(folder: Path) -> None:
    """Print the medians over the good sample pages; the first page, which starts the browser, is left out."""
    with _sample_pages(folder) as (base, server_pid):
        port = int(base.rsplit(":", 1)[1])
        guard = Guard(Policy.allowing([("127.0.0.1/32", port)], test_or_demo=True))
        with contextlib.closing(BrowserPool(1)) as pool:
            costs = [_cost(row, guard, pool, server_pid) for row in _good(base)[: PAGES + 1]][1:]
    print(f"check of one page, all rules, {len(costs)} sample pages, one browser:")
    print(f"  CPU per page          {statistics.median(c.gathering + c.judging for c in costs):5.2f} s")
    print(f"  of it judging         {statistics.median(c.judging for c in costs) * 1000:5.1f} ms")
    print(f"  wall time per page    {statistics.median(c.wall for c in costs):5.2f} s")


def _cost(row: dict[str, Any], guard: Guard, pool: BrowserPool, server_pid: int) -> Cost:
    names = {
        "name": "name",
        "url": "url",
        "body_name": "body",
        "hotline": "hotline",
        "elder_url": "elder_url",
    }
    declaration = Declaration(**{ours: row[theirs] for ours, theirs in names.items()})
    cpu, began = _cpu(server_pid), time.perf_counter()
    artifact: Artifact = gather(
        declaration,
        guard,
        pool,
        store_screenshot=lambda _png: "0" * 64,
        deadline_seconds=20,
        now=datetime.now(UTC),
    )
    if artifact.rendered_trouble is not None:
        raise RuntimeError(artifact.rendered_trouble.detail)
    gathered = _cpu(server_pid)
    judge(artifact, Profile.STANDARD)
    return Cost(gathered - cpu, _cpu(server_pid) - gathered, time.perf_counter() - began)


def _cpu(server_pid: int) -> float:
    """Return what this process and its browser have used; the sample pages' server does not count."""
    others = set(family(server_pid))
    browser = [pid for pid in family(os.getpid()) if pid not in others and pid != os.getpid()]
    return time.process_time() + cpu_seconds(browser)


def _good(base: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{base}/catalogue.json", timeout=10) as answer:
        pages: list[dict[str, Any]] = json.load(answer)["pages"]
    return [page for page in pages if not page["breaks"]]


@contextlib.contextmanager
def _sample_pages(folder: Path) -> Iterator[tuple[str, int]]:
    config = folder / "sandbox.json"
    config.touch(mode=0o600)
    config.write_text(json.dumps({"hall_base": "http://127.0.0.1:9", "accounts": []}))
    port, pages_port = free_port(), free_port()
    command = [sys.executable, "-m", "sandbox", "--config", str(config)]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--pages-port", str(pages_port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{pages_port}"
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{base}/catalogue.json", timeout=2):
                break
            time.sleep(0.1)
        yield base, process.pid
    finally:
        process.terminate()
        process.wait(20)
