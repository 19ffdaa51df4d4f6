"""hall-bridge.js for pages of departments: the script itself, and what a page must be told to use it.

It stands here because it joins the registry of pages (``mobile_access``) with the accounts of channels
and with sign-in, which know nothing of each other, and because nobody but residents' phones asks for it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Lock

import structlog

from app.channel_accounts import service as channel_accounts
from app.core.errors import DomainError, NotFound
from app.identity import service as identity
from app.mobile_access import service as mobile_access
from app.mobile_access.service import PlacedPage
from channels.base import Capability, ChannelError, PageConfig
from channels.links import with_params

SCRIPTS = Path(__file__).parent / "scripts"
LATEST = "1.0.0"
RELEASES = {
    "1.0.0": "sha384-6i9k2Kj4nVuU46lVIDVoUQCeQX3dWaBf2uGscwQgMUo1JudBuPQhmgEei44dIcWH",
}
"""What was ever given out, and its digest: pages name both, so the bytes of a version never change."""

TICKET_NAME = "hall_ticket"
TICKETS_PER_RESIDENT = "60/minute"
PLATFORM_OF = {"wechat": "wechat", "wechat-mini": "wechat", "alipay": "alipay", "alipay-mini": "alipay"}
"""Whose script signs pages, by where a page is shown; pages in a mini program are signed by the account."""

# A ticket of WeChat's lives two hours; a signature is good as long as the ticket it was made with.
SIGNED_FOR = timedelta(minutes=10)
SIGNED_MAX = 2000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Release:
    """One version of the script, plain and compressed. ``integrity`` is for the script tag."""

    version: str
    body: bytes
    gzipped: bytes
    integrity: str


@dataclass(frozen=True, slots=True)
class BridgeConfig:
    """What a page is told. ``signature`` is None where the app wants none or gives none now."""

    page_id: int
    page_name: str
    sso_url: str
    signature: PageConfig | None


class NotOverTls(DomainError):
    code = "not_over_tls"
    title = "网页必须使用 https"
    title_en = "The page must be served over https"


@cache
def release(version: str) -> Release:
    """Return a version of the script.

    Raises:
        NotFound: it was never given out.
    """
    if version not in RELEASES:
        raise NotFound("没有这个版本")
    body = (SCRIPTS / f"hall-bridge-{version}.min.js").read_bytes()
    return Release(version, body, gzip.compress(body, mtime=0), integrity_of(body))


def integrity_of(body: bytes) -> str:
    """Return the digest of a script as the ``integrity`` of its tag wants it."""
    return f"sha384-{base64.b64encode(hashlib.sha384(body).digest()).decode('ascii')}"


def page_of(url: str, *, plain_http: bool) -> PlacedPage:
    """Return the published page that ``url`` belongs to.

    Args:
        plain_http: whether pages without TLS are let in, for demos and tests.

    Raises:
        NotFound: its host is none of a published page, or it is no address to be signed.
        NotOverTls: it is not https.
    """
    page = mobile_access.page_at(url)
    if page is None:
        raise NotFound("这个网址不属于已发布的移动网页")
    _demand_tls(page, plain_http)
    return page


def config_of(page: PlacedPage, url: str, client: str, base_url: str, now: datetime) -> BridgeConfig:
    """Return what the page at ``url`` is told; ``client`` is where it is shown, one of ``PLATFORM_OF``."""
    platform = PLATFORM_OF.get(client, "")
    signature = _signed(platform, url, now) if platform in page.kinds else None
    return BridgeConfig(page.id, page.name, f"{base_url}/sso/{page.id}", signature)


def way_back(page_id: int, asked: str, *, plain_http: bool) -> tuple[int, str]:
    """Return the body of a page and the address to return to with a ticket.

    Args:
        asked: where the resident came from; ``""`` for the page itself.
        plain_http: whether a ticket may travel without TLS, for demos and tests.

    Raises:
        NotFound: no such page is open, or ``asked`` is not a page of the same body: a ticket for one
            body must not be shown to another.
        NotOverTls: it is not https.
    """
    entry = mobile_access.entry(page_id)
    target = asked.partition("#")[0] or entry.url
    placed = mobile_access.page_at(target)
    if not entry.available or placed is None or placed.body_id != entry.page.body_id:
        raise NotFound("没有这个服务，或返回的网址不属于它")
    _demand_tls(placed, plain_http)
    return placed.body_id, placed.visited


def _demand_tls(page: PlacedPage, plain_http: bool) -> None:
    if not plain_http and not page.origin.startswith("https://"):
        raise NotOverTls


def with_ticket(resident_id: int, body_id: int, target: str, *, now: datetime) -> str:
    """Return ``target`` with a new ticket for pages of the body; needs a running transaction."""
    ticket = identity.issue_ticket(resident_id, identity.body_audience(body_id), now=now)
    return with_params(target, {TICKET_NAME: ticket})


class _Kept:
    """Signatures made lately, of this process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, str], tuple[datetime, PageConfig]] = OrderedDict()
        self._lock = Lock()

    def find(self, account_id: int, url: str, now: datetime) -> PageConfig | None:
        with self._lock:
            until, signature = self._kept.get((account_id, url), (now, None))
        return signature if until > now else None

    def keep(self, account_id: int, url: str, now: datetime, signature: PageConfig) -> None:
        with self._lock:
            self._kept[account_id, url] = (now + SIGNED_FOR, signature)
            self._kept.move_to_end((account_id, url))
            while len(self._kept) > SIGNED_MAX:
                self._kept.popitem(last=False)


_signatures = _Kept()


def _signed(platform: str, url: str, now: datetime) -> PageConfig | None:
    """Sign ``url`` with the first account of the platform that can; None when none can or will now."""
    for account in channel_accounts.accounts(kind=platform):
        adapter = channel_accounts.adapter(account.id)
        if Capability.PAGE_CONFIG not in adapter.capabilities:
            continue
        known = _signatures.find(account.id, url, now)
        if known is not None:
            return known
        try:
            signature = adapter.page_config(url, ())
        except ChannelError as error:
            # The page still works, by the standards of the web instead of the app's functions.
            log.warning("page_not_signed", account=account.key, code=error.code)
            return None
        if signature is not None:
            _signatures.keep(account.id, url, now, signature)
        return signature
    return None
