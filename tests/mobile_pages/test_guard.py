import asyncio
import ipaddress
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages import guard
from mobile_pages.guard import (
    Guard,
    Pinned,
    Policy,
    Refused,
    follow,
    parse_target,
    system_aresolve,
    system_resolve,
)

PUBLIC = "93.184.216.34"
PUBLIC_V6 = "2606:2800:220:1:248:1893:25c8:1946"


def a_guard(*answers: str, allow: Sequence[tuple[str, int]] = ()) -> Guard:
    async def aresolve(host: str) -> Sequence[str]:
        return answers

    policy = Policy.allowing(allow, test_or_demo=True)
    return Guard(policy, resolve=lambda host: answers, aresolve=aresolve)


def refusal_of(guard: Guard, url: str) -> str:
    with pytest.raises(Refused) as refused:
        guard.check(url)
    assert refused.value.detail_zh.endswith("。")
    return refused.value.code


LITERALS = {
    "loopback": "127.0.0.1",
    "loopback, last": "127.255.255.254",
    "loopback, short": "127.1",
    "loopback, three parts": "127.0.1",
    "loopback, decimal": "2130706433",
    "loopback, hexadecimal": "0x7f000001",
    "loopback, hexadecimal parts": "0x7f.0x0.0x0.0x1",
    "loopback, octal": "017700000001",
    "loopback, octal parts": "0177.0.0.01",
    "loopback, mixed": "0x7f.1",
    "loopback, percent-encoded": "%31%32%37.0.0.1",
    "loopback, percent-encoded dots": "127%2e0%2e0%2e1",
    "loopback, trailing dot": "127.0.0.1.",
    "loopback, full-width digits": "１２７.０.０.１",
    "loopback, ideographic dots": "127。0。0。1",
    "loopback, circled digits": "①②⑦.⓪.⓪.①",
    "loopback, padded with zeros": "0000177.0.0.1",
    "loopback, IPv6": "[::1]",
    "loopback, IPv6 in full": "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "loopback, v4-mapped": "[::ffff:127.0.0.1]",
    "loopback, v4-mapped in hexadecimal": "[::ffff:7f00:1]",
    "loopback, v4-compatible": "[::127.0.0.1]",
    "loopback, translated": "[::ffff:0:127.0.0.1]",
    "loopback, NAT64": "[64:ff9b::127.0.0.1]",
    "loopback, local NAT64": "[64:ff9b:1::127.0.0.1]",
    "loopback, 6to4": "[2002:7f00:1::]",
    "loopback, Teredo": "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    "loopback, ISATAP": "[2400:3200::5efe:127.0.0.1]",
    "public, v4-mapped": f"[::ffff:{PUBLIC}]",
    "public, 6to4": "[2002:5db8:d822::1]",
    "unspecified": "0.0.0.0",
    "unspecified, short": "0",
    "unspecified, hexadecimal": "0x0",
    "unspecified, IPv6": "[::]",
    "this network": "0.1.2.3",
    "private 10": "10.0.0.1",
    "private 10, last": "10.255.255.255",
    "private 172, first": "172.16.0.0",
    "private 172, last": "172.31.255.255",
    "private 192": "192.168.1.1",
    "private 192, decimal": "3232235777",
    "private IPv6": "[fd12:3456:789a::1]",
    "private IPv6, fc": "[fc00::1]",
    "carrier-grade NAT": "100.64.0.1",
    "carrier-grade NAT, last": "100.127.255.255",
    "link-local": "169.254.1.1",
    "link-local IPv6": "[fe80::1]",
    "link-local IPv6, last": "[febf::1]",
    "site-local": "[fec0::1]",
    "metadata": "169.254.169.254",
    "metadata, decimal": "2852039166",
    "metadata, hexadecimal": "0xa9fea9fe",
    "metadata, octal": "0251.0376.0251.0376",
    "metadata, v4-mapped": "[::ffff:169.254.169.254]",
    "metadata of Alibaba Cloud": "100.100.100.200",
    "metadata of Azure": "168.63.129.16",
    "metadata of Oracle Cloud": "192.0.0.192",
    "metadata of AWS over IPv6": "[fd00:ec2::254]",
    "metadata of Google over IPv6": "[fd20:ce::254]",
    "multicast": "224.0.0.1",
    "multicast, last": "239.255.255.255",
    "multicast IPv6": "[ff02::1]",
    "broadcast": "255.255.255.255",
    "reserved": "240.0.0.1",
    "protocol assignments": "192.0.0.8",
    "6to4 relay": "192.88.99.1",
    "documentation 1": "192.0.2.1",
    "documentation 2": "198.51.100.1",
    "documentation 3": "203.0.113.1",
    "documentation IPv6": "[2001:db8::1]",
    "documentation IPv6, new": "[3fff::1]",
    "benchmark": "198.18.0.1",
    "benchmark, last": "198.19.255.255",
    "ORCHID": "[2001:20::1]",
    "discard": "[100::1]",
    "segment routing": "[5f00::1]",
    "never given out": "[4000::1]",
}
LITERAL_CASES = [pytest.param(host, id=name) for name, host in LITERALS.items()]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", LITERAL_CASES)
def test_an_address_that_is_not_public_is_refused_in_every_notation(host: str, scheme: str) -> None:
    assert refusal_of(a_guard(), f"{scheme}://{host}/") == "private_address"


ANSWERS = [
    pytest.param(str(parse_target(f"http://{host}/").literal), id=name) for name, host in LITERALS.items()
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_name_that_leads_to_such_an_address_is_refused(answer: str) -> None:
    assert refusal_of(a_guard(answer), "https://dept.example.cn/") == "private_address"


@pytest.mark.parametrize("answer", ANSWERS)
def test_one_such_answer_among_public_ones_is_enough_to_refuse(answer: str) -> None:
    assert refusal_of(a_guard(PUBLIC, PUBLIC_V6, answer), "https://dept.example.cn/") == "private_address"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        pytest.param("", "url_syntax", id="empty"),
        pytest.param("dept.example.cn", "url_syntax", id="no scheme"),
        pytest.param("//dept.example.cn/", "url_syntax", id="scheme-relative"),
        pytest.param("http://", "url_syntax", id="no host"),
        pytest.param("http://a b/", "url_syntax", id="space in the host"),
        pytest.param("http://a%00b/", "url_syntax", id="NUL in the host"),
        pytest.param("http://a%2fb/", "url_syntax", id="slash in the host"),
        pytest.param("http://256.1.1.1/", "url_syntax", id="number too large"),
        pytest.param("http://1.2.3.4.5/", "url_syntax", id="five numbers"),
        pytest.param("http://08.1.1.1/", "url_syntax", id="bad octal"),
        pytest.param("http://[::1/", "url_syntax", id="bracket open"),
        pytest.param("http://[fe80::1%25eth0]/", "url_syntax", id="zone"),
        pytest.param("http://[::1]x/", "url_syntax", id="text after the bracket"),
        pytest.param("http://dept.example.cn:99999/", "url_syntax", id="port too large"),
        pytest.param("http://dept.example.cn:8o/", "url_syntax", id="port not a number"),
        pytest.param("http://dept.exa\tmple.cn/", "url_syntax", id="tab"),
        pytest.param("http://dept.example.cn/\r\nHost: other", "url_syntax", id="line end"),
        pytest.param("http://dept.example.cn/\x7f", "url_syntax", id="delete"),
        pytest.param("http://dept.example.cn/\ud800", "url_syntax", id="lone surrogate"),
        pytest.param("http://a..cn/", "host_syntax", id="empty label"),
        pytest.param("http://example.cn../", "host_syntax", id="two trailing dots"),
        pytest.param("http://./", "host_syntax", id="nothing but a dot"),
        pytest.param("http://\u3002/", "host_syntax", id="nothing but an ideographic dot"),
        pytest.param(f"http://{'a' * 64}.cn/", "host_syntax", id="label too long"),
        pytest.param(f"http://{'.'.join(['a' * 60] * 5)}/", "host_syntax", id="name too long"),
        pytest.param("http://dept.example.cn/" + "a" * 2048, "too_long", id="address too long"),
        pytest.param("http://user@dept.example.cn/", "userinfo", id="user name"),
        pytest.param("http://:secret@dept.example.cn/", "userinfo", id="password"),
        pytest.param("http://dept.example.cn@127.0.0.1/", "userinfo", id="host look-alike"),
        pytest.param("http://dept.example.cn:80@127.0.0.1/", "userinfo", id="host and port look-alike"),
        pytest.param("ftp://dept.example.cn/", "scheme", id="ftp"),
        pytest.param("file:///etc/passwd", "scheme", id="file"),
        pytest.param("javascript:alert(1)", "scheme", id="javascript"),
        pytest.param("data:text/html,x", "scheme", id="data"),
        pytest.param("gopher://dept.example.cn/", "scheme", id="gopher"),
        pytest.param("ws://dept.example.cn/", "scheme", id="ws"),
        pytest.param("view-source:http://dept.example.cn/", "scheme", id="view-source"),
        pytest.param("http://dept.example.cn:0/", "port", id="port 0"),
        pytest.param("http://dept.example.cn:22/", "port", id="ssh"),
        pytest.param("http://dept.example.cn:25/", "port", id="smtp"),
        pytest.param("http://dept.example.cn:6667/", "port", id="irc"),
    ],
)
def test_a_malformed_or_needless_address_is_refused(url: str, code: str) -> None:
    assert refusal_of(a_guard(PUBLIC), url) == code


@pytest.mark.parametrize(
    ("url", "pinned"),
    [
        pytest.param(
            "https://Dept.Example.CN/a?b#c",
            Pinned("https://dept.example.cn/a?b#c", "https", "dept.example.cn", 443, (PUBLIC,)),
            id="plain",
        ),
        pytest.param(
            "http://dept.example.cn.:8080/",
            Pinned("http://dept.example.cn:8080/", "http", "dept.example.cn", 8080, (PUBLIC,)),
            id="trailing dot and port",
        ),
        pytest.param(
            " https://政务.广东.cn/办事 ",
            Pinned(
                "https://xn--zfr164b.xn--xhq521b.cn/%E5%8A%9E%E4%BA%8B",
                "https",
                "xn--zfr164b.xn--xhq521b.cn",
                443,
                (PUBLIC,),
            ),
            id="Chinese",
        ),
        pytest.param(
            r"http:\\dept.example.cn\@127.0.0.1",
            Pinned("http://dept.example.cn/@127.0.0.1", "http", "dept.example.cn", 80, (PUBLIC,)),
            id="backslashes",
        ),
        pytest.param(
            f"http://{PUBLIC}/", Pinned(f"http://{PUBLIC}/", "http", PUBLIC, 80, (PUBLIC,)), id="public IPv4"
        ),
        pytest.param(
            f"http://[{PUBLIC_V6}]/",
            Pinned(f"http://[{PUBLIC_V6}]/", "http", PUBLIC_V6, 80, (PUBLIC_V6,)),
            id="public IPv6",
        ),
    ],
)
def test_a_public_address_is_pinned_in_normal_form(url: str, pinned: Pinned) -> None:
    guard = a_guard(PUBLIC)

    assert guard.check(url) == pinned
    assert asyncio.run(guard.acheck(url)) == pinned


@pytest.mark.parametrize("error", [OSError("name"), UnicodeError("label"), TimeoutError(), KeyError("x")])
def test_whatever_a_resolver_raises_nothing_passes(error: Exception) -> None:
    def resolve(host: str) -> Sequence[str]:
        raise error

    async def aresolve(host: str) -> Sequence[str]:
        raise error

    guard = Guard(Policy(), resolve, aresolve)

    assert refusal_of(guard, "http://dept.example.cn/") == "dns_failure"
    with pytest.raises(Refused, match="dns_failure"):
        asyncio.run(guard.acheck("http://dept.example.cn/"))


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        pytest.param([], "dns_empty", id="none"),
        pytest.param(["not an address"], "dns_failure", id="garbage"),
        pytest.param(["fe80::1%lo"], "private_address", id="zone"),
        pytest.param([f"9.9.9.{n}" for n in range(100)], "dns_failure", id="a flood"),
    ],
)
def test_odd_answers_are_refused(answers: list[str], code: str) -> None:
    assert refusal_of(a_guard(*answers), "http://dept.example.cn/") == code


def test_the_system_resolver_knows_this_machine_and_not_an_invalid_name() -> None:
    assert "127.0.0.1" in system_resolve("localhost")
    assert "127.0.0.1" in asyncio.run(system_aresolve("localhost"))
    with pytest.raises(OSError, match=r"."):
        system_resolve("no-such-name.invalid")


def test_a_name_is_resolved_once_and_only_the_checked_answer_is_handed_on() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    guard = Guard(Policy(), resolve=lambda host: next(answers))

    pinned = guard.check("http://rebinding.example.cn/")

    assert pinned.addresses == (PUBLIC,)
    assert next(answers) == ["127.0.0.1"], "the second answer was never asked for"


def test_an_allow_entry_opens_its_address_and_port_and_nothing_else() -> None:
    guard = a_guard("10.1.2.3", allow=[("10.1.2.0/24", 8443)])

    assert guard.check("https://dept.example.cn:8443/").addresses == ("10.1.2.3",)
    assert refusal_of(guard, "https://dept.example.cn/") == "private_address"
    assert refusal_of(guard, "https://10.1.3.3:8443/") == "private_address"
    assert refusal_of(guard, "https://u:p@dept.example.cn:8443/") == "userinfo"
    assert refusal_of(guard, "ftp://dept.example.cn:8443/") == "scheme"


def test_an_allow_entry_opens_a_port_of_a_public_address() -> None:
    guard = a_guard(PUBLIC, allow=[(f"{PUBLIC}/32", 81)])

    assert guard.check("http://dept.example.cn:81/").port == 81
    assert refusal_of(guard, "http://dept.example.cn:82/") == "port"


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "100.100.100.200", "168.63.129.16", "0.0.0.0", "224.0.0.1", "[::ffff:10.0.0.1]"],
)
def test_no_allow_entry_opens_metadata_and_the_like(host: str) -> None:
    guard = a_guard(allow=[("0.0.0.0/0", 80), ("::/0", 80)])

    assert refusal_of(guard, f"http://{host}/") == "private_address"


def test_a_denied_endpoint_is_closed_although_an_allow_entry_covers_it() -> None:
    guard = a_guard(allow=[("127.0.0.0/8", 8102)]).denying("127.0.0.1/32", 8102)

    assert refusal_of(guard, "http://127.0.0.1:8102/") == "own_listener"
    assert guard.check("http://127.0.0.2:8102/").addresses == ("127.0.0.2",)


@pytest.mark.parametrize(
    "cidr", ["127.0.0.1/32", "127.0.0.0/8", "0.0.0.0/0", "126.0.0.0/7", "::1/128", "::/0"]
)
def test_loopback_cannot_be_allowed_outside_test_and_demo(cidr: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        Policy.allowing([(cidr, 8102)])

    assert Policy.allowing([(cidr, 8102)], test_or_demo=True).allow


@pytest.mark.parametrize(
    ("cidr", "port"), [("10.0.0.0/33", 80), ("dept.example.cn", 80), ("10.0.0.1/32", 0), ("", 1)]
)
def test_a_malformed_allow_entry_is_told_at_once(cidr: str, port: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        Policy.allowing([(cidr, port)])


@pytest.mark.parametrize(
    ("previous", "location", "expected"),
    [
        pytest.param("https://a.cn/x/y?z", "../w", "https://a.cn/w", id="relative"),
        pytest.param("https://a.cn/", "//b.cn/", "https://b.cn/", id="scheme-relative"),
        pytest.param("http://a.cn/", "https://a.cn/", "https://a.cn/", id="upgrade"),
        pytest.param("http://a.cn/", "http://b.cn/", "http://b.cn/", id="plain stays plain"),
    ],
)
def test_a_redirect_is_read_against_the_address_before(previous: str, location: str, expected: str) -> None:
    assert follow(previous, location) == expected


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://a.cn/", "https_downgrade"),
        ("HTTP:\\\\a.cn", "https_downgrade"),
        ("https://[", "url_syntax"),
        ("https://a.cn/\ud800", "url_syntax"),
    ],
)
def test_a_redirect_may_not_lose_encryption_or_be_malformed(location: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        follow("https://a.cn/", location)

    assert refused.value.code == code


CLOSED_V4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/3",
]


def _number(value: int, base: int) -> str:
    return {8: f"0{value:o}", 10: str(value), 16: f"0x{value:X}"}[base]


@st.composite
def closed_hosts(draw: st.DrawFn) -> str:
    """Return a closed IPv4 address in any notation that browsers understand."""
    network = ipaddress.IPv4Network(draw(st.sampled_from(CLOSED_V4)))
    value = draw(st.integers(int(network.network_address), int(network.broadcast_address)))
    parts = draw(st.integers(1, 4))
    heads = [(value >> (24 - 8 * index)) & 0xFF for index in range(parts - 1)]
    tail = value & ((1 << (8 * (5 - parts))) - 1)
    host = ".".join(_number(one, draw(st.sampled_from([8, 10, 16]))) for one in [*heads, tail])
    disguise = draw(st.sampled_from(["none", "percent", "full-width"]))
    if disguise == "percent":
        host = "".join(f"%{ord(letter):02x}" if draw(st.booleans()) else letter for letter in host)
    if disguise == "full-width":
        host = host.translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})
    return host + draw(st.sampled_from(["", "."]))


@given(closed_hosts())
def test_no_notation_of_a_closed_ipv4_address_passes(host: str) -> None:
    assert refusal_of(a_guard(PUBLIC), f"http://{host}/") == "private_address"


@given(st.ip_addresses(v=6))
def test_only_global_unicast_ipv6_passes(address: ipaddress.IPv6Address) -> None:
    try:
        passed = a_guard().check(f"http://[{address}]/").addresses == (str(address),)
    except Refused as refused:
        passed = refused.code != "private_address"

    assert not passed or (address in ipaddress.IPv6Network("2000::/3") and address.is_global)


@given(st.text() | st.text().map(lambda text: f"http://{text}"))
def test_any_text_is_parsed_to_a_form_that_stays_itself_or_is_refused(text: str) -> None:
    try:
        target = parse_target(text)
    except Refused:
        return

    assert parse_target(target.url) == target


def test_look_ups_given_up_while_they_queue_are_never_made(monkeypatch):
    asked, stuck = [], Event()

    def never_answering(host, *_, **__):
        asked.append(host)
        stuck.wait(5)
        return []

    monkeypatch.setattr(guard.socket, "getaddrinfo", never_answering)
    monkeypatch.setattr(guard, "RESOLVE_SECONDS", 0.2)
    with ThreadPoolExecutor(40) as callers, suppress(TimeoutError):
        list(callers.map(guard.system_resolve, [f"host-{number}.example" for number in range(40)]))
    stuck.set()
    guard._LOOKUPS.submit(len, "").result(5)  # the queue has been worked off

    assert len(asked) == 16
