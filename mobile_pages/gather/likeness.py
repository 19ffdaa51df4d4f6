"""Proves without a browser that a page looks the same to another client.

What a page shows follows from the bytes it is made of, the screen, and its scripts. A page in which no
script runs and nothing stirs cannot tell one client from another, so when the server hands every client
the same bytes, it is one rendering. What cannot be proved is opened in the browser.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from mobile_pages.artifact import Client, Request
from mobile_pages.gather.page import USER_AGENTS
from mobile_pages.gather.transport import Limits, PinnedCurl, exchange
from mobile_pages.guard import Guard, Refused

_REQUEST_CAP = 12
_BYTE_CAP = 512 * 1024
_SECONDS = 2.0
_LIMITS = Limits(wire_bytes=_BYTE_CAP, decoded_bytes=_BYTE_CAP)
# Of the headers only these change what is shown; times, cookies and numbers of requests do not.
_TELLING = (
    *("content-type", "content-disposition", "content-language", "content-security-policy"),
    *("default-style", "link", "refresh", "x-content-type-options"),
)


@dataclass(frozen=True, slots=True)
class _Answer:
    headers: tuple[str | None, ...]
    body: bytes


class Likeness:
    """Compares what a server answers other clients with what it answered the page that was rendered."""

    def __init__(self, url: str, requests: Sequence[Request], guard: Guard) -> None:
        """Take the address of a page that is inert and all requests it made as a plain browser."""
        self._url = url
        self._requests = requests
        self._guard = guard
        self._curl = PinnedCurl()
        self._plain: dict[str, _Answer | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._curl.close()

    def holds(self, url: str, client: Client) -> bool:
        """Say whether ``client`` is proved to see at ``url`` what the plain browser saw. Never raises."""
        deadline = time.monotonic() + _SECONDS
        document = self._as_rendered(deadline)
        if document is None or self._ask(url, client, deadline) != document:
            return False
        parts = [one.url for one in self._requests if one.url != self._url]
        return client is Client.PLAIN or all(
            self._ask(part, client, deadline) == self._plain[part] for part in parts
        )

    def _as_rendered(self, deadline: float) -> _Answer | None:
        """Return the plain document, None unless all answers are those that the browser got."""
        if not self._plain:
            sizes = [one.decoded_bytes for one in self._requests]
            few = len(sizes) <= _REQUEST_CAP and sum(size or 0 for size in sizes) <= _BYTE_CAP
            documents = [one.url for one in self._requests if one.kind == "document"]
            if not few or documents != [self._url]:
                return None
            self._plain = {one.url: self._ask(one.url, Client.PLAIN, deadline) for one in self._requests}
        if not all(_is_same(one, self._plain[one.url]) for one in self._requests):
            return None
        return self._plain[self._url]

    def _ask(self, url: str, client: Client, deadline: float) -> _Answer | None:
        """Return what the server answers, None when something is wrong with it."""
        if time.monotonic() >= deadline:
            return None
        try:
            self._curl.pin(self._guard.check(url), deadline)
        except Refused:
            return None
        self._curl.trust(verify=True)
        answer = exchange(self._curl, _LIMITS, method="GET", user_agent=USER_AGENTS[client])
        if answer.trouble is not None or answer.status != 200:
            return None
        return _Answer(tuple(answer.header(name) for name in _TELLING), answer.body)


def _is_same(request: Request, answer: _Answer | None) -> bool:
    """Say whether the browser got what ``answer`` is, as far as it tells."""
    return answer is not None and request.status == 200 and request.decoded_bytes == len(answer.body)
