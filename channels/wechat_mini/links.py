"""How a mini program's pages are opened from outside: paths, links and drawn codes.

Source: developers.weixin.qq.com, generateUrlLink, generateScheme, generateShortLink, getQRCode,
getUnlimitedQRCode, createQRCode. No link lasts longer than 30 days.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from channels.base import ChannelError, MiniCode, Outcome, PageMedium, Picture
from channels.http import HttpAnswer
from channels.links import is_web_address, with_params
from channels.wechat.client import decode
from channels.wechat.files import type_of

LASTS_DAYS = 30
LASTS = timedelta(days=LASTS_DAYS)
MAX_QUERY_CHARS = 1024
MAX_PATH_CHARS = 1024
MAX_SQUARE_PATH_CHARS = 128
MAX_SCENE_CHARS = 32
MIN_WIDTH_PX, MAX_WIDTH_PX = 280, 1280

_PATH = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*")
_SPECIAL = "!#$&'()*+,/:;=?@._~-"
_SCENE = re.compile(rf"[A-Za-z0-9{re.escape(_SPECIAL)}]{{1,{MAX_SCENE_CHARS}}}")
_QUERY = re.compile(rf"[A-Za-z0-9{re.escape(_SPECIAL)}%]*")


@dataclass(frozen=True, slots=True)
class Call:
    """A call to make, and the member of the answer that holds the link (``""`` for a picture)."""

    path: str
    body: Mapping[str, Any]
    member: str = ""


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
    if not _PATH.fullmatch(page) or not _QUERY.fullmatch(query) or len(query) > MAX_QUERY_CHARS:
        raise bad_page()
    return Place(page, query)


def call_for(place: Place, medium: PageMedium, version: str) -> Call:
    """Return the call that makes a link.

    Raises:
        ChannelError: ``no_such_medium``.
    """
    ends = {"is_expire": True, "expire_type": 1, "expire_interval": LASTS_DAYS}
    opened = {"path": place.page, "query": place.query, "env_version": version}
    if medium is PageMedium.URL_LINK:
        return Call("/wxa/generate_urllink", {**opened, **ends}, "url_link")
    if medium is PageMedium.SCHEME:
        return Call("/wxa/generatescheme", {"jump_wxa": opened, **ends}, "openlink")
    if medium is PageMedium.SHORT_LINK:
        return Call("/wxa/genwxashortlink", {"page_url": place.path, "is_permanent": False}, "link")
    raise ChannelError("no such link", retryable=False, code="no_such_medium")


def link_in(answer: HttpAnswer, member: str) -> str:
    """Return the link in an answer.

    Raises:
        ChannelError: there is none.
    """
    link = decode(answer).get(member)
    if not isinstance(link, str) or not link:
        raise ChannelError("the answer holds no link", retryable=True, code="garbage")
    return link


def code_call(code: MiniCode, version: str) -> Call:
    """Return the call that draws a code.

    Raises:
        ChannelError: ``bad_page``, ``bad_scene``, ``bad_width``.
    """
    page, _, query = code.page.partition("?")
    if not _PATH.fullmatch(page) or not _QUERY.fullmatch(query) or (query and code.scene):
        raise bad_page()
    if code.scene and not _SCENE.fullmatch(code.scene):
        raise ChannelError("a scene has 1 to 32 plain characters", retryable=False, code="bad_scene")
    if not MIN_WIDTH_PX <= code.width_px <= MAX_WIDTH_PX:
        raise ChannelError("no such width", retryable=False, code="bad_width")
    if code.square:
        path = f"{page}?{urlencode({'scene': code.scene})}" if code.scene else code.page
        return _drawn(
            "/cgi-bin/wxaapp/createwxaqrcode", path, MAX_SQUARE_PATH_CHARS, {"width": code.width_px}
        )
    shape = {"width": code.width_px, "env_version": version}
    if code.scene:
        # A page that is not published yet can be drawn for trials only.
        body = {"scene": code.scene, "page": page, "check_path": version == "release", **shape}
        return Call("/wxa/getwxacodeunlimit", body)
    return _drawn("/wxa/getwxacode", code.page, MAX_PATH_CHARS, shape)


def _drawn(path: str, page: str, most: int, shape: Mapping[str, Any]) -> Call:
    if len(page) > most:
        raise bad_page()
    return Call(path, {"path": page, **shape})


def picture_in(answer: HttpAnswer) -> Picture:
    """Return the picture in an answer; what is none is JSON that says why.

    Raises:
        ChannelError: refused, or neither.
    """
    kind = type_of(answer.body)
    if not kind.startswith("image/"):
        decode(answer)
        raise ChannelError("the answer is no picture", retryable=True, code="garbage")
    return Picture(answer.body, kind)


def bad_page() -> ChannelError:
    return ChannelError(
        "no such page of a mini program", retryable=False, code="bad_page", outcome=Outcome.BAD_TEMPLATE
    )
