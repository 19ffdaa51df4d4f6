"""A real HTTP server on the loopback that plays a platform's API."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Call:
    """A request as the platform got it."""

    method: str
    target: str
    body: bytes
    content_type: str = ""
    host: str = ""


@dataclass
class Answer:
    body: bytes
    status: int = 200
    content_type: str = "application/json"


Respond = Callable[[Call], Answer | None]
"""Returns the answer, or ``None`` to say nothing until the server closes."""


@dataclass
class Platform:
    base_url: str
    calls: list[Call] = field(default_factory=list)

    def targets(self, path: str) -> list[str]:
        return [call.target for call in self.calls if call.target.split("?")[0] == path]


@contextmanager
def a_platform(respond: Respond) -> Iterator[Platform]:
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kind, host = self.headers.get("Content-Type", ""), self.headers.get("Host", "")
            call = Call(self.command, self.path, body, kind, host)
            platform.calls.append(call)
            answer = respond(call)
            if answer is None:
                closing.wait(20)
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            if answer.status in (301, 302):
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    platform = Platform(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield platform
    finally:
        closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
