"""One HTTP request to a checked address, bounded in time and bytes."""

from __future__ import annotations

import io
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pycurl

from mobile_pages.artifact import Trouble
from mobile_pages.guard import Pinned

ENCODINGS = "gzip, deflate, br"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the static gatherer.

    Attributes:
        fetch_seconds: one fetch with all its redirects.
        total_seconds: everything that :func:`~mobile_pages.gather.static.gather_static` does.
        wire_bytes: body as sent; ``decoded_bytes``: after decompression.
    """

    fetch_seconds: float = 10.0
    total_seconds: float = 15.0
    wire_bytes: int = 2 * 1024 * 1024
    decoded_bytes: int = 8 * 1024 * 1024
    header_bytes: int = 64 * 1024
    redirect_count: int = 5
    link_count: int = 20


@dataclass(slots=True)
class Answer:
    """What one request brought; ``status`` is 0 when no answer began."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    wire_bytes: int = 0
    ttfb_ms: int = 0
    trouble: Trouble | None = None

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


_TIMEOUT = Trouble("timeout", "在规定时间内没有完成响应。")
_TROUBLES = {
    pycurl.E_OPERATION_TIMEDOUT: _TIMEOUT,
    pycurl.E_COULDNT_CONNECT: Trouble("connect_failed", "无法建立连接。"),
    pycurl.E_SSL_CONNECT_ERROR: Trouble("tls_failed", "无法建立 TLS 加密连接。"),
    pycurl.E_PEER_FAILED_VERIFICATION: Trouble("tls_certificate", "TLS 证书没有通过验证。"),
    pycurl.E_GOT_NOTHING: Trouble("connection_closed", "服务器没有回答就断开了连接。"),
    pycurl.E_RECV_ERROR: Trouble("connection_closed", "服务器中途断开了连接。"),
    pycurl.E_SEND_ERROR: Trouble("connection_closed", "服务器中途断开了连接。"),
    pycurl.E_PARTIAL_FILE: Trouble("incomplete", "响应内容不完整。"),
    pycurl.E_BAD_CONTENT_ENCODING: Trouble("bad_encoding", "响应的压缩内容无法解开。"),
    pycurl.E_UNSUPPORTED_PROTOCOL: Trouble("not_http", "服务器的回答不是 HTTP。"),
    pycurl.E_FTP_WEIRD_SERVER_REPLY: Trouble("not_http", "服务器的回答不是正确的 HTTP。"),
}
_BODY_TOO_LARGE = Trouble("too_large", "响应内容超过大小上限，只保留了开头部分。")
_HEADERS_TOO_LARGE = Trouble("headers_too_large", "响应头超过大小上限。")


def timed_out() -> Trouble:
    """Return the trouble of a deadline that passed."""
    return _TIMEOUT


class PinnedCurl:
    """A libcurl handle that can reach the addresses last given to :meth:`pin` and nothing else."""

    def __init__(self) -> None:
        self.curl = pycurl.Curl()
        self._checked: frozenset[tuple[str, int]] = frozenset()
        self._opened: list[socket.socket] = []
        self.curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        self.curl.setopt(pycurl.NOSIGNAL, 1)
        self.curl.setopt(pycurl.FOLLOWLOCATION, 0)
        # A proxy named in the environment would resolve the name again and decide where to go.
        self.curl.setopt(pycurl.PROXY, "")
        self.curl.setopt(pycurl.NETRC, pycurl.NETRC_IGNORED)
        self.curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        self.curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End its connections."""
        self.curl.close()

    def pin(self, pinned: Pinned, deadline: float) -> None:
        """Point at ``pinned``; the transfer must end by ``deadline`` (monotonic)."""
        self._checked = frozenset((address, pinned.port) for address in pinned.addresses)
        addresses = ",".join(_bracketed(pinned.addresses))
        self.curl.setopt(pycurl.URL, pinned.url)
        self.curl.setopt(pycurl.RESOLVE, [f"{pinned.host}:{pinned.port}:{addresses}"])
        self.curl.setopt(pycurl.TIMEOUT_MS, max(1, int((deadline - time.monotonic()) * 1000)))

    def trust(self, *, verify: bool, ca_file: Path | None = None) -> None:
        """Verify certificates against ``ca_file`` or the system's roots, or not at all."""
        self.curl.setopt(pycurl.SSL_VERIFYPEER, 1 if verify else 0)
        self.curl.setopt(pycurl.SSL_VERIFYHOST, 2 if verify else 0)
        roots = ca_file or ssl.get_default_verify_paths().cafile
        if roots is not None:
            self.curl.setopt(pycurl.CAINFO, str(roots))

    def perform(self) -> None:
        """Run the transfer.

        Raises:
            pycurl.error: whatever went wrong.
        """
        try:
            self.curl.perform()
        finally:
            # libcurl works on duplicates of these.
            while self._opened:
                self._opened.pop().close()

    def _open_socket(self, _purpose: int, target: tuple[int, int, int, tuple[Any, ...]]) -> Any:
        # Whatever made libcurl choose this address, only a checked one is connected to.
        family, kind, protocol, sockaddr = target
        if (str(ipaddress.ip_address(sockaddr[0])), sockaddr[1]) not in self._checked:
            return pycurl.SOCKET_BAD
        self._opened.append(socket.socket(family, kind, protocol))
        return self._opened[-1]


def _bracketed(addresses: tuple[str, ...]) -> list[str]:
    return [f"[{address}]" if ":" in address else address for address in addresses]


class _Collector:
    """Receives an answer piece by piece and stops it at the caps."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._header_bytes = 0
        self._lines: list[bytes] = []
        self._body = io.BytesIO()
        self.stopped: Trouble | None = None

    def on_header(self, line: bytes) -> int | None:
        self._header_bytes += len(line)
        if self._header_bytes > self._limits.header_bytes:
            self.stopped = _HEADERS_TOO_LARGE
            return -1
        if line.startswith(b"HTTP/"):  # the final answer after a 1xx
            self._lines.clear()
        if not self._body.tell():  # trailers are no headers
            self._lines.append(line)
        return None

    def on_body(self, piece: bytes) -> int | None:
        room = self._limits.decoded_bytes - self._body.tell()
        self._body.write(piece[:room])
        if len(piece) > room:
            self.stopped = _BODY_TOO_LARGE
            return -1
        return None

    def on_progress(self, _total: int, received: int, _up_total: int, _up: int) -> int:
        if received > self._limits.wire_bytes:
            self.stopped = _BODY_TOO_LARGE
            return 1
        return 0

    def headers(self) -> list[tuple[str, str]]:
        pairs = []
        for line in self._lines[1:]:
            name, colon, value = line.partition(b":")
            if colon:
                pairs.append((name.strip().lower().decode("latin-1"), _text(value.strip())))
        return pairs

    def body(self) -> bytes:
        return self._body.getvalue()


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def exchange(pinned_curl: PinnedCurl, limits: Limits, *, method: str, user_agent: str) -> Answer:
    """Send one request over a handle that is pinned. What the network does wrong is in ``Answer.trouble``."""
    collector = _Collector(limits)
    curl = pinned_curl.curl
    curl.setopt(pycurl.USERAGENT, user_agent)
    curl.setopt(pycurl.HTTPHEADER, ["Accept: text/html,*/*;q=0.8", "Accept-Language: zh-CN,zh;q=0.9"])
    curl.setopt(pycurl.ACCEPT_ENCODING, ENCODINGS)
    curl.setopt(pycurl.NOBODY if method == "HEAD" else pycurl.HTTPGET, 1)
    curl.setopt(pycurl.HEADERFUNCTION, collector.on_header)
    curl.setopt(pycurl.WRITEFUNCTION, collector.on_body)
    curl.setopt(pycurl.NOPROGRESS, 0)
    curl.setopt(pycurl.XFERINFOFUNCTION, collector.on_progress)
    trouble = None
    try:
        pinned_curl.perform()
    except pycurl.error as error:
        code = error.args[0]
        trouble = collector.stopped or _TROUBLES.get(code) or Trouble("network", f"网络错误（{code}）。")
    status = curl.getinfo(pycurl.RESPONSE_CODE)
    return Answer(
        status=status,
        headers=collector.headers(),
        body=collector.body(),
        wire_bytes=curl.getinfo(pycurl.SIZE_DOWNLOAD_T),
        ttfb_ms=round(curl.getinfo(pycurl.STARTTRANSFER_TIME_T) / 1000),
        trouble=trouble,
    )
