"""The start script as a person runs it: a process of its own, its words, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes import Process, family, free_ports, still_there, until

ROOT = Path(__file__).resolve().parent.parent.parent
STOP_SECONDS = 40
LINKS = "One-time sign-in links"


@dataclass(slots=True)
class Start:
    """One run of the script. ``folder`` holds what it prints, ``var`` the installation."""

    folder: Path
    var: Path
    ports: list[int] = field(default_factory=lambda: free_ports(3))
    process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text(encoding="utf-8")

    def begin(self, **changed: str) -> None:
        """Run the script with nothing in its environment but what is named."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        names = ("HALL_PORT", "HALL_SANDBOX_PORT", "HALL_SAMPLE_PAGES_PORT")
        ports = dict(zip(names, map(str, self.ports), strict=True))
        environment = {
            **inherited,
            **ports,
            "HALL_VAR_DIR": str(self.var),
            "PYTHONUNBUFFERED": "1",
            **changed,
        }
        with (self.folder / "said").open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "deploy/run.py"],
                cwd=ROOT,
                env=environment,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for_words(self, words: str, seconds: float) -> None:
        """Wait until the script has said ``words``; it must not end before."""

        def heard() -> bool:
            if words in self.said:
                return True
            assert self.process is not None
            assert self.process.poll() is None, f"it ended: {self.said}{self.logs()}"
            return False

        until(heard, f"it says {words!r}", seconds)

    def wait_for_end(self, seconds: float = STOP_SECONDS) -> int:
        assert self.process is not None
        return self.process.wait(seconds)

    def family(self) -> set[Process]:
        assert self.process is not None
        return family(self.process.pid)

    def pid_of(self, words: str) -> int:
        """Return the process of this start whose command line holds ``words``, the deepest one."""
        lines = {
            pid: Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            for pid, _ in self.family()
        }
        return next(pid for pid, line in lines.items() if words in line and "/bin/sh" not in line)

    def press_ctrl_c(self) -> None:
        """Interrupt as a terminal does: everything in the foreground hears it."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGINT)

    def terminate(self) -> None:
        """Ask the script alone to end, as a supervisor does."""
        assert self.process is not None
        self.process.terminate()

    def logs(self) -> str:
        return "".join(path.read_text(errors="replace")[-2000:] for path in self.var.glob("log/*.log"))


@contextmanager
def a_start(folder: Path, var: Path, ports: list[int] | None = None) -> Iterator[Start]:
    """Begin a start; whatever is left of it afterwards is ended by process id."""
    folder.mkdir(parents=True, exist_ok=True)
    start = Start(folder, var, ports or free_ports(3))
    start.begin()
    try:
        yield start
    finally:
        left = start.family() if start.process and start.process.poll() is None else set()
        for pid, _ in still_there(left):
            os.kill(pid, signal.SIGKILL)
        start.wait_for_end()
