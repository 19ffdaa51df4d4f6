"""Messages of WeChat sent to callbacks over HTTP, at a rate that does not wait for the answers."""

from __future__ import annotations

import heapq
import socket
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from channels.base import InboundRequest
from tests.channels import platform_wechat

PATIENCE_SECONDS = 20
KEY = "bench"
RESIDENTS = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one message; ``late_ms`` counts from when it should have left."""

    status: int
    body: bytes
    late_ms: float


def messages(count: int, first: int = 1, content: str = "户口") -> list[InboundRequest]:
    """Return signed and encrypted text messages, each with an id of its own, from many residents."""
    at = datetime.now(UTC).replace(microsecond=0)
    return [_message(first + number, content, at) for number in range(count)]


def _message(number: int, content: str, at: datetime) -> InboundRequest:
    fields = {"MsgType": "text", "Content": content, "MsgId": str(number)}
    sender = f"oResident-{number % RESIDENTS}"
    return platform_wechat.sealed(platform_wechat.message(at, **fields, FromUserName=sender), at)


def wire(port: int, message: InboundRequest, key: str = KEY) -> bytes:
    """Return the bytes of the platform's request."""
    head = (
        f"POST /callbacks/{key}?{message.query_string.decode()} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: text/xml\r\nContent-Length: {len(message.body)}\r\n\r\n"
    )
    return head.encode() + message.body


def send(port: int, requests: Sequence[bytes], *, per_second: float, connections: int) -> list[Answer]:
    """Send ``requests`` at a steady rate, whatever becomes of those before; return the answers in order.

    A request that finds no free connection at its time is late, and its lateness counts.
    """
    answers: list[Answer | None] = [None] * len(requests)
    errors: list[BaseException] = []
    todo = [(number / per_second, number) for number in range(len(requests))]
    heapq.heapify(todo)
    lock, began = threading.Lock(), time.perf_counter() + 0.05

    def work() -> None:
        try:
            with _connect(port) as connection:
                while True:
                    with lock:
                        if not todo or errors:
                            return
                        due, number = heapq.heappop(todo)
                    if (wait := began + due - time.perf_counter()) > 0:
                        time.sleep(wait)
                    status, body = _exchange(connection, requests[number])
                    answers[number] = Answer(status, body, (time.perf_counter() - began - due) * 1000)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [answer for answer in answers if answer is not None]


def at_once(port: int, request: bytes, times: int) -> list[Answer]:
    """Send one and the same request on ``times`` connections in one moment."""
    ready, answers = threading.Barrier(times), list[Answer]()

    def work() -> None:
        with _connect(port) as connection:
            ready.wait()
            began = time.perf_counter()
            status, body = _exchange(connection, request)
            answers.append(Answer(status, body, (time.perf_counter() - began) * 1000))

    threads = [threading.Thread(target=work) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def percentile(answers: Sequence[Answer], percent: int) -> float:
    """Return the lateness in ms that ``percent`` of the answers stay within."""
    return statistics.quantiles([answer.late_ms for answer in answers], n=100)[percent - 1]


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _exchange(connection: socket.socket, request: bytes) -> tuple[int, bytes]:
    connection.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
    while len(body) < length:
        body += _some(connection)
    return int(head.split(b" ", 2)[1]), body


def _some(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise RuntimeError("the server closed the connection")
    return chunk
