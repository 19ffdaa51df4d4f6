"""What good looks teach besides: certificate, TLS version, addresses, title, structure; and what changed.

Pure. What is known of a check is one small value that goes to and from JSON; it stays the very same
value while nothing changes, so that nothing need be written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

WARN_DAYS = (30, 14, 7, 3, 1)
"""Whole days a certificate still has when its end is told again, the earliest first."""

ADDRESSES_KEPT = 32
_FIRST_SAFE = "TLSv1.2"
_OLD = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1")


class ChangeKind(StrEnum):
    """What is worth telling people."""

    CERTIFICATE_EXPIRING = "certificate_expiring"
    CERTIFICATE_CHANGED = "certificate_changed"
    TLS_TOO_OLD = "tls_too_old"
    ADDRESSES_CHANGED = "addresses_changed"
    TITLE_CHANGED = "title_changed"
    STRUCTURE_CHANGED = "structure_changed"


@dataclass(frozen=True, slots=True)
class Certificate:
    """The server's own certificate.

    Attributes:
        fingerprint: tells one from another: SHA-256 in hex, else the serial number.
        not_after: aware, UTC.
    """

    fingerprint: str
    issuer: str
    serial: str
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """What one good look saw; ``""``, empty and None mean that it did not see.

    Attributes:
        at: when it began, aware.
        addresses: all that the name led to.
        tls_version: as OpenSSL writes it, ``TLSv1.2``.
        structure: fingerprint of the page's elements without their texts.
    """

    at: datetime
    addresses: tuple[str, ...] = ()
    tls_version: str = ""
    certificate: Certificate | None = None
    title: str = ""
    structure: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known.

    Attributes:
        addresses: those seen lately, the newest first: names of many servers answer in turn.
        warned_days: the last step of ``WARN_DAYS`` told of this certificate; None before the first.
    """

    addresses: tuple[str, ...] = ()
    tls_version: str = ""
    certificate: Certificate | None = None
    warned_days: int | None = None
    title: str = ""
    structure: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed; ``text`` is a Chinese sentence, ``urgent`` asks for somebody at once."""

    kind: ChangeKind
    text: str
    urgent: bool = False


def learn(known: Facts, seen: Seen) -> tuple[Facts, tuple[Change, ...]]:
    """Return what is known after a good look and what changed by it.

    The first time something is seen it is no change. Returns ``known`` itself when nothing is new.
    """
    found = tuple(_changes(known, seen))
    days = _warning(known, seen)
    renewed = _is_another(known.certificate, seen.certificate)
    fresh = replace(
        known,
        addresses=_addresses(known.addresses, seen.addresses),
        tls_version=seen.tls_version or known.tls_version,
        certificate=seen.certificate or known.certificate,
        warned_days=days if days is not None else (None if renewed else known.warned_days),
        title=seen.title or known.title,
        structure=seen.structure or known.structure,
    )
    return (known if fresh == known else fresh), found


def _changes(known: Facts, seen: Seen) -> Iterator[Change]:
    before, now = known.certificate, seen.certificate
    if before and now and _is_another(before, now):
        text = f"证书已更换，新证书由{_issuer(now)}签发，有效期至 {now.not_after:%Y-%m-%d}。"
        yield Change(ChangeKind.CERTIFICATE_CHANGED, text, urgent=now.issuer != before.issuer)
    if now and (days := _warning(known, seen)) is not None:
        left = (now.not_after - seen.at).days
        when = f"还有 {left} 天到期" if left > 0 else "24 小时内到期"
        text = f"证书{when}（{now.not_after:%Y-%m-%d %H:%M} UTC），请及时更换。"
        yield Change(ChangeKind.CERTIFICATE_EXPIRING, text, urgent=days <= 7)
    if seen.tls_version in _OLD and known.tls_version not in _OLD:
        text = f"加密协议降到了 {seen.tls_version}，低于规定的 {_FIRST_SAFE}。"
        yield Change(ChangeKind.TLS_TOO_OLD, text, urgent=True)
    if known.addresses and seen.addresses and not set(known.addresses) & set(seen.addresses):
        text = "域名指向了全新的服务器地址，请确认是否为部门自己的变更。"
        yield Change(ChangeKind.ADDRESSES_CHANGED, text)
    if known.title and seen.title and known.title != seen.title:
        yield Change(ChangeKind.TITLE_CHANGED, f"页面标题由“{known.title}”变为“{seen.title}”。")
    if known.structure and seen.structure and known.structure != seen.structure:
        yield Change(ChangeKind.STRUCTURE_CHANGED, "页面结构有较大变化，可能已改版。")


def _warning(known: Facts, seen: Seen) -> int | None:
    """Return the step of ``WARN_DAYS`` that must be told now, None when none must."""
    certificate = seen.certificate
    if certificate is None:
        return None
    left = certificate.not_after - seen.at
    reached = [days for days in WARN_DAYS if left.total_seconds() <= days * 86_400]
    if not reached:
        return None
    told = None if _is_another(known.certificate, certificate) else known.warned_days
    return reached[-1] if told is None or reached[-1] < told else None


def _is_another(before: Certificate | None, now: Certificate | None) -> bool:
    return before is not None and now is not None and before.fingerprint != now.fingerprint


def _addresses(known: tuple[str, ...], seen: tuple[str, ...]) -> tuple[str, ...]:
    """Return the known addresses with new ones in front; the same when there are no new ones."""
    if set(seen) <= set(known):
        return known
    return tuple(dict.fromkeys((*sorted(seen), *known)))[:ADDRESSES_KEPT]


def _issuer(certificate: Certificate) -> str:
    return f"“{certificate.issuer}”" if certificate.issuer else "不明机构"


def to_dict(facts: Facts) -> dict[str, Any]:
    """Return the facts as plain JSON values."""
    certificate = facts.certificate
    return {
        "addresses": list(facts.addresses),
        "tls_version": facts.tls_version,
        "certificate": certificate
        and {
            "fingerprint": certificate.fingerprint,
            "issuer": certificate.issuer,
            "serial": certificate.serial,
            "not_after": certificate.not_after.isoformat(),
        },
        "warned_days": facts.warned_days,
        "title": facts.title,
        "structure": facts.structure,
    }


def from_dict(raw: dict[str, Any] | None) -> Facts:
    """Read what :func:`to_dict` wrote; None is nothing known."""
    if not raw:
        return Facts()
    certificate = raw.get("certificate")
    return Facts(
        addresses=tuple(raw.get("addresses", ())),
        tls_version=raw.get("tls_version", ""),
        certificate=certificate
        and Certificate(
            fingerprint=certificate["fingerprint"],
            issuer=certificate["issuer"],
            serial=certificate["serial"],
            not_after=datetime.fromisoformat(certificate["not_after"]).astimezone(UTC),
        ),
        warned_days=raw.get("warned_days"),
        title=raw.get("title", ""),
        structure=raw.get("structure", ""),
    )
