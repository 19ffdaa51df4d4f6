"""Real servers on 127.0.0.1 that misbehave, each in one way, until their ``with`` block ends."""

from __future__ import annotations

import gzip
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mobile_pages.guard import Guard, Policy

LOOPBACK = "127.0.0.1"


@dataclass
class Visit:
    """One request as it came in: ``head`` up to the empty line; ``over`` is set when the server stops."""

    connection: socket.socket
    head: bytes
    over: threading.Event

    @property
    def method(self) -> str:
        return self.head.split(b" ")[0].decode("latin-1")

    @property
    def path(self) -> str:
        return self.head.split(b" ")[1].decode("latin-1")

    def header(self, name: str) -> str | None:
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.decode("latin-1").partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


Behaviour = Callable[[Visit], None]


@dataclass
class Server:
    port: int
    scheme: str
    heads: list[bytes] = field(default_factory=list)

    def url(self, path: str = "/", host: str = LOOPBACK) -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"


@contextmanager
def serving(behave: Behaviour, *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run ``behave`` for every connection, one request each, in its own thread."""
    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            # The visitor may hang up whenever it likes; that is what the tests are about.
            with suppress(OSError):
                self.request.settimeout(20)
                connection = tls.wrap_socket(self.request, server_side=True) if tls else self.request
                with connection:
                    if head := _read_head(connection):
                        server.heads.append(head)
                        behave(Visit(connection, head, over))

    class Threads(socketserver.ThreadingTCPServer):
        request_queue_size = 64
        allow_reuse_address = True

    with Threads((LOOPBACK, 0), Handler) as listener:
        server = Server(listener.server_address[1], "https" if tls else "http")
        thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            over.set()
            listener.shutdown()
            thread.join()


def _read_head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and len(head) < 65536:
        piece = connection.recv(4096)
        head += piece
        if not piece or head.startswith(b"\x16"):  # the greeting of TLS has no empty line
            break
    return head


def a_guard_for(
    *servers: Server, names: tuple[str, ...] = (), resolve: Callable[[str], list[str]] | None = None
) -> Guard:
    """Return a guard that lets these servers pass; ``names`` resolve to loopback, others do not resolve."""

    def look_up(host: str) -> list[str]:
        if resolve is not None:
            return resolve(host)
        if host in names:
            return [LOOPBACK]
        raise OSError("no such name")

    async def alook_up(host: str) -> list[str]:
        return look_up(host)

    policy = Policy.allowing(((f"{LOOPBACK}/32", one.port) for one in servers), test_or_demo=True)
    return Guard(policy, look_up, alook_up)


def answer(
    body: bytes = b"<!doctype html><title>ok</title>",
    *,
    status: str = "200 OK",
    content_type: str | None = "text/html; charset=utf-8",
    headers: tuple[str, ...] = (),
) -> Behaviour:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    whole = "\r\n".join([*lines, "", ""]).encode("latin-1")

    def behave(visit: Visit) -> None:
        visit.connection.sendall(whole if visit.method == "HEAD" else whole + body)

    return behave


def redirect(location: str, status: str = "302 Found") -> Behaviour:
    return answer(b"", status=status, headers=(f"Location: {location}",))


def by_path(routes: dict[str, Behaviour], default: Behaviour | None = None) -> Behaviour:
    other = default or answer(b"<!doctype html><title>404</title>", status="404 Not Found")

    def behave(visit: Visit) -> None:
        routes.get(visit.path, other)(visit)

    return behave


def hang(visit: Visit) -> None:
    """Accept, read, and say nothing."""
    visit.over.wait(60)


def trickle(visit: Visit) -> None:
    """Send a body one byte at a time, each soon enough for a timeout between bytes."""
    visit.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n")
    while not visit.over.wait(0.02):
        visit.connection.sendall(b"x")


def endless_headers(visit: Visit) -> None:
    visit.connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not visit.over.is_set():
        visit.connection.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")


def endless_interim_answers(visit: Visit) -> None:
    while not visit.over.is_set():
        visit.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 40)


def endless_body(visit: Visit) -> None:
    visit.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n")
    while not visit.over.is_set():
        visit.connection.sendall(b"x" * 65536)


def gzip_bomb(visit: Visit) -> None:
    """Send 64 MiB of zeros in some 64 KiB."""
    body = gzip.compress(b"0" * (64 * 1024 * 1024), 9)
    answer(body, headers=("Content-Encoding: gzip",))(visit)


def reset_in_the_middle(visit: Visit) -> None:
    visit.connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\nhalf"
    )
    visit.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(visit: Visit) -> None:
    """Close without a word."""


def garbage(visit: Visit) -> None:
    visit.connection.sendall(b"\x00\xff\x13 this is no HTTP\r\n" * 10)


@dataclass(frozen=True)
class Authority:
    """A certificate authority of our own; ``ca_file`` is its root."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    ca_file: Path


def _signed(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: Authority | None, days: tuple[int, int], ca: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    try:
        names: list[x509.GeneralName] = [x509.IPAddress(ip_address(name))]
    except ValueError:
        names = [x509.DNSName(name)]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer.key if issuer else key, hashes.SHA256())


def an_authority(folder: Path) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed("Test Root", key, None, (-1, 365), ca=True)
    ca_file = folder / "root.pem"
    ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(key, certificate, ca_file)


def tls_context(
    folder: Path, name: str = LOOPBACK, *, issuer: Authority | None = None, days: tuple[int, int] = (-1, 90)
) -> ssl.SSLContext:
    """Return a server's context with a fresh certificate for ``name``; self-signed without ``issuer``."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed(name, key, issuer, days, ca=False)
    chain = folder / "server.pem"
    chain.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context
