"""Answers that are asked for all the time: finished bytes, kept in process, given out before Flask.

A view remembers its finished answer under the version of what it shows. For ``FRESH_SECONDS`` the
same address is answered from here; then one request goes to the view again, which looks whether the
version is still the same. What is kept may vanish at any time.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from flask import Flask, Response, current_app, request
from prometheus_client import Counter

FRESH_SECONDS = 1.0
ANSWERS_MAX = 512
BYTES_MAX = 16 * 1024 * 1024

_PER_REQUEST = frozenset({"X-Request-Id", "Date", "Content-Length"})

Environ = dict[str, Any]
Wsgi = Callable[..., Iterable[bytes]]
_hits = Counter("hall_hot_answers_total", "Answers given from the process's own memory")


@dataclass(slots=True)
class _Kept:
    version: int
    etag: str
    body: bytes
    headers: list[tuple[str, str]]
    checked_at: float


class HotAnswers:
    """The answers of one process, and the WSGI layer that gives them out."""

    def __init__(self, wsgi: Wsgi) -> None:
        self._wsgi = wsgi
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            kept = self._kept.get(_address(environ))
            if kept is not None and time.monotonic() - kept.checked_at < FRESH_SECONDS:
                return self._give(kept, environ, start_response)
        return self._wsgi(environ, start_response)

    def _give(self, kept: _Kept, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        _hits.inc()
        headers = [*kept.headers, ("X-Request-Id", environ["hall.request_id"])]
        if environ.get("HTTP_IF_NONE_MATCH") == kept.etag:
            start_response("304 NOT MODIFIED", [one for one in headers if one[0] != "Content-Length"])
            return []
        start_response("200 OK", headers)
        return [kept.body]

    def find(self, environ: Environ, version: int) -> bytes | None:
        """Return the body kept for this address under ``version``, and count it as fresh again."""
        kept = self._kept.get(_address(environ))
        if kept is None or kept.version != version:
            return None
        kept.checked_at = time.monotonic()
        return kept.body

    def keep(self, environ: Environ, version: int, answer: Response) -> None:
        """Keep a finished answer; the least recently kept go when there is no more room."""
        body = answer.get_data()
        headers = [(name, value) for name, value in answer.headers.to_wsgi_list() if name not in _PER_REQUEST]
        headers.append(("Content-Length", str(len(body))))
        with self._lock:
            address = _address(environ)
            self._drop(address)
            self._kept[address] = _Kept(
                version, answer.headers.get("ETag", ""), body, headers, time.monotonic()
            )
            self._bytes += len(body)
            while len(self._kept) > ANSWERS_MAX or self._bytes > BYTES_MAX:
                self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _drop(self, address: str) -> None:
        gone = self._kept.pop(address, None)
        if gone is not None:
            self._bytes -= len(gone.body)


def _address(environ: Environ) -> str:
    # The scheme and host are part of it: security headers differ, and hosts are checked by Flask.
    return "|".join(
        (
            environ.get("wsgi.url_scheme", ""),
            environ.get("HTTP_HOST", ""),
            environ.get("PATH_INFO", ""),
            environ.get("QUERY_STRING", ""),
        )
    )


def init_app(app: Flask) -> None:
    """Put the hot answers directly before Flask, behind what gives requests their id."""
    hot = HotAnswers(app.wsgi_app)
    app.extensions["hall_hot"] = hot
    app.wsgi_app = hot  # type: ignore[method-assign]

    @app.after_request
    def _keep(answer: Response) -> Response:
        version = request.environ.get("hall.hot_version")
        if version is not None and answer.status_code == 200:
            hot.keep(request.environ, version, answer)
        return answer


def answer(version: int, make: Callable[[], bytes], *, content_type: str) -> Response:
    """Return the answer of the current public view, made anew only when ``version`` changed.

    Only for answers that are the same for everybody: they are given out without asking who it is.
    Pages are not: they differ by language and edition.

    Raises:
        ValueError: it is a page.
    """
    if content_type.startswith("text/html"):
        raise ValueError("a page is not the same for everybody")
    hot: HotAnswers = current_app.extensions["hall_hot"]
    body = hot.find(request.environ, version)
    request.environ["hall.hot_version"] = version
    response = Response(body if body is not None else make(), content_type=content_type)
    response.add_etag()
    response.headers["Cache-Control"] = "public, max-age=5"
    response.make_conditional(request)
    return response
