"""The farm's sites: little servers whose behaviour a script changes while the prober looks at them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.mobile_pages.probe.sites import Authority, NameServer, page, redirect

# Probers hang up on sites that misbehave; that they do need not be told.
logging.getLogger("asyncio").setLevel(logging.ERROR)

MARKER = "户政服务"
GOOD = page(f"<title>{MARKER}</title><h1>{MARKER}</h1>", headers="Content-Type: text/html; charset=utf-8\r\n")
GBK = page(f"<title>{MARKER}</title>".encode("gbk"), headers="Content-Type: text/html; charset=gbk\r\n")
GBK_BY_META = page(
    f"<meta charset=gb2312><title>{MARKER}</title>".encode("gbk"), headers="Content-Type: text/html\r\n"
)
WRONG = page("<title>系统维护</title>", headers="Content-Type: text/html; charset=utf-8\r\n")
SLOW_SECONDS = 1.7
ADDRESSES = ("127.0.0.1", "127.0.0.2")


@dataclass(slots=True)
class Site:
    """One server; ``mode`` says how it behaves now. ``refused`` closes its port."""

    good: bytes = GOOD
    mode: str = "up"
    tls: ssl.SSLContext | None = None
    expired: ssl.SSLContext | None = None
    port: int = 0
    servers: list[asyncio.Server] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self) -> None:
        for address in ADDRESSES:
            tls = self.expired if self.mode == "expired" else self.tls
            server = await asyncio.start_server(self._serve, address, self.port, ssl=tls, reuse_address=True)
            self.port = server.sockets[0].getsockname()[1]
            self.servers.append(server)

    async def shut(self) -> None:
        for server in self.servers:
            server.close()
        self.servers.clear()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()
            self.tasks.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        match self.mode:
            case "hang":
                await asyncio.sleep(30)
            case "half-open":
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhalf")
                await writer.drain()
                writer.transport.abort()
            case "trickle":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                for _ in range(30):
                    writer.write(b".")
                    await writer.drain()
                    await asyncio.sleep(1)
            case "endless":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
                for _ in range(3000):
                    writer.write(b"x" * 4096)
                    await writer.drain()
            case "slow":
                await asyncio.sleep(SLOW_SECONDS)
                writer.write(self.good)
            case _:
                writer.write(_REPLIES.get(self.mode, self.good))
        await writer.drain()


_REPLIES = {
    "503": page("sorry", status="503 Service Unavailable"),
    "wrong": WRONG,
    "loop": redirect("/"),
}


class Gate:
    """A door in front of the database that can be shut; the server behind it notices nothing."""

    def __init__(self, host: str, port: int) -> None:
        self._behind = (host, port)
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind_reader, behind_writer = await asyncio.open_connection(*self._behind)
        except OSError:
            writer.close()
            return
        both = {writer, behind_writer}
        self._writers |= both
        await asyncio.gather(_pump(reader, behind_writer), _pump(behind_reader, writer))
        self._writers -= both


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.CancelledError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()


class Farm:
    """All sites in one thread. ``do`` runs something in its loop."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.sites: dict[str, Site] = {}
        self.name_server = NameServer("127.0.0.1")
        self.name_server_at = ""
        self.loop = asyncio.new_event_loop()

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def add(self, name: str, site: Site) -> Site:
        self.sites[name] = site
        self.do(site.open())
        return site

    def turn(self, name: str, mode: str) -> None:
        """Let a site behave in another way from now on."""
        site = self.sites[name]
        before, site.mode = site.mode, mode
        doors = {"refused", "expired"}
        if mode in doors or before in doors:
            self.do(self._reopen(site))

    async def _reopen(self, site: Site) -> None:
        await site.shut()
        if site.mode != "refused":
            await site.open()

    def cut_off(self) -> None:
        """Let the whole network be away from the prober."""
        for site in self.sites.values():
            self.do(site.shut())

    def reconnect(self) -> None:
        for site in self.sites.values():
            if site.mode != "refused":
                self.do(site.open())

    async def start_name_server(self) -> None:
        transport, _ = await self.loop.create_datagram_endpoint(
            lambda: self.name_server, local_addr=("127.0.0.1", 0)
        )
        self.name_server_at = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"


@contextlib.contextmanager
def farm(folder: Path) -> Iterator[Farm]:
    """Run an empty farm; at the end nothing of it is left."""
    made = Farm(folder)
    thread = threading.Thread(target=made.loop.run_forever)
    thread.start()
    try:
        made.do(made.start_name_server())
        yield made
    finally:
        for site in made.sites.values():
            made.do(site.shut())
        made.name_server.transport.close()
        _stop(made.loop, thread)


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    async def cancel() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(cancel(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
