"""CPU seconds per page of the check, tier by tier, beside the tools that people use, on the same pages."""

from __future__ import annotations

import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from app.mobile_access.gathering import gather
from bench import tools
from bench.load import cpu_seconds, family, free_port, rss_mb
from bench.servers import ROOT
from mobile_pages.artifact import Artifact, Declaration
from mobile_pages.gather.browser import EXECUTABLES, BrowserPool
from mobile_pages.gather.rendered import Opening, gather_rendered
from mobile_pages.gather.static import gather_static
from mobile_pages.guard import Guard, Policy
from mobile_pages.spec.base import Profile
from mobile_pages.spec.engine import judge

PAGES = 10
AT_ONCE = 2
ROUNDS = 3
"""How often the pages are checked to tell how many pass in a minute."""

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


class Figures:
    """What was asked beside what was reached, printed as one table at the end."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def at_most(self, name: str, limit: float, reached: float, unit: str) -> None:
        self._add(name, "≤", limit, reached, unit, reached <= limit)

    def at_least(self, name: str, limit: float, reached: float, unit: str) -> None:
        self._add(name, "≥", limit, reached, unit, reached >= limit)

    def _add(self, name: str, sign: str, limit: float, reached: float, unit: str, held: bool) -> None:
        result = "held" if held else "MISSED"
        self._lines.append(f"  {name:58}{sign}{limit:6.4g}{reached:9.3g} {unit:8}{result}")

    def print(self) -> None:
        print(f"  {'asked and reached':58}{'asked':>7}{'reached':>9}")
        print("\n".join(self._lines), flush=True)


def run(folder: Path) -> None:
    """Print medians per tier, pages per minute, memory, and the tools' costs as ratios."""
    figures = Figures()
    with _sample_pages(folder) as (base, server_pid), contextlib.closing(BrowserPool(AT_ONCE)) as pool:
        pages = [_declaration(row) for row in _good(base)[: PAGES + 1]]
        with _with_a_script(pages, folder) as (scripted, other_pid):
            ports = [urlsplit(one[0].url).port or 80 for one in (pages, scripted)]
            hosts = [("127.0.0.1/32", port) for port in ports]
            tiers = _tiers(Guard(Policy.allowing(hosts, test_or_demo=True)), pool)
            print(f"check of one page, {len(pages) - 1} sample pages, one browser, medians:")
            print(f"  {'':26}{'CPU s':>8}{'judging ms':>12}{'wall s':>8}")
            costs = {tier.name: _print_tier(tier, pages, server_pid, figures) for tier in tiers}
            busy = replace(tiers[0], name="full, pages with a script")
            _print_tier(busy, scripted, other_pid, figures)
            speed = _pages_a_minute(tiers[0], pages)
            print(f"  {AT_ONCE} at a time {speed:8.0f} pages a minute", flush=True)
            print(
                f"  {AT_ONCE} at a time {_pages_a_minute(busy, scripted):8.0f} pages with a script a minute"
            )
        figures.at_least(f"simple pages, {AT_ONCE} at a time", 80, speed, "a minute")
        figures.at_most("this process, without the browser", 200, rss_mb(os.getpid()), "MB")
        _print_tools([one.url for one in pages[1:]], folder, costs, figures)
    figures.print()


def _tiers(guard: Guard, pool: BrowserPool) -> list[Tier]:
    def hall(declaration: Declaration, *, elder: bool) -> Artifact:
        artifact = gather(
            declaration,
            guard,
            pool,
            store_screenshot=_forgotten,
            deadline_seconds=20,
            now=datetime.now(UTC),
            elder=elder,
        )
        if artifact.rendered_trouble is not None:
            raise RuntimeError(artifact.rendered_trouble.detail)
        return artifact

    def fast(declaration: Declaration) -> Artifact:
        part = static(declaration)
        with pool.lease() as browser:
            renderings = gather_rendered(
                declaration, browser, guard=guard, openings=FAST, store_screenshot=_forgotten
            )
        return Artifact(declaration, part.collected_at, part.static, renderings)

    def static(declaration: Declaration) -> Artifact:
        return Artifact(declaration, datetime.now(UTC).isoformat(), gather_static(declaration, guard))

    return [
        Tier("full, one profile", partial(hall, elder=False), 0.9),
        Tier("full, both editions", partial(hall, elder=True), None),
        Tier("fast, one opening", fast, 0.35),
        Tier("static, no browser", static, 0.005),
    ]


def _forgotten(_png: bytes) -> str:
    return "0" * 64


def _print_tier(tier: Tier, pages: list[Declaration], server_pid: int, figures: Figures) -> float:
    # The first page starts the browser and fills caches; it is left out.
    costs = [_cost(tier, page, server_pid) for page in pages][1:]
    cpu = statistics.median(one.cpu for one in costs)
    judging = statistics.median(one.judging for one in costs) * 1000
    wall = statistics.median(one.wall for one in costs)
    print(f"  {tier.name:26}{cpu:8.4f}{judging:12.1f}{wall:8.2f}", flush=True)
    if tier.at_most is not None:
        figures.at_most(tier.name, tier.at_most, cpu, "CPU s")
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


def _pages_a_minute(tier: Tier, pages: list[Declaration]) -> float:
    """Check the pages several at a time, as the job threads do."""
    errors: list[Exception] = []
    work = pages[1:] * ROUNDS

    def check(share: list[Declaration]) -> None:
        try:
            for page in share:
                judge(tier.gather(page), Profile.STANDARD)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=check, args=(work[start::AT_ONCE],)) for start in range(AT_ONCE)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return len(work) / (time.perf_counter() - began) * 60


def _print_tools(urls: list[str], folder: Path, costs: dict[str, float], figures: Figures) -> None:
    """Measure the tools on the same pages, each with our check's own browser and with full Chromium."""
    full, _, fast, _ = costs.values()
    print(f"  {'tools at their defaults':34}{'CPU s':>8}{'of full':>10}{'of fast':>10}")
    measured: dict[str, float] = {}
    for measure in (tools.lighthouse, tools.pa11y):
        for browser in (EXECUTABLES[0], "chromium"):
            # Root's browser writes a profile; the folder goes with the run.
            cost = measure(urls, folder, browser)
            if cost.cpu is None:
                print(f"  {cost.name:34} not measured: {cost.reason}")
                continue
            measured[cost.name] = cost.cpu
            print(
                f"  {cost.name:34}{cost.cpu:8.2f}{cost.cpu / full:9.1f}×{cost.cpu / fast:9.1f}×", flush=True
            )
    if lighthouse := measured.get(f"Lighthouse, {EXECUTABLES[0]}"):
        figures.at_least("Lighthouse, same browser binary, of full", 10, lighthouse / full, "×")
    if pa11y := measured.get("pa11y-ci, chromium"):
        figures.at_least("pa11y-ci on full Chromium, of fast", 5, pa11y / fast, "×")


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
        _wait_for(f"{base}/catalogue.json")
        yield base, process.pid
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def _with_a_script(pages: Sequence[Declaration], folder: Path) -> Iterator[tuple[list[Declaration], int]]:
    """Serve the same pages with a script of one line, which makes the check look longer and more often."""
    root, port = folder / "scripted", free_port()
    script = "<script>document.documentElement.dataset.ready = 'yes';</script></body>"
    for page in pages:
        html = _text_at(page.url)
        for style in re.findall(r'<link rel="stylesheet" href="(/[^"]+)"', html):
            _keep(root / style.lstrip("/"), _text_at(urljoin(page.url, style)))
        _keep(root / urlsplit(page.url).path.strip("/") / "index.html", html.replace("</body>", script))
    process = subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(root), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{base}/")
        moved = [replace(one, url=base + urlsplit(one.url).path, elder_url=None) for one in pages]
        yield moved, process.pid
    finally:
        process.terminate()
        process.wait(20)


def _text_at(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def _keep(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _wait_for(url: str) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.1)
