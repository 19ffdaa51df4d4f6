"""What a host name says about who runs it."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from mobile_pages.artifact import Artifact

_TEST_HOST = re.compile(
    r"^(?:localhost|(?:[\w-]+\.)*(?:test|localhost|local|internal|invalid))$"
    r"|^(?:test|dev|uat|sit|staging|demo|beta|pre)\d*[.-]|[.-](?:test|dev|uat|sit|staging)\d*\.",
    re.ASCII,
)


def split(url: str) -> SplitResult:
    """Split ``url``; an address that cannot be read becomes one without host."""
    try:
        return urlsplit(url.strip())
    except ValueError:
        return SplitResult("", "", url, "", "")


def host_of(url: str) -> str:
    """Return the host in lower case without a final dot, ``""`` when there is none."""
    return (split(url).hostname or "").rstrip(".")


def port_of(url: str) -> int | None:
    """Return the port as written, None when none or no number is written."""
    try:
        return split(url).port
    except ValueError:
        return None


def is_address(host: str) -> bool:
    """Say whether ``host`` is an IP address and no name, odd spellings such as ``0x7f.1`` included."""
    last = host.rsplit(".", 1)[-1]
    if re.fullmatch(r"\d+|0x[0-9a-f]*", last):
        return True
    return ":" in host


def is_private(host: str) -> bool:
    """Say whether ``host`` is an address that only an inner network can reach."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def is_test_host(host: str) -> bool:
    """Say whether the name is one of a test environment."""
    return _TEST_HOST.search(host) is not None


def is_government(host: str) -> bool:
    """Say whether ``host`` lies under ``gov.cn``."""
    return host == "gov.cn" or host.endswith(".gov.cn")


def within(host: str, domain: str) -> bool:
    """Say whether ``host`` is ``domain`` or lies under it."""
    domain = domain.lower().strip().strip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def registered(artifact: Artifact) -> tuple[str, ...]:
    """Return the hosts the department registered: its entry's and the further ones."""
    own = host_of(artifact.declaration.url)
    return tuple(one for one in (own, *(one.lower() for one in artifact.declaration.domains)) if one)


def is_registered(host: str, artifact: Artifact) -> bool:
    """Say whether ``host`` is a registered one or lies under one."""
    return any(within(host, domain) for domain in registered(artifact))
