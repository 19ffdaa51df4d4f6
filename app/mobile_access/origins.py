"""Which published page an address belongs to: what a browser treats as one place is one place here."""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import or_, select

from app.core import db
from app.mobile_access.domain import ChannelState, State
from app.mobile_access.models import MobilePage, PageChannel
from mobile_pages.guard import Refused, parse_target

VISITED_MAX = 2000
"""An address that residents visit is longer than the registered one: it carries what they asked for."""


@dataclass(frozen=True, slots=True)
class PlacedPage:
    """A page that is open to residents, for those who serve its scripts.

    Attributes:
        origin: scheme, host and port, as browsers write them.
        kinds: the channels it is let onto.
        visited: the address that was asked about, as browsers write it.
    """

    id: int
    body_id: int
    name: str
    origin: str
    kinds: frozenset[str]
    visited: str


def page_at(url: str) -> PlacedPage | None:
    """Return the page whose host ``url`` is on.

    Of several on one host it is the one whose path ``url`` shares most of, and of those the shortest.
    A page that is down but not withdrawn counts: it may be up again for this resident.
    """
    if len(url) > VISITED_MAX or "#" in url:
        return None
    try:
        wanted = parse_target(url).url
    except Refused:
        return None
    origin = origin_of(wanted)
    query = select(MobilePage).where(
        MobilePage.url.startswith(f"{origin}/", autoescape=True),
        or_(MobilePage.served.is_(True), MobilePage.state == State.DEGRADED),
    )
    pages = db.session().scalars(query.order_by(MobilePage.id)).all()
    found = max(pages, key=lambda page: (_shared(page.url, wanted), -len(page.url)), default=None)
    return None if found is None else _placed(found, origin, wanted)


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address in normal form."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _shared(page_url: str, url: str) -> int:
    folder, _, _ = urlsplit(page_url).path.rpartition("/")
    return len(os.path.commonprefix([f"{folder}/", urlsplit(url).path]))


def _placed(page: MobilePage, origin: str, visited: str) -> PlacedPage:
    kinds = select(PageChannel.kind).where(
        PageChannel.page_id == page.id, PageChannel.state.in_((ChannelState.APPROVED, ChannelState.PUBLISHED))
    )
    found = frozenset(db.session().scalars(kinds))
    return PlacedPage(page.id, page.body_id, page.name, origin, found, visited)
