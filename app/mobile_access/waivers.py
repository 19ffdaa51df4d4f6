"""What a page on this very machine is excused from, so that the demo and the tests can publish any."""

from __future__ import annotations

import ipaddress
from datetime import date
from urllib.parse import urlsplit

from config.settings import Settings
from mobile_pages.spec.engine import Waiver

# HTTPS and a registered domain name cannot be had on 127.0.0.1.
_CODES = ("MAS-TRN-01", "MAS-ENT-02")
_REASON = "沙箱网页在本机上，没有证书和域名"


def waivers_for(url: str, settings: Settings, today: date) -> list[Waiver]:
    """Return the waivers of a page at ``url``: none anywhere but on loopback, none in production."""
    if not settings.may_reach_loopback or not _is_loopback(urlsplit(url).hostname or ""):
        return []
    return [Waiver(code, today, _REASON) for code in _CODES]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
