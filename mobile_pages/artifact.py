"""What was collected of a page, once. Rules read this and nothing else.

An artifact is written by the gatherers and survives as JSON, so that a page can be judged again
under a later version of the spec without being visited again.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SCHEMA_VERSION = 1


class Client(StrEnum):
    """Whose user agent the page is opened with."""

    PLAIN = "plain"
    WECHAT = "wechat"
    ALIPAY = "alipay"


class Level(StrEnum):
    """Administrative level of the body that provides the page."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the department registered (登记) about the page.

    Attributes:
        name: service name (服务名) shown to residents.
        url: entry address as typed, not normalised.
        body_name: providing body (建设单位), full name.
        region_code: GB/T 2260 six digits of the body's region.
        service_region_code: the region whose residents the page serves.
        hotline: telephone (咨询热线) as typed.
        channels: channel kinds wanted, e.g. ``("wechat", "alipay")``.
        domains: hosts the department registered besides the entry's own.
        elder_url: address or address with parameter of the elder edition (长辈版); None when not declared.
        health_url: address that answers 200 while the back end works; None when not declared.
        verify_files: file name and exact content each platform wants at the root, by channel kind.
        name_reason: why the name is longer than six characters.
        signed_in_url: address at which a test identity is signed in; None when not declared.
        ticket_url: sandbox address with a sign-on ticket (票据) never used before; ``expired_ticket_url`` the
            same with a ticket issued more than 60 s ago; None when not declared.
        may_probe_paths: the department allows the six fixed paths of MAS-TRN-06 to be tried on its host.
    """

    name: str
    url: str
    body_name: str
    level: Level = Level.PROVINCE
    region_code: str = "440000"
    service_region_code: str = "440000"
    hotline: str = ""
    description: str = ""
    channels: tuple[str, ...] = ("wechat", "alipay")
    domains: tuple[str, ...] = ()
    elder_url: str | None = None
    health_url: str | None = None
    icp_number: str = ""
    verify_files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    name_reason: str = ""
    signed_in_url: str | None = None
    ticket_url: str | None = None
    expired_ticket_url: str | None = None
    may_probe_paths: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something could not be collected.

    Attributes:
        code: short and stable, e.g. ``"timeout"``, ``"guard_private_address"``, ``"too_large"``.
        detail: one sentence for a person, Chinese.
    """

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Hop:
    """One redirect on the way: the address asked, its status, where it pointed."""

    url: str
    status: int
    location: str


@dataclass(frozen=True, slots=True)
class Tls:
    """The certificate and protocol of the entry's host.

    Attributes:
        not_after: ISO 8601 UTC.
        trusted: chain leads to a trusted root (False also for self-signed).
        host_matches: the certificate names the host.
        problem: the verifier's words when either is False.
        old_versions: of TLS 1.0 and 1.1 those the server still accepts; None when not tried.
    """

    version: str
    issuer: str
    subject: str
    not_before: str
    not_after: str
    trusted: bool
    host_matches: bool
    problem: str = ""
    old_versions: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """One GET through the guard, redirects followed by us.

    Attributes:
        headers: lower-case name and value, in order, of the final answer.
        body: decoded text, at most the byte cap; ``""`` when not text.
        charset: the one used for decoding (WHATWG name), and ``charset_source`` where it came from:
            ``bom`` | ``header`` | ``meta`` | ``default``.
        body_bytes: size on the wire before decompression; ``decoded_bytes`` after.
        ttfb_ms: first byte of the final answer; ``total_ms``: whole exchange with redirects.
    """

    requested_url: str
    final_url: str
    status: int
    hops: tuple[Hop, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    head_bytes: str = ""  # first 1024 bytes, latin-1, for rules about where the charset stands
    charset: str = "utf-8"
    charset_source: str = "default"
    body_bytes: int = 0
    decoded_bytes: int = 0
    truncated: bool = False
    ttfb_ms: int = 0
    total_ms: int = 0
    tls: Tls | None = None
    trouble: Trouble | None = None

    def header(self, name: str) -> str | None:
        """Return the first value of ``name`` (any case), None when absent."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key == wanted), None)


@dataclass(frozen=True, slots=True)
class StaticPart:
    """What plain HTTP showed: the entry and small extra fetches.

    Attributes:
        links: same-host links of the entry that were tried, address and status (0 = no answer).
        extras: further fetches by a key the rule knows, e.g. ``"verify:wechat"``, ``"error-page"``,
            ``"health"``, ``"ticket"``, ``"ticket-again"``, ``"ticket-expired"``, ``"path:/.git/HEAD"`` (one
            per fixed path, where the department allows it).
    """

    entry: Fetch
    links: tuple[tuple[str, int], ...] = ()
    extras: Mapping[str, Fetch] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """One request that the page made while it was rendered.

    Attributes:
        kind: document, script, stylesheet, image, xhr, fetch, font or other.
        status: 0 = failed.
        bytes: on the wire; ``decoded_bytes`` after decompression, None when not known.
        blocked_by: the guard's code when it refused.
        media_type: of the answer, e.g. ``text/css``; ``""`` when not known.
        encoding: content coding of the answer, ``""`` when it came as it is.
        cache_seconds: how long the answer may be kept (``max-age``), None when it does not say.
    """

    url: str
    kind: str
    status: int
    bytes: int = 0
    blocked_by: str = ""
    decoded_bytes: int | None = None
    media_type: str = ""
    encoding: str = ""
    cache_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Rendering:
    """One opening of the page in the browser.

    Attributes:
        label: which opening, e.g. ``"plain-360"``, ``"wechat-360"``, ``"plain-320"``, ``"elder-360"``.
        width: viewport, CSS px.  text_zoom: 1.0 or 1.5.
        metrics: what the one-pass page script measured; its keys are documented in ``gather/rendered.py``.
        screenshot: content address (sha256 hex) of the PNG; None when none could be taken.
        navigations: main-frame addresses in order, the first is the one asked for.
        history_length: entries in the tab's history after loading.
        same_as: label of the rendering that this one is a copy of, because it was proved to be the same;
            ``""`` when the page was opened for it.
    """

    label: str
    client: Client
    width: int
    height: int
    text_zoom: float = 1.0
    final_url: str = ""
    title: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    requests: tuple[Request, ...] = ()
    exceptions: tuple[str, ...] = ()
    dialogs: tuple[str, ...] = ()
    downloads: tuple[str, ...] = ()
    navigations: tuple[str, ...] = ()
    history_length: int = 1
    first_text_ms: int | None = None
    total_ms: int = 0
    screenshot: str | None = None
    trouble: Trouble | None = None
    same_as: str = ""


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What the watch over a published page saw in its last days, given by whoever keeps the watch.

    Attributes:
        window_days: whole days that the figures cover.
        visits: tries to open the entry, ``failures`` those that did not open it within 15 s.
        fewest_daily_visits: visits on the day that had the fewest.
        health_visits: tries of the health address; ``health_failures`` not answered with 200,
            ``health_slow`` answered after more than 3 s.
        outages: times the entry was down; ``outages_told`` those during which the health address said so.
        maintenance_visits: visits within announced maintenance (停服维护); ``maintenance_told`` those
            answered with 503, Retry-After and an explanation.
        changes: times the title, the domains or the structure changed; ``changes_rechecked`` those checked
            again within 24 h.
        days_since_full_check: None when the page was never checked in full since it was published.
    """

    window_days: int
    visits: int
    failures: int
    fewest_daily_visits: int = 0
    health_visits: int = 0
    health_failures: int = 0
    health_slow: int = 0
    outages: int = 0
    outages_told: int = 0
    maintenance_visits: int = 0
    maintenance_told: int = 0
    changes: int = 0
    changes_rechecked: int = 0
    days_since_full_check: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a person found who looked at a clause that no machine can decide.

    Attributes:
        code: the clause, ``MAS-…``.
        passed: whether every guided question was answered with yes.
        note: what was looked at and found, Chinese.
        reviewed_at: ISO 8601 UTC.
        attachments: content addresses of pictures that prove it.
    """

    code: str
    passed: bool
    note: str
    reviewed_at: str
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """Everything collected of one page in one check.

    Attributes:
        collected_at: ISO 8601 UTC.
        renderings: empty when no browser was there; ``rendered_trouble`` then says why.
        monitoring: None for a page that is not watched (yet).
        evidence: what people found about clauses of this page.
    """

    declaration: Declaration
    collected_at: str
    static: StaticPart
    renderings: tuple[Rendering, ...] = ()
    rendered_trouble: Trouble | None = None
    monitoring: Monitoring | None = None
    evidence: tuple[Evidence, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def rendering(self, label: str) -> Rendering | None:
        """Return the opening with ``label``, None when it was not made."""
        return next((one for one in self.renderings if one.label == label), None)

    def to_json(self) -> str:
        """Return canonical JSON (sorted keys, no spaces), fit for content addressing."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Artifact:
        """Read what :meth:`to_json` wrote; what an older release did not write yet takes its default.

        Raises:
            ValueError: not an artifact of this schema version.
        """
        raw = json.loads(text)
        if not isinstance(raw, dict) or raw.get("schema_version") != SCHEMA_VERSION:
            raise ValueError("not an artifact of schema version 1")
        return _artifact(raw)


def _trouble(raw: Any) -> Trouble | None:
    return Trouble(**raw) if raw else None


def _fetch(raw: dict[str, Any]) -> Fetch:
    return Fetch(
        **{
            **raw,
            "hops": tuple(Hop(**hop) for hop in raw["hops"]),
            "headers": tuple((name, value) for name, value in raw["headers"]),
            "tls": _tls(raw["tls"]),
            "trouble": _trouble(raw["trouble"]),
        }
    )


def _tls(raw: dict[str, Any] | None) -> Tls | None:
    if raw is None:
        return None
    old = raw["old_versions"]
    return Tls(**{**raw, "old_versions": None if old is None else tuple(old)})


def _rendering(raw: dict[str, Any]) -> Rendering:
    lists = ("exceptions", "dialogs", "downloads", "navigations")
    return Rendering(
        **{
            **raw,
            **{name: tuple(raw[name]) for name in lists},
            "client": Client(raw["client"]),
            "requests": tuple(Request(**one) for one in raw["requests"]),
            "trouble": _trouble(raw["trouble"]),
        }
    )


def _declaration(raw: dict[str, Any]) -> Declaration:
    return Declaration(
        **{
            **raw,
            "level": Level(raw["level"]),
            "channels": tuple(raw["channels"]),
            "domains": tuple(raw["domains"]),
            "verify_files": {kind: (name, text) for kind, (name, text) in raw["verify_files"].items()},
        }
    )


def _artifact(raw: dict[str, Any]) -> Artifact:
    static = raw["static"]
    return Artifact(
        declaration=_declaration(raw["declaration"]),
        collected_at=raw["collected_at"],
        static=StaticPart(
            entry=_fetch(static["entry"]),
            links=tuple((url, status) for url, status in static["links"]),
            extras={key: _fetch(one) for key, one in static["extras"].items()},
        ),
        renderings=tuple(_rendering(one) for one in raw["renderings"]),
        rendered_trouble=_trouble(raw["rendered_trouble"]),
        monitoring=Monitoring(**raw["monitoring"]) if raw.get("monitoring") else None,
        evidence=tuple(
            Evidence(**{**one, "attachments": tuple(one["attachments"])}) for one in raw.get("evidence", ())
        ),
    )
