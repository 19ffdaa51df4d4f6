import asyncio
import contextlib
import gzip

import pytest

from mobile_pages.guard import Policy
from mobile_pages.probe.base import Cause, ProbeTarget, Verdict
from mobile_pages.probe.dns import DnsResolver
from mobile_pages.probe.http import HttpProber, Limits

from .sites import (
    Authority,
    answers,
    closed_port,
    hangs,
    name_server,
    never_ends,
    page,
    redirect,
    resets,
    routes,
    served,
    trickles,
)


@contextlib.asynccontextmanager
async def a_prober(*ports, ca_file=None, resolve=None, **limits):
    policy = Policy.allowing([("127.0.0.1/32", port) for port in ports], test_or_demo=True)
    limits = Limits(**{"connections": 20, "body_bytes": 200_000, **limits})
    prober = HttpProber(policy, ca_file=ca_file and str(ca_file), resolve=resolve, limits=limits)
    try:
        yield prober
    finally:
        await prober.close()


async def look(url, *ports, ca_file=None, resolve=None, **target):
    async with a_prober(*ports, ca_file=ca_file, resolve=resolve) as prober:
        return await prober.look(ProbeTarget("page", url, **target))


def seen(handler, path="/", *, tls=None, ca_file=None, scheme="http", **target):
    """Look once at a page that ``handler`` serves."""

    async def run():
        async with served(handler, tls) as port:
            return await look(f"{scheme}://127.0.0.1:{port}{path}", port, ca_file=ca_file, **target)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


def test_a_page_that_answers_is_up():
    result = seen(answers(page()))

    assert (result.verdict, result.cause, result.status) == (Verdict.UP, "", 200)
    assert (result.address, result.body_bytes) == ("127.0.0.1", len("<title>办事大厅</title>".encode()))


def test_every_phase_that_was_gone_through_is_timed():
    phases = seen(answers(page())).phases

    assert min(phases.connect_ms, phases.first_byte_ms) > 0
    assert phases.tls_ms == 0
    parts = phases.dns_ms + phases.connect_ms + phases.first_byte_ms + phases.transfer_ms
    assert phases.total_ms == pytest.approx(parts)


def test_a_page_behind_a_valid_certificate_is_up_and_tells_the_days_left(authority):
    result = seen(answers(page()), tls=authority.server(), ca_file=authority.ca_file, scheme="https")

    assert (result.verdict, result.cert_days_left) == (Verdict.UP, 90)
    assert result.phases.tls_ms > 0


def test_an_expired_certificate_is_its_own_cause(authority):
    tls = authority.server(days_left=-3)

    result = seen(answers(page()), tls=tls, ca_file=authority.ca_file, scheme="https")

    assert (result.verdict, result.cause) == (Verdict.DOWN, Cause.TLS_EXPIRED)


def test_a_certificate_for_another_host_is_invalid(authority):
    tls = authority.server("elsewhere.example")

    result = seen(answers(page()), tls=tls, ca_file=authority.ca_file, scheme="https")

    assert (result.verdict, result.cause) == (Verdict.DOWN, Cause.TLS_INVALID)


def test_a_certificate_from_nobody_we_trust_is_invalid(authority):
    result = seen(answers(page()), tls=authority.server(), scheme="https")

    assert result.cause == Cause.TLS_INVALID
    assert "签发机构不受信任" in result.detail


def test_a_server_that_speaks_no_tls_is_invalid():
    async def plain(reader, writer):
        await reader.read(1)
        writer.write(page())
        await writer.drain()

    assert seen(plain, scheme="https").cause == Cause.TLS_INVALID


@pytest.mark.parametrize(
    ("handler", "cause"),
    [
        pytest.param(answers(page(status="503 Service Unavailable")), Cause.HTTP_STATUS, id="503"),
        pytest.param(answers(page(status="204 No Content")), Cause.HTTP_STATUS, id="204"),
        pytest.param(hangs, Cause.TIMEOUT, id="never answers"),
        pytest.param(trickles, Cause.TIMEOUT, id="drips"),
        pytest.param(resets, Cause.CONNECTION_LOST, id="reset"),
        pytest.param(answers(b""), Cause.CONNECTION_LOST, id="closes silently"),
        pytest.param(answers(page()[:-5]), Cause.CONNECTION_LOST, id="breaks off"),
        pytest.param(answers(b"220 mail.example ESMTP\r\n"), Cause.BAD_ANSWER, id="not HTTP"),
        pytest.param(never_ends, Cause.TOO_LARGE, id="never ends"),
        pytest.param(
            answers(page(gzip.compress(bytes(20_000_000)), headers="Content-Encoding: gzip\r\n")),
            Cause.TOO_LARGE,
            id="decompression bomb",
        ),
        pytest.param(
            answers(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 5_000_000), Cause.TOO_LARGE, id="header without end"
        ),
    ],
)
def test_what_does_not_open_is_down_with_its_cause(handler, cause):
    result = seen(handler, timeout_seconds=1)

    assert (result.verdict, result.cause) == (Verdict.DOWN, cause)
    assert result.detail.endswith("。")


def test_nobody_listening_is_connect_refused():
    port = closed_port()

    result = asyncio.run(look(f"http://127.0.0.1:{port}/", port))

    assert (result.verdict, result.cause) == (Verdict.DOWN, Cause.CONNECT_REFUSED)


def test_a_slow_page_is_degraded():
    result = seen(answers(page()), slow_ms=0)

    assert (result.verdict, result.cause) == (Verdict.DEGRADED, Cause.SLOW)


def test_another_status_can_be_expected():
    assert (
        seen(answers(page(status="401 Unauthorized")), expected_status=frozenset({401})).verdict == Verdict.UP
    )


@pytest.mark.parametrize(
    ("wishes", "cause"),
    [
        pytest.param({"must_contain": ("粤省事", "社保")}, "", id="all there"),
        pytest.param({"must_contain": ("社保", "公积金")}, Cause.WRONG_CONTENT, id="one missing"),
        pytest.param({"must_not_contain": ("博彩",)}, "", id="nothing bad"),
        pytest.param({"must_not_contain": ("查询",)}, Cause.WRONG_CONTENT, id="something bad"),
        pytest.param({"expected_title": "粤省事 社保查询"}, "", id="title"),
        pytest.param({"expected_title": "天气"}, Cause.WRONG_CONTENT, id="other title"),
    ],
)
@pytest.mark.parametrize("charset", ["utf-8", "gbk", "gb18030"])
def test_the_content_is_compared_in_the_pages_own_charset(wishes, cause, charset):
    html = f"<meta charset={charset}><title>粤省事\n 社保查询</title>".encode(charset)

    assert seen(answers(page(html)), **wishes).cause == cause


def test_redirects_are_followed_to_the_page():
    handler = routes(index=redirect("/a"), a=redirect("b?x=1#top"), **{"b?x=1": page()})

    result = seen(handler)

    assert (result.verdict, result.redirects) == (Verdict.UP, 2)
    assert result.final_url.endswith("/b?x=1#top")


def test_a_cookie_set_on_the_way_is_carried_along():
    asked = []

    async def handler(reader, writer):
        request = await reader.readuntil(b"\r\n\r\n")
        asked.append(request)
        first = b"Cookie: seen=1" not in request
        writer.write(redirect("/", "Set-Cookie: seen=1\r\n") if first else page())
        await writer.drain()

    assert seen(handler).verdict == Verdict.UP
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("location", "cause"),
    [
        pytest.param("/", Cause.REDIRECT_LOOP, id="to itself"),
        pytest.param("http://10.0.0.8/", "guard_private_address", id="private address"),
        pytest.param("http://127.0.0.1:22/", "guard_private_address", id="loopback, other port"),
        pytest.param("http://0x7f000001:22/", "guard_private_address", id="loopback in hexadecimal"),
        pytest.param("http://[::ffff:127.0.0.1]/", "guard_private_address", id="mapped loopback"),
        pytest.param("file:///etc/passwd", "guard_scheme", id="file"),
        pytest.param("http://a:b@127.0.0.1/", "guard_userinfo", id="user name"),
        pytest.param("http://[", "guard_url_syntax", id="no address"),
    ],
)
def test_redirects_pass_the_guard_again(location, cause):
    result = seen(answers(redirect(location)))

    assert (result.verdict, result.cause) == (Verdict.DOWN, cause)


def test_more_than_five_redirects_are_a_loop():
    steps = {str(number): redirect(f"/{number + 1}") for number in range(1, 9)}

    result = seen(routes(**steps), "/1")

    assert (result.cause, result.redirects) == (Cause.REDIRECT_LOOP, 5)


def test_encryption_may_not_be_lost_on_the_way(authority):
    handler = answers(redirect("http://127.0.0.1:8080/"))

    result = seen(handler, tls=authority.server(), ca_file=authority.ca_file, scheme="https")

    assert result.cause == "guard_https_downgrade"


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("http://127.0.0.1:1/", "guard_private_address"),
        ("http://169.254.169.254/latest/meta-data/", "guard_private_address"),
        ("ftp://example.gd.cn/", "guard_scheme"),
        ("not an address", "guard_url_syntax"),
        ("", "guard_url_syntax"),
        ("http://\udcff/", "guard_url_syntax"),
    ],
)
def test_addresses_the_guard_refuses_are_never_asked(url, cause):
    result = asyncio.run(look(url))

    assert (result.verdict, result.cause, result.address) == (Verdict.DOWN, cause, "")


def test_a_name_is_connected_at_the_address_that_was_checked(authority):
    async def run():
        async with (
            name_server("127.0.0.1") as (_, server),
            served(answers(page()), authority.server("page.gd.example")) as port,
        ):
            dns = DnsResolver([server])
            url = f"https://page.gd.example:{port}/"
            result = await look(url, port, ca_file=authority.ca_file, resolve=dns)
            await dns.close()
            return result

    result = asyncio.run(run())

    assert (result.verdict, result.address) == (Verdict.UP, "127.0.0.1")
    assert result.phases.dns_ms > 0


def test_a_name_that_has_moved_is_looked_at_where_it_stands_now():
    async def run():
        async with served(answers(page())) as port:
            places = iter(["127.0.0.2", "127.0.0.1"])

            async def moving(host):
                return [next(places)]

            policy = Policy.allowing([("127.0.0.0/8", port)], test_or_demo=True)
            prober = HttpProber(policy, resolve=moving, limits=Limits(connections=1))
            target = ProbeTarget("page", f"http://page.gd.example:{port}/")
            results = [await prober.look(target), await prober.look(target)]
            await prober.close()
            return results

    before, after = asyncio.run(run())

    assert before.cause == Cause.CONNECT_REFUSED
    assert (after.verdict, after.address) == (Verdict.UP, "127.0.0.1")


def test_one_private_address_among_several_closes_the_name():
    async def run():
        async with name_server("127.0.0.1", "10.1.2.3") as (_, server), served(answers(page())) as port:
            dns = DnsResolver([server])
            result = await look(f"http://page.gd.example:{port}/", port, resolve=dns)
            await dns.close()
            return result

    assert asyncio.run(run()).cause == "guard_private_address"


def test_a_name_that_never_answers_is_a_dns_failure():
    async def run():
        async with name_server() as (_, server):
            dns = DnsResolver([server], timeout_seconds=0.2)
            result = await look("http://silent.gd.example/", resolve=dns)
            await dns.close()
            return result

    assert asyncio.run(run()).cause == Cause.DNS_FAILURE


def test_silent_names_do_not_hold_up_the_others():
    async def run():
        async with name_server() as (_, silent), served(answers(page())) as port:
            dns = DnsResolver([silent], timeout_seconds=30)
            async with a_prober(port, resolve=dns, connections=1) as prober:
                stuck = [
                    asyncio.create_task(prober.look(ProbeTarget(str(n), f"http://n{n}.gd.example/")))
                    for n in range(30)
                ]
                healthy = await prober.look(ProbeTarget("healthy", f"http://127.0.0.1:{port}/"))
                waiting = sum(not task.done() for task in stuck)
                for task in stuck:
                    task.cancel()
                await asyncio.gather(*stuck, return_exceptions=True)
            await dns.close()
            return healthy, waiting

    healthy, waiting = asyncio.run(run())

    assert (healthy.verdict, waiting) == (Verdict.UP, 30)


def test_answers_are_not_remembered_from_one_look_to_the_next():
    async def run():
        now = [0.0]
        async with name_server("127.0.0.1") as (server, address):
            dns = DnsResolver([address], clock=lambda: now[0])
            for now[0] in (0, 30, 60):
                await dns("page.gd.example")
            await dns.close()
            return server.asked

    assert asyncio.run(run()) == 3


def test_each_look_makes_its_own_connection():
    connections = []

    async def handler(reader, writer):
        connections.append(writer.get_extra_info("peername"))
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def run():
        async with served(handler) as port, a_prober(port) as prober:
            for _ in range(3):
                await prober.look(ProbeTarget("page", f"http://127.0.0.1:{port}/"))

    asyncio.run(run())

    assert len(set(connections)) == 3


def test_one_host_is_asked_only_so_often_at_a_time():
    busy, peak = 0, 0

    async def handler(reader, writer):
        nonlocal busy, peak
        await reader.readuntil(b"\r\n\r\n")
        busy += 1
        peak = max(peak, busy)
        await asyncio.sleep(0.01)
        busy -= 1
        writer.write(page())

    async def run():
        async with served(handler) as port, a_prober(port, per_host=3) as prober:
            target = ProbeTarget("page", f"http://127.0.0.1:{port}/")
            return await asyncio.gather(*(prober.look(target) for _ in range(12)))

    results = asyncio.run(run())

    assert {one.verdict for one in results} == {Verdict.UP}
    assert peak == 3


@pytest.mark.parametrize("limit", ["per_host", "connections"])
def test_a_look_that_cannot_get_its_turn_is_missed_and_says_nothing_of_the_page(limit):
    async def run():
        async with served(hangs) as port, a_prober(port, patience_seconds=0.05, **{limit: 1}) as prober:
            target = ProbeTarget("page", f"http://127.0.0.1:{port}/", timeout_seconds=30)
            first = asyncio.create_task(prober.look(target))
            await asyncio.sleep(0.02)
            second = await prober.look(target)
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            return second

    result = asyncio.run(run())

    assert (result.verdict, result.cause) == (Verdict.UNKNOWN, Cause.MISSED)


def test_a_proxy_in_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")

    assert seen(answers(page())).verdict == Verdict.UP


def test_the_prober_says_who_it_is():
    asked = []

    async def handler(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(page())
        await writer.drain()

    seen(handler)

    assert b"GuangdongOnlineServiceHall-Probe" in asked[0]


def test_a_fault_of_our_own_is_unknown_and_not_down(authority, caplog):
    no_roots = authority.folder / "missing.pem"

    result = seen(answers(page()), tls=authority.server(), ca_file=no_roots, scheme="https")

    assert (result.verdict, result.cause) == (Verdict.UNKNOWN, Cause.PROBER_FAULT)
    assert "probe_failed" in caplog.text


@pytest.mark.parametrize("wrong", [{"interval_seconds": 0}, {"timeout_seconds": 0}])
def test_targets_without_time_are_refused(wrong):
    with pytest.raises(ValueError, match="positive"):
        ProbeTarget("page", "http://page.gd.example/", **wrong)


def test_a_host_of_many_pages_that_all_hang_is_asked_by_as_many_at_a_time_as_it_takes():
    connected = []

    async def handler(reader, writer):
        connected.append(writer)
        await hangs(reader, writer)

    async def run():
        async with served(handler) as port, a_prober(port, per_host=2, connections=50) as prober:
            url = f"http://127.0.0.1:{port}/"
            pages = [ProbeTarget(str(number), url, 60, timeout_seconds=30) for number in range(20)]
            looks = [asyncio.create_task(prober.look(page)) for page in pages]
            while len(connected) < 10:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            for one in looks:
                one.cancel()
            await asyncio.gather(*looks, return_exceptions=True)

    asyncio.run(run())

    assert len(connected) == 10
