"""Real servers that take alerts: one for webhooks, one for mail."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from mobile_pages.guard import Guard, Policy


@dataclass
class Post:
    """One request as it came."""

    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    port: int
    posts: list[Post] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def guard(self) -> Guard:
        """A guard that lets this receiver pass and no other address of this machine."""
        return Guard(Policy.allowing([("127.0.0.1/32", self.port)], test_or_demo=True))


Respond = Callable[[Post], tuple[int, bytes] | None]


def fine(_post: Post) -> tuple[int, bytes]:
    return 200, b'{"errcode":0}'


@contextmanager
def a_receiver(
    respond: Respond = fine, *, tls: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[Receiver]:
    """Run a server; ``respond`` returns status and body, or None to say nothing at all."""
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            post = Post(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            receiver.posts.append(post)
            answer = respond(post)
            if answer is None:
                closing.wait(20)
                return
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(answer[1])))
            if answer[0] in (301, 302, 307):
                self.send_header("Location", "http://10.0.0.1/inside")
            self.end_headers()
            self.wfile.write(answer[1])

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mailbox:
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    refuse: str = ""

    async def handle_RCPT(
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.senders.append(envelope.mail_from)
        self.encrypted.append(server.transport is not None and session.ssl is not None)
        return "250 OK"


def _accept(_server: Any, _session: Any, _envelope: Any, mechanism: str, data: Any) -> AuthResult:
    fits = isinstance(data, LoginPassword) and data == LoginPassword(b"hall", b"p@ss")
    return AuthResult(success=fits, handled=False)


@contextmanager
def a_mail_server(*, refuse: str = "", **options: Any) -> Iterator[Mailbox]:
    """Run an SMTP server. ``options`` are those of ``aiosmtpd``; ``password=True`` asks for hall:p@ss."""
    mailbox = Mailbox(refuse=refuse)
    if options.pop("password", False):
        options |= {"authenticator": _accept, "auth_required": True}
    controller = Controller(mailbox, hostname="127.0.0.1", port=0, **options)
    controller.port = _free_port()
    controller.start()
    mailbox.port = controller.port
    try:
        yield mailbox
    finally:
        controller.stop()


def _free_port() -> int:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.server_close()
    return server.server_port
