"""How the tests of a client are run by Node; each client is a folder with packages of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.interop import node

CLIENTS = Path(__file__).resolve().parents[2] / "clients"
SECONDS_MAX = 120


def need_packages(folder: Path) -> None:
    """Skip, saying why, where the tests of the client in ``folder`` cannot be run."""
    if not node.executable():
        pytest.skip("Node half: Node is not installed")
    if not (folder / "node_modules" / ".package-lock.json").exists():
        pytest.skip(f"Node half: {folder.name} has no packages; make test installs them")


def run(folder: Path, script: str, **environment: str) -> None:
    """Run a test file on a client: one of its own, or one that all of them must pass.

    Raises:
        Failed: with all that Node said.
    """
    shared = CLIENTS / "shared" / "test" / script
    file = str(shared if shared.exists() else folder / "test" / script)
    done = subprocess.run(
        [node.executable(), "--test", "--test-reporter=spec", file],
        cwd=folder,
        env={**os.environ, "NODE_OPTIONS": "", **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    if done.returncode or "fail 0" not in done.stdout:
        pytest.fail(done.stdout + done.stderr)
