"""What the prober is measured against: pages behind TLS, pages that hang, names that answer or do not.

`python -m bench.probe_targets PORT DNS_PORT` is the process that hangs and names: every name stands for
127.0.0.1, or for the address last written to its standard input; names that begin with "silent" are
never answered. On 127.0.0.2 it takes connections and says nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.load import free_port
from bench.servers import ROOT
from tests.mobile_pages.probe.sites import Authority

GOOD, HANGING = "127.0.0.1", "127.0.0.2"
NAMES = "127.77.0.1"
DOMAIN = "bench.example"
MARKER = "省网上办事大厅"
_NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_processes 1;
events {{ worker_connections 8192; }}
http {{
  access_log off; charset utf-8; default_type text/html; root {folder}/www;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen {good}:{port} ssl backlog=4096; ssl_certificate {pem}; ssl_certificate_key {pem};
    ssl_session_cache off; ssl_session_tickets off; }}
  server {{ listen {good}:{plain}; }}
}}
"""


@dataclass(frozen=True, slots=True)
class Targets:
    """Where everything stands.

    Attributes:
        plain_port: the same page without TLS, for canaries.
    """

    port: int
    plain_port: int
    dns_port: int
    ca_file: Path
    names: subprocess.Popen[str]

    def url(self, number: int, name: str = "page") -> str:
        return f"https://{name}{number}.{DOMAIN}:{self.port}/"

    def let_all_hang(self, hang: bool) -> None:
        """Let every name stand for the address that says nothing, or for the good one again."""
        assert self.names.stdin is not None
        self.names.stdin.write(f"{HANGING if hang else GOOD}\n")
        self.names.stdin.flush()


@contextmanager
def serving(folder: Path) -> Iterator[Targets]:
    """Serve a page of 12 kB under every name of the domain."""
    authority = Authority(folder)
    authority.server(f"*.{DOMAIN}")
    (folder / "www").mkdir()
    filling = "<p>办事指南</p>" * 600
    (folder / "www" / "index.html").write_text(f"<title>{MARKER}</title>{filling}"[:12_000], encoding="utf-8")
    port, plain, dns_port = free_port(), free_port(), _udp_port()
    config = folder / "nginx.conf"
    pem = folder / f"*.{DOMAIN}-90.pem"
    config.write_text(_NGINX.format(folder=folder, good=GOOD, port=port, plain=plain, pem=pem))
    log = (folder / "nginx.out").open("wb")
    nginx = subprocess.Popen(["nginx", "-p", folder, "-c", config], stdout=log, stderr=log)
    names = subprocess.Popen(
        [sys.executable, "-m", "bench.probe_targets", str(port), str(dns_port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert names.stdout is not None
        names.stdout.readline()
        _wait(plain)
        yield Targets(port, plain, dns_port, authority.ca_file, names)
    finally:
        for process in (nginx, names):
            process.terminate()
            process.wait(20)
        assert names.stdin is not None
        assert names.stdout is not None
        names.stdin.close()
        names.stdout.close()
        log.close()


def _wait(port: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection((GOOD, port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError("nginx did not come up")


def _udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((GOOD, 0))
        return int(probe.getsockname()[1])


class _Names(asyncio.DatagramProtocol):
    address = socket.inet_aton(GOOD)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        if data[13:19] == b"silent":
            return
        end = data.index(b"\0", 12) + 5
        is_a = data[end - 4 : end - 2] == b"\0\1"
        reply = data[:2] + struct.pack("!HHHHH", 0x8180, 1, int(is_a), 0, 0) + data[12:end]
        if is_a:
            reply += b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + _Names.address
        self.transport.sendto(reply, peer)  # type: ignore[attr-defined]


async def _serve(port: int, dns_port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(_Names, local_addr=(GOOD, dns_port))
    with contextlib.suppress(OSError):  # the port that Go's resolver asks; only root may take it
        await loop.create_datagram_endpoint(_Names, local_addr=(NAMES, 53))
    await loop.create_server(asyncio.Protocol, HANGING, port, backlog=4096)
    told = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), sys.stdin)
    print("ready", flush=True)
    while line := await told.readline():
        _Names.address = socket.inet_aton(line.decode().strip())


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
