"""One POST to an address that somebody else named: through the guard, no redirects, bounded. Worker only."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pycurl

from mobile_pages.gather.transport import PinnedCurl
from mobile_pages.guard import Guard, Refused

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Posted:
    """What the other side answered; any status, redirects included, which nobody follows."""

    status: int
    body: bytes
    duration_ms: int


class NotPosted(Exception):
    """No answer came.

    Attributes:
        code: short and stable: ``guard_<code>``, ``timeout``, ``not_reached``, ``connection_lost``,
            ``tls_failed``, ``answer_too_large``.
        retryable: whether another try may help.
    """

    def __init__(self, code: str, *, retryable: bool, duration_ms: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.retryable = retryable
        self.duration_ms = duration_ms


def post(
    url: str,
    headers: Sequence[str],
    body: bytes,
    guard: Guard,
    *,
    user_agent: str,
    timeout_seconds: float = TIMEOUT_SECONDS,
    ca_file: Path | None = None,
) -> Posted:
    """Post ``body``.

    Args:
        headers: whole lines, ``Name: value``.

    Raises:
        NotPosted: the address is not allowed, was not reached, or did not answer as it must.
    """
    try:
        pinned = guard.check(url)
    except Refused as refused:
        lost = refused.code in {"dns_failure", "dns_empty"}
        raise NotPosted(f"guard_{refused.code}", retryable=lost) from None
    answer = io.BytesIO()
    began = time.monotonic()
    with PinnedCurl() as handle:
        handle.pin(pinned, began + timeout_seconds)
        handle.trust(verify=True, ca_file=ca_file)
        curl = handle.curl
        curl.setopt(pycurl.USERAGENT, user_agent)
        curl.setopt(pycurl.HTTPHEADER, list(headers))
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.POSTFIELDS, body)
        curl.setopt(pycurl.WRITEFUNCTION, lambda piece: _keep(answer, piece))
        try:
            handle.perform()
        except pycurl.error as error:
            raise _failure(error.args[0], answer.tell(), _since(began)) from None
        status = curl.getinfo(pycurl.RESPONSE_CODE)
    return Posted(status, answer.getvalue(), _since(began))


def may_recover(status: int) -> bool:
    """Tell whether a refusal with this status may be over by the next try."""
    return status >= 500 or status in (408, 425, 429)


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _keep(answer: io.BytesIO, piece: bytes) -> int | None:
    if answer.tell() + len(piece) > ANSWER_BYTES:
        return -1
    answer.write(piece)
    return None


def _failure(code: int, received: int, duration_ms: int) -> NotPosted:
    if code == pycurl.E_WRITE_ERROR:
        return NotPosted("answer_too_large", retryable=False, duration_ms=duration_ms)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return NotPosted("timeout", retryable=True, duration_ms=duration_ms)
    if code in (pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CONNECT_ERROR):
        return NotPosted("tls_failed", retryable=True, duration_ms=duration_ms)
    lost = "connection_lost" if received else "not_reached"
    return NotPosted(lost, retryable=True, duration_ms=duration_ms)
