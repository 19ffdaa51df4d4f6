"""The one way out: every address that somebody else named is checked here before it is reached.

An address is parsed as browsers parse it, resolved once, and all its answers must be public. The
caller connects to the checked addresses and to nothing else, so a name that answers differently
the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Self

import ada_url

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str], Sequence[str]]
AsyncResolve = Callable[[str], Awaitable[Sequence[str]]]

MAX_URL_LENGTH = 2048
MAX_ADDRESSES = 32
RESOLVE_SECONDS = 5.0
_DEFAULT_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Above the system ports, browsers refuse these: other protocols live there (Fetch Standard, "port blocking").
_BAD_PORTS = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669}
    | {6679, 6697, 10080}
)

_DETAILS = {
    "url_syntax": "网址格式不正确",
    "too_long": f"网址超过 {MAX_URL_LENGTH} 个字符",
    "scheme": "只支持 http 和 https 网址",
    "userinfo": "网址中不能带用户名或密码",
    "host_syntax": "网址中的域名格式不正确",
    "port": "网址使用了不允许访问的端口",
    "dns_failure": "域名解析失败",
    "dns_empty": "域名没有解析结果",
    "private_address": "网址指向不允许访问的内部地址或保留地址",
    "own_listener": "网址指向本系统自己的服务",
    "https_downgrade": "从 https 跳转到了不加密的 http",
}


class Refused(Exception):
    """The guard does not let an address pass.

    Attributes:
        code: stable: ``url_syntax``, ``too_long``, ``scheme``, ``userinfo``, ``host_syntax``, ``port``,
            ``dns_failure``, ``dns_empty``, ``private_address``, ``own_listener``, ``https_downgrade``.
        detail_zh: one Chinese sentence for the department. It never quotes what a name resolved to.
    """

    def __init__(self, code: str, kind_zh: str = "") -> None:
        self.code = code
        self.detail_zh = f"{_DETAILS[code]}（{kind_zh}）。" if kind_zh else f"{_DETAILS[code]}。"
        super().__init__(code, self.detail_zh)


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed address, nothing resolved yet.

    Attributes:
        url: normalised as browsers do; use this one, never the text it came from.
        host: ASCII, lower case, no brackets, no trailing dot.
        port: the scheme's own when the address names none.
        literal: set when the host is an IP address in any notation.
    """

    url: str
    scheme: str
    host: str
    port: int
    literal: Address | None = None


@dataclass(frozen=True, slots=True)
class Pinned:
    """A checked address: connect to ``addresses`` only, keep ``host`` for SNI and ``Host``."""

    url: str
    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A range of resolved addresses on one port."""

    network: Network
    port: int

    @classmethod
    def parse(cls, cidr: str, port: int) -> Self:
        """Build from text.

        Raises:
            ValueError: malformed range, or a port outside 1–65535.
        """
        if not 0 < port < 65536:
            raise ValueError("port must be from 1 to 65535")
        return cls(ipaddress.ip_network(cidr), port)

    def covers(self, address: Address, port: int) -> bool:
        return port == self.port and address.version == self.network.version and address in self.network


def _networks(*rows: tuple[str, str]) -> tuple[tuple[Network, str], ...]:
    return tuple((ipaddress.ip_network(cidr), kind) for cidr, kind in rows)


# No allow entry opens these. Source: IANA special-purpose address registries; clouds' metadata addresses.
_NEVER = _networks(
    ("0.0.0.0/8", "未指定地址"),
    ("100.100.100.200/32", "云平台元数据地址"),
    ("168.63.129.16/32", "云平台元数据地址"),
    ("169.254.0.0/16", "链路本地地址"),
    ("192.0.0.0/24", "协议专用地址"),
    ("192.88.99.0/24", "6to4 中继地址"),
    ("224.0.0.0/4", "多播地址"),
    ("240.0.0.0/4", "保留地址"),
    ("::/128", "未指定地址"),
    ("::ffff:0:0/96", "IPv4 映射地址"),
    ("::ffff:0:0:0/96", "IPv4 转换地址"),
    ("64:ff9b::/96", "NAT64 地址"),
    ("64:ff9b:1::/48", "NAT64 地址"),
    ("100::/64", "丢弃专用地址"),
    ("2001::/23", "Teredo 等协议专用地址"),
    ("2002::/16", "6to4 地址"),
    ("5f00::/16", "分段路由地址"),
    ("fd00:ec2::254/128", "云平台元数据地址"),
    ("fd20:ce::254/128", "云平台元数据地址"),
    ("fe80::/10", "链路本地地址"),
    ("fec0::/10", "站点本地地址"),
    ("ff00::/8", "多播地址"),
)
_LOOPBACK = _networks(("127.0.0.0/8", "本机地址"), ("::1/128", "本机地址"))
# Reachable only where an allow entry says so.
_CLOSED = (
    *_LOOPBACK,
    *_networks(
        ("10.0.0.0/8", "内网地址"),
        ("100.64.0.0/10", "运营商内部地址"),
        ("172.16.0.0/12", "内网地址"),
        ("192.0.2.0/24", "文档示例地址"),
        ("192.168.0.0/16", "内网地址"),
        ("198.18.0.0/15", "测试专用地址"),
        ("198.51.100.0/24", "文档示例地址"),
        ("203.0.113.0/24", "文档示例地址"),
        ("2001:db8::/32", "文档示例地址"),
        ("3fff::/20", "文档示例地址"),
        ("fc00::/7", "内网地址"),
    ),
)
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
_ISATAP_IDENTIFIERS = frozenset({0x00005EFE, 0x02005EFE})


@dataclass(frozen=True, slots=True)
class Policy:
    """What differs between installations.

    Attributes:
        allow: exceptions, judged on the resolved address and port; they switch nothing else off.
        deny: closed whatever else holds, e.g. the listeners of this installation.
        test_or_demo: loopback may be named in ``allow``.

    Raises:
        ValueError: an allow entry touches loopback outside test and demo.
    """

    allow: tuple[Endpoint, ...] = ()
    deny: tuple[Endpoint, ...] = ()
    test_or_demo: bool = False

    def __post_init__(self) -> None:
        if not self.test_or_demo and any(
            entry.network.overlaps(network)
            for entry in self.allow
            for network, _ in _LOOPBACK
            if entry.network.version == network.version
        ):
            raise ValueError("loopback may be allowed in test and demo only")

    @classmethod
    def allowing(cls, entries: Iterable[tuple[str, int]], *, test_or_demo: bool = False) -> Self:
        """Build from (CIDR, port) pairs.

        Raises:
            ValueError: a malformed entry, or loopback outside test and demo.
        """
        return cls(tuple(Endpoint.parse(*entry) for entry in entries), test_or_demo=test_or_demo)

    def judge(self, address: Address, port: int) -> None:
        """Let ``address`` pass or say why not.

        Raises:
            Refused: ``own_listener``, ``private_address`` or ``port``.
        """
        if any(entry.covers(address, port) for entry in self.deny):
            raise Refused("own_listener")
        if (kind := _kind_never_reached(address)) is not None:
            raise Refused("private_address", kind)
        if any(entry.covers(address, port) for entry in self.allow):
            return
        if (kind := _kind_in(_CLOSED, address)) is not None:
            raise Refused("private_address", kind)
        if not address.is_global:  # what the registries added since this table was written
            raise Refused("private_address", "保留地址")
        if (port < 1024 and port not in _DEFAULT_PORTS.values()) or port in _BAD_PORTS:
            raise Refused("port", str(port))


def _kind_in(table: tuple[tuple[Network, str], ...], address: Address) -> str | None:
    return next(
        (kind for network, kind in table if network.version == address.version and address in network), None
    )


def _kind_never_reached(address: Address) -> str | None:
    if (kind := _kind_in(_NEVER, address)) is not None or isinstance(address, ipaddress.IPv4Address):
        return kind
    if address.scope_id is not None:
        return "带网卡编号的地址"
    if _kind_in(_CLOSED, address) is not None:
        return None
    if address not in _GLOBAL_IPV6:  # IPv4-compatible and everything not yet given out
        return "保留地址"
    return "ISATAP 地址" if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP_IDENTIFIERS else None


def parse_target(url: str) -> Target:
    """Parse ``url`` as browsers do (WHATWG URL Standard) and refuse what a page never needs.

    Decimal, octal, hexadecimal, short, percent-encoded and full-width IPv4 forms all become ``literal``.

    Raises:
        Refused: ``too_long``, ``url_syntax``, ``scheme``, ``userinfo``, ``host_syntax``, ``port``.
    """
    if len(url) > MAX_URL_LENGTH:
        raise Refused("too_long")
    # Browsers drop tabs and line ends silently; nobody types them into an honest address.
    if _CONTROL.search(url):
        raise Refused("url_syntax")
    try:
        parsed = ada_url.URL(url)
    except ValueError:  # also UnicodeEncodeError: lone surrogates
        raise Refused("url_syntax") from None
    scheme = parsed.protocol.rstrip(":")
    if scheme not in _DEFAULT_PORTS:
        raise Refused("scheme")
    if parsed.username or parsed.password:
        raise Refused("userinfo")
    name = parsed.hostname
    if name.endswith(".") and name != ".":
        parsed.hostname = name[:-1]
        name = parsed.hostname
    host = name.strip("[]")
    literal = None
    if parsed.host_type != ada_url.HostType.DEFAULT:
        literal = ipaddress.ip_address(host)
    elif len(host) > 253 or not all(0 < len(label) < 64 for label in host.split(".")):
        raise Refused("host_syntax")
    port = int(parsed.port) if parsed.port else _DEFAULT_PORTS[scheme]
    if port == 0:
        raise Refused("port", "0")
    return Target(parsed.href, scheme, host, port, literal)


def follow(previous_url: str, location: str) -> str:
    """Return where a redirect leads, as an absolute address that is still to be checked.

    Raises:
        Refused: ``url_syntax``, or ``https_downgrade`` when encryption would be lost.
    """
    try:
        url = ada_url.join_url(previous_url, location)
    except ValueError:
        raise Refused("url_syntax") from None
    if previous_url.startswith("https:") and url.startswith("http:"):
        raise Refused("https_downgrade")
    return url


# getaddrinfo knows no deadline; a stuck look-up keeps a thread of this pool, not its caller.
_LOOKUPS = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolve")


def _lookup(host: str) -> list[str]:
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in answers]


def system_resolve(host: str) -> Sequence[str]:
    """Ask the system's resolver, for at most ``RESOLVE_SECONDS``.

    Raises:
        OSError: no such name, no answer, or too slow (``TimeoutError``).
    """
    answer = _LOOKUPS.submit(_lookup, host)
    try:
        return answer.result(RESOLVE_SECONDS)
    finally:
        answer.cancel()  # one that nobody waits for any more must not stand in the queue


async def system_aresolve(host: str) -> Sequence[str]:
    """Do what :func:`system_resolve` does without blocking the loop."""
    async with asyncio.timeout(RESOLVE_SECONDS):
        return await asyncio.wrap_future(_LOOKUPS.submit(_lookup, host))


class Guard:
    """Checks addresses under one policy. Resolvers return IP addresses as text and raise when they fail."""

    def __init__(
        self,
        policy: Policy,
        resolve: Resolve = system_resolve,
        aresolve: AsyncResolve = system_aresolve,
    ) -> None:
        self.policy = policy
        self._resolve = resolve
        self._aresolve = aresolve

    def denying(self, cidr: str, port: int) -> Guard:
        """Return a guard that refuses this endpoint besides everything that this one refuses."""
        policy = replace(self.policy, deny=(*self.policy.deny, Endpoint.parse(cidr, port)))
        return Guard(policy, self._resolve, self._aresolve)

    def check(self, url: str) -> Pinned:
        """Parse, resolve once, and judge every answer.

        Raises:
            Refused: see its codes.
        """
        target = parse_target(url)
        if target.literal is not None:
            return self._pin(target, [str(target.literal)])
        try:
            answers = self._resolve(target.host)
        except Exception as error:  # fail closed whatever a resolver raises
            raise Refused("dns_failure") from error
        return self._pin(target, answers)

    async def acheck(self, url: str) -> Pinned:
        """Do what :meth:`check` does, with the asynchronous resolver."""
        target = parse_target(url)
        if target.literal is not None:
            return self._pin(target, [str(target.literal)])
        try:
            answers = await self._aresolve(target.host)
        except Exception as error:  # fail closed whatever a resolver raises
            raise Refused("dns_failure") from error
        return self._pin(target, answers)

    def _pin(self, target: Target, answers: Sequence[str]) -> Pinned:
        if not answers:
            raise Refused("dns_empty")
        if len(answers) > MAX_ADDRESSES:
            raise Refused("dns_failure")
        try:
            addresses = list(dict.fromkeys(ipaddress.ip_address(answer) for answer in answers))
        except ValueError:
            raise Refused("dns_failure") from None
        for address in addresses:
            self.policy.judge(address, target.port)
        return Pinned(
            target.url, target.scheme, target.host, target.port, tuple(str(address) for address in addresses)
        )
