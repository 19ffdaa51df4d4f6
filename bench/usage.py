"""Runs a command and says what it and everything it started used: `python -m bench.usage COMMAND…`.

Browsers leave processes behind that are adopted by process 1 and drop out of every account. This process
adopts them instead, so that nothing is left out. The last line on standard error is the CPU time in seconds.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from bench.load import family

_SET_CHILD_SUBREAPER = 36
_GRACE_SECONDS = 5.0


def cpu_of(command: Sequence[str], *, cwd: str, environment: Mapping[str, str], seconds: float) -> float:
    """Run ``command`` under this module and return the CPU seconds of all its processes.

    Raises:
        RuntimeError: it did not end within ``seconds`` or broke.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bench.usage", cwd, *command],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=seconds,
            text=True,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{command[0]} took longer than {seconds:g} s") from error
    lines = done.stderr.splitlines()
    if done.returncode or not lines:
        raise RuntimeError(f"{command[0]} broke: {done.stderr[-500:]}")
    return float(lines[-1])


def main(arguments: Sequence[str]) -> int:
    """Run the command in the folder ``arguments[0]``; tools end with 1 or 2 when a page has faults."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    code = subprocess.run(arguments[1:], cwd=arguments[0], stdout=subprocess.DEVNULL).returncode
    _end_the_rest()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(used.ru_utime + used.ru_stime, file=sys.stderr)
    return 0 if code in (0, 1, 2) else code


def _end_the_rest() -> None:
    """Wait for adopted processes; end those that do not end by themselves."""
    end = time.monotonic() + _GRACE_SECONDS
    with suppress(ChildProcessError):
        while True:
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
            if time.monotonic() > end:
                for pid in family(os.getpid())[1:]:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
