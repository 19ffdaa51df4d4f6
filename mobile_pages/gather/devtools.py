"""A Chromium process and the pipe that drives it (DevTools protocol).

The pipe rather than a port: no other user of the machine can reach it, and the browser ends by
itself when this process dies, even when it is killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

_NOBODY = 65534
_PROFILE_PREFIX = "hall-browser-"
_PIPE_BYTES = 65536
_SMALL_SHM_BYTES = 512 * 1024 * 1024
_MESSAGE_CAP_BYTES = 128 * 1024 * 1024
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

Listener = Callable[[str, Mapping[str, Any], str], None]
"""Called with method, parameters and session id of every event."""


class BrowserGone(Exception):
    """The browser process ended or closed the pipe."""


class DeadlinePassed(Exception):
    """No answer before the deadline."""


class CommandFailed(Exception):
    """The browser refused a command, e.g. because its page is gone."""


class Chromium:
    """One browser process in a group of its own, with a profile folder that goes when it ends.

    Started by root it runs as nobody (65534), so that Chromium's own sandbox stays on.
    """

    def __init__(self, executable: str, flags: Sequence[str]) -> None:
        _remove_orphans()
        self._profile = Path(tempfile.mkdtemp(prefix=f"{_PROFILE_PREFIX}{os.getpid()}-"))
        self._buffer = bytearray()
        self._last_id = 0
        self._awaited: dict[int, Callable[[Mapping[str, Any]], None]] = {}
        self._known: dict[int, bool] = {}
        self.listener: Listener = _ignore
        to_browser, self._write_fd = _pipe()
        self._read_fd, from_browser = _pipe()
        try:
            self._process = self._start(executable, flags, to_browser, from_browser)
        except OSError:
            os.close(self._write_fd)
            os.close(self._read_fd)
            shutil.rmtree(self._profile, ignore_errors=True)
            raise
        finally:
            os.close(to_browser)
            os.close(from_browser)
        os.set_blocking(self._write_fd, False)

    def _start(
        self, executable: str, flags: Sequence[str], to_browser: int, from_browser: int
    ) -> subprocess.Popen[bytes]:
        command = [
            executable,
            "--remote-debugging-pipe",
            f"--user-data-dir={self._profile}",
            *flags,
        ]
        if _is_small(Path("/dev/shm")):
            command.append("--disable-dev-shm-usage")
        # Chromium reads descriptor 3 and writes descriptor 4; bash puts ours there.
        script = f'exec "$@" 3<&{to_browser} 4>&{from_browser} {to_browser}<&- {from_browser}>&-'
        owner: dict[str, Any] = {}
        if os.geteuid() == 0:
            os.chown(self._profile, _NOBODY, _NOBODY)
            owner = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        return subprocess.Popen(
            ["/bin/bash", "-c", script, "browser", *command],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._profile,
            env={
                "HOME": str(self._profile),
                "TMPDIR": str(self._profile),
                "PATH": os.defpath,
                "LANG": "zh_CN.UTF-8",
                "TZ": "Asia/Shanghai",
                # Chromium looks for a session bus and complains at length; there is none for it.
                "DBUS_SESSION_BUS_ADDRESS": "disabled:",
            },
            start_new_session=True,
            **owner,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def post(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        session: str = "",
        *,
        on_reply: Callable[[Mapping[str, Any]], None] | None = None,
        deadline: float,
    ) -> None:
        """Send a command and do not wait; ``on_reply`` gets the whole answer during a later wait.

        Raises:
            BrowserGone: the process ended.
            DeadlinePassed: the browser did not take the command in time.
        """
        self._last_id += 1
        message: dict[str, Any] = {"id": self._last_id, "method": method, "params": dict(params or {})}
        if session:
            message["sessionId"] = session
        if on_reply is not None:
            self._awaited[self._last_id] = on_reply
        self._write(json.dumps(message).encode() + b"\0", deadline)

    def call(
        self, method: str, params: Mapping[str, Any] | None = None, session: str = "", *, deadline: float
    ) -> dict[str, Any]:
        """Send a command and return its result; events met on the way go to ``listener``.

        Args:
            deadline: on the clock of ``time.monotonic``.

        Raises:
            BrowserGone: the process ended.
            CommandFailed: the browser refused the command.
            DeadlinePassed: no answer in time.
        """
        replies: list[Mapping[str, Any]] = []
        self.post(method, params, session, on_reply=replies.append, deadline=deadline)
        if not self.wait(lambda: bool(replies), deadline=deadline):
            raise DeadlinePassed
        return result_of(method, replies[0])

    def wait(self, until: Callable[[], bool], *, deadline: float) -> bool:
        """Handle events until ``until`` holds; return False when the deadline comes first.

        Raises:
            BrowserGone: the process ended.
        """
        try:
            while not until():
                self._receive(deadline)
        except DeadlinePassed:
            return False
        return True

    def heaviest_process_bytes(self) -> int:
        """Return the resident memory of the session's biggest process, the browser itself left out."""
        return max((_resident_bytes(pid) for pid in self._members() if pid != self.pid), default=0)

    def close(self) -> None:
        """End the whole process group and remove the profile. Never raises, may be called twice."""
        if self._write_fd < 0:
            return
        members = self._members()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        for pid in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._write_fd)
        os.close(self._read_fd)
        self._write_fd = self._read_fd = -1
        # A process of the group may still write while it dies.
        for _ in range(20):
            shutil.rmtree(self._profile, ignore_errors=True)
            if not self._profile.exists():
                break
            time.sleep(0.05)

    def _members(self) -> list[int]:
        """Return the ids of all living processes of the browser's session.

        What a process is does not change while it lives, so each is looked into only once.
        """
        living = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        self._known = {
            pid: self._known[pid] if pid in self._known else self._is_member(pid) for pid in living
        }
        return [pid for pid, is_member in self._known.items() if is_member]

    def _is_member(self, pid: int) -> bool:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            return int(fields[3]) == self.pid
        except (OSError, ValueError, IndexError):
            return False

    def _write(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._write_fd, view) :]
            except BlockingIOError:
                if not select.select([], [self._write_fd], [], _left(deadline))[1]:
                    raise DeadlinePassed from None
            except OSError as error:
                raise BrowserGone from error

    def _receive(self, deadline: float) -> None:
        """Read once and hand out whole messages."""
        left = _left(deadline)
        if left <= 0 or not select.select([self._read_fd], [], [], left)[0]:
            raise DeadlinePassed
        chunk = os.read(self._read_fd, _PIPE_BYTES)
        if not chunk or len(self._buffer) > _MESSAGE_CAP_BYTES:
            raise BrowserGone
        searched = len(self._buffer)
        self._buffer += chunk
        while (end := self._buffer.find(0, searched)) >= 0:
            message = json.loads(self._buffer[:end])
            del self._buffer[: end + 1]
            searched = 0
            self._dispatch(message)

    def _dispatch(self, message: dict[str, Any]) -> None:
        if "id" in message:
            on_reply = self._awaited.pop(message["id"], None)
            if on_reply is not None:
                on_reply(message)
        else:
            self.listener(message["method"], message.get("params", {}), message.get("sessionId", ""))


def result_of(method: str, reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result in ``reply``.

    Raises:
        CommandFailed: the browser refused the command.
    """
    if "error" in reply:
        raise CommandFailed(f"{method}: {reply['error'].get('message', '')}")
    result: dict[str, Any] = reply["result"]
    return result


def _remove_orphans() -> None:
    """Remove the profiles of processes that were killed before they could do it."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PROFILE_PREFIX}*"):
        owner = folder.name.removeprefix(_PROFILE_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _ignore(method: str, params: Mapping[str, Any], session: str) -> None:
    """Take an event that nobody waits for."""


def _pipe() -> tuple[int, int]:
    """Return a pipe whose ends have numbers above those that bash assigns."""
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 64) for end in ends)
    for end in ends:
        os.close(end)
    return moved[0], moved[1]


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _is_small(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).total < _SMALL_SHM_BYTES
    except OSError:
        return True


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0
