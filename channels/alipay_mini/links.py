"""How an Alipay mini program's pages are opened: paths, schemes and drawn codes.

Source: opendocs.alipay.com, 小程序 Scheme 链接 (``alipays://platformapi/startapp`` with ``appId``, ``page``
and ``query``; such links never end) and alipay.open.app.qrcode.create, which draws a code and tells where the
picture is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from channels.base import ChannelError, MiniCode, PageMedium, Picture
from channels.links import is_web_address, with_params

QR_METHOD = "alipay.open.app.qrcode.create"
LANDING = "https://ds.alipay.com/"
"""Opened in a browser, it hands the phone over to Alipay."""

MAX_PATH_CHARS = 1024
MAX_SCENE_CHARS = 256
MIN_WIDTH_PX, MAX_WIDTH_PX = 280, 1280
_PATH = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*")
_QUERY = re.compile(r"[A-Za-z0-9!$&'()*+,/:;=?@._~%-]*")
_PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
_THEIR_DOMAINS = ("alipay.com", "alipayobjects.com")


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the mini program; ``query`` is encoded, without a question mark."""

    page: str
    query: str

    @property
    def path(self) -> str:
        return f"{self.page}?{self.query}" if self.query else self.page


def place_of(url: str, params: Mapping[str, str], web_page: str) -> Place:
    """Return where ``url`` with ``params`` is shown; ``web_page`` is the page that shows web pages.

    Raises:
        ChannelError: ``bad_page``, neither a web address nor a path, or too long.
    """
    if is_web_address(url):
        page, query = web_page, urlencode({"url": with_params(url, params)}, quote_via=quote, safe="")
    else:
        page, _, query = url.partition("?")
        query = "&".join(filter(None, (query, urlencode(params, quote_via=quote, safe=""))))
    if not _PATH.fullmatch(page) or not _QUERY.fullmatch(query) or len(page) + len(query) > MAX_PATH_CHARS:
        raise ChannelError("no page of a mini program", retryable=False, code="bad_page")
    return Place(page, query)


def link(app_id: str, place: Place, medium: PageMedium) -> str:
    """Return a link to the page; schemes open from inside Alipay and from other apps."""
    # The page keeps its own query: it is what the page is told, ``query`` is what the app is.
    scheme = "alipays://platformapi/startapp?" + urlencode(
        {"appId": app_id, "page": place.path}, quote_via=quote, safe=""
    )
    if medium is PageMedium.URL_LINK:
        return f"{LANDING}?{urlencode({'scheme': scheme}, quote_via=quote, safe='')}"
    return scheme


def code_to_wire(code: MiniCode) -> dict[str, Any]:
    """Return what is asked for.

    Raises:
        ChannelError: ``bad_page``, ``bad_scene``, ``bad_width``.
    """
    page, _, query = code.page.partition("?")
    if not _PATH.fullmatch(page) or not _QUERY.fullmatch(query) or (query and code.scene):
        raise ChannelError("no page of a mini program", retryable=False, code="bad_page")
    if not _QUERY.fullmatch(code.scene) or len(code.scene) > MAX_SCENE_CHARS:
        raise ChannelError("no scene the platform takes", retryable=False, code="bad_scene")
    if not MIN_WIDTH_PX <= code.width_px <= MAX_WIDTH_PX:
        raise ChannelError("no such width", retryable=False, code="bad_width")
    said = query or (f"scene={quote(code.scene, safe='')}" if code.scene else "x=0")
    # The platform draws in three sizes and wants a query in every case.
    size = "s" if code.width_px < 430 else "m" if code.width_px < 800 else "l"
    return {"url_param": page, "query_param": said, "describe": "扫码打开", "size": size}


def picture_address(told: Mapping[str, Any], square: bool, gateway: str) -> str:
    """Return where the picture is: with a round frame as Alipay draws it, or square.

    Raises:
        ChannelError: ``garbage``, there is none, or it is at nobody's we know.
    """
    names = ("qr_code_url",) if square else ("qr_code_url_circle_blue", "qr_code_url")
    found = next((told[name] for name in names if isinstance(told.get(name), str) and told[name]), "")
    if not is_web_address(found):
        raise ChannelError("the answer holds no code", retryable=True, code="garbage")
    host = urlsplit(found).hostname or ""
    theirs = any(host == domain or host.endswith(f".{domain}") for domain in _THEIR_DOMAINS)
    if not theirs and host != urlsplit(gateway).hostname:
        raise ChannelError("the code is at a stranger's", retryable=False, code="garbage")
    return found


def picture_in(body: bytes) -> Picture:
    """Return the picture that was fetched.

    Raises:
        ChannelError: ``garbage``, it is none.
    """
    kind = next((kind for start, kind in _PICTURES.items() if body.startswith(start)), "")
    if not kind:
        raise ChannelError("no picture came", retryable=True, code="garbage")
    return Picture(body, kind)
