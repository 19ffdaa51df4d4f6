"""Static files and the size of pages: compressed once, cached for a year under their digest."""

from __future__ import annotations

import gzip
import hashlib
import io
import mimetypes
import secrets
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, request, url_for
from werkzeug.security import safe_join

from app.core import access
from app.core.errors import NotFound

YEAR_SECONDS = 365 * 86400
UNVERSIONED_SECONDS = 86400
WORTH_BYTES = 1000
"""Below this nothing is won by compressing."""
TEXT = ("text/", "application/javascript", "application/json", "image/svg+xml")
PAGE_LEVEL = 5
PAD_BYTES = 100


@dataclass(frozen=True, slots=True)
class _Asset:
    stamp: tuple[int, int]
    body: bytes
    packed: bytes | None
    digest: str
    content_type: str


class Assets:
    """The files below one folder, read and compressed when first asked for; anew when they change."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._known: dict[str, _Asset] = {}

    def find(self, name: str) -> _Asset:
        """Return a file.

        Raises:
            NotFound: there is none, or it lies outside the folder.
        """
        path = safe_join(self._folder, name)
        try:
            if path is None or not (file := Path(path)).is_file():
                raise NotFound
            stat = file.stat()
        except OSError:  # a name longer than any file's; or gone meanwhile
            raise NotFound from None
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._known.get(name)
        if known is None or known.stamp != stamp:
            known = self._known[name] = _read(file, stamp)
        return known

    def address(self, name: str) -> str:
        """Return the address of a file; it changes with the bytes, if there are any."""
        try:
            return url_for("static", filename=name, v=self.find(name).digest[:12])
        except NotFound:
            return url_for("static", filename=name)

    def answer(self, filename: str) -> Response:
        found = self.find(filename)
        packed = found.packed if request.accept_encodings["gzip"] > 0 else None
        answer = Response(packed or found.body, content_type=found.content_type)
        if packed:
            answer.headers["Content-Encoding"] = "gzip"
        answer.vary.add("Accept-Encoding")
        answer.set_etag(f"{found.digest[:20]}{'-gz' if packed else ''}")
        answer.cache_control.public = True
        versioned = request.args.get("v") == found.digest[:12]
        answer.cache_control.max_age = YEAR_SECONDS if versioned else UNVERSIONED_SECONDS
        answer.cache_control.immutable = versioned
        answer.make_conditional(request)
        return answer


def _read(file: Path, stamp: tuple[int, int]) -> _Asset:
    body = file.read_bytes()
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    text = kind.startswith(TEXT)
    packed = gzip.compress(body, 9, mtime=0) if text and len(body) > WORTH_BYTES else None
    content_type = f"{kind}; charset=utf-8" if text else kind
    return _Asset(stamp, body, packed, hashlib.sha256(body).hexdigest(), content_type)


def init_app(app: Flask) -> None:
    """Serve static files from memory, and compress pages. Before what changes pages: its hook runs after."""
    assets = Assets(app.static_folder or "")

    @access.public("style sheets, scripts and pictures")
    def static(filename: str) -> Response:
        return assets.answer(filename)

    app.view_functions["static"] = static
    app.context_processor(lambda: {"asset": assets.address})
    app.after_request(_pack_page)


def _pack_page(answer: Response) -> Response:
    if answer.mimetype != "text/html" or answer.direct_passthrough or answer.is_streamed:
        return answer
    answer.vary.add("Accept-Encoding")
    body = answer.get_data()
    if len(body) > WORTH_BYTES and request.accept_encodings["gzip"] > 0 and not answer.content_encoding:
        answer.set_data(_padded_gzip(body))
        answer.headers["Content-Encoding"] = "gzip"
    return answer


def _padded_gzip(body: bytes) -> bytes:
    """Compress a page under a file name of random length, so that its size betrays no secret on it.

    Source: Heal The Breach (Palacios and others, 2022).
    """
    packed = io.BytesIO()
    name = "a" * (1 + secrets.randbelow(PAD_BYTES))
    with gzip.GzipFile(name, "wb", PAGE_LEVEL, packed, mtime=0) as file:
        file.write(body)
    return packed.getvalue()
