"""The browser's only way out: an HTTP proxy that asks the guard before every connection.

A page that is rendered may ask for anything. Each of its requests comes here, its name is resolved
once by the guard, and the connection goes to the checked address. It speaks CONNECT (for https and
web sockets) and absolute-form HTTP, listens on 127.0.0.1 only, and lives as long as one check.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Self

import ada_url
import h11

from mobile_pages.guard import Guard, Pinned, Refused

_LISTEN_HOST = "127.0.0.1"
_PIECE_BYTES = 64 * 1024
_MAX_REFUSALS = 1000
# Headers that speak of one connection, not of the message. Source: RFC 9110, 7.6.1.
_HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization"}
    | {b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
_Role = type[h11.CLIENT] | type[h11.SERVER]
_DETAILS = {
    "not_proxied": (400, "这里只接受代理请求。"),
    "bad_request": (400, "请求格式不正确。"),
    "unreachable": (502, "无法连接目标服务器。"),
    "bad_answer": (502, "目标服务器的回答不正确。"),
    "too_many": (503, "同时打开的连接太多。"),
}


@dataclass(frozen=True, slots=True)
class ProxyLimits:
    """Bounds of one proxy.

    Attributes:
        connections: open at the same time; more are answered 503.
        connection_seconds: how long one may stay open at all; ``idle_seconds``: without a byte.
        total_bytes: both directions, over the proxy's whole life; after that nothing passes.
    """

    connections: int = 64
    connection_seconds: float = 60.0
    idle_seconds: float = 15.0
    connect_seconds: float = 8.0
    head_bytes: int = 64 * 1024
    total_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Refusal:
    """Attributes:
    target: the address asked for, or ``host:port`` of a CONNECT, as the browser wrote it.
    code: the guard's code, or ``byte_cap``.
    """

    target: str
    code: str


class _Stop(Exception):
    """This connection cannot go on; ``code`` is a key of ``_DETAILS``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _ByteCap(Exception):
    """The proxy has passed all the bytes that it may."""


class _Budget:
    """Counts the bytes that pass, over all connections."""

    def __init__(self, total_bytes: int) -> None:
        self._left = total_bytes

    @property
    def is_spent(self) -> bool:
        return self._left <= 0

    def spend(self, count: int) -> None:
        """Count bytes that are about to pass.

        Raises:
            _ByteCap: they are more than what is left.
        """
        self._left -= count
        if self._left < 0:
            raise _ByteCap


class FilteringProxy:
    """Runs in a thread of its own for the length of a ``with`` block.

    Attributes:
        address: ``host:port`` to give to the browser.
    """

    def __init__(self, guard: Guard, limits: ProxyLimits | None = None) -> None:
        self._guard = guard
        self._limits = limits or ProxyLimits()
        self._refusals: list[Refusal] = []
        self._budget = _Budget(self._limits.total_bytes)
        self._connections: set[asyncio.Task[None]] = set()
        self.address = ""

    def __enter__(self) -> Self:
        ready: Future[int] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="filtering-proxy", daemon=True
        )
        self._thread.start()
        port = ready.result()
        self.address = f"{_LISTEN_HOST}:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def refusals(self) -> tuple[Refusal, ...]:
        """Return what was refused so far, in order, at most 1000."""
        return tuple(self._refusals)

    async def _serve(self, ready: Future[int]) -> None:
        try:
            self._loop = asyncio.get_running_loop()
            self._over = asyncio.Event()
            server = await asyncio.start_server(self._accept, _LISTEN_HOST, 0, limit=_PIECE_BYTES)
            port = server.sockets[0].getsockname()[1]
            self._guard = self._guard.denying(f"{_LISTEN_HOST}/32", port)
        except OSError as error:
            ready.set_exception(error)
            return
        ready.set_result(port)
        await self._over.wait()
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._handle(self._peer(h11.SERVER, reader, writer)))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    def _peer(self, role: _Role, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Peer:
        wire = h11.Connection(role, max_incomplete_event_size=self._limits.head_bytes)
        return _Peer(wire, reader, writer, self._budget, self._limits.idle_seconds)

    async def _handle(self, client: _Peer) -> None:
        try:
            async with asyncio.timeout(self._limits.connection_seconds):
                if len(self._connections) > self._limits.connections:
                    await client.say("too_many")
                else:
                    await self._converse(client)
        except (OSError, TimeoutError, h11.ProtocolError, _ByteCap):
            pass  # whoever is still there sees the connection close
        finally:
            await client.close()

    async def _converse(self, client: _Peer) -> None:
        goes_on = True
        while goes_on:
            try:
                event = await client.next_event()
                if not isinstance(event, h11.Request):
                    return
                if event.method == b"CONNECT":
                    await self._tunnel(client, event)
                    return
                goes_on = await self._forward(client, event)
            except h11.RemoteProtocolError:
                await client.say("bad_request")
                return
            except _Stop as stop:
                await client.say(stop.code)
                return
            except Refused as refused:
                await client.refuse(refused)
                return

    async def _checked(self, target: str, url: str) -> Pinned:
        try:
            if self._budget.is_spent:
                self._note(target, "byte_cap")
                raise _ByteCap
            async with asyncio.timeout(self._limits.connect_seconds):
                return await self._guard.acheck(url)
        except TimeoutError:
            self._note(target, "dns_failure")
            raise Refused("dns_failure") from None
        except Refused as refused:
            self._note(target, refused.code)
            raise

    def _note(self, target: str, code: str) -> None:
        if len(self._refusals) < _MAX_REFUSALS:
            self._refusals.append(Refusal(target, code))

    @asynccontextmanager
    async def _connected(self, pinned: Pinned) -> AsyncIterator[_Peer]:
        for address in pinned.addresses:
            try:
                async with asyncio.timeout(self._limits.connect_seconds):
                    reader, writer = await asyncio.open_connection(address, pinned.port, limit=_PIECE_BYTES)
                break
            except (OSError, TimeoutError):
                continue
        else:
            raise _Stop("unreachable")
        server = self._peer(h11.CLIENT, reader, writer)
        try:
            yield server
        finally:
            await server.close()

    async def _forward(self, client: _Peer, request: h11.Request) -> bool:
        """Pass one plain request on; return whether another may follow on the same connection."""
        target = request.target.decode("latin-1")
        if not target.lower().startswith("http://"):
            raise _Stop("not_proxied")
        pinned = await self._checked(target, target)
        async with self._connected(pinned) as server:
            try:
                await server.send(_onward(request, pinned))
                while not isinstance(event := await client.next_event(), h11.EndOfMessage):
                    if not isinstance(event, h11.Data):
                        return False
                    await server.send(h11.Data(data=bytes(event.data)))
                await server.send(h11.EndOfMessage())
            except OSError:
                raise _Stop("unreachable") from None
            return await _answer(server, client)

    async def _tunnel(self, client: _Peer, request: h11.Request) -> None:
        target = request.target.decode("latin-1")
        pinned = await self._checked(target, f"https://{target}/")
        async with self._connected(pinned) as server:
            await client.send(h11.Response(status_code=200, headers=[], reason=b"Connection established"))
            early, _ = client.wire.trailing_data
            if early:
                server.write(early)
            await _pump_both(client, server, self._limits.idle_seconds)


class _Peer:
    """One side of the proxy: a stream and what h11 knows of it."""

    def __init__(
        self,
        wire: h11.Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        budget: _Budget,
        idle_seconds: float,
    ) -> None:
        self.wire = wire
        self.reader = reader
        self.writer = writer
        self._budget = budget
        self._idle_seconds = idle_seconds

    async def next_event(self) -> h11.Event:
        """Return what comes next.

        Raises:
            h11.RemoteProtocolError: it is no HTTP.
            TimeoutError: nothing came for ``idle_seconds``.
        """
        while not isinstance(event := self.wire.next_event(), h11.Event):
            if event is h11.PAUSED:  # it switched to something that is no HTTP
                return h11.ConnectionClosed()
            if self.wire.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            async with asyncio.timeout(self._idle_seconds):
                self.wire.receive_data(await self.reader.read(_PIECE_BYTES))
        return event

    async def send(self, event: h11.Event) -> None:
        if data := self.wire.send(event):
            self.write(data)
            await self.writer.drain()

    def write(self, data: bytes) -> None:
        self._budget.spend(len(data))
        self.writer.write(data)

    async def say(self, code: str) -> None:
        """Answer a request with an error of the proxy's own, if an answer is still possible."""
        status, detail = _DETAILS[code]
        await self._answer(status, code, detail)

    async def refuse(self, refused: Refused) -> None:
        await self._answer(403, refused.code, refused.detail_zh)

    async def _answer(self, status: int, code: str, detail: str) -> None:
        if self.wire.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        body = f"{detail} [{code}]\n".encode()
        headers = [
            ("X-Guard-Code", code),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        await self.send(h11.Response(status_code=status, headers=headers))
        await self.send(h11.Data(data=body))
        await self.send(h11.EndOfMessage())

    async def close(self) -> None:
        self.writer.close()
        with suppress(OSError, asyncio.CancelledError):
            await self.writer.wait_closed()


async def _pump_both(one: _Peer, other: _Peer, idle_seconds: float) -> None:
    """Carry bytes both ways until both sides are done, or neither says anything for ``idle_seconds``."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(idle_seconds) as idle:

        async def pump(source: _Peer, sink: _Peer) -> None:
            while piece := await source.reader.read(_PIECE_BYTES):
                idle.reschedule(loop.time() + idle_seconds)
                sink.write(piece)
                await sink.writer.drain()
            sink.writer.write_eof()

        pumps = [asyncio.create_task(pump(one, other)), asyncio.create_task(pump(other, one))]
        try:
            await asyncio.gather(*pumps)
        finally:
            for task in pumps:
                task.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)


def _passed_on(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers without those of the connection and those that ``Connection`` names."""
    named = {
        word.strip().lower() for name, value in headers if name == b"connection" for word in value.split(b",")
    }
    chunked = any(name == b"transfer-encoding" for name, _ in headers)
    return [
        (name, value)
        for name, value in headers
        if name not in _HOP_BY_HOP
        and name not in named
        and not (chunked and name == b"content-length")  # the coding counts; both together smuggle
    ]


def _onward(request: h11.Request, pinned: Pinned) -> h11.Request:
    parsed = ada_url.URL(pinned.url)
    headers = [(name, value) for name, value in _passed_on(request.headers) if name != b"host"]
    if any(name == b"transfer-encoding" for name, _ in request.headers):
        headers.append((b"transfer-encoding", b"chunked"))
    return h11.Request(
        method=request.method,
        target=parsed.pathname + parsed.search,
        headers=[(b"host", parsed.host.encode()), *headers, (b"connection", b"close")],
    )


async def _answer(server: _Peer, client: _Peer) -> bool:
    try:
        while not isinstance(event := await server.next_event(), h11.Response):
            if not isinstance(event, h11.InformationalResponse):
                raise _Stop("bad_answer")
    except (h11.RemoteProtocolError, TimeoutError, OSError):
        raise _Stop("bad_answer") from None
    await client.send(
        h11.Response(
            status_code=event.status_code, headers=_passed_on(event.headers), reason=bytes(event.reason)
        )
    )
    while isinstance(piece := await server.next_event(), h11.Data):
        await client.send(h11.Data(data=bytes(piece.data)))
    if not isinstance(piece, h11.EndOfMessage):
        return False
    await client.send(h11.EndOfMessage())
    if client.wire.our_state is not h11.DONE or client.wire.their_state is not h11.DONE:
        return False
    client.wire.start_next_cycle()
    return True
