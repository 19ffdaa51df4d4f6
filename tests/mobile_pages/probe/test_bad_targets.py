"""Targets that misbehave on real sockets: each ends in time, with its cause, and holds up nobody."""

import asyncio
import socket
import struct
from pathlib import Path
from time import monotonic

import pytest

from mobile_pages.guard import Policy
from mobile_pages.probe.base import Cause, ProbeTarget, Verdict
from mobile_pages.probe.dns import DnsResolver
from mobile_pages.probe.http import HttpProber, Limits

from .sites import Authority, answers, hangs, name_server, page, redirect, routes, served
from .test_http import a_prober, look, seen


async def trickles_headers(reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X")
        await asyncio.sleep(0.05)


async def headers_without_end(reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Filler: " + b"x" * 1000 + b"\r\n")
        await writer.drain()


async def half_closes(reader, writer):
    """Say that nothing more comes, and stay."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    writer.write_eof()
    await asyncio.Event().wait()


async def breaks_in_the_handshake(reader, writer):
    await reader.read(1)
    # A handshake record that promises more than ever comes.
    writer.write(struct.pack("!BHH", 22, 0x0303, 400) + b"\x02\x00\x00")
    await writer.drain()


async def chunks_without_end(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\nx\r\n")
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("handler", "scheme", "cause"),
    [
        pytest.param(trickles_headers, "http", Cause.TIMEOUT, id="headers byte by byte"),
        pytest.param(chunks_without_end, "http", Cause.TIMEOUT, id="body byte by byte"),
        pytest.param(headers_without_end, "http", Cause.TOO_LARGE, id="endless headers"),
        pytest.param(half_closes, "http", Cause.CONNECTION_LOST, id="half-open"),
        pytest.param(breaks_in_the_handshake, "https", Cause.TLS_INVALID, id="TLS breaks off"),
        pytest.param(hangs, "https", Cause.TIMEOUT, id="TLS never begins"),
    ],
)
def test_a_target_that_misbehaves_is_down_in_time_and_says_why(handler, scheme, cause):
    began = monotonic()

    result = seen(handler, scheme=scheme, timeout_seconds=1)

    assert (result.verdict, result.cause) == (Verdict.DOWN, cause)
    assert result.phases.total_ms <= 2000
    assert monotonic() - began < 30


def test_a_connection_that_is_never_accepted_is_given_up():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            result = asyncio.run(look(f"http://127.0.0.1:{port}/", port, timeout_seconds=0.5))

    assert (result.verdict, result.status) == (Verdict.DOWN, None)


def look_by_name(resolve, *, host="page.gd.example", handler=None, listen="127.0.0.1"):
    """Look at a page by its name, which ``resolve`` looks up."""

    async def run():
        policy_range = "::1/128" if ":" in listen else "127.0.0.1/32"
        async with served(handler or answers(page()), host=listen) as port:
            prober = HttpProber(Policy.allowing([(policy_range, port)], test_or_demo=True), resolve=resolve)
            result = await prober.look(ProbeTarget("page", f"http://{host}:{port}/", timeout_seconds=2))
            await prober.close()
            return result

    return asyncio.run(run())


def test_a_name_with_an_ipv6_address_only_is_looked_at_there():
    async def sixth(_host):
        return ["::1"]

    result = look_by_name(sixth, listen="::1")

    assert (result.verdict, result.address) == (Verdict.UP, "::1")


def test_an_ipv6_literal_is_looked_at():
    async def never(_host):
        raise AssertionError("a literal needs no name server")

    result = look_by_name(never, host="[::1]", listen="::1")

    assert (result.verdict, result.address) == (Verdict.UP, "::1")


def test_a_name_that_resolves_to_nothing_is_a_dns_failure():
    async def nothing(_host):
        return []

    assert look_by_name(nothing).cause == Cause.DNS_FAILURE


def test_a_name_server_that_answers_rubbish_is_a_dns_failure():
    async def rubbish(_host):
        return ["not-an-address"]

    assert look_by_name(rubbish).cause == Cause.DNS_FAILURE


def test_a_redirect_to_a_name_that_leads_inside_is_refused():
    async def inside(host):
        return ["10.0.0.8"] if host == "inner.gd.example" else ["127.0.0.1"]

    result = look_by_name(inside, handler=answers(redirect("http://inner.gd.example/")))

    assert (result.verdict, result.cause) == (Verdict.DOWN, "guard_private_address")


def test_a_name_that_moves_inside_between_two_requests_of_one_look_is_refused():
    places = iter([["127.0.0.1"], ["169.254.169.254"]])

    async def rebinding(_host):
        return next(places)

    result = look_by_name(rebinding, handler=routes(index=redirect("/again"), again=page()))

    assert result.cause == "guard_private_address"


def test_every_socket_is_given_back_after_a_thousand_failures():
    async def run():
        async with served(answers(b"")) as port, a_prober(port, connections=50, per_host=50) as prober:
            target = ProbeTarget("page", f"http://127.0.0.1:{port}/", timeout_seconds=5)
            before = len(open_sockets())
            for _ in range(20):
                await asyncio.gather(*(prober.look(target) for _ in range(50)))
            await asyncio.sleep(0.1)
            return before, len(open_sockets())

    before, after = asyncio.run(run())

    assert after <= before + 5


def open_sockets():
    return [one for one in Path("/proc/self/fd").iterdir() if one.is_symlink() and "socket" in _target(one)]


def _target(link):
    try:
        return str(link.readlink())
    except OSError:
        return ""


def test_a_page_whose_name_server_is_mute_does_not_delay_one_whose_server_answers(tmp_path):
    authority = Authority(tmp_path)

    async def run():
        async with (
            name_server() as (_, mute),
            name_server("127.0.0.1") as (_, quick),
            served(answers(page()), authority.server("page.gd.example")) as port,
        ):
            silent, well = DnsResolver([mute], timeout_seconds=20), DnsResolver([quick])

            async def resolve(host):
                return await (silent if host.startswith("silent") else well)(host)

            prober = HttpProber(
                Policy.allowing([("127.0.0.1/32", port)], test_or_demo=True),
                resolve=resolve,
                ca_file=str(authority.ca_file),
                limits=Limits(connections=2),
            )
            stuck = [
                asyncio.create_task(prober.look(ProbeTarget(str(n), f"https://silent{n}.gd.example/")))
                for n in range(24)
            ]
            results = [
                await prober.look(ProbeTarget("well", f"https://page.gd.example:{port}/")) for _ in range(5)
            ]
            pending = sum(not one.done() for one in stuck)
            for one in stuck:
                one.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)
            await prober.close()
            await silent.close()
            await well.close()
            return results, pending

    results, pending = asyncio.run(run())

    assert {one.verdict for one in results} == {Verdict.UP}
    assert pending == 24
