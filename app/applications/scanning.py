"""Virus scanning of uploads, by whoever stands behind the interface; by default nobody.

ClamAV's daemon is asked by its INSTREAM command: ``zINSTREAM\\0``, then pieces with their length before
them (four bytes, big-endian), then a length of 0; it answers ``stream: OK`` or ``stream: … FOUND``.
Source: clamd(8).
"""

from __future__ import annotations

import socket
import struct
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from app.applications.domain import FileInfected
from app.core.errors import Unavailable

PIECE_BYTES = 64 * 1024
SECONDS = 20.0
ANSWER_MAX = 4096

log = structlog.get_logger(__name__)


class ScannerAway(Unavailable):
    """The scanner does not answer; nothing is let in unseen."""

    code = "scanner_away"
    title = "安全检查暂时不可用，文件没有上传，请稍后再试"
    title_en = "The virus scanner is away; try again"


class Scanner(Protocol):
    def scan(self, content: bytes) -> bool:
        """Tell whether the content was looked at.

        Raises:
            FileInfected: something was found.
            ScannerAway: nobody could look.
        """
        ...


class NoScanner:
    """Nobody looks; every file says so."""

    def scan(self, content: bytes) -> bool:
        return False


class Clamd:
    """ClamAV's daemon at ``tcp://host:port`` or ``unix:///path``."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)

    def scan(self, content: bytes) -> bool:
        try:
            answer = self._ask(content)
        except OSError as error:
            log.warning("scanner_away", error=type(error).__name__)
            raise ScannerAway from None
        if answer.endswith("FOUND"):
            log.warning("upload_infected", found=answer.removeprefix("stream: "))
            raise FileInfected
        if answer != "stream: OK":
            log.warning("scanner_answered_otherwise", answer=answer[:200])
            raise ScannerAway
        return True

    def _ask(self, content: bytes) -> str:
        with self._connected() as link:
            link.sendall(b"zINSTREAM\0")
            for start in range(0, len(content), PIECE_BYTES):
                piece = content[start : start + PIECE_BYTES]
                link.sendall(struct.pack("!I", len(piece)) + piece)
            link.sendall(struct.pack("!I", 0))
            answer = b""
            while not answer.endswith(b"\0") and len(answer) < ANSWER_MAX:
                more = link.recv(ANSWER_MAX)
                if not more:
                    break
                answer += more
        return answer.rstrip(b"\0").decode("utf-8", "replace").strip()

    def _connected(self) -> socket.socket:
        if self._parts.scheme == "unix":
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            link.settimeout(SECONDS)
            try:
                link.connect(self._parts.path)
            except OSError:
                link.close()
                raise
            return link
        return socket.create_connection((self._parts.hostname, self._parts.port), timeout=SECONDS)


def scanner_at(url: str) -> Scanner:
    """Return the scanner of an installation; ``""`` is none."""
    return Clamd(url) if url else NoScanner()
