import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile_pages.gather.browser import Browser
from mobile_pages.gather.page import Device, PageLimits
from mobile_pages.guard import Address, Endpoint, Guard, Policy
from mobile_pages.proxy import FilteringProxy, ProxyLimits, Refusal
from tests.mobile_pages import hostile
from tests.mobile_pages.hostile import a_guard_for, answer, serving


def raw(proxy: FilteringProxy, request: bytes) -> bytes:
    """Send bytes to the proxy and return everything until it closes."""
    host, port = proxy.address.split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(request)
        pieces = []
        try:
            while piece := connection.recv(65536):
                pieces.append(piece)
        except ConnectionResetError:
            pieces.append(b"(reset)")
        return b"".join(pieces)


def get(url: str, *more: str) -> bytes:
    return "\r\n".join([f"GET {url} HTTP/1.1", "Host: x", "Connection: close", *more, "", ""]).encode(
        "latin-1"
    )


def connect(target: str) -> bytes:
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode("latin-1")


@contextmanager
def between(
    behave: hostile.Behaviour, limits: ProxyLimits | None = None, names: tuple[str, ...] = ()
) -> Iterator[tuple[FilteringProxy, hostile.Server]]:
    with serving(behave) as server, FilteringProxy(a_guard_for(server, names=names), limits) as proxy:
        yield proxy, server


def test_a_plain_request_arrives_in_origin_form_with_the_host_of_its_address() -> None:
    with between(answer(b"<p>hello", headers=("X-Own: 1",)), names=("dept.example.cn",)) as (proxy, server):
        url = server.url("/a?b=c#d", host="dept.example.cn")

        reply = raw(proxy, get(url, "Proxy-Connection: keep-alive", "X-Sent: 2", "Cookie: a=b"))

    head = server.heads[0].decode().lower()
    assert reply.startswith(b"HTTP/1.1 200 ")
    assert reply.endswith(b"<p>hello")
    assert b"x-own: 1" in reply.lower()
    assert head.startswith(f"get /a?b=c http/1.1\r\nhost: dept.example.cn:{server.port}\r\n")
    assert "x-sent: 2" in head
    assert "proxy-connection" not in head


def test_several_requests_go_over_one_connection() -> None:
    with between(answer(b"<p>again")) as (proxy, server):
        connection = http.client.HTTPConnection(proxy.address, timeout=10)
        replies = []
        for number in range(3):
            connection.request("GET", server.url(f"/{number}"))
            replies.append(connection.getresponse().read())
        connection.close()

    assert (replies, len(server.heads)) == ([b"<p>again"] * 3, 3)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_request_with_a_body_is_passed_on(chunked: bool) -> None:
    def echo(visit: hostile.Visit) -> None:
        body = visit.head.split(b"\r\n\r\n", 1)[1]
        while b"end" not in body:
            body += visit.connection.recv(4096)
        answer(body)(visit)

    with between(echo) as (proxy, server):
        connection = http.client.HTTPConnection(proxy.address, timeout=10)
        body = iter([b"one ", b"end"]) if chunked else b"one end"
        connection.request("POST", server.url(), body, encode_chunked=chunked)
        reply = connection.getresponse().read()
        connection.close()

    assert b"one" in reply
    assert b"end" in reply


def test_an_answer_without_length_is_passed_until_it_ends() -> None:
    def endless_until_closed(visit: hostile.Visit) -> None:
        visit.connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<p>closed at the end")

    with between(endless_until_closed) as (proxy, server):
        connection = http.client.HTTPConnection(proxy.address, timeout=10)
        connection.request("GET", server.url())
        reply = connection.getresponse().read()
        connection.close()

    assert reply == b"<p>closed at the end"


def test_tls_goes_through_a_tunnel_end_to_end(tmp_path: Path) -> None:
    authority = hostile.an_authority(tmp_path)
    context = hostile.tls_context(tmp_path, "dept.example.cn", issuer=authority)
    with serving(answer(b"<p>secure"), tls=context) as server:
        guard = a_guard_for(server, names=("dept.example.cn",))
        with FilteringProxy(guard) as proxy:
            client = ssl.create_default_context(cafile=authority.ca_file)
            connection = http.client.HTTPSConnection(proxy.address, context=client, timeout=10)
            connection.set_tunnel("dept.example.cn", server.port)
            connection.request("GET", "/")
            reply = connection.getresponse().read()
            connection.close()

    assert (reply, proxy.refusals()) == (b"<p>secure", ())


FORBIDDEN = [
    ("127.0.0.1:1", "private_address"),
    ("localhost:1", "dns_failure"),
    ("2130706433:1", "private_address"),
    ("[::1]:80", "private_address"),
    ("[::ffff:127.0.0.1]:80", "private_address"),
    ("169.254.169.254:80", "private_address"),
    ("100.100.100.200:80", "private_address"),
    ("10.0.0.1:443", "private_address"),
    ("no-such-name.example.cn:443", "dns_failure"),
    ("user:secret@127.0.0.1:443", "userinfo"),
    ("93.184.216.34:22", "port"),
]


@pytest.mark.parametrize(("target", "code"), FORBIDDEN)
def test_a_tunnel_to_a_forbidden_place_is_refused_with_the_guard_s_code(target: str, code: str) -> None:
    with between(answer()) as (proxy, server):
        reply = raw(proxy, connect(target))

    assert reply.startswith(b"HTTP/1.1 403 ")
    assert f"x-guard-code: {code}".encode() in reply.lower()
    assert (proxy.refusals(), server.heads) == ((Refusal(target, code),), [])


@pytest.mark.parametrize(("target", "code"), FORBIDDEN)
def test_a_plain_request_to_a_forbidden_place_is_refused_with_the_guard_s_code(
    target: str, code: str
) -> None:
    with between(answer()) as (proxy, server):
        reply = raw(proxy, get(f"http://{target}/x"))

    assert reply.startswith(b"HTTP/1.1 403 ")
    assert f"[{code}]".encode() in reply
    assert (proxy.refusals(), server.heads) == ((Refusal(f"http://{target}/x", code),), [])


class AnyPort(Endpoint):
    def covers(self, address: Address, port: int) -> bool:
        return address in self.network


@pytest.mark.parametrize("request_to", [connect, lambda own: get(f"http://{own}/")], ids=["tunnel", "plain"])
def test_the_proxy_never_reaches_itself_even_when_its_port_is_allowed(
    request_to: Callable[[str], bytes],
) -> None:
    everything_here = Policy((AnyPort(ipaddress.ip_network("127.0.0.0/8"), 1),), test_or_demo=True)

    with FilteringProxy(Guard(everything_here)) as proxy:
        reply = raw(proxy, request_to(proxy.address))

    assert b"[own_listener]" in reply


@pytest.mark.parametrize(
    ("request_bytes", "code"),
    [
        pytest.param(get("/"), "not_proxied", id="origin form"),
        pytest.param(get("https://dept.example.cn/"), "not_proxied", id="https without a tunnel"),
        pytest.param(get("ftp://dept.example.cn/"), "not_proxied", id="ftp"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "bad_request", id="TLS"),
        pytest.param(b"GET http://a.cn/ HTTP/1.1\r\n\r\n", "bad_request", id="no host"),
        pytest.param(
            b"GET http://a.cn/ HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 200_000, "bad_request", id="long"
        ),
        pytest.param(
            b"POST http://a.cn/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "bad_request",
            id="two lengths",
        ),
    ],
)
def test_what_is_no_proxy_request_is_answered_400(request_bytes: bytes, code: str) -> None:
    with between(answer()) as (proxy, _):
        reply = raw(proxy, request_bytes)

    assert reply == b"(reset)" or reply.startswith(b"HTTP/1.1 400 ")
    assert reply == b"(reset)" or f"[{code}]".encode() in reply


@pytest.mark.parametrize(
    "behave",
    [hostile.hang_up, hostile.garbage, hostile.hang, hostile.endless_headers],
    ids=lambda one: one.__name__,
)
def test_a_server_that_does_not_answer_properly_is_a_502(behave: hostile.Behaviour) -> None:
    with between(behave, ProxyLimits(idle_seconds=0.3)) as (proxy, server):
        assert raw(proxy, get(server.url())).startswith(b"HTTP/1.1 502 ")


def test_nobody_listening_is_a_502() -> None:
    with serving(answer()) as server:
        guard = a_guard_for(server)

    with FilteringProxy(guard) as proxy:
        assert raw(proxy, get(server.url())).startswith(b"HTTP/1.1 502 ")
        assert raw(proxy, connect(f"127.0.0.1:{server.port}")).startswith(b"HTTP/1.1 502 ")


def test_an_endless_body_ends_at_the_byte_cap_and_nothing_passes_after_it() -> None:
    with between(hostile.endless_body, ProxyLimits(total_bytes=1_000_000)) as (proxy, server):
        first = raw(proxy, get(server.url()))
        second = raw(proxy, get(server.url()))

    assert 0 < len(first) <= 1_000_000
    assert (second, proxy.refusals()[-1].code) == (b"", "byte_cap")


@pytest.mark.parametrize("behave", [hostile.trickle, hostile.endless_body], ids=lambda one: one.__name__)
def test_a_connection_that_never_ends_is_cut(behave: hostile.Behaviour) -> None:
    limits = ProxyLimits(connection_seconds=0.5, total_bytes=1 << 40)

    with between(behave, limits) as (proxy, server):
        assert raw(proxy, get(server.url())).startswith(b"HTTP/1.1 200 ")


def test_an_idle_tunnel_is_closed() -> None:
    with between(hostile.hang, ProxyLimits(idle_seconds=0.3)) as (proxy, server):
        reply = raw(proxy, connect(f"127.0.0.1:{server.port}"))

    assert reply == b"HTTP/1.1 200 Connection established\r\n\r\n"


def test_an_idle_client_is_closed() -> None:
    with between(answer(), ProxyLimits(idle_seconds=0.3)) as (proxy, _):
        assert raw(proxy, b"GET http://") == b""


def test_too_many_connections_at_once_are_answered_503() -> None:
    with between(hostile.hang, ProxyLimits(connections=1)) as (proxy, server):
        host, port = proxy.address.split(":")
        with socket.create_connection((host, int(port))) as first:
            first.sendall(get(server.url()))
            while not server.heads:
                threading.Event().wait(0.01)
            reply = raw(proxy, get(server.url()))

    assert reply.startswith(b"HTTP/1.1 503 ")


def test_stopping_closes_open_connections_and_the_port() -> None:
    with serving(hostile.hang) as server:
        with FilteringProxy(a_guard_for(server)) as proxy:
            host, port = proxy.address.split(":")
            left_open = socket.create_connection((host, int(port)), 10)
            left_open.sendall(connect(f"127.0.0.1:{server.port}"))
            assert left_open.recv(1000).startswith(b"HTTP/1.1 200 ")

        with left_open:
            assert left_open.recv(1000) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)), 10)


def test_the_checked_address_is_used_although_the_name_moves_on() -> None:
    with serving(answer(b"<p>first")) as server:
        answers = iter([["127.0.0.1"], ["127.0.0.2"]])
        guard: Guard = a_guard_for(server, resolve=lambda host: next(answers))
        with FilteringProxy(guard) as proxy:
            first = raw(proxy, get(server.url(host="rebinding.example.cn")))
            second = raw(proxy, get(server.url(host="rebinding.example.cn")))

    assert first.endswith(b"<p>first")
    assert b"[private_address]" in second


PROBING_PAGE = """<!doctype html><meta charset=utf-8><title>start</title>
<img src="http://127.0.0.1:{port}/img"><iframe src="http://[::1]:{port}/frame"></iframe>
<script src="http://localhost:{port}/script"></script>
<script>
const quiet = () => 0
const tries = ["http://127.1:{port}/fetch", "http://2130706433:{port}/", "http://169.254.169.254/"]
const done = tries.map(url => fetch(url, {{mode: "no-cors"}}).then(quiet, quiet))
done.push(new Promise(end => new WebSocket("ws://127.0.0.1:{port}/socket").onerror = end))
navigator.sendBeacon("http://127.0.0.1:{port}/beacon", "x")
Promise.all(done).then(() => fetch("/same")).then(one => one.text()).then(text => document.title = text)
</script>"""


@pytest.mark.browser
def test_a_page_in_a_real_browser_reaches_its_own_host_and_nothing_on_this_machine() -> None:
    with serving(answer()) as inner:
        page = PROBING_PAGE.format(port=inner.port).encode()
        site = hostile.by_path({"/": answer(page), "/same": answer("同源".encode())})
        with (
            between(site, names=("dept.example.cn",)) as (proxy, server),
            Browser() as browser,
            browser.open_page(
                Device(), proxy=proxy.address, limits=PageLimits(deadline_seconds=10)
            ) as opened,
        ):
            opened.go(server.url(host="dept.example.cn"))
            opened.watch(2)
            title = opened.evaluate("document.title")

    assert (title, inner.heads) == ("同源", [])
    assert len({refusal.target for refusal in proxy.refusals()}) >= 7


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=200) | st.sampled_from([get("/"), connect("x:1"), b"\r\n", b"0\r\n\r\n"])))
def test_any_bytes_leave_the_proxy_running(pieces: list[bytes]) -> None:
    with FilteringProxy(a_guard_for(), ProxyLimits(idle_seconds=0.02)) as proxy:
        raw(proxy, b"".join(pieces))

        assert raw(proxy, connect("127.0.0.1:1")).startswith(b"HTTP/1.1 403 ")
