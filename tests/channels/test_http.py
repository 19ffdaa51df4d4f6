"""Whether a platform may have got a call is told by the code of its failure."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from channels.base import ChannelError, Outcome
from channels.http import call
from tests.channels.builders import an_env


@contextmanager
def a_server_that_answers(said: bytes) -> Iterator[str]:
    """Read one request, say ``said`` and hang up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        thread.join()


def code_of(url: str) -> str:
    with an_env() as env, pytest.raises(ChannelError) as caught:
        call(env, "POST", url, data=b"{}")
    assert caught.value.retryable
    assert caught.value.outcome is Outcome.RETRYABLE
    return caught.value.code


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="before the answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab", id="in the middle of it"),
    ],
)
def test_a_call_that_broke_off_may_have_been_heard(said: bytes) -> None:
    with a_server_that_answers(said) as url:
        assert code_of(url) == "connection_lost"


def test_a_call_that_found_nobody_was_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    assert code_of(f"http://127.0.0.1:{port}/x") == "not_reached"


def test_no_address_gets_into_the_log_when_a_platform_sends_broken_headers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = b"HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 2\r\n\r\n{}"

    with (
        caplog.at_level(logging.DEBUG),
        a_server_that_answers(said) as url,
        an_env() as env,
        suppress(ChannelError),
    ):
        call(env, "POST", url, params={"access_token": "a-secret"}, data=b"{}")

    assert "a-secret" not in caplog.text


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 -1200", "Fri, 31 Feb 2026 00:00:00 GMT", "soon"])
def test_a_clock_that_cannot_be_is_no_clock(date: str) -> None:
    said = f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 2\r\n\r\n{{}}".encode()

    with a_server_that_answers(said) as url, an_env() as env:
        assert call(env, "GET", url).sent_at is None
