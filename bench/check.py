"""CPU seconds per page of the check, tier by tier, beside the tools that people use, on the same pages."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.mobile_access.gathering import gather
from bench import tools
from bench.load import cpu_seconds, family, free_port, rss_mb
from bench.servers import ROOT
from mobile_pages.artifact import Artifact, Declaration
from mobile_pages.gather.browser import EXECUTABLES, BrowserPool
from mobile_pages.gather.page import PageLimits
from mobile_pages.gather.rendered import Opening, gather_rendered, openings_for
from mobile_pages.gather.static import gather_static
from mobile_pages.guard import Guard, Policy
from mobile_pages.spec.base import Profile
from mobile_pages.spec.engine import judge

PAGES = 10
LIGHTHOUSE_PAGES = 3
AT_ONCE = 2
WATCH_SECONDS = 1.0
"""How long the hall's own jobs watch a page that stands still."""

FAST = (Opening("plain-360"),)

Gather = Callable[[Declaration], Artifact]


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds for one page: CPU of gathering and of judging, and wall time of both."""

    gathering: float
    judging: float
    wall: float

    @property
    def cpu(self) -> float:
        return self.gathering + self.judging


@dataclass(frozen=True, slots=True)
class Tier:
    """One depth of the check; ``at_most`` is the CPU seconds a page may cost, None where nobody asked."""

    name: str
    gather: Gather
    at_most: float | None


def run(folder: Path) -> None:
    """Print medians per tier, pages per minute, memory, and the tools' costs as ratios."""
    with _sample_pages(folder) as (base, server_pid):
        port = int(base.rsplit(":", 1)[1])
        guard = Guard(Policy.allowing([("127.0.0.1/32", port)], test_or_demo=True))
        pages = [_declaration(row) for row in _good(base)[: PAGES + 1]]
        with contextlib.closing(BrowserPool(AT_ONCE)) as pool:
            tiers = _tiers(guard, pool)
            print(f"check of one page, {len(pages) - 1} sample pages, one browser, medians:")
            print(f"  {'':22}{'CPU s':>8}{'at most':>9}{'judging ms':>12}{'wall s':>8}")
            costs = {tier.name: _print_tier(tier, pages, server_pid) for tier in tiers}
            print(f"  memory of this process {rss_mb(os.getpid()):5.0f} MB, without the browser")
            _print_throughput(tiers[0], pages)
        _print_tools([one.url for one in pages[1:]], folder, costs)


def _tiers(guard: Guard, pool: BrowserPool) -> list[Tier]:
    def both(declaration: Declaration) -> Artifact:
        artifact = gather(
            declaration,
            guard,
            pool,
            store_screenshot=_forgotten,
            deadline_seconds=20,
            now=datetime.now(UTC),
        )
        if artifact.rendered_trouble is not None:
            raise RuntimeError(artifact.rendered_trouble.detail)
        return artifact

    def full(declaration: Declaration) -> Artifact:
        return opened(declaration, openings_for(declaration, elder=False))

    def fast(declaration: Declaration) -> Artifact:
        return opened(declaration, FAST)

    def opened(declaration: Declaration, openings: Sequence[Opening]) -> Artifact:
        part = static(declaration)
        with pool.lease() as browser:
            renderings = gather_rendered(
                declaration,
                browser,
                guard=guard,
                openings=openings,
                store_screenshot=_forgotten,
                limits=PageLimits(watch_seconds=WATCH_SECONDS),
            )
        return Artifact(declaration, part.collected_at, part.static, renderings)

    def static(declaration: Declaration) -> Artifact:
        return Artifact(declaration, datetime.now(UTC).isoformat(), gather_static(declaration, guard))

    return [
        Tier("full, one profile", full, 0.9),
        Tier("full, both editions", both, None),
        Tier("fast, one opening", fast, 0.35),
        Tier("static, no browser", static, 0.005),
    ]


def _forgotten(_png: bytes) -> str:
    return "0" * 64


def _print_tier(tier: Tier, pages: list[Declaration], server_pid: int) -> float:
    # The first page starts the browser and fills caches; it is left out.
    costs = [_cost(tier, page, server_pid) for page in pages][1:]
    cpu = statistics.median(one.cpu for one in costs)
    judging = statistics.median(one.judging for one in costs) * 1000
    wall = statistics.median(one.wall for one in costs)
    limit = f"{tier.at_most:9.3f}" if tier.at_most else f"{'':9}"
    print(f"  {tier.name:22}{cpu:8.3f}{limit}{judging:12.1f}{wall:8.2f}", flush=True)
    return cpu


def _cost(tier: Tier, declaration: Declaration, server_pid: int) -> Cost:
    cpu, began = _cpu(server_pid), time.perf_counter()
    artifact = tier.gather(declaration)
    gathered = _cpu(server_pid)
    judge(artifact, Profile.STANDARD)
    return Cost(gathered - cpu, _cpu(server_pid) - gathered, time.perf_counter() - began)


def _cpu(server_pid: int) -> float:
    """Return what this process and its browser have used; the sample pages' server does not count."""
    others = set(family(server_pid))
    browser = [pid for pid in family(os.getpid()) if pid not in others and pid != os.getpid()]
    return time.process_time() + cpu_seconds(browser)


def _print_throughput(tier: Tier, pages: list[Declaration]) -> None:
    """Check the pages two at a time, as the job threads do."""
    errors: list[Exception] = []

    def work(share: list[Declaration]) -> None:
        try:
            for page in share:
                judge(tier.gather(page), Profile.STANDARD)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(pages[start + 1 :: AT_ONCE],)) for start in range(AT_ONCE)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    minutes = (time.perf_counter() - began) / 60
    print(
        f"  {AT_ONCE} pages at a time {(len(pages) - 1) / minutes:8.0f} pages a minute (asked: 80)",
        flush=True,
    )


def _print_tools(urls: list[str], folder: Path, costs: dict[str, float]) -> None:
    full, _, fast, _ = costs.values()
    print(f"  {'tools at their defaults':34}{'CPU s':>8}{'of full':>10}{'of fast':>10}")
    # Root's browser writes a profile; the folder goes with the run.
    few = urls[:LIGHTHOUSE_PAGES]
    for measure, share in ((tools.lighthouse, few), (tools.pa11y, urls)):
        for browser in (EXECUTABLES[0], "chromium"):
            cost = measure(share, folder, browser)
            if cost.cpu is None:
                print(f"  {cost.name:34} not measured: {cost.reason}")
            else:
                print(
                    f"  {cost.name:34}{cost.cpu:8.2f}{cost.cpu / full:9.1f}×{cost.cpu / fast:9.1f}×",
                    flush=True,
                )


def _declaration(row: dict[str, Any]) -> Declaration:
    names = {
        "name": "name",
        "url": "url",
        "body_name": "body",
        "hotline": "hotline",
        "elder_url": "elder_url",
    }
    return Declaration(**{ours: row[theirs] for ours, theirs in names.items()})


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
