"""CPU seconds per page of Lighthouse and pa11y-ci, installed by `make bench-peers`, on given pages.

Both run at their defaults. They get Debian's headless shell, the browser of our own check, and once full
Chromium, which is what their users have. Root must switch the browser's sandbox off for them; ours stays on.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.servers import ROOT
from bench.usage import cpu_of

_FOLDER = ROOT / "bench/peers/node"
_BIN = _FOLDER / "node_modules/.bin"
_SECONDS_A_PAGE = 120.0


@dataclass(frozen=True, slots=True)
class ToolCost:
    """CPU seconds per page of one tool with one browser; ``cpu`` is None when it could not be run."""

    name: str
    cpu: float | None
    reason: str = ""


def lighthouse(urls: Sequence[str], folder: Path, browser: str) -> ToolCost:
    """Run the command once per page, as its users do: it begins a browser each time."""
    flags = ["--headless", *_sandbox()]
    costs = []
    for url in urls:
        command = [
            *(str(_BIN / "lighthouse"), url, "--quiet", "--output=json"),
            *(f"--output-path={folder / 'lighthouse.json'}", f"--chrome-flags={' '.join(flags)}"),
        ]
        costs.append(_cost("Lighthouse", command, folder, browser, _SECONDS_A_PAGE))
        if costs[-1].cpu is None:
            return costs[-1]
    return ToolCost(costs[0].name, sum(one.cpu or 0 for one in costs) / len(costs))


def pa11y(urls: Sequence[str], folder: Path, browser: str) -> ToolCost:
    """Run the command once over all pages: it begins one browser and looks at one page at a time."""
    launch = {"executablePath": shutil.which(browser), "args": ["--headless", *_sandbox()]}
    settings = {"defaults": {"chromeLaunchConfig": launch, "timeout": 60_000}, "urls": list(urls)}
    config = folder / "pa11yci.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    command = [str(_BIN / "pa11y-ci"), "--config", str(config)]
    whole = _cost("pa11y-ci", command, folder, browser, _SECONDS_A_PAGE * len(urls))
    return ToolCost(whole.name, whole.cpu / len(urls) if whole.cpu else None, whole.reason)


def _sandbox() -> list[str]:
    return ["--no-sandbox"] if os.geteuid() == 0 else []


def _cost(name: str, command: list[str], folder: Path, browser: str, seconds: float) -> ToolCost:
    name = f"{name}, {browser}"
    path = shutil.which(browser)
    if path is None:
        return ToolCost(name, None, f"{browser} is not installed")
    if not _BIN.is_dir():
        return ToolCost(name, None, "run make bench-peers first")
    environment = {"CHROME_PATH": path, "HOME": str(folder), "TMPDIR": str(folder)}
    try:
        return ToolCost(name, cpu_of(command, cwd=str(ROOT), environment=environment, seconds=seconds))
    except RuntimeError as error:
        return ToolCost(name, None, str(error))
