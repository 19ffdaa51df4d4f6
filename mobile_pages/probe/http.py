"""One look at one page: fresh name look-up, connection and TLS handshake, every phase timed.

libcurl does the speaking. It is told which addresses the guard has checked and resolves nothing
itself; redirects come back to us and pass the guard again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from http.cookiejar import CookieJar
from math import ceil
from time import monotonic, perf_counter
from typing import Any, cast
from urllib.request import Request as CookieRequest
from weakref import WeakValueDictionary

import certifi
import pycurl
from tornado.curl_httpclient import CurlAsyncHTTPClient, CurlError
from tornado.httpclient import HTTPRequest, HTTPResponse

from mobile_pages.guard import AsyncResolve, Guard, Policy, Refused, follow
from mobile_pages.probe.base import Cause, Phases, ProbeResult, ProbeTarget, Verdict
from mobile_pages.probe.content import decode, objection, structure, title
from mobile_pages.probe.curl_errors import Failure, explain
from mobile_pages.probe.dns import DnsResolver
from mobile_pages.probe.facts import Certificate, Seen
from mobile_pages.probe.places import NotOurTurn, Places, Turn

log = logging.getLogger(__name__)

MAX_REDIRECTS = 5
_HEADERS = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "zh-CN,zh;q=0.9"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# No post-quantum key share: it costs a quarter of the handshake and swells the first packet beyond what
# old servers and firewalls take.
_CURVES = "P-256:X25519:P-384:P-521"
_SYSTEM_CA = "/etc/ssl/certs/ca-certificates.crt"
LEARN_SECONDS = 600.0
"""How often more is learnt of a target than whether it is open."""
LEARN_MOST = 15.0
"""So many looks a second may learn more."""

_TLS_CHATTER = b"SSL connection using "
_ESCAPED = re.compile(r"(?:\\[0-9A-F]{2})+")
"""Letters beyond ASCII as OpenSSL writes them into names."""
_TITLE_MOST = 100
_EXPLAINED_WITHIN = 64 * 1024
_MAINTENANCE_WORDS = ("维护", "升级", "暂停服务", "停服")
# A phone's browser first, since some sites send desktops elsewhere; then who we are.
USER_AGENT = (
    "Mozilla/5.0 (Linux; Android 10; Mobile) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 "
    "Mobile Safari/537.36 GuangdongOnlineServiceHall-Probe/1.0"
)


def default_ca_file() -> str:
    """Return the system's bundle of trusted roots, or the one that came with the installation."""
    return _SYSTEM_CA if os.path.exists(_SYSTEM_CA) else certifi.where()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the prober takes upon itself.

    Attributes:
        connections: transfers at the same time, all hosts together.
        per_host: looks at the same time at pages of one host and port; more at a host with so many
            pages that they could not be looked at in turn if all of them timed out.
        patience_seconds: how long a look may wait for its turn before it is given up as missed.
        body_bytes: after decompression, of one answer.
    """

    connections: int = 6000
    per_host: int = 6
    patience_seconds: float = 10.0
    body_bytes: int = 4 * 1024 * 1024


class HttpProber:
    """Looks at pages. Belongs to the event loop it is used in; close it there.

    Args:
        policy: which resolved addresses may be reached.
        resolve: instead of the system's name servers.
        ca_file: trusted roots, PEM; None for the system's.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        resolve: AsyncResolve | None = None,
        ca_file: str | None = None,
        limits: Limits | None = None,
        user_agent: str = USER_AGENT,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._limits = limits or Limits()
        self._dns = DnsResolver()
        self._guard = Guard(policy, aresolve=resolve or self._dns)
        self._ca_file = ca_file or default_ca_file()
        self._user_agent = user_agent
        self._now = now
        self._connections = asyncio.Semaphore(self._limits.connections)
        self._hosts: WeakValueDictionary[str, Places] = WeakValueDictionary()
        self._loads: dict[str, float] = {}
        self._known: dict[str, str] = {}
        self._learnt: dict[str, _Learnt] = {}
        self._learnings, self._learning_at = LEARN_MOST, monotonic()
        self._client = _Client(
            force_instance=True,
            max_clients=1,
            max_body_size=self._limits.body_bytes,
        )

    async def look(self, target: ProbeTarget) -> ProbeResult:
        """Look once. Whatever the network does is told in the result, never raised."""
        return await self.travel(target, self.open)

    async def travel(self, target: ProbeTarget, way: Callable[[Trip], Awaitable[None]]) -> ProbeResult:
        """Look in the caller's ``way``, which sends by :meth:`fetch` and raises :class:`Failure`."""
        host = self._places_at(target)
        trip = Trip(target, self._now(), learning=self._is_to_learn(target.id))
        known = self._learnt.get(target.id)
        if known is not None:
            trip.cert_not_after = known.cert_not_after
        try:
            async with Turn(host, self._limits.patience_seconds):
                trip.started_at = self._now()
                await way(trip)
        except Failure as failure:
            return trip.result(Verdict.DOWN, failure.cause, failure.detail)
        except NotOurTurn:
            return trip.result(Verdict.UNKNOWN, Cause.MISSED, "探测任务繁忙，本次未能按时探测。")
        except Exception:
            log.exception("probe_failed", extra={"target_id": target.id})
            return trip.result(Verdict.UNKNOWN, Cause.PROBER_FAULT, "探测程序内部错误，本次结果无效。")
        if trip.phases.total_ms >= target.slow_ms:
            detail = f"页面打开用时 {trip.phases.total_ms / 1000:.1f} 秒。"
            return trip.result(Verdict.DEGRADED, Cause.SLOW, detail)
        return trip.result(Verdict.UP)

    def _places_at(self, target: ProbeTarget) -> Places:
        """Return the places of a target's host: enough that its pages get their turn though all hang."""
        host = _host_key(target.url)
        if self._known.get(target.id) != host:
            self._known[target.id] = host
            share = target.timeout_seconds / target.interval_seconds
            self._loads[host] = self._loads.get(host, 0.0) + share
        wanted = max(self._limits.per_host, ceil(self._loads[host]))
        places = self._hosts.setdefault(host, Places(wanted))
        places.grow(wanted)
        return places

    def _is_to_learn(self, target_id: str) -> bool:
        """Tell whether it is time to learn more of a target than whether it is open."""
        now, known = monotonic(), self._learnt.get(target_id)
        if known is not None and now - known.at < LEARN_SECONDS:
            return False
        # It costs as much as the look itself: not all at once when the prober begins.
        self._learnings = min(LEARN_MOST, self._learnings + (now - self._learning_at) * LEARN_MOST)
        self._learning_at = now
        if self._learnings < 1:
            return False
        self._learnings -= 1
        return True

    async def close(self) -> None:
        """Drop what is under way and free sockets; looks still running must have been cancelled."""
        self._client.close()
        await self._dns.close()

    async def open(self, trip: Trip) -> None:
        """Open the trip's page, following redirects, and judge it.

        Raises:
            Failure: it is not open.
        """
        seen: set[tuple[str, str]] = set()
        while True:
            answer = await self.fetch(trip)
            location = answer.headers.get("Location")
            if answer.code in trip.target.expected_status or answer.code not in _REDIRECTS or not location:
                break
            if trip.redirects == MAX_REDIRECTS or (trip.url, trip.cookies) in seen:
                raise Failure(Cause.REDIRECT_LOOP, "页面不停跳转，无法打开。")
            seen.add((trip.url, trip.cookies))
            trip.turn(answer, location)
        _judge(trip.target, answer)
        if trip.learning:
            trip.seen = _learn(trip, answer)
            self._learnt[trip.target.id] = _Learnt(monotonic(), trip.cert_not_after)

    async def fetch(self, trip: Trip) -> HTTPResponse:
        """Send the trip's next request through the guard and wait for the whole answer.

        Raises:
            Failure: no answer came, or the guard refused the address.
        """
        began = perf_counter()
        try:
            async with asyncio.timeout(trip.left_seconds()):
                pinned = await self._guard.acheck(trip.url)
        except Refused as refused:
            raise _refusal(refused) from refused
        except TimeoutError as error:
            raise Failure(Cause.DNS_FAILURE, "域名解析超时。") from error
        finally:
            trip.phases += Phases(dns_ms=(perf_counter() - began) * 1000)
        trip.addresses = trip.addresses or pinned.addresses
        exchange = _Exchange(pinned.host, pinned.port, pinned.addresses, trip.learning)
        async with Turn(self._connections, self._limits.patience_seconds):
            request = _Request(
                pinned.url,
                exchange=exchange,
                method=trip.method,
                headers=_HEADERS | trip.headers | ({"Cookie": trip.cookies} if trip.cookies else {}),
                body=trip.body,
                allow_nonstandard_methods=True,
                follow_redirects=False,
                connect_timeout=trip.left_seconds(),
                request_timeout=trip.left_seconds(),
                user_agent=self._user_agent,
                ca_certs=self._ca_file,
            )
            try:
                answer = await self._client.fetch(request, raise_error=False)
            except asyncio.CancelledError:
                exchange.given_up = True
                raise
            except CurlError as error:
                trip.arrive(exchange)
                raise explain(error, exchange.time_info, exchange.os_errno, exchange.verify_result) from error
        trip.arrive(exchange, answer)
        return answer


@dataclass(frozen=True, slots=True)
class _Learnt:
    """When more was learnt of a target, and what of it every result tells."""

    at: float
    cert_not_after: datetime | None


class _Client(CurlAsyncHTTPClient):
    """Reads what tornado does not hand on, in the moment before the handle is wiped.

    libcurl keeps the addresses it was told for ever and goes through all of them at each request, so
    each request begins by taking back those of requests that have ended.
    """

    def initialize(self, *args: Any, **options: Any) -> None:
        self._spent: list[str] = []
        super().initialize(*args, **options)

    def _handle_timeout(self) -> None:
        # Closing breaks off what is under way, which asks for one more time-out.
        if self._multi is not None:
            super()._handle_timeout()

    def fetch_impl(self, request: HTTPRequest, callback: Callable[[HTTPResponse], None]) -> None:
        exchange: _Exchange = cast(_Request, request).exchange

        def read_first(response: HTTPResponse) -> None:
            exchange.read(response.time_info)
            self._spent.append(f"-{exchange.host}:{exchange.port}")
            if not exchange.given_up:
                callback(response)

        exchange.spent, self._spent = self._spent, []
        if not self._free_list:  # how many at a time is limited before they come here
            self._curls.append(self._curl_create())
            self._free_list.append(self._curls[-1])
        super().fetch_impl(request, read_first)


class _Request(HTTPRequest):
    def __init__(self, url: str, *, exchange: _Exchange, **options: Any) -> None:
        super().__init__(url, prepare_curl_callback=exchange.prepare, **options)
        self.exchange = exchange


@dataclass(slots=True)
class _Exchange:
    """One request and its answer, as libcurl's handle knows them."""

    host: str
    port: int
    addresses: tuple[str, ...]
    learning: bool = False
    curl: Any = None
    address: str = ""
    cert_not_after: datetime | None = None
    certificate: Certificate | None = None
    tls_version: str = ""
    os_errno: int = 0
    verify_result: int = 0
    time_info: dict[str, float] = field(default_factory=dict)
    spent: list[str] = field(default_factory=list)
    given_up: bool = False

    def prepare(self, curl: Any) -> None:
        self.curl = curl
        addresses = ",".join(f"[{one}]" if ":" in one else one for one in self.addresses)
        curl.setopt(pycurl.RESOLVE, [*self.spent, f"{self.host}:{self.port}:{addresses}"])
        # A proxy named in the environment would resolve by itself and undo the guard.
        curl.setopt(pycurl.PROXY, "")
        curl.setopt(pycurl.NOPROXY, "*")
        curl.setopt(pycurl.FRESH_CONNECT, 1)
        curl.setopt(pycurl.FORBID_REUSE, 1)
        curl.setopt(pycurl.SSL_SESSIONID_CACHE, 0)
        curl.setopt(pycurl.SSL_EC_CURVES, _CURVES)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        # libcurl tells the version of TLS in its chatter only; handles are used again, so also say no.
        curl.setopt(pycurl.VERBOSE, self.learning)
        curl.setopt(pycurl.OPT_CERTINFO, self.learning)
        if self.learning:
            curl.setopt(pycurl.DEBUGFUNCTION, self._overhear)

    def _overhear(self, kind: int, text: bytes) -> None:
        if kind == pycurl.INFOTYPE_TEXT and text.startswith(_TLS_CHATTER):
            self.tls_version = text[len(_TLS_CHATTER) :].split()[0].decode("ascii", "replace")

    def read(self, time_info: dict[str, float]) -> None:
        if self.curl is None:  # tornado could not even set the request up
            return
        self.time_info = time_info
        self.address = self.curl.getinfo(pycurl.PRIMARY_IP) or ""
        self.os_errno = self.curl.getinfo(pycurl.OS_ERRNO)
        self.verify_result = self.curl.getinfo(pycurl.SSL_VERIFYRESULT)
        chain = self.curl.getinfo(pycurl.INFO_CERTINFO)
        if chain:
            told = dict(chain[0])
            self.cert_not_after = _not_after(told.get("Expire date", ""))
            if self.learning and self.cert_not_after is not None:
                serial, issuer = told.get("Serial Number", ""), _organisation(told.get("Issuer", ""))
                self.certificate = Certificate(f"{issuer} {serial}", issuer, serial, self.cert_not_after)
        self.curl = None


@dataclass(slots=True)
class Trip:
    """What is known so far of a look, redirects included, and the request to be sent next.

    Attributes:
        cookies: of the ``jar``, for ``url``.
        answer: the last one that came whole.
        learning: whether to learn more than whether the page is open; ``seen`` is what was learnt.
    """

    target: ProbeTarget
    started_at: datetime
    url: str = ""
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cookies: str = ""
    redirects: int = 0
    phases: Phases = field(default_factory=Phases)
    status: int | None = None
    address: str = ""
    cert_not_after: datetime | None = None
    body_bytes: int = 0
    answer: HTTPResponse | None = None
    learning: bool = False
    addresses: tuple[str, ...] = ()
    tls_version: str = ""
    certificate: Certificate | None = None
    seen: Seen | None = None
    jar: CookieJar = field(default_factory=CookieJar)

    def __post_init__(self) -> None:
        self.url = self.target.url

    def left_seconds(self) -> float:
        """Return what is left of the time, our own waiting not counted.

        Raises:
            Failure: nothing is left.
        """
        left = self.target.timeout_seconds - self.phases.total_ms / 1000
        if left < 0.001:
            raise Failure(Cause.TIMEOUT, f"超过 {self.target.timeout_seconds:g} 秒仍未打开。")
        return left

    def arrive(self, exchange: _Exchange, answer: HTTPResponse | None = None) -> None:
        self.phases += Phases.of_curl(exchange.time_info)
        self.address = exchange.address
        if exchange.learning:
            self.cert_not_after = exchange.cert_not_after
        self.certificate, self.tls_version = exchange.certificate, exchange.tls_version
        self.status = answer.code if answer else None
        self.body_bytes = len(answer.body) if answer else 0
        self.answer = answer

    def take_cookies(self, answer: HTTPResponse) -> None:
        """Keep the cookies that an answer sets."""
        message = Message()
        for cookie in answer.headers.get_list("Set-Cookie"):
            message["Set-Cookie"] = cookie
        self.jar.extract_cookies(cast(Any, _Headers(message)), CookieRequest(self.url))

    def go(self, url: str) -> None:
        """Let the next request go to ``url``, with the cookies that belong there."""
        self.url = url
        following = CookieRequest(url)
        self.jar.add_cookie_header(following)
        self.cookies = following.get_header("Cookie") or ""

    def turn(self, answer: HTTPResponse, location: str) -> None:
        """Go where the redirect points, with the cookies it set."""
        self.take_cookies(answer)
        try:
            # Header bytes reach us as Latin-1; many sites put raw UTF-8 there.
            self.go(follow(self.url, location.encode("latin-1").decode("utf-8")))
        except Refused as refused:
            raise _refusal(refused) from refused
        except UnicodeError as error:
            raise Failure(Cause.BAD_REDIRECT, "跳转地址无法识别。") from error
        self.redirects += 1

    def result(self, verdict: Verdict, cause: str = "", detail: str = "") -> ProbeResult:
        return ProbeResult(
            target_id=self.target.id,
            started_at=self.started_at,
            verdict=verdict,
            cause=str(cause),
            detail=detail,
            status=self.status,
            phases=self.phases,
            address=self.address,
            cert_not_after=self.cert_not_after,
            body_bytes=self.body_bytes,
            final_url=self.url,
            redirects=self.redirects,
            seen=self.seen,
        )


@dataclass(frozen=True, slots=True)
class _Headers:
    """As much of an answer as the cookie jar asks for."""

    message: Message

    def info(self) -> Message:
        return self.message


def _judge(target: ProbeTarget, answer: HTTPResponse) -> None:
    if answer.code not in target.expected_status:
        if _announces_maintenance(answer):
            raise Failure(Cause.MAINTENANCE_PAGE, "服务器返回状态码 503，并挂出了停服维护页。")
        raise Failure(Cause.HTTP_STATUS, f"服务器返回状态码 {answer.code}。")
    if not (target.must_contain or target.must_not_contain or target.expected_title):
        return
    text = decode(answer.body, answer.headers.get("Content-Type", ""))
    wrong = objection(text, target.must_contain, target.must_not_contain, target.expected_title)
    if wrong:
        raise Failure(Cause.WRONG_CONTENT, wrong)


def _announces_maintenance(answer: HTTPResponse) -> bool:
    """Tell a page that explains a maintenance, and until when, from a server that merely fails."""
    if answer.code != 503 or "Retry-After" not in answer.headers:
        return False
    text = decode(answer.body[:_EXPLAINED_WITHIN], answer.headers.get("Content-Type", ""))
    return any(word in text for word in _MAINTENANCE_WORDS)


def _learn(trip: Trip, answer: HTTPResponse) -> Seen:
    kind = answer.headers.get("Content-Type", "")
    text = decode(answer.body, kind) if "html" in kind.lower() or not kind else ""
    return Seen(
        at=trip.started_at,
        addresses=trip.addresses,
        tls_version=trip.tls_version,
        certificate=trip.certificate,
        title=title(text)[:_TITLE_MOST],
        structure=structure(text) if text else "",
    )


def _organisation(issuer: str) -> str:
    """Return who signed, as people call it, from a distinguished name as libcurl writes it."""
    parts = dict(part.strip().partition("=")[::2] for part in issuer.replace("/", ",").split(","))
    names = {name.strip(): value.strip() for name, value in parts.items()}
    name = names.get("O") or names.get("CN") or issuer
    return _ESCAPED.sub(_unescaped, name)[:_TITLE_MOST]


def _unescaped(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("\\", "")).decode("utf-8", "replace")


def _refusal(refused: Refused) -> Failure:
    if refused.code in ("dns_failure", "dns_empty"):
        return Failure(Cause.DNS_FAILURE, refused.detail_zh)
    return Failure(f"guard_{refused.code}", refused.detail_zh)


def _host_key(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].lower()


def _not_after(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    except ValueError:
        return None
