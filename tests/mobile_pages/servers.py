"""A department's web server: answers given paths over real HTTP on 127.0.0.1."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


def html(text: str, status: int = 200) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        send(handler, text.encode(), "text/html; charset=utf-8", status=status)

    return answer


def send(handler: BaseHTTPRequestHandler, body: bytes, kind: str, *, status: int = 200, **more: str) -> None:
    handler.send_response(status)
    headers = {"Content-Type": kind, "Content-Length": str(len(body))}
    for name, value in (headers | {key.replace("_", "-"): value for key, value in more.items()}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def attachment(handler: BaseHTTPRequestHandler) -> None:
    """Offer a file instead of a page."""
    disposition = "attachment; filename=form.zip"
    send(handler, b"PK", "application/zip", Content_Disposition=disposition)


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Send a page that never ends."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html; charset=utf-8")
    handler.end_headers()
    with contextlib.suppress(OSError):
        handler.wfile.write("<!doctype html><title>流</title>".encode())
        for _ in range(600):
            handler.wfile.write("<p>办理指南正在加载,请您稍候。</p>".encode())
            time.sleep(0.05)


def silent(handler: BaseHTTPRequestHandler) -> None:
    """Take the request and say nothing until the client goes away."""
    with contextlib.suppress(OSError):
        handler.connection.settimeout(30)
        handler.rfile.read(1)


def worker(handler: BaseHTTPRequestHandler) -> None:
    """Answer a service worker that would take over every request."""
    send(handler, b"addEventListener('fetch', (e) => e.respondWith(new Response('x')))", "text/javascript")


def to_itself(handler: BaseHTTPRequestHandler) -> None:
    send(handler, b"", "text/html", status=302, Location=handler.path)


@contextlib.contextmanager
def serving(answers: Mapping[str, Answer]) -> Iterator[str]:
    """Serve ``answers`` by path (without query); give the base address. Other paths are 404."""
    missing = html("<h1>404 Not Found</h1>", 404)
    with answering(lambda handler: answers.get(handler.path.partition("?")[0], missing)(handler)) as base:
        yield base


@contextlib.contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """Serve every GET with ``answer``; give the base address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            with contextlib.suppress(ConnectionError):
                answer(self)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
