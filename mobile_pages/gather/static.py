"""Collects what plain HTTP shows of a page: the entry and a few small fetches beside it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, Self
from urllib.parse import quote

import ada_url
import pycurl
from selectolax.lexbor import LexborHTMLParser

from mobile_pages.artifact import Declaration, Fetch, Hop, StaticPart, Tls, Trouble
from mobile_pages.gather import certificate, charset, transport
from mobile_pages.gather.fixed_paths import try_fixed_paths
from mobile_pages.gather.transport import Answer, Limits, PinnedCurl
from mobile_pages.guard import Guard, Pinned, Refused, follow, parse_target

USER_AGENT = (
    "Mozilla/5.0 (Linux; Android 13; Mobile) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Mobile Safari/537.36 MobilePageCheck/1"
)
EXTRA_PARAMETERS = "utm=1&ticketId=x&a=b%26c"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TEXT_TYPES = frozenset({"application/xhtml+xml", "application/xml", "application/json"})
_WORKERS = 4
_SOON_SECONDS = 0.3
_TICK_SECONDS = 0.01
# The guard's resolver may be slow; its caller waits no longer than its own deadline.
_CHECKS = ThreadPoolExecutor(max_workers=16, thread_name_prefix="guard")


def fetch(
    url: str,
    guard: Guard,
    *,
    user_agent: str = USER_AGENT,
    limits: Limits | None = None,
    ca_file: Path | None = None,
) -> Fetch:
    """GET ``url`` through the guard and follow its redirects; ends within ``limits.fetch_seconds``.

    Never raises for what the network or the address does: ``Fetch.trouble`` tells it. A bad
    certificate is told in ``Fetch.tls`` and the page is fetched all the same. When a redirect goes
    wrong, status and hops show how far it came.

    Codes of ``trouble``: ``guard_<code>``, ``timeout``, ``connect_failed``, ``connection_closed``,
    ``tls_failed``, ``tls_certificate``, ``not_http``, ``headers_too_large``, ``too_large``, ``incomplete``,
    ``bad_encoding``, ``redirect_loop``, ``too_many_redirects``, ``network``.
    """
    with _Fetcher(guard, user_agent, limits or Limits(), ca_file) as fetcher:
        return fetcher.fetch(url)


@dataclass(slots=True)
class _Trip:
    """One fetch on its way."""

    requested_url: str
    began: float
    deadline: float
    url: str = ""
    hops: list[Hop] = field(default_factory=list)
    seen: set[tuple[str, ...]] = field(default_factory=set)
    tls: list[Tls] = field(default_factory=list)
    answer: Answer = field(default_factory=Answer)

    def end(self, trouble: Trouble | None, *, keep_any_type: bool = False) -> Fetch:
        answer = self.answer
        body = _body(answer, keep_any_type=keep_any_type)
        return Fetch(
            requested_url=self.requested_url,
            final_url=self.url or self.requested_url,
            status=answer.status,
            hops=tuple(self.hops),
            headers=tuple(answer.headers),
            body=body.text,
            head_bytes=answer.body[: charset.PRESCAN_BYTES].decode("latin-1") if body.text else "",
            charset=body.charset,
            charset_source=body.source,
            body_bytes=answer.wire_bytes,
            decoded_bytes=len(answer.body),
            truncated=answer.trouble is not None and bool(answer.body),
            ttfb_ms=answer.ttfb_ms,
            total_ms=round((time.monotonic() - self.began) * 1000),
            tls=next((tls for tls in self.tls if tls.problem), self.tls[-1] if self.tls else None),
            trouble=trouble,
        )


def _body(answer: Answer, *, keep_any_type: bool) -> charset.Decoded:
    header = answer.header("content-type")
    kind, _ = charset.content_type_of(header)
    is_text = not header or kind.startswith("text/") or kind in _TEXT_TYPES or keep_any_type
    if not is_text or b"\0" in answer.body[: charset.PRESCAN_BYTES]:
        return charset.Decoded("", "utf-8", "default")
    return charset.decode(answer.body, header)


class _Fetcher:
    """Fetches for one page; looks at each host's certificate once and keeps connections open."""

    def __init__(self, guard: Guard, user_agent: str, limits: Limits, ca_file: Path | None) -> None:
        self._guard = guard
        self._user_agent = user_agent
        self._limits = limits
        self._ca_file = ca_file
        self._tls: dict[tuple[str, int], Tls | None] = {}
        self._lock = Lock()
        self._idle: list[PinnedCurl] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._idle:
            self._idle.pop().close()

    def fetch(
        self, url: str, *, method: str = "GET", deadline: float | None = None, keep_any_type: bool = False
    ) -> Fetch:
        """Send ``method`` to ``url``; ``deadline`` (monotonic) may shorten the limit."""
        began = time.monotonic()
        ends = began + self._limits.fetch_seconds
        trip = _Trip(url, began, ends if deadline is None else min(ends, deadline))
        with self._lent() as pinned_curl:
            # Some gateways hand out a cookie and redirect to themselves.
            pinned_curl.curl.setopt(pycurl.COOKIEFILE, "")
            trouble = self._travel(trip, pinned_curl, method)
        return trip.end(trouble, keep_any_type=keep_any_type)

    @contextmanager
    def _lent(self) -> Iterator[PinnedCurl]:
        """Lend a handle that no other thread has; it remembers connections but no cookies."""
        with self._lock:
            pinned_curl = self._idle.pop() if self._idle else PinnedCurl()
        try:
            yield pinned_curl
        finally:
            pinned_curl.curl.setopt(pycurl.COOKIELIST, "ALL")
            with self._lock:
                self._idle.append(pinned_curl)

    def _travel(self, trip: _Trip, pinned_curl: PinnedCurl, method: str) -> Trouble | None:
        url = trip.requested_url
        while True:
            try:
                pinned = self._check(url, trip.deadline)
            except Refused as refused:
                return Trouble(f"guard_{refused.code}", refused.detail_zh)
            except TimeoutError:
                return transport.timed_out()
            key = (pinned.url, *sorted(pinned_curl.curl.getinfo(pycurl.INFO_COOKIELIST)))
            if key in trip.seen:
                return Trouble("redirect_loop", "页面循环跳转，无法打开。")
            if len(trip.hops) > self._limits.redirect_count:
                return Trouble("too_many_redirects", f"跳转超过 {self._limits.redirect_count} 次。")
            trip.seen.add(key)
            trip.url = pinned.url
            trip.answer = self._ask(trip, pinned_curl, pinned, method)
            location = trip.answer.header("location")
            if trip.answer.trouble is not None or trip.answer.status not in _REDIRECTS or not location:
                return trip.answer.trouble
            trip.hops.append(Hop(pinned.url, trip.answer.status, location))
            try:
                url = follow(pinned.url, location)
            except Refused as refused:
                return Trouble(f"guard_{refused.code}", refused.detail_zh)

    def _check(self, url: str, deadline: float) -> Pinned:
        if parse_target(url).literal is not None:  # nothing to wait for
            return self._guard.check(url)
        return _CHECKS.submit(self._guard.check, url).result(max(0.0, deadline - time.monotonic()))

    def _ask(self, trip: _Trip, pinned_curl: PinnedCurl, pinned: Pinned, method: str) -> Answer:
        tls = self._inspected(pinned, trip.deadline) if pinned.scheme == "https" else None
        if tls is not None:
            trip.tls.append(tls)
        if trip.deadline <= time.monotonic():
            return Answer(trouble=transport.timed_out())
        pinned_curl.pin(pinned, trip.deadline)
        # A certificate known to be bad is not verified again; one known to be good must still be it.
        pinned_curl.trust(verify=tls is not None and tls.trusted and tls.host_matches, ca_file=self._ca_file)
        return transport.exchange(pinned_curl, self._limits, method=method, user_agent=self._user_agent)

    def _inspected(self, pinned: Pinned, deadline: float) -> Tls | None:
        key = (pinned.host, pinned.port)
        with self._lock:
            if key in self._tls:
                return self._tls[key]
        tls = certificate.inspect(pinned, deadline, self._ca_file)
        with self._lock:
            return self._tls.setdefault(key, tls)

    def with_old_versions(self, entry: Fetch, deadline: float) -> Fetch:
        """Return ``entry`` with the answer to whether its host still speaks TLS 1.0 or 1.1."""
        if entry.tls is None or not entry.final_url.startswith("https:"):
            return entry
        try:
            pinned = self._check(entry.final_url, deadline)
        except (Refused, TimeoutError):
            return entry
        return replace(entry, tls=certificate.with_old_versions(entry.tls, pinned, deadline))


def gather_static(
    declaration: Declaration,
    guard: Guard,
    *,
    limits: Limits | None = None,
    ca_file: Path | None = None,
) -> StaticPart:
    """Visit the declared entry and what stands beside it, within ``limits.total_seconds``.

    ``extras`` holds ``verify:<channel>`` per verification file, ``error-page`` (an address beside
    the entry that does not exist), ``extra-parameter`` (the entry with needless parameters) and
    ``health`` when it is declared; ``ticket`` and ``ticket-again`` use the declared sandbox ticket twice,
    ``ticket-expired`` uses the expired one; ``path:<path>`` are the fixed paths, where they may be tried.
    ``links`` leaves out those for which the time was not enough."""
    limits = limits or Limits()
    deadline = time.monotonic() + limits.total_seconds
    with _Fetcher(guard, USER_AGENT, limits, ca_file) as fetcher:
        entry = fetcher.fetch(declaration.url, deadline=deadline)
        if not entry.status:
            return StaticPart(entry)
        return _beside(entry, declaration, fetcher, limits.link_count, deadline)


def _beside(
    entry: Fetch, declaration: Declaration, fetcher: _Fetcher, link_count: int, deadline: float
) -> StaticPart:
    """Fetch what stands beside the entry."""
    urls = _extra_urls(declaration, entry)
    links = _links(entry)[:link_count]
    tasks: list[Callable[[float], Any]] = [partial(fetcher.with_old_versions, entry)]
    tasks += [partial(_extra, fetcher, url, key.startswith("verify:")) for key, url in urls.items()]
    tasks += [partial(_link_status, fetcher, url) for url in links]
    once = list(_only_once(declaration, fetcher))
    with ThreadPoolExecutor(max_workers=len(once)) if once else nullcontext() as pool:
        under_way = [pool.submit(task, deadline) for task in once] if pool else []
        aged, *answers = _all_done(tasks, deadline)
    extras = dict(zip(urls, answers[: len(urls)], strict=True))
    for one in under_way:
        extras |= one.result()
    told = zip(links, answers[len(urls) :], strict=True)
    return StaticPart(
        aged, links=tuple((url, status) for url, status in told if status is not None), extras=extras
    )


def _only_once(declaration: Declaration, fetcher: _Fetcher) -> Iterator[Callable[[float], dict[str, Fetch]]]:
    """Give what was declared and must not be done twice."""
    if declaration.ticket_url or declaration.expired_ticket_url:
        yield partial(_tickets, declaration, fetcher)
    if declaration.may_probe_paths:
        yield lambda deadline: try_fixed_paths(
            declaration, lambda url: fetcher.fetch(url, deadline=deadline, keep_any_type=True)
        )


def _all_done(tasks: Sequence[Callable[[float], Any]], deadline: float) -> list[Any]:
    """Return what the tasks return, in order.

    They may be done twice: with a server that answers at once they are done one after the other, which
    costs least; what is not ready soon is done anew, several at a time.
    """
    soon = min(deadline, time.monotonic() + _SOON_SECONDS)
    results: list[Any] = []
    for task in tasks:
        result = task(soon)
        if time.monotonic() >= soon - _TICK_SECONDS:  # it may have been cut short
            break
        results.append(result)
    left = tasks[len(results) :]
    if not left:
        return results
    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        return results + list(pool.map(lambda task: task(deadline), left))


def _extra(fetcher: _Fetcher, url: str, keep_any_type: bool, deadline: float) -> Fetch:
    return fetcher.fetch(url, deadline=deadline, keep_any_type=keep_any_type)


def _tickets(declaration: Declaration, fetcher: _Fetcher, deadline: float) -> dict[str, Fetch]:
    """Use the sandbox tickets one after the other; the second use of the first is the one that counts."""
    urls = {
        "ticket": declaration.ticket_url,
        "ticket-again": declaration.ticket_url,
        "ticket-expired": declaration.expired_ticket_url,
    }
    return {key: fetcher.fetch(url, deadline=deadline) for key, url in urls.items() if url}


def _extra_urls(declaration: Declaration, entry: Fetch) -> dict[str, str]:
    urls = {
        f"verify:{kind}": ada_url.join_url(entry.final_url, f"/{quote(name, safe='', errors='replace')}")
        for kind, (name, _) in declaration.verify_files.items()
    }
    urls["error-page"] = ada_url.join_url(entry.final_url, f"no-such-page-{secrets.token_hex(4)}")
    urls["extra-parameter"] = with_extra_parameters(declaration.url)
    if declaration.health_url:
        urls["health"] = declaration.health_url
    return urls


def with_extra_parameters(url: str) -> str:
    """Return ``url`` with parameters that its page does not know, before the fragment."""
    parsed = ada_url.URL(url)
    parsed.search = f"{parsed.search}&{EXTRA_PARAMETERS}" if parsed.search else EXTRA_PARAMETERS
    return parsed.href


def _links(entry: Fetch) -> list[str]:
    """Return same-host addresses of the entry's links, without fragment, each once, in order."""
    if not entry.body:
        return []
    tree = LexborHTMLParser(entry.body)
    base_tag = tree.css_first("base[href]")
    base = _joined(entry.final_url, base_tag.attributes.get("href") if base_tag else None) or entry.final_url
    own = parse_target(entry.final_url)
    found: dict[str, None] = {}
    for anchor in tree.css("a[href]"):
        url = _joined(base, anchor.attributes.get("href"))
        if url is None or url.split("#")[0] == entry.final_url.split("#")[0]:
            continue
        try:
            target = parse_target(url)
        except Refused:
            continue
        if (target.host, target.port) == (own.host, own.port):
            found[target.url.split("#")[0]] = None
    return list(found)


def _joined(base: str, href: str | None) -> str | None:
    try:
        return ada_url.join_url(base, href or "")
    except ValueError:
        return None


def _link_status(fetcher: _Fetcher, url: str, deadline: float) -> int | None:
    """Return the link's final status, 0 when it does not answer, None when the time was too short to know."""
    for method in ("HEAD", "GET"):  # many servers refuse HEAD, some by hanging up; residents send GET
        if time.monotonic() >= deadline:
            return None
        status = fetcher.fetch(url, method=method, deadline=deadline).status
        if 0 < status < 400:
            return status
    return status if status or time.monotonic() < deadline else None
