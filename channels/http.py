"""One bounded HTTP call to a platform.

``requests`` bounds each read, not the whole answer, follows redirects and puts whole addresses, tokens
included, into its messages. Here the answer is bounded in time and size, redirects are refused and messages
name the host only.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from channels.base import ChannelEnv, ChannelError, Outcome

# urllib3 writes whole addresses into its log, tokens included: at a broken header even as a warning.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

MAX_ANSWER_BYTES = 1024 * 1024
_READ_BYTES = 16 * 1024
_NUMBER = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A 200 answer. ``sent_at`` is the platform's clock, ``None`` when it did not say."""

    body: bytes
    sent_at: datetime | None


def call(
    env: ChannelEnv,
    method: str,
    url: str,
    *,
    params: Mapping[str, str] | None = None,
    data: bytes | None = None,
    content_type: str = "application/json",
) -> HttpAnswer:
    """Make one call.

    Raises:
        ChannelError: not reached, too slow, too large, or any status but 200; retryable unless the status
            says that asking again will not help.
    """
    host = urlsplit(url).hostname
    ends_at = time.monotonic() + env.deadline_seconds
    try:
        with env.http.request(
            method,
            url,
            params=params,
            data=data,
            headers={"Content-Type": content_type} if data is not None else None,
            timeout=env.timeout_seconds,
            allow_redirects=False,
            stream=True,
        ) as response:
            if response.status_code != 200:
                raise _bad_status(host, response.status_code)
            return HttpAnswer(_read(response, ends_at), _sent_at(response))
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        if isinstance(error, requests.ConnectTimeout):
            raise _failure(f"{host} was not reached", "not_reached") from None
        raise _failure(f"{host} did not answer in time", "timeout") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        # The original message holds the whole address, and with it the token.
        if _had_begun(error):
            raise _failure(f"the connection to {host} broke off", "connection_lost") from None
        raise _failure(f"{host} was not reached", "not_reached") from None


def _had_begun(error: Exception) -> bool:
    """Tell whether a call may have reached the platform, though its answer did not reach us."""
    if isinstance(error, requests.ConnectionError):
        return bool(error.args) and isinstance(error.args[0], urllib3.exceptions.ProtocolError)
    return not isinstance(error, requests.RequestException)


def _read(response: requests.Response, ends_at: float) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := _next_chunk(response):
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            raise ChannelError("the answer is too large", retryable=False, code="too_large")
        if time.monotonic() > ends_at:
            raise _failure("the answer trickles in too slowly", "timeout")
        chunks.append(chunk)
    return b"".join(chunks)


def _next_chunk(response: requests.Response) -> bytes:
    # read1 returns what one receive brought; read would wait for the whole block, however slowly it comes.
    chunk: bytes = response.raw.read1(_READ_BYTES, decode_content=True)
    return chunk


def _sent_at(response: requests.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers.get("Date", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _bad_status(host: str | None, status: int) -> ChannelError:
    retryable = status >= 500 or status in (408, 425, 429)
    return ChannelError(f"{host} answered HTTP {status}", retryable=retryable, code=f"http_{status}")


def _failure(message: str, code: str) -> ChannelError:
    return ChannelError(message, retryable=True, code=code, outcome=Outcome.RETRYABLE)


def skew_seconds(ours: datetime, answer: HttpAnswer) -> float | None:
    """Return our clock minus theirs."""
    return None if answer.sent_at is None else (ours - answer.sent_at).total_seconds()


def whole_number(value: Any) -> int | None:
    """Return an int from what JSON may hold for one (``7200``, ``"7200"``), ``None`` for all else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    return None
